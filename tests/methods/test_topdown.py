from collections import Counter
from math import ceil
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.methods import shuffle_for
from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import Outcome, noisy, numbers, perfect, quick, run, shuffled

SIZES = st.integers(0, 130)
WINDOWS = st.integers(2, 25)
TOPS = st.integers(1, 140)
SEEDS = st.integers(0, 1 << 30)


def comparisons(outcome: Outcome) -> list[Window]:
    """The windows that held a pivot."""
    return [window for window in outcome.windows if window.start is None]


@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_the_best_come_out_in_their_order(n, window, top, seed):
    outcome = await run("topdown", shuffled(n, seed), perfect, window=window, top=top)
    exact = n if n <= window else min(top, window - 1)
    assert outcome.order[:exact] == numbers(n)[:exact]


@quick
@given(SIZES, WINDOWS, TOPS)
async def test_a_head_that_nothing_beats_is_ranked_once(n, window, top):
    outcome = await run("topdown", numbers(n), perfect, window=window, top=top)
    parts = ceil(max(0, n - window) / (window - 1))
    assert outcome.cost == ((1 + parts, 1 + bool(parts), n + parts) if n > 1 else (0, 0, 0))
    assert outcome.order == numbers(n)


@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_later_rejects_stand_in_front_of_earlier_ones(n, window, top, seed):
    """So every pivot ends at its true rank, with all that are better above it."""
    outcome = await run("topdown", shuffled(n, seed), perfect, window=window, top=top)
    heads = [shown for shown in outcome.windows if shown.start is not None]
    pivot_rank = max(1, min(top, window - 1))
    for head in heads:
        if len(head.doc_ids) == window:
            pivot = sorted(head.doc_ids, key=int)[pivot_rank - 1]
            if any(pivot in shown.doc_ids for shown in comparisons(outcome)):
                assert outcome.order[int(pivot)] == pivot


async def test_a_good_first_stage_takes_six_or_seven_calls():
    outcomes = [await run("topdown", noisy(100, seed), perfect) for seed in range(40)]
    assert {outcome.calls for outcome in outcomes} == {6, 7}
    assert {outcome.chain for outcome in outcomes} == {2, 3}
    assert all(105 <= outcome.documents <= 125 for outcome in outcomes)


async def test_a_random_order_takes_ten_calls():
    outcomes = [await run("topdown", shuffled(100, seed), perfect) for seed in range(40)]
    assert 9.5 < mean(outcome.calls for outcome in outcomes) < 11
    assert 5 < mean(outcome.chain for outcome in outcomes) < 6.2
    assert 165 < mean(outcome.documents for outcome in outcomes) < 185


def without(pivot: str, status: Status = Status.REPAIRED):
    """A judge whose lists lack the pivot of the first round."""

    def judge(window: Window) -> Reading:
        whole = perfect(window)
        if window.start is not None or pivot not in window.doc_ids:
            return whole
        listed = [place for place in whole.order if window.doc_ids[place] != pivot]
        left_out = window.doc_ids.index(pivot)
        return Reading(status, [*listed, left_out], listed=len(listed))

    return judge


async def test_a_part_whose_answer_lacks_the_pivot_stays_below_it():
    """Appended at the end, the pivot would promote all that the answer lists."""
    before = numbers(60)[20:40] + numbers(20) + numbers(60)[40:]
    outcome = await run("topdown", before, without("29"))
    assert outcome.order[:20] == numbers(60)[20:40]
    assert outcome.calls == 1 + 3


async def test_a_part_that_failed_leaves_the_others_their_gains():
    def judge(window: Window) -> Reading:
        failed = window.start is None and "1" in window.doc_ids
        return Reading(Status.FAILED, list(range(len(window.doc_ids)))) if failed else perfect(window)

    head, first, second = numbers(60)[20:40], numbers(19), numbers(60)[40:58]
    outcome = await run("topdown", [*head, *first, "19", *second], judge)
    assert outcome.order[:11] == ["19", *numbers(60)[20:30]]
    assert outcome.order.index("0") > 11


async def test_the_place_of_the_pivot_in_its_prompt_is_shuffled():
    places: Counter[int] = Counter()
    for seed in range(30):
        outcome = await run("topdown", numbers(100), perfect, shuffle=shuffle_for(seed, "q"))
        assert all("9" in window.doc_ids for window in comparisons(outcome))
        places.update(window.doc_ids.index("9") for window in comparisons(outcome))
    assert set(places) == set(range(20))
    assert max(places.values()) < 30


async def test_all_parts_of_a_round_are_asked_about_at_once():
    outcome = await run("topdown", shuffled(1000, 1), perfect)
    assert outcome.order[:10] == numbers(10)
    assert outcome.chain < outcome.calls / 4


@pytest.mark.parametrize("top", [1, 2, 19, 20, 500])
@pytest.mark.parametrize("window", [2, 3, 20])
async def test_any_top_works_with_any_window(window, top):
    outcome = await run("topdown", shuffled(50, 5), perfect, window=window, top=top)
    assert outcome.order[0] == "0"
