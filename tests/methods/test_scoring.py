from collections import Counter
from dataclasses import replace
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.records import Reading, Status, Window
from tests.methods.judges import at_times, drawn, failing, numbers, quick, run, scoring, shuffled

both = pytest.mark.parametrize("name", ["pointwise", "groupwise"])
SIZES = st.integers(0, 130)
WINDOWS = st.integers(1, 25)
PASSES = st.integers(1, 4)
SEEDS = st.integers(0, 1 << 30)


@both
@quick
@given(SIZES, WINDOWS, SEEDS)
async def test_the_whole_order_is_exact(name, n, window, seed):
    outcome = await run(name, shuffled(n, seed), scoring, window=window)
    assert outcome.order == numbers(n)
    assert outcome.ranking.scores == {doc_id: -float(doc_id) for doc_id in numbers(n)}


@both
@quick
@given(st.integers(0, 60), SEEDS)
async def test_documents_without_a_score_keep_their_places(name, n, seed):
    before = shuffled(n, seed)
    outcome = await run(name, before, at_times(seed, scoring, failing), window=4)
    scores = outcome.ranking.scores
    for place, doc_id in enumerate(before):
        assert doc_id in scores or outcome.order[place] == doc_id
    scored = [doc_id for doc_id in outcome.order if doc_id in scores]
    assert scored == sorted(scores, key=int)


@both
async def test_equal_scores_keep_first_stage_order(name):
    def judge(window: Window) -> Reading:
        return replace(scoring(window), scores=[float(int(doc_id) % 3) for doc_id in window.doc_ids])

    outcome = await run(name, shuffled(30, 1), judge, window=7)
    assert outcome.order == sorted(shuffled(30, 1), key=lambda doc_id: -(int(doc_id) % 3))


@both
async def test_an_answer_without_scores_scores_nothing(name):
    def judge(window: Window) -> Reading:
        return replace(scoring(window), scores=[None] * len(window.doc_ids))

    outcome = await run(name, shuffled(30, 1), judge)
    assert outcome.order == shuffled(30, 1)
    assert outcome.ranking.scores == {}


@both
async def test_scores_that_come_with_a_failure_are_not_used(name):
    def judge(window: Window) -> Reading:
        return replace(scoring(window), status=Status.TRUNCATED)

    assert (await run(name, shuffled(30, 1), judge)).order == shuffled(30, 1)


@quick
@given(SIZES)
async def test_pointwise_asks_about_every_document_alone_and_at_once(n):
    outcome = await run("pointwise", numbers(n), scoring)
    assert outcome.cost == (n, bool(n), n)
    assert outcome.windows == [Window((doc_id,), place, place + 1) for place, doc_id in enumerate(numbers(n))]


@quick
@given(SIZES, WINDOWS, PASSES, SEEDS)
async def test_groupwise_shows_every_document_once_in_every_round(n, window, passes, seed):
    outcome = await run("groupwise", shuffled(n, seed), scoring, window=window, passes=passes)
    assert outcome.cost == (-(-n // window) * passes, bool(n), n * passes)
    shown = Counter((doc_id, window.sample) for window in outcome.windows for doc_id in window.doc_ids)
    assert shown == Counter((doc_id, number) for doc_id in numbers(n) for number in range(passes))


async def test_two_rounds_of_a_hundred_documents_take_ten_calls():
    outcome = await run("groupwise", numbers(100), scoring)
    assert outcome.cost == (10, 1, 200)
    assert len({frozenset(window.doc_ids) for window in outcome.windows}) == 10


@quick
@given(st.integers(1, 40), PASSES, SEEDS)
async def test_a_score_is_the_mean_over_the_rounds_that_gave_one(n, passes, seed):
    """None is not 0, and a round without an answer counts for nothing."""

    def judge(window: Window) -> Reading:
        random = drawn(seed, window)
        if random.random() < 0.3:
            return failing(window)
        scores = [random.choice([None, 0.0, 0.3, 1.0]) for _ in window.doc_ids]
        return replace(scoring(window), scores=scores)

    outcome = await run("groupwise", numbers(n), judge, window=6, passes=passes)
    given_scores: dict[str, list[float]] = {}
    for window in outcome.windows:
        for doc_id, score in zip(window.doc_ids, judge(window).scores or [], strict=False):
            if score is not None:
                given_scores.setdefault(doc_id, []).append(score)
    assert outcome.ranking.scores == {doc_id: fmean(given_scores[doc_id]) for doc_id in given_scores}
