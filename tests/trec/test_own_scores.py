"""Scores that are more than ranks keep the order they were given in, in every reader."""

import itertools
from array import array

from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.records import RankedDocs, Run
from rearank_cli.trec import read_run, write_run
from rearank_cli.trec.own_scores import strictly_falling

SCORES = st.lists(
    st.floats(-1e6, 1e6, allow_subnormal=False) | st.sampled_from([0.0, 1.0, 12.5]), max_size=40
)


@given(SCORES)
def test_no_two_scores_are_equal_as_32_bit_numbers_as_they_are_written(scores):
    falling = strictly_falling(sorted(scores, reverse=True))
    singles = array("f", [float(f"{score:.9g}") for score in falling]).tolist()
    assert all(above > below for above, below in itertools.pairwise(singles))


@given(SCORES)
def test_no_score_moves_further_than_ties_demand(scores):
    given_scores = sorted(scores, reverse=True)
    most = max(map(abs, given_scores), default=0.0) or 1.0
    for before, after in zip(given_scores, strictly_falling(given_scores), strict=True):
        assert before >= after > before - len(scores) * max(most * 1e-6, 1e-36)


def test_scores_that_do_not_tie_are_as_they_were():
    rrf = [1 / (60 + rank) for rank in range(1, 1000)]
    assert strictly_falling(rrf) == rrf


def test_a_run_of_ties_comes_back_in_its_order(tmp_path):
    doc_ids = ["b", "c", "a"]
    write_run(
        Run({"q": RankedDocs(doc_ids, strictly_falling([0.0, 0.0, 0.0]))}), tmp_path / "run", own_scores=True
    )
    assert read_run(tmp_path / "run").ranked("q").doc_ids() == doc_ids
