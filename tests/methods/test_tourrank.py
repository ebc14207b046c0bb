from collections import Counter
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import arbitrary, drawn, failing, numbers, perfect, quick, run, shuffled

SIZES = st.integers(0, 130)
WINDOWS = st.integers(2, 25)
PASSES = st.integers(1, 3)
SEEDS = st.integers(0, 1 << 30)


@pytest.mark.parametrize("passes", [1, 2, 10])
async def test_a_hundred_documents_take_thirteen_calls_in_five_stages(passes):
    outcome = await run("tourrank", shuffled(100, 1), perfect, passes=passes)
    assert outcome.cost == (13 * passes, 5, 185 * passes)
    for number in range(passes):
        sizes = [len(window.doc_ids) for window in outcome.windows if window.sample == number]
        assert sorted(sizes) == sorted([20] * 5 + [10] * 5 + [20, 10, 5])


@quick
@given(SEEDS, PASSES)
async def test_points_of_a_hundred_documents_come_in_the_tiers_of_the_paper(seed, passes):
    scores = (await run("tourrank", shuffled(100, seed), perfect, passes=passes)).ranking.scores
    tiers = Counter(points / passes for points in scores.values())
    assert tiers == {5: 2, 4: 3, 3: 5, 2: 10, 1: 30, 0: 50}
    assert {doc_id for doc_id, points in scores.items() if points == 5 * passes} == {"0", "1"}
    assert {doc_id for doc_id, points in scores.items() if points >= 4 * passes} >= {"0", "1", "2", "3"}


@quick
@given(st.integers(1, 130), WINDOWS, PASSES, SEEDS)
async def test_none_has_more_points_than_the_best(n, window, passes, seed):
    scores = (await run("tourrank", shuffled(n, seed), perfect, window=window, passes=passes)).ranking.scores
    assert scores["0"] == max(scores.values())


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_the_order_is_by_points_and_then_as_it_was(n, window, passes, seed):
    before = shuffled(n, seed)
    outcome = await run("tourrank", before, arbitrary(seed), window=window, passes=passes)
    scores = outcome.ranking.scores
    assert outcome.order == sorted(before, key=lambda doc_id: (-scores[doc_id], before.index(doc_id)))


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_stages_have_the_groups_that_are_documented(n, window, passes, seed):
    outcome = await run("tourrank", shuffled(n, seed), arbitrary(seed), window=window, passes=passes)
    calls = documents = stages = 0
    left = n
    for part, kept in [(1, "1/2"), (2, "2/5"), (1, "1/2"), (1, "1/2"), (1, "2/5")]:
        if left < 2:
            break
        groups = ceil(left / max(2, window // part))
        sizes = [len(range(group, left, groups)) for group in range(groups)]
        asked = [size for size in sizes if size > 1]
        calls, documents, stages = calls + len(asked), documents + sum(asked), stages + 1
        left = sum(ceil(Fraction(kept) * size) for size in sizes)
    assert outcome.cost == (passes * calls, stages, passes * documents)


async def test_groups_are_seeded_from_the_current_order():
    outcome = await run("tourrank", numbers(100), perfect)
    groups = [set(window.doc_ids) for window in outcome.windows[:5]]
    assert groups == [set(numbers(100)[group::5]) for group in range(5)]


async def test_prompts_are_in_shuffled_order_in_every_tournament():
    outcome = await run("tourrank", numbers(100), perfect, passes=3)
    groups = [
        window.doc_ids for window in outcome.windows if "0" in window.doc_ids and len(window.doc_ids) == 20
    ]
    assert len(set(groups)) == len(groups)
    assert all(list(group) != sorted(group, key=int) for group in groups)


async def test_no_more_go_on_than_the_stage_has_places_for():
    outcome = await run("tourrank", numbers(100), failing)
    assert Counter(outcome.ranking.scores.values()) == {5: 2, 4: 3, 3: 5, 2: 10, 1: 30, 0: 50}


@quick
@given(SEEDS)
async def test_short_answers_are_filled_up_in_first_stage_order(seed):
    """Not in that of the prompt, which is shuffled."""

    def judge(window: Window) -> Reading:
        last = max(range(len(window.doc_ids)), key=lambda place: int(window.doc_ids[place]))
        rest = [place for place in range(len(window.doc_ids)) if place != last]
        drawn(seed, window).shuffle(rest)
        return Reading(Status.REPAIRED, [last, *rest], listed=1)

    scores = (await run("tourrank", numbers(20), judge)).ranking.scores
    assert scores == {"19": 4.0} | {doc_id: scores[doc_id] for doc_id in numbers(19)}
    assert [doc_id for doc_id in numbers(20) if scores[doc_id] >= 1] == [*numbers(9), "19"]
