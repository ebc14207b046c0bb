"""The numbers are trec_eval's, whatever is tied, missing, negative or empty."""

import gzip
import math
import random
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
import pytrec_eval

from rearank_cli.errors import InputError
from rearank_cli.evaluation import Evaluation, evaluate_runs
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec import read_qrels, read_run

SHARED = Path(__file__).resolve().parents[3] / "shared"

# Our measure, trec_eval's, and the relevance level that trec_eval takes as an option.
COUNTERPARTS = [
    ("ndcg@10", "ndcg_cut_10", 1),
    ("ndcg@1", "ndcg_cut_1", 1),
    ("ndcg", "ndcg", 1),
    ("map@100", "map_cut_100", 1),
    ("map@5", "map_cut_5", 1),
    ("map", "map", 1),
    ("map-l2", "map", 2),
    ("map@100-l2", "map_cut_100", 2),
    ("mrr", "recip_rank", 1),
    ("mrr-l2", "recip_rank", 2),
    ("precision@10", "P_10", 1),
    ("precision@10-l3", "P_10", 3),
    ("precision", "set_P", 1),
    ("recall@100", "recall_100", 1),
    ("recall@5-l2", "recall_5", 2),
    ("recall", "set_recall", 1),
    ("f1", "set_F", 1),
    ("f1-l2", "set_F", 2),
    ("r-precision", "Rprec", 1),
    ("r-precision-l2", "Rprec", 2),
    ("hit_rate@5", "success_5", 1),
    ("hit_rate@1-l2", "success_1", 2),
    ("hits", "num_rel_ret", 1),
    ("hits-l2", "num_rel_ret", 2),
]

Scores = dict[str, dict[str, float]]
Grades = dict[str, dict[str, int]]


def trec_eval(qrels: Grades, run: Scores, measure: str, level: int = 1) -> dict[str, float]:
    """What `trec_eval -c` gives for each topic."""
    evaluator = pytrec_eval.RelevanceEvaluator(qrels, {measure}, relevance_level=level)
    found = evaluator.evaluate(run)
    return {query_id: found.get(query_id, {}).get(measure, 0.0) for query_id in qrels}


def single(score: float) -> float:
    """The score as trec_eval 9 holds it."""
    value: float = struct.unpack("f", struct.pack("f", score))[0]
    return value


def first(run: Scores, cutoff: int) -> Scores:
    """The run cut at a rank, in trec_eval's order."""
    return {
        query_id: dict(
            sorted(scores.items(), key=lambda doc: (single(doc[1]), doc[0].encode()), reverse=True)[:cutoff]
        )
        for query_id, scores in run.items()
    }


def random_collection(seed: int) -> tuple[Grades, Scores]:
    """Judgments and a run with ties, near ties, short lists, unjudged documents, missing and extra topics."""
    rng = random.Random(seed)
    documents = [f"d{number}" for number in range(150)] + ["é", "ж", "漢", "𝕏", "D", "_"]
    qrels: Grades = {}
    run: Scores = {}
    for number in range(rng.randint(2, 14)):
        query_id = f"q{number}"
        if number == 0 or rng.random() < 0.85:
            highest = rng.choice([0, 1, 3])  # 0: nothing is relevant
            judged = rng.sample(documents, rng.randint(1, 60))
            qrels[query_id] = {doc_id: rng.randint(-2, highest) for doc_id in judged}
        if number == 0 or rng.random() < 0.8:
            ranked = rng.sample(documents, rng.choice([1, 3, 9, 10, 11, 60, 120]))
            draw = rng.choice(
                [
                    lambda: rng.uniform(-50, 50),
                    lambda: round(rng.uniform(0, 2), 1),
                    lambda: 1000 + rng.randint(0, 9) * 1e-6,  # equal as 32-bit floats, different as 64-bit ones
                    lambda: 7.0,
                ]
            )
            run[query_id] = {doc_id: draw() for doc_id in ranked}
    return qrels, run


def evaluate_files(tmp_path: Path, qrels: Grades, run: Scores, measures: list[str]) -> Evaluation:
    """Evaluate through files, as the command does."""
    run_path, qrels_path = tmp_path / "run.trec", tmp_path / "qrels"
    run_path.write_text(
        "".join(f"{q} Q0 {d} 1 {score!r} tag\n" for q, docs in run.items() for d, score in docs.items())
    )
    qrels_path.write_text("".join(f"{q} 0 {d} {grade}\n" for q, docs in qrels.items() for d, grade in docs.items()))
    (evaluation,) = evaluate_runs({"run": read_run(run_path)}, read_qrels(qrels_path), measures)
    return evaluation


@pytest.mark.parametrize("seed", range(60))
def test_every_number_of_a_random_run_equals_trec_eval(tmp_path: Path, seed: int) -> None:
    qrels, run = random_collection(seed)
    expected = {
        name: trec_eval(qrels, run, counterpart, level) for name, counterpart, level in COUNTERPARTS
    } | {
        "mrr@10": trec_eval(qrels, first(run, 10), "recip_rank"),
        "f1@5": trec_eval(qrels, first(run, 5), "set_F"),
        "hits@10": trec_eval(qrels, first(run, 10), "num_rel_ret"),
    }
    # These two divide by the length of the list where the cut-off is longer.
    del expected["f1@5"]

    evaluation = evaluate_files(tmp_path, qrels, run, list(expected))

    for measure, values in expected.items():
        assert evaluation.per_query[measure] == pytest.approx(values, abs=1e-6), measure
        assert evaluation.means[measure] == pytest.approx(sum(values.values()) / len(qrels), abs=1e-6), measure
    assert evaluation.missing == len(qrels.keys() - run.keys())
    assert evaluation.unjudged == len(run.keys() - qrels.keys())
