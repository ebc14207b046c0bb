from math import ceil
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.methods import shuffle_for
from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import (
    at_times,
    drawn,
    failing,
    listing,
    noisy,
    numbers,
    perfect,
    quick,
    run,
    shuffled,
)

both = pytest.mark.parametrize("name", ["setwise-heapsort", "setwise-bubblesort"])
SIZES = st.integers(0, 60)
WINDOWS = st.integers(2, 25)
TOPS = st.integers(1, 70)
SEEDS = st.integers(0, 1 << 30)

choosing = listing(lambda window: 1, perfect)


@both
@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_the_best_come_out_in_their_order(name, n, window, top, seed):
    outcome = await run(name, shuffled(n, seed), choosing, window=window, top=top)
    assert outcome.order[:top] == numbers(n)[:top]


@both
async def test_prompts_are_shuffled(name):
    """No place in a prompt belongs to the parent, or to the front of the window."""
    outcome = await run(name, numbers(100), choosing)
    places = {window.doc_ids.index(min(window.doc_ids, key=int)) for window in outcome.windows}
    assert len(places) > 5


@both
async def test_half_of_the_answers_are_worth_more_than_none(name):
    kept = []
    for seed in range(10):
        judge = at_times(seed, failing, choosing)
        outcome = await run(name, noisy(100, seed), judge)
        kept.append(sum(int(doc_id) < 10 for doc_id in outcome.order[:10]))
    none = [sum(int(doc_id) < 10 for doc_id in noisy(100, seed)[:10]) for seed in range(10)]
    assert mean(kept) > mean(none)


@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_documents_that_the_heap_did_not_give_stay_in_first_stage_order(n, window, top, seed):
    before = shuffled(n, seed)
    outcome = await run("setwise-heapsort", before, choosing, window=window, top=top)
    rest = outcome.order[top:]
    assert rest == sorted(rest, key=before.index)


@quick
@given(st.integers(2, 60), WINDOWS, TOPS, SEEDS)
async def test_a_heap_is_sifted_by_a_call_a_level(n, window, top, seed):
    outcome = await run("setwise-heapsort", shuffled(n, seed), choosing, window=window, top=top)
    parents = range(ceil((n - 1) / (window - 1)))
    levels = [1] * n
    for place in reversed(parents):
        children = range(place * (window - 1) + 1, min(n, (place + 1) * (window - 1) + 1))
        levels[place] = 1 + max(levels[child] for child in children)
    depth = levels[0] - 1
    assert outcome.calls <= sum(levels[parent] - 1 for parent in parents) + (min(top, n) - 1) * depth
    assert outcome.calls >= len(parents)
    assert outcome.chain <= sum(range(depth + 1)) + (min(top, n) - 1) * depth


@pytest.mark.parametrize(
    ("window", "good", "random"),
    [
        (20, (19, 15, 365), (23, 19, 440)),
        (10, (31, 23, 303), (31, 24, 312)),
        (4, (73, 42, 291), (82, 44, 326)),
        (3, (112, 62, 334), (139, 70, 415)),
    ],
)
async def test_what_a_heap_of_a_hundred_documents_takes(window, good, random):
    for first_stage, expected in ((noisy, good), (shuffled, random)):
        outcomes = [
            await run("setwise-heapsort", first_stage(100, seed), choosing, window=window)
            for seed in range(30)
        ]
        for measured, number in zip(zip(*(one.cost for one in outcomes), strict=True), expected, strict=True):
            assert mean(measured) == pytest.approx(number, rel=0.04)


async def test_subtrees_beside_each_other_are_made_heaps_at_once():
    outcome = await run("setwise-heapsort", numbers(1000), choosing, window=4, top=1)
    assert outcome.calls == 333
    assert outcome.chain == 6


@quick
@given(SIZES, WINDOWS, TOPS)
async def test_bubblesort_takes_the_windows_that_are_documented(n, window, top):
    outcome = await run("setwise-bubblesort", shuffled(n, 1), choosing, window=window, top=top)
    passes = range(min(top, max(0, n - 1)))
    calls = [ceil((n - 1 - number) / (window - 1)) for number in passes]
    assert outcome.calls == sum(calls)
    assert outcome.documents == sum(n - number + calls[number] - 1 for number in passes)
    assert outcome.chain <= (calls[-1] + 2 * passes[-1] if calls else 0)


@pytest.mark.parametrize(("window", "cost"), [(4, (318, 48, 1263)), (20, (54, 23, 999))])
async def test_what_bubblesort_of_a_hundred_documents_takes(window, cost):
    assert (await run("setwise-bubblesort", noisy(100, 1), choosing, window=window)).cost == cost


async def test_the_winner_changes_places_with_the_front_of_its_window():
    outcome = await run("setwise-bubblesort", ["3", "4", "5", "2"], choosing, window=3, top=1)
    assert [sorted(window.doc_ids) for window in outcome.windows] == [["2", "4", "5"], ["2", "3"]]
    assert outcome.order == ["2", "3", "5", "4"]


async def test_without_an_answer_the_best_by_first_stage_rank_wins():
    """What stood at the front may have been put there by the heap, and be the last of all."""

    def judge(window: Window) -> Reading:
        return failing(window) if window.sample else choosing(window)

    before = shuffled(40, 4)
    outcome = await run("setwise-heapsort", before, judge, window=20, shuffle=shuffle_for(1, "q"))
    assert outcome.order[0] == "0"
    behind = [doc_id for doc_id in before if doc_id != "0"]
    assert set(outcome.order[1:10]) - set(behind[:12]) <= set(numbers(12))


@quick
@given(SEEDS)
async def test_an_answer_that_lists_nothing_is_none(seed):
    def judge(window: Window) -> Reading:
        count = len(window.doc_ids)
        return Reading(Status.REPAIRED, drawn(seed, window).sample(range(count), count), listed=0)

    for name in ("setwise-heapsort", "setwise-bubblesort"):
        assert (await run(name, shuffled(40, seed), judge)).order == shuffled(40, seed)
