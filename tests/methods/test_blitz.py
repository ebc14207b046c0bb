from dataclasses import replace
from itertools import combinations
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.methods.preferences import Preferences, members
from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import (
    arbitrary,
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

SIZES = st.integers(0, 110)
WINDOWS = st.integers(2, 25)
TOPS = st.integers(1, 120)
SEEDS = st.integers(0, 1 << 30)


@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_the_best_come_out_in_their_order(n, window, top, seed):
    outcome = await run("blitz", shuffled(n, seed), perfect, window=window, top=top)
    assert outcome.order[:top] == numbers(n)[:top]


@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_all_are_shown_once_and_then_only_who_was_not_compared(n, window, top, seed):
    outcome = await run("blitz", shuffled(n, seed), perfect, window=window, top=top)
    blocks = ceil(n / window)
    first, later = outcome.windows[:blocks], outcome.windows[blocks:]
    assert sorted(doc_id for shown in first for doc_id in shown.doc_ids) == sorted(numbers(n))
    assert outcome.chain == bool(n) + len(later)
    together = {frozenset(pair) for shown in first for pair in combinations(shown.doc_ids, 2)}
    for shown in later:
        pairs = {frozenset(pair) for pair in combinations(shown.doc_ids, 2)}
        for doc_id in shown.doc_ids:
            assert any(doc_id in pair for pair in pairs - together)
        together |= pairs


@pytest.mark.parametrize("first_stage", [shuffled, noisy, lambda n, seed: numbers(n)])
async def test_a_hundred_documents_take_six_or_seven_calls(first_stage):
    for seed in range(40):
        outcome = await run("blitz", first_stage(100, seed), perfect)
        assert outcome.order[:10] == numbers(10)
        assert (outcome.calls, outcome.chain) in [(6, 2), (7, 3)]
        assert 120 <= outcome.documents <= 140


async def test_a_right_first_stage_needs_no_third_round():
    assert (await run("blitz", numbers(100), perfect)).cost == (6, 2, 120)


@quick
@given(st.integers(0, 50), WINDOWS, TOPS, SEEDS)
async def test_who_an_answer_left_out_is_asked_about_again(n, window, top, seed):
    """Nothing but what was listed is taken for known: so the best are exact, only later."""
    judge = listing(lambda shown: drawn(seed, shown).randint(1, len(shown.doc_ids)), perfect)
    outcome = await run("blitz", shuffled(n, seed), judge, window=window, top=top)
    assert outcome.order[:top] == numbers(n)[:top]


@quick
@given(SIZES, WINDOWS, TOPS, SEEDS)
async def test_windows_are_shown_in_first_stage_order(n, window, top, seed):
    before = shuffled(n, seed)
    outcome = await run("blitz", before, arbitrary(seed), window=window, top=top)
    for shown in outcome.windows:
        assert list(shown.doc_ids) == sorted(shown.doc_ids, key=before.index)


@quick
@given(st.integers(2, 60), WINDOWS, TOPS, st.integers(2, 9))
async def test_equal_scores_are_ties_that_first_stage_order_breaks(n, window, top, size):
    """Documents come in tiers: who is in a better tier is above, and a tier keeps its order."""

    def judge(shown: Window) -> Reading:
        tiers = [int(doc_id) // size for doc_id in shown.doc_ids]
        return Reading(
            Status.OK, sorted(range(len(tiers)), key=tiers.__getitem__), [-float(tier) for tier in tiers]
        )

    outcome = await run("blitz", numbers(n), judge, window=window, top=top)
    assert outcome.order[:top] == numbers(n)[:top]


async def test_documents_in_a_cycle_are_tied_and_their_wins_decide():
    """0 beats 1 and 1 beats 2, but 2 beats 0 when no other is shown; 3 loses to all."""
    beats = {("0", "1"), ("1", "2"), ("2", "0"), ("0", "3"), ("1", "3"), ("2", "3")}

    def judge(shown: Window) -> Reading:
        wins = [sum((one, other) in beats for other in shown.doc_ids) for one in shown.doc_ids]
        return Reading(Status.OK, sorted(range(len(wins)), key=lambda place: -wins[place]))

    outcome = await run("blitz", ["3", "2", "1", "0"], judge, window=2, top=3)
    assert outcome.order[3] == "3"
    assert outcome.calls <= 6


@quick
@given(st.integers(4, 60), st.integers(3, 12), TOPS, SEEDS)
async def test_of_tied_documents_only_one_is_shown(n, window, top, seed):
    judge = at_times(seed, perfect, lambda shown: replace(perfect(shown), order=perfect(shown).order[::-1]))
    outcome = await run("blitz", numbers(n), judge, window=window, top=top)
    known = Preferences(n)
    for number, shown in enumerate(outcome.windows):
        places = [int(doc_id) for doc_id in shown.doc_ids]
        if number >= ceil(n / window):
            assert all(known.tied(one) & sum(1 << other for other in places) == 1 << one for one in places)
        known.learn([[places[position]] for position in judge(shown).order])


async def test_ties_are_asked_about_once_more_and_apart_from_each_other():
    def judge(shown: Window) -> Reading:
        count = len(shown.doc_ids)
        return Reading(Status.OK, list(range(count)), [1.0, 1.0, 0.0, 0.0] if count == 4 else [1.0, 1.0])

    outcome = await run("blitz", numbers(4), judge, window=4, top=4)
    assert [shown.doc_ids for shown in outcome.windows] == [("0", "1", "2", "3"), ("0", "1"), ("2", "3")]
    assert outcome.order == numbers(4)


async def test_a_window_without_an_answer_keeps_its_order_and_the_rest_is_learnt():
    def judge(shown: Window) -> Reading:
        return failing(shown) if "0" in shown.doc_ids and len(shown.doc_ids) == 20 else perfect(shown)

    outcome = await run("blitz", numbers(100)[::-1], judge)
    assert outcome.order[:4] != numbers(4)
    assert {doc_id for doc_id in outcome.order[:12] if int(doc_id) % 5} >= {"1", "2", "3", "4", "6", "7", "8"}


def test_documents_that_are_tied_stand_by_comparisons_won_and_then_as_they_were():
    known = Preferences(4)
    for better, worse in [(2, 0), (0, 1), (1, 2), (1, 2)]:
        known.learn([[better], [worse], [3]])
    assert known.ranked() == [1, 0, 2, 3]


def test_what_is_assumed_never_goes_against_what_is_known():
    known = Preferences(4)
    known.learn([[2], [0]])
    known.assume([0, 1, 2, 3])
    assert known.ranked() == [2, 0, 1, 3]
    assert [list(members(known.tied(one))) for one in range(4)] == [[0], [1], [2], [3]]


@quick
@given(st.integers(1, 12), SEEDS)
def test_what_follows_from_preferences_is_known(count, seed):
    random = drawn(seed, Window(()))
    edges = [(random.randrange(count), random.randrange(count)) for _ in range(random.randint(0, 20))]
    edges = [(better, worse) for better, worse in edges if better != worse]
    known = Preferences(count)
    leads = {one: {one} for one in range(count)}
    for better, worse in edges:
        assert known.learn([[better], [worse]]) == (worse not in leads[better])
        for one in range(count):
            if better in leads[one]:
                leads[one] |= leads[worse]
        # One round over all is enough: `leads` is closed before, and the new way is through one edge.
    for one in range(count):
        above = {other for other in range(count) if one in leads[other]}
        assert set(members(known.winners(one))) == above - leads[one]
        assert set(members(known.losers(one))) == leads[one] - above
        assert set(members(known.tied(one))) == leads[one] & above
        assert set(members(known.known(one))) == leads[one] | above
