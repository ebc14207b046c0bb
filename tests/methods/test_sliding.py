from collections.abc import Callable, Sequence
from math import ceil
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from rearank_cli.methods import find_method
from rearank_cli.records import Reading, Status, Window

SIZES = st.integers(0, 130)
WINDOWS = st.integers(1, 25).flatmap(lambda window: st.tuples(st.just(window), st.integers(1, window)))
SEEDS = st.integers(0, 1 << 30)


class Asked:
    """Answers windows with an order of its own, and keeps them."""

    def __init__(self, order: Callable[[Sequence[str]], list[int]]) -> None:
        self.order = order
        self.windows: list[Window] = []

    async def __call__(self, window: Window) -> Reading:
        self.windows.append(window)
        return Reading(Status.OK, self.order(window.doc_ids))


def as_it_is(doc_ids: Sequence[str]) -> list[int]:
    return list(range(len(doc_ids)))


def perfect(doc_ids: Sequence[str]) -> list[int]:
    return sorted(range(len(doc_ids)), key=lambda position: int(doc_ids[position]))


def arbitrary(seed: int) -> Callable[[Sequence[str]], list[int]]:
    random = Random(seed)
    return lambda doc_ids: random.sample(range(len(doc_ids)), len(doc_ids))


def shuffled(n: int, seed: int) -> list[str]:
    return Random(seed).sample([str(number) for number in range(n)], n)


async def slide(ranking: Sequence[str], asked: Asked, window: int, step: int) -> list[str]:
    return await find_method("sliding")(ranking, asked, window=window, step=step)


@given(SIZES, WINDOWS, SEEDS)
async def test_every_rank_is_in_some_window_and_no_call_is_wasted(n, window_and_step, seed):
    window, step = window_and_step
    asked = Asked(arbitrary(seed))
    await slide(shuffled(n, seed), asked, window, step)
    assert len(asked.windows) == (1 + ceil(max(0, n - window) / step) if n else 0)
    assert {rank for shown in asked.windows for rank in range(shown.start, shown.end)} == set(range(n))
    for shown in asked.windows:
        assert len(shown.doc_ids) == shown.end - shown.start == min(window, n)
    starts = [shown.start for shown in asked.windows]
    assert starts == sorted(set(starts), reverse=True)
    if n:
        assert asked.windows[0].end == n
        assert asked.windows[-1].start == 0


@given(SIZES, WINDOWS, SEEDS)
async def test_windows_are_stretches_of_the_ranking_as_it_is_by_then(n, window_and_step, seed):
    window, step = window_and_step
    ranking = shuffled(n, seed)
    asked = Asked(arbitrary(seed))
    order = await slide(ranking, asked, window, step)
    replayed = Asked(arbitrary(seed))
    for shown in asked.windows:
        assert shown.doc_ids == tuple(ranking[shown.start : shown.end])
        assert shown.sample == 0
        ranking[shown.start : shown.end] = (await replayed(shown)).arrange(shown.doc_ids)
    assert order == ranking


@given(SIZES, WINDOWS, SEEDS)
async def test_the_best_documents_reach_the_head_in_their_order(n, window_and_step, seed):
    window, step = window_and_step
    order = await slide(shuffled(n, seed), Asked(perfect), window, step)
    carried = n if n <= window else window - step
    best = [str(number) for number in range(n)]
    assert order[:carried] == best[:carried]
    assert sorted(order, key=int) == best


@given(st.integers(2, 130), WINDOWS, SEEDS)
async def test_a_perfect_judge_never_makes_a_ranking_worse(n, window_and_step, seed):
    """No two documents that were in the right order leave in the wrong one."""
    window, step = window_and_step
    before = shuffled(n, seed)
    after = await slide(before, Asked(perfect), window, step)
    was, now = ({doc_id: rank for rank, doc_id in enumerate(ranking)} for ranking in (before, after))
    better, worse = sorted(Random(seed).sample(before, 2), key=int)
    assume(was[better] < was[worse])
    assert now[better] < now[worse]


@given(SIZES, WINDOWS, SEEDS)
async def test_a_judge_that_keeps_every_window_keeps_the_ranking(n, window_and_step, seed):
    ranking = shuffled(n, seed)
    assert await slide(ranking, Asked(as_it_is), *window_and_step) == ranking


@given(SIZES, WINDOWS, SEEDS)
async def test_any_judge_gives_a_permutation_and_leaves_the_given_list_alone(n, window_and_step, seed):
    ranking = shuffled(n, seed)
    given_list = list(ranking)
    order = await slide(given_list, Asked(arbitrary(seed)), *window_and_step)
    assert sorted(order) == sorted(ranking)
    assert given_list == ranking


async def test_a_hundred_documents_take_the_nine_windows_of_the_paper():
    asked = Asked(as_it_is)
    await slide([str(number) for number in range(100)], asked, 20, 10)
    assert [(shown.start, shown.end) for shown in asked.windows] == [
        (start, start + 20) for start in range(80, -1, -10)
    ]
