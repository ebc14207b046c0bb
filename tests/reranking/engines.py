"""Engines and judges that tests hand to `rerank(engine=...)`: plain objects that answer as told."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Prompt, Query, Sampling

REARANK = load_family("rearank")

Answer = Callable[[Prompt], Completion]


def best_last(prompt: Prompt) -> Completion:
    """Ranks a document the higher, the later its id is in the alphabet."""
    positions = range(len(prompt.doc_ids))
    order = sorted(positions, key=lambda position: prompt.doc_ids[position], reverse=True)
    return REARANK.write(order, f"{len(order)} passages, compared by name")


def unchanged(prompt: Prompt) -> Completion:
    """Keeps the order it is shown."""
    return REARANK.write(range(len(prompt.doc_ids)))


def at_random(prompt: Prompt) -> Completion:
    """Ranks in an order that only the prompt decides, and not always as it should be written."""
    random = Random(repr(prompt.doc_ids))
    order = random.sample(range(len(prompt.doc_ids) + 2), len(prompt.doc_ids))
    finish_reason = random.choice(["stop", "stop", "stop", "length", "abort"])
    return Completion(REARANK.write(order, "a [3] b").text[: random.randint(20, 500)], finish_reason)


class Scripted:
    """An engine that answers every prompt by a function, and keeps what it was asked.

    With `delays` each answer takes a while of its own, so answers come in any order.
    """

    name = "scripted"

    def __init__(self, answer: Answer = best_last, delays: Random | None = None) -> None:
        self.answer = answer
        self.delays = delays
        self.asked: list[tuple[Prompt, Sampling]] = []
        self.running = 0
        self.most_running = 0

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        self.asked.append((prompt, sampling))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.delays.uniform(0, 0.003) if self.delays else 0)
            return self.answer(prompt)
        finally:
            self.running -= 1

    @property
    def windows(self) -> list[tuple[str, ...]]:
        """The documents of every prompt."""
        return [prompt.doc_ids for prompt, _ in self.asked]


class BestLast:
    """A judge of the same mind as `best_last`."""

    def __init__(self) -> None:
        self.seen: list[tuple[Query, list[Passage], list[Passage]]] = []

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> tuple[list[int], str]:
        self.seen.append((query, list(passages), list(candidates)))
        order = sorted(range(len(passages)), key=lambda position: passages[position].doc_id, reverse=True)
        return order, "the later in the alphabet, the better"
