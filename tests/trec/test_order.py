"""The order of a run's documents is trec_eval's: read, and judged by trec_eval itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import pytrec_eval
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rearank_cli.errors import InputError
from rearank_cli.trec import read_run, write_run
from tests.trec.rankings import IDS, ids


def trec_eval_order(scores: Mapping[str, float]) -> list[str]:
    """The order that trec_eval gives these documents: each in turn is the relevant one, and has a rank."""
    evaluator = pytrec_eval.RelevanceEvaluator({doc_id: {doc_id: 1} for doc_id in scores}, {"recip_rank"})
    ranks = evaluator.evaluate({doc_id: dict(scores) for doc_id in scores})
    return sorted(scores, key=lambda doc_id: 1 / ranks[doc_id]["recip_rank"])


def write(path: Path, scored: Sequence[tuple[str, float]]) -> None:
    lines = (f"q1 Q0 {doc_id} 0 {score!r} t\n" for doc_id, score in scored)
    path.write_text("".join(lines), encoding="utf-8")


# Scores that a 32-bit float cannot all tell apart, and scores beyond its range.
close = st.builds(
    lambda base, step, digits: base + step * base * 10**-digits,
    st.sampled_from([0.3, 1.0, 1000.0, 16777216.0, -12.5, 0.0]),
    st.integers(-3, 3),
    st.integers(6, 12),
) | st.sampled_from([0.0, -0.0, 1e39, 1e40, -1e40, 1e-50])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(IDS, close), min_size=1, max_size=12, unique_by=lambda pair: pair[0]))
@example([("a", 16777217.0), ("z", 16777216.0)])
@example([("a", 0.30000002), ("z", 0.30000001)])
@example([("a", 1000.00002), ("z", 1000.00001)])
@example([("a", 1e40), ("z", 1e39)])
@example([("é", 1.0), ("z", 1.0), ("ﬀ", 1.0), ("𝔸", 1.0), ("e\u0301", 1.0)])
def test_documents_are_in_the_order_of_trec_eval(folder, scored):
    write(folder / "tied.trec", scored)
    assert ids(read_run(folder / "tied.trec")) == {"q1": trec_eval_order(dict(scored))}


@settings(deadline=None)
@given(
    st.dictionaries(IDS, st.integers(0, 3), min_size=2, max_size=20),
    st.lists(st.sampled_from([3, 2.5, 2]), min_size=20),
)
def test_writing_a_tied_run_again_changes_no_measure(folder, grades, scores):
    before, after = folder / "before.trec", folder / "after.trec"
    write(before, list(zip(grades, scores, strict=False)))
    write_run(read_run(before), after)
    evaluator = pytrec_eval.RelevanceEvaluator({"q1": grades}, {"ndcg", "ndcg_cut", "map", "recip_rank"})
    with before.open(encoding="utf-8") as old, after.open(encoding="utf-8") as new:
        measured = [evaluator.evaluate(pytrec_eval.parse_run(file)) for file in (old, new)]
    assert measured[0] == measured[1]


@pytest.mark.parametrize(
    ("order", "expected"),
    [("trec", ["c", "b", "d", "a"]), ("rank", ["b", "c", "a", "d"]), ("file", ["a", "b", "c", "d"])],
)
def test_the_order_is_that_of_scores_ranks_or_lines_as_asked(read, order, expected):
    run = read("q Q0 a 3 1 t\nq Q0 b 1 5 t\nq Q0 c 2 5 t\nq Q0 d 30 2 t\n", order)
    assert ids(run) == {"q": expected}


def test_equal_ranks_keep_the_order_of_the_lines(read):
    assert ids(read("q Q0 b 1 1 t\nq Q0 a 1 2 t\nq Q0 c 0 3 t\n", "rank")) == {"q": ["c", "b", "a"]}


def test_ranks_must_be_integers_only_where_they_decide(read):
    content = "q Q0 a first 1 t\n"
    assert ids(read(content)) == ids(read(content, "file")) == {"q": ["a"]}
    with pytest.raises(InputError, match=r"run\.trec:1: the rank 'first' is not an integer"):
        read(content, "rank")


def test_scores_that_only_64_bits_tell_apart_are_warned_of(read, warned):
    read("q1 Q0 a 1 16777217 t\nq1 Q0 z 2 16777216 t\nq2 Q0 a 1 2 t\nq2 Q0 z 2 1 t\n")
    [message] = warned()
    assert "in 1 queries scores differ only beyond 32-bit precision" in message


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("q Q0 z 1 5 t\nq Q0 a 2 5 t\n", id="ties at any precision"),
        pytest.param("q Q0 z 1 16777217 t\nq Q0 a 2 16777216 t\n", id="close, but in the same order"),
    ],
)
def test_there_is_no_warning_where_both_precisions_agree(read, warned, content):
    read(content)
    assert warned() == []


def test_there_is_no_warning_where_scores_do_not_decide(read, warned):
    read("q1 Q0 a 1 16777217 t\nq1 Q0 z 2 16777216 t\n", "file")
    assert warned() == []
