"""The numbers are trec_eval's, whatever is tied, missing, negative or empty."""

import math
import random
import struct
from pathlib import Path

import pytest
import pytrec_eval

from rearank_cli.errors import InputError, UsageError
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
            # pytrec_eval reads beyond its memory where all grades of a topic are negative.
            qrels[query_id][judged[0]] = 0
        if number == 0 or rng.random() < 0.8:
            ranked = rng.sample(documents, rng.choice([1, 3, 9, 10, 11, 60, 120]))
            draw = rng.choice(
                [
                    lambda: rng.uniform(-50, 50),
                    lambda: round(rng.uniform(0, 2), 1),
                    lambda: (
                        1000 + rng.randint(0, 9) * 1e-6
                    ),  # equal as 32-bit floats, different as 64-bit ones
                    lambda: 7.0,
                ]
            )
            run[query_id] = {doc_id: draw() for doc_id in ranked}
    return qrels, run


def evaluate_files(
    tmp_path: Path, qrels: Grades, run: Scores, measures: list[str], **options: int
) -> Evaluation:
    """Evaluate through files, as the command does."""
    run_path, qrels_path = tmp_path / "run.trec", tmp_path / "qrels"
    run_path.write_text(
        "".join(f"{q} Q0 {d} 1 {score!r} tag\n" for q, docs in run.items() for d, score in docs.items())
    )
    qrels_path.write_text(
        "".join(f"{q} 0 {d} {grade}\n" for q, docs in qrels.items() for d, grade in docs.items())
    )
    (evaluation,) = evaluate_runs({"run": read_run(run_path)}, read_qrels(qrels_path), measures, **options)
    return evaluation


@pytest.mark.parametrize("seed", range(60))
def test_every_number_of_a_random_run_equals_trec_eval(tmp_path: Path, seed: int) -> None:
    qrels, run = random_collection(seed)
    expected = {name: trec_eval(qrels, run, theirs, level) for name, theirs, level in COUNTERPARTS}
    expected["mrr@10"] = trec_eval(qrels, first(run, 10), "recip_rank")
    expected["hits@10"] = trec_eval(qrels, first(run, 10), "num_rel_ret")

    evaluation = evaluate_files(tmp_path, qrels, run, list(expected))

    for measure, values in expected.items():
        assert evaluation.per_query[measure] == pytest.approx(values, abs=1e-6), measure
        assert evaluation.means[measure] == pytest.approx(sum(values.values()) / len(qrels), abs=1e-6), (
            measure
        )
    assert evaluation.missing == len(qrels.keys() - run.keys())
    assert evaluation.unjudged == len(run.keys() - qrels.keys())


@pytest.mark.parametrize("seed", range(60, 110))
def test_cutoff_and_level_are_the_options_m_and_l_of_trec_eval(tmp_path: Path, seed: int) -> None:
    qrels, run = random_collection(seed)
    qrels["q0"]["d0"] = 3  # something is relevant at every level
    cutoff, level = random.Random(seed).choice([1, 5, 10, 50, 1000]), 1 + seed % 3
    expected = {}
    for name, theirs, own in COUNTERPARTS:
        shown = f"{name}-l{level}" if level > own == 1 and not name.startswith("ndcg") else name
        expected[shown] = trec_eval(qrels, first(run, cutoff), theirs, own if own > 1 else level)

    names = [name for name, _, _ in COUNTERPARTS]
    evaluation = evaluate_files(tmp_path, qrels, run, names, cutoff=cutoff, level=level)

    assert evaluation.per_query.keys() == expected.keys()
    for measure, values in expected.items():
        assert evaluation.per_query[measure] == pytest.approx(values, abs=1e-6), measure
    assert evaluation.missing == len(qrels.keys() - run.keys())


