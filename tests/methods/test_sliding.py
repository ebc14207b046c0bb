from dataclasses import replace
from math import ceil
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rearank_cli.records import Reading, Window
from tests.methods.judges import Judge, Outcome, arbitrary, failing, numbers, perfect, quick, run, shuffled

SIZES = st.integers(0, 130)
WINDOWS = st.integers(1, 25).flatmap(lambda window: st.tuples(st.just(window), st.integers(1, window)))
PASSES = st.integers(1, 4)
SEEDS = st.integers(0, 1 << 30)


async def slide(doc_ids: list[str], judge: Judge, window: int, step: int, passes: int = 1) -> Outcome:
    return await run("sliding", doc_ids, judge, window=window, step=step, passes=passes)


def the_same_in_all_passes(judge: Judge) -> Judge:
    return lambda window: judge(replace(window, sample=0))


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_every_rank_is_in_some_window_and_no_call_is_wasted(n, window_and_step, passes, seed):
    window, step = window_and_step
    outcome = await slide(shuffled(n, seed), arbitrary(seed), window, step, passes)
    calls = 1 + ceil(max(0, n - window) / step) if n else 0
    assert outcome.calls == passes * calls
    assert outcome.documents == outcome.calls * min(window, n)
    for number in range(passes):
        windows = [shown for shown in outcome.windows if shown.sample == number]
        assert len(windows) == calls
        assert {rank for shown in windows for rank in range(shown.start, shown.end)} == set(range(n))
        starts = [shown.start for shown in windows]
        assert starts == sorted(set(starts), reverse=True)
        if n:
            assert windows[0].end == n
            assert windows[-1].start == 0


@quick
@given(SIZES, WINDOWS, SEEDS)
async def test_windows_are_stretches_of_the_ranking_as_it_is_by_then(n, window_and_step, seed):
    ranking = shuffled(n, seed)
    outcome = await slide(ranking, arbitrary(seed), *window_and_step)
    for shown in outcome.windows:
        assert shown.doc_ids == tuple(ranking[shown.start : shown.end])
        assert shown.sample == 0
        ranking[shown.start : shown.end] = arbitrary(seed)(shown).arrange(shown.doc_ids)
    assert outcome.order == ranking


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_passes_that_overlap_in_time_come_to_what_passes_in_turn_come_to(
    n, window_and_step, passes, seed
):
    judge = the_same_in_all_passes(arbitrary(seed))
    ranking = shuffled(n, seed)
    at_once = await slide(ranking, judge, *window_and_step, passes)
    for _ in range(passes):
        ranking = (await slide(ranking, judge, *window_and_step)).order
    assert at_once.order == ranking


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_the_best_documents_reach_the_head_in_their_order(n, window_and_step, passes, seed):
    window, step = window_and_step
    outcome = await slide(shuffled(n, seed), perfect, window, step, passes)
    carried = n if n <= window else passes * (window - step)
    assert outcome.order[:carried] == numbers(n)[:carried]


@quick
@given(st.integers(2, 130), WINDOWS, PASSES, SEEDS)
async def test_a_perfect_judge_never_makes_a_ranking_worse(n, window_and_step, passes, seed):
    """No two documents that were in the right order leave in the wrong one."""
    before = shuffled(n, seed)
    after = (await slide(before, perfect, *window_and_step, passes)).order
    was, now = ({doc_id: rank for rank, doc_id in enumerate(ranking)} for ranking in (before, after))
    better, worse = sorted(Random(seed).sample(before, 2), key=int)
    assume(was[better] < was[worse])
    assert now[better] < now[worse]


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_a_judge_that_keeps_every_window_keeps_the_ranking(n, window_and_step, passes, seed):
    ranking = shuffled(n, seed)
    assert (await slide(ranking, failing, *window_and_step, passes)).order == ranking


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_a_pass_follows_the_one_before_it_by_the_windows_that_share_its_ranks(
    n, window_and_step, passes, seed
):
    window, step = window_and_step
    outcome = await slide(shuffled(n, seed), arbitrary(seed), window, step, passes)
    calls = outcome.calls // passes
    lag = ceil(window / step)
    if step == window:
        assert outcome.chain <= 2 * passes
    elif (n - window) % step == 0 and n:
        assert outcome.chain == calls + (passes - 1) * min(lag, calls)
    else:
        assert outcome.chain <= calls + (passes - 1) * (lag + 1)


@pytest.mark.parametrize(("passes", "chain"), [(1, 9), (2, 11), (3, 13)])
async def test_a_hundred_documents_take_the_nine_windows_of_the_paper(passes, chain):
    outcome = await slide(numbers(100), failing, 20, 10, passes)
    for number in range(passes):
        windows = [(shown.start, shown.end) for shown in outcome.windows if shown.sample == number]
        assert windows == [(start, start + 20) for start in range(80, -1, -10)]
    assert outcome.cost == (9 * passes, chain, 180 * passes)


async def test_a_failed_window_holds_up_only_what_it_would_have_carried():
    def judge(window: Window) -> Reading:
        return failing(window) if window.start == 50 else perfect(window)

    outcome = await slide(numbers(100)[::-1], judge, 20, 10)
    assert outcome.calls == 9
    assert outcome.order[:10] == numbers(50)[40:]
