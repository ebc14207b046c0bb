"""Judges of windows, and a method's work with one: what it asked, and how many calls waited for others."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from zlib import crc32

from hypothesis import settings

from rearank_cli.methods import METHODS, Ask, shuffle_for
from rearank_cli.records import Ranking, Reading, Status, Window

Judge = Callable[[Window], Reading]
"""Reads a window, from nothing but the window: so in whatever order windows come."""

quick = settings(max_examples=40, deadline=None)

UNLIMITED = ("full", "exclusion")
"""Methods whose windows hold all candidates."""


def failing(window: Window) -> Reading:
    return Reading(Status.FAILED, list(range(len(window.doc_ids))))


def perfect(window: Window) -> Reading:
    """Documents are numbers, the least is the best; the score is what is missing to a million."""
    values = [int(doc_id) for doc_id in window.doc_ids]
    return Reading(
        Status.OK,
        sorted(range(len(values)), key=values.__getitem__),
        [1_000_000.0 - value for value in values] if len(values) == 1 else None,
    )


def indifferent(window: Window) -> Reading:
    return Reading(Status.OK, list(range(len(window.doc_ids))), [0.5] * len(window.doc_ids))


def scoring(window: Window) -> Reading:
    """As a model that gives scores on one scale."""
    return replace(perfect(window), scores=[-float(doc_id) for doc_id in window.doc_ids])


def arbitrary(seed: int) -> Judge:
    """Any order, any scores, with ties and without some."""

    def judge(window: Window) -> Reading:
        random = drawn(seed, window)
        count = len(window.doc_ids)
        scores = random.choice([None, [random.choice([None, 0.0, 0.5, 1.0]) for _ in range(count)]])
        listed = random.choice([None, random.randint(0, count)])
        return Reading(Status.OK, random.sample(range(count), count), scores, listed=listed)

    return judge


def at_times(seed: int, judge: Judge, otherwise: Judge, rate: float = 0.5) -> Judge:
    """One judge for some windows and another for the rest."""
    return lambda window: (judge if drawn(seed, window).random() < rate else otherwise)(window)


def listing(most: Callable[[Window], int], judge: Judge) -> Judge:
    """A judge that lists only so many, which are completed in the window's own order."""

    def some(window: Window) -> Reading:
        reading = judge(window)
        listed = reading.order[: most(window)]
        rest = [place for place in range(len(window.doc_ids)) if place not in listed]
        return replace(reading, status=Status.REPAIRED, order=[*listed, *rest], listed=len(listed))

    return some


def drawn(seed: int, window: Window) -> Random:
    return Random(crc32(repr((seed, window.doc_ids, window.sample)).encode()))


def numbers(n: int) -> list[str]:
    return [str(number) for number in range(n)]


def shuffled(n: int, seed: int) -> list[str]:
    return Random(seed).sample(numbers(n), n)


def noisy(n: int, seed: int, deviation: float = 10) -> list[str]:
    """A good first stage: true ranks and some noise."""
    random = Random(seed)
    return sorted(numbers(n), key=lambda number: int(number) + random.gauss(0, deviation))


@dataclass
class Outcome:
    """What came of a method, and what it took. `chain` is the longest series of calls that waited."""

    ranking: Ranking
    windows: list[Window]
    chain: int

    @property
    def order(self) -> list[str]:
        return self.ranking.doc_ids

    @property
    def calls(self) -> int:
        return len(self.windows)

    @property
    def documents(self) -> int:
        return sum(len(window.doc_ids) for window in self.windows)

    @property
    def cost(self) -> tuple[int, int, int]:
        return self.calls, self.chain, self.documents


@dataclass
class Asked:
    """Holds what is asked until it is told to answer."""

    judge: Judge
    windows: list[Window] = field(default_factory=list)
    waiting: list[tuple[Window, asyncio.Future[Reading]]] = field(default_factory=list)

    async def __call__(self, window: Window) -> Reading:
        self.windows.append(window)
        answer = asyncio.get_running_loop().create_future()
        self.waiting.append((window, answer))
        return await answer

    def answer_all(self) -> None:
        waiting, self.waiting = self.waiting, []
        for window, answer in waiting:
            answer.set_result(self.judge(window))

    def answer_one(self, random: Random) -> None:
        window, answer = self.waiting.pop(random.randrange(len(self.waiting)))
        answer.set_result(self.judge(window))


async def run(
    name: str,
    doc_ids: Sequence[str],
    judge: Judge,
    *,
    late: Random | None = None,
    through: Callable[[Ask], Ask] = lambda ask: ask,
    **options: object,
) -> Outcome:
    """Let a method order documents, and hold it to what all methods promise.

    All that is asked is answered at once, when nothing is left to do without answers; so the rounds
    it takes are the longest chain. With `late`, one call at a time is answered, whichever.
    """
    method = METHODS[name]
    usual = {"window": 20, "step": 10, "top": 10, "passes": method.passes, "shuffle": shuffle_for(7, "q")}
    options = usual | options
    asked = Asked(judge)
    before = list(doc_ids)
    taken = {option: value for option, value in options.items() if option in method.takes}
    work = asyncio.ensure_future(method.run(before, through(asked), **taken))
    chain = 0
    await _quiet()
    while not work.done():
        assert asked.waiting, f"{name} waits for nothing"
        chain += 1
        if late:
            asked.answer_one(late)
        else:
            asked.answer_all()
        await _quiet()
    outcome = Outcome(work.result(), asked.windows, chain)
    assert before == list(doc_ids)
    assert sorted(outcome.order) == sorted(doc_ids)
    for shown in outcome.windows:
        assert len(set(shown.doc_ids)) == len(shown.doc_ids) > 0
        assert set(shown.doc_ids) <= set(doc_ids)
        assert name in UNLIMITED or len(shown.doc_ids) <= options["window"]
        if shown.start is not None:
            assert 0 <= shown.start < shown.end <= len(doc_ids)
            assert shown.end - shown.start == len(shown.doc_ids)
    return outcome


async def _quiet() -> None:
    """Until nothing is left to do in the event loop but what waits for an answer."""
    while True:
        await asyncio.sleep(0)
        if not asyncio.get_running_loop()._ready:
            return