def test_excluded_documents_are_removed_before_the_cutoff() -> None:
    (evaluation,) = evaluate_runs(
        {"run": ranked(q="xya")}, {"q": {"a": 1}}, ["mrr"], excluded={"q": ["x"]}, cutoff=2
    )
    assert evaluation.means == {"mrr": 1 / 2}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cutoff": 0}, "cutoff 0 cannot be: cut-offs begin with 1"),
        ({"cutoff": -3}, "cutoff -3 cannot be"),
        ({"level": 0}, "level 0 cannot be: relevance levels begin with 1"),
        ({"level": 3}, "at level 3 nothing is relevant: the highest grade in the.qrels is 2"),
    ],
)
def test_a_cutoff_or_level_that_leaves_nothing_is_refused(options: dict[str, int], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluate_runs({"run": ranked(q="ab")}, {"q": {"a": 2}}, qrels_name="the.qrels", **options)


QRELS = """\
q1 0 a 3
q1 0 b 1
q1 0 c 0
q1 0 d -1
q2 0 e 2
q3 0 f 1
"""
RUN = """\
q1 Q0 c 1 9.5 t
q1 Q0 a 2 9.5 t
q1 Q0 x 3 9 t
q1 Q0 d 4 8 t
q1 Q0 b 5 7 t
q2 Q0 x 1 2 t
q2 Q0 e 2 1 t
q9 Q0 e 1 1 t
"""
# q1 is c a x d b: 'c' and 'a' are tied, and the greater id comes first. q3 is missing, q9 is not judged.
EXPECTED = [
    ("mrr@10", {"q1": 1 / 2, "q2": 1 / 2, "q3": 0}),
    ("mrr@1", {"q1": 0, "q2": 0, "q3": 0}),
    ("map@100", {"q1": (1 / 2 + 2 / 5) / 2, "q2": 1 / 2, "q3": 0}),
    ("map@2-l2", {"q1": 1 / 2, "q2": 1 / 2, "q3": 0}),
    ("precision@5", {"q1": 2 / 5, "q2": 1 / 5, "q3": 0}),
    ("precision", {"q1": 2 / 5, "q2": 1 / 2, "q3": 0}),
    ("recall@2", {"q1": 1 / 2, "q2": 1, "q3": 0}),
    ("r-precision", {"q1": 1 / 2, "q2": 0, "q3": 0}),
    ("f1@2", {"q1": 1 / 2, "q2": 2 / 3, "q3": 0}),
    ("hit_rate@1", {"q1": 0, "q2": 0, "q3": 0}),
    ("hits", {"q1": 2, "q2": 1, "q3": 0}),
    ("dcg", {"q1": 3 / math.log2(3) + 1 / math.log2(6), "q2": 2 / math.log2(3), "q3": 0}),
    ("dcg_burges@4", {"q1": 7 / math.log2(3), "q2": 3 / math.log2(3), "q3": 0}),
    (
        "ndcg@10",
        {
            "q1": (3 / math.log2(3) + 1 / math.log2(6)) / (3 + 1 / math.log2(3)),
            "q2": 1 / math.log2(3),
            "q3": 0,
        },
    ),
    ("ndcg@2", {"q1": (3 / math.log2(3)) / (3 + 1 / math.log2(3)), "q2": 1 / math.log2(3), "q3": 0}),
    ("ndcg_burges@2", {"q1": (7 / math.log2(3)) / (7 + 1 / math.log2(3)), "q2": 1 / math.log2(3), "q3": 0}),
]


@pytest.mark.parametrize(("measure", "expected"), EXPECTED)
def test_numbers_of_a_small_run_are_those_of_the_formulas(
    tmp_path: Path, measure: str, expected: dict[str, float]
) -> None:
    (tmp_path / "run").write_text(RUN)
    (tmp_path / "qrels").write_text(QRELS)

    (evaluation,) = evaluate_runs(
        {"run": read_run(tmp_path / "run")}, read_qrels(tmp_path / "qrels"), [measure]
    )

    assert evaluation.per_query == {measure: pytest.approx(expected)}
    assert evaluation.means == {measure: pytest.approx(sum(expected.values()) / 3)}
    assert (evaluation.missing, evaluation.unjudged) == (1, 1)


def ranked(**rankings: str) -> Run:
    """A run whose documents are single letters, best first."""
    return Run({query_id: [ScoredDoc(doc_id, 0.0) for doc_id in ids] for query_id, ids in rankings.items()})


def test_the_order_of_the_run_counts_and_not_its_scores() -> None:
    run = Run({"q": [ScoredDoc("a", 1.0), ScoredDoc("b", 2.0), ScoredDoc("c", 2.0)]})
    (evaluation,) = evaluate_runs({"run": run}, {"q": {"a": 1}}, ["mrr"])
    assert evaluation.means == {"mrr": 1.0}


def test_topics_without_anything_relevant_or_ranked_count_as_zero() -> None:
    qrels = {
        "good": {"a": 1},
        "negative": {"a": -1, "b": -2},
        "zero": {"a": 0},
        "none": {},
        "unranked": {"a": 1},
    }
    run = ranked(good="a", negative="ab", zero="a", none="a", unranked="")

    (evaluation,) = evaluate_runs({"run": run}, qrels, ["ndcg", "map", "r-precision", "f1", "precision@1"])

    for values in evaluation.per_query.values():
        assert values == {"good": 1, "negative": 0, "zero": 0, "none": 0, "unranked": 0}
    assert set(evaluation.means.values()) == {1 / 5}
    assert evaluation.missing == 1


def test_runs_and_judgments_are_left_as_they_were_and_runs_do_not_touch_each_other() -> None:
    qrels = {"q2": {"a": 1}, "q1": {"b": 1}}
    runs = {"one": ranked(q1="ab", q3="a"), "two": ranked(q2="ab")}
    before = {name: dict(run) for name, run in runs.items()}

    one, two = evaluate_runs(runs, qrels, ["mrr"])

    assert (one.run, one.per_query["mrr"]) == ("one", {"q2": 0, "q1": 1 / 2})
    assert (two.run, two.per_query["mrr"]) == ("two", {"q2": 1, "q1": 0})
    assert list(one.per_query["mrr"]) == ["q2", "q1"]
    assert {name: dict(run) for name, run in runs.items()} == before
    assert qrels == {"q2": {"a": 1}, "q1": {"b": 1}}


def test_excluded_documents_leave_their_rank_to_the_next() -> None:
    runs = {"run": ranked(q1="xya", q2="xa"), "clean": ranked(q1="a", q2="a")}
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}}

    run, clean = evaluate_runs(runs, qrels, ["mrr"], excluded={"q1": ["x", "y", "z"], "q9": ["a"]})

    assert run.per_query == {"mrr": {"q1": 1, "q2": 1 / 2}}
    assert (run.excluded, clean.excluded) == (2, 0)


