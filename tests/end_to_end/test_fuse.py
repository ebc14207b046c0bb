"""Runs fused as a user fuses them."""

from pathlib import Path

import pytest

import rearank_cli
from rearank_cli.__main__ import run
from rearank_cli.records import Run
from rearank_cli.trec import read_run
from tests.end_to_end.conftest import Command, Refused

EXAMPLE = Path(rearank_cli.__file__).parent / "example"
POINTWISE = ["--method", "pointwise", "--family", "qwen3-reranker", "--scores", "model"]


@pytest.fixture
def runs(rearank: Command, bees: Path) -> list[str]:
    """A first stage, and the scores of a model."""
    done = rearank("rerank", "run.trec", "-o", "model.trec", "-q", *POINTWISE, cwd=bees)
    assert done.returncode == 0, done.stderr
    return ["run.trec", "model.trec"]


def minmax(run: Run, query_id: str) -> dict[str, float]:
    scores = {each.doc_id: each.score for each in run[query_id]}
    low, high = min(scores.values()), max(scores.values())
    return {doc_id: (score - low) / (high - low) for doc_id, score in scores.items()}


def test_a_hybrid_of_first_stage_and_model(rearank: Command, bees: Path, runs: list[str]) -> None:
    weights = ["--weight", "0.1", "--weight", "0.9"]
    done = rearank("fuse", *runs, "--by", "wsum", "--norm", "minmax", *weights, "-o", "hybrid.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "rearank: wrote hybrid.trec: 12 queries, 378 documents of 2 runs\n"
    first, model, hybrid = (read_run(bees / name) for name in (*runs, "hybrid.trec"))
    assert list(hybrid) == list(first)
    assert hybrid.tag == "fused"
    for query_id in hybrid:
        a, b = minmax(first, query_id), minmax(model, query_id)
        expected = {doc_id: 0.1 * a[doc_id] + 0.9 * b[doc_id] for doc_id in a}
        assert dict(hybrid[query_id]) == pytest.approx(expected, abs=1e-4)


def test_one_run_may_come_from_standard_input_and_the_result_goes_to_standard_output(
    rearank: Command, bees: Path, runs: list[str]
) -> None:
    done = rearank("fuse", "run.trec", "-", stdin=(bees / "model.trec").read_text(), cwd=bees)
    assert done.returncode == 0, done.stderr
    assert done.stdout == rearank("fuse", *runs, cwd=bees).stdout
    assert len(done.stdout.splitlines()) == 378
    assert done.stderr == "rearank: 12 queries, 378 documents of 2 runs\n"


def test_tuned_weights_can_be_given_again(rearank: Command, bees: Path, runs: list[str]) -> None:
    judged = ["--tune-for", "NDCG@10", "--qrels", "qrels.trec"]
    tuned = rearank("fuse", *runs, "--by", "wsum", *judged, cwd=bees)
    assert tuned.returncode == 0, tuned.stderr
    found, warning, _ = tuned.stderr.splitlines()
    words = found.removeprefix("rearank: ").split(" is the best of 21 for ndcg@10: ")
    assert "over 12 judged topics (equal weights: " in words[1]
    assert "do not measure the fused run on the judgments that it is tuned for" in warning
    again = rearank("fuse", *runs, "--by", "wsum", *words[0].split(), cwd=bees)
    assert again.stdout == tuned.stdout


def test_scores_that_are_ranks_are_told(collection: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (collection / "ranks.trec").write_text("q1 Q0 bee-001 1 2 t\nq1 Q0 bee-002 2 1 t\n")
    assert run(["fuse", "run.trec", "ranks.trec", "--by", "combsum"]) == 0
    said = capfd.readouterr().err
    assert "rearank: the scores of ranks.trec are its ranks (rerank --scores model writes " in said
    assert "scores of run.trec" not in said


def test_queries_that_a_run_lacks_are_told(collection: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = (collection / "run.trec").read_text().splitlines(keepends=True)
    (collection / "part.trec").write_text("".join(line for line in lines if not line.startswith("q1 ")))
    assert run(["fuse", "part.trec", "run.trec"]) == 0
    said = capfd.readouterr().err
    assert "rearank: warning: part.trec lacks 1 of the 12 queries; the other runs are fused there" in said


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["run.trec"], 2, "to fuse takes two runs or more"),
        (["run.trec", "none.trec"], 3, "none.trec: no such file"),
        (["-", "-"], 2, "standard input (-) can be read only once"),
        (["run.trec", "run.trec", "-o", "run.trec"], 2, "run.trec exists already; give --overwrite"),
        (["run.trec", "run.trec", "--by", "wsum", "--weight", "1"], 2, "there are 2 runs and 1 weights"),
        (["run.trec", "run.trec", "--by", "best"], 2, "fusion method 'best' is unknown (known are rrf, "),
        (["run.trec", "run.trec", "--tune-for", "ndcg@10"], 2, "either --qrels or --dataset"),
        (
            ["run.trec", "run.trec", "--tune-for", "ndcg@10", "--qrels", "qrels.trec", "--parameter", "3"],
            2,
            "--tune-for finds what --weight and --parameter say; leave them out",
        ),
        (
            ["run.trec", "run.trec", "--tune-for", "nDGC@10", "--qrels", "qrels.trec"],
            2,
            "measure 'nDGC@10' is unknown",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    refused: Refused, options: list[str], status: int, message: str
) -> None:
    refused(["fuse", *options], status, message)
