"""`rearank_cli.evaluate`: the command's words, as a function."""

from pathlib import Path

import pytest

from rearank_cli import evaluate
from rearank_cli.errors import UsageError
from rearank_cli.records import Run, ScoredDoc

QRELS = {f"q{number}": {"a": 2, "b": 1} for number in range(6)}


def ranked(order: str, tag: str = "") -> Run:
    return Run({query_id: [ScoredDoc(doc_id, 0.0) for doc_id in order] for query_id in QRELS}, tag=tag)


def test_a_comparison_is_among_the_evaluations() -> None:
    runs = {"before": ranked("xa"), "after": ranked("ax"), "same": ranked("xa")}
    before, after, same = evaluate(runs, QRELS, measures=["mrr"], compare="fisher", seed=1)
    assert (before.means, before.differences) == ({"mrr": 0.5}, ())
    (difference,) = after.differences
    assert (difference.run, difference.baseline, difference.measure) == ("after", "before", "mrr")
    assert (difference.mean, difference.gains, difference.p) == (0.5, 6, 2 / 2**6)
    assert difference.corrected == 2 * difference.p
    assert (same.differences[0].p, same.differences[0].unchanged) == (1, 6)


def test_without_a_comparison_there_are_no_differences() -> None:
    assert [e.differences for e in evaluate([ranked("xa"), ranked("ax")], QRELS)] == [(), ()]


def test_runs_with_the_same_tag_have_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    for path in (tmp_path / "run.trec", tmp_path / "new" / "run.trec"):
        path.write_text("q1 Q0 a 1 1 bm25\n")
    runs = [ranked("xa", "bm25"), ranked("ax", "bm25"), tmp_path / "new" / "run.trec", ranked("ax")]
    evaluations = evaluate(runs, QRELS, measures=["mrr"], compare="student")
    assert [evaluation.run for evaluation in evaluations] == ["bm25", "bm25 (2)", "run.trec", "run"]
    assert [evaluation.means["mrr"] for evaluation in evaluations] == [0.5, 1.0, 1 / 6, 1.0]
    assert [evaluation.differences[0].run for evaluation in evaluations[1:]] == [
        "bm25 (2)",
        "run.trec",
        "run",
    ]


def test_cutoff_level_and_track_are_the_command_s() -> None:
    (evaluation,) = evaluate(ranked("bxa"), QRELS, measures=["mrr", "recall"], cutoff=2, level=2)
    assert evaluation.means == {"mrr-l2": 0, "recall-l2": 0}
    (evaluation,) = evaluate(ranked("bxa"), QRELS, track="dl-2020-passage")
    assert list(evaluation.means) == ["ndcg@10", "mrr-l2", "map-l2"]
    assert evaluation.means["mrr-l2"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"compare": "student"}, "two runs or more"),
        ({"compare": "anova"}, "the test 'anova' is unknown"),
        ({"compare": "student", "alpha": 2}, "alpha 2 cannot be"),
        ({"cutoff": 0}, "cutoff 0 cannot be"),
        ({"level": 0}, "level 0 cannot be"),
        ({"level": 3}, "at level 3 nothing is relevant"),
        ({"track": "dl-2019-passages"}, "did you mean dl-2019-passage"),
    ],
)
def test_what_cannot_be_is_a_usage_error(options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluate(ranked("ab"), QRELS, **options)