@pytest.mark.parametrize(
    ("run", "qrels", "words"),
    [
        (ranked(), {"q": {"a": 1}}, ["bm25.trec", "no documents"]),
        (ranked(q=""), {"q": {"a": 1}}, ["bm25.trec", "no documents"]),
        (ranked(q="a"), {}, ["the.qrels", "no judgments"]),
        (ranked(q="a"), {"q": {}}, ["the.qrels", "no judgments"]),
        (ranked(q="a"), {"r": {"a": 1}}, ["bm25.trec and the.qrels have no topic in common"]),
    ],
)
def test_what_cannot_be_evaluated_is_an_input_error_that_names_it(
    run: Run, qrels: Grades, words: list[str]
) -> None:
    with pytest.raises(InputError) as error:
        evaluate_runs({"bm25.trec": run}, qrels, qrels_name="the.qrels")
    assert all(word in str(error.value) for word in words)


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the checkout")
def test_bm25_on_trec_dl_2019_has_its_published_numbers() -> None:
    run = read_run(SHARED / "data/runs/dl19.bm25.trec.gz")
    qrels = read_qrels(SHARED / "data/ir_datasets/msmarco-passage/trec-dl-2019/qrels")

    (evaluation,) = evaluate_runs(
        {"bm25": run}, qrels, ["ndcg@10", "map@100-l2", "mrr@10-l2", "recall@100-l2"]
    )

    assert [round(mean, 4) for mean in evaluation.means.values()] == [0.5058, 0.2476, 0.7024, 0.4910]
    assert len(evaluation.per_query["ndcg@10"]) == 43
