"""Fused scores are those of the formulas, and what ranx leaves open is settled."""

import itertools
import math
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.commands.fuse import METHODS as IN_HELP
from rearank_cli.errors import InputError, UsageError
from rearank_cli.evaluation import FUSION_METHODS, evaluate_runs, fuse_runs, plan_fusion, tune_fusion
from rearank_cli.evaluation.engine import import_ranx
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec import read_run, write_run

Scores = Mapping[str, float]
METHODS = [method.name for method in FUSION_METHODS]

# Now, before a test imports numba and has it compile: that takes minutes.
ranx = import_ranx()


def run_of(**queries: Scores) -> Run:
    """A run with these scores, as a file of it is read."""
    return Run(
        {
            query_id: [
                ScoredDoc(doc_id, score)
                for score, doc_id in sorted(((s, d) for d, s in scores.items()), reverse=True)
            ]
            for query_id, scores in queries.items()
        }
    )


def fused(*lists: Scores, by: str, **options: object) -> dict[str, float]:
    """The fused scores of one query."""
    runs = {f"run {number}": run_of(q=scores) for number, scores in enumerate(lists)}
    return dict(fuse_runs(runs, plan_fusion(by, len(lists), **options))["q"])  # type: ignore[arg-type]


def minmax(scores: Scores) -> dict[str, float]:
    low, high = min(scores.values()), max(scores.values())
    return {d: (score - low) / (high - low) if high > low else 1.0 for d, score in scores.items()}


def zscore(scores: Scores) -> dict[str, float]:
    mean, deviation = statistics.fmean(scores.values()), statistics.pstdev(scores.values())
    if min(scores.values()) == max(scores.values()):
        return dict.fromkeys(scores, 0.0)
    return {d: (score - mean) / deviation for d, score in scores.items()}


def total(lists: list[dict[str, float]], weights: list[float]) -> dict[str, float]:
    """The weighted sum, a document that is not in a list counted as 0, or as its last where that is less."""
    doc_ids = set(itertools.chain(*lists))
    return {
        d: sum(w * each.get(d, min(0.0, *each.values())) for w, each in zip(weights, lists, strict=True))
        for d in doc_ids
    }


def close(expected: Scores) -> object:
    """These scores, but for the hair that tells ties apart."""
    return pytest.approx(expected, abs=1e-5 * max(1.0, *map(abs, expected.values())))


A = {"d1": 12.0, "d2": 9.0, "d3": 4.0, "d4": 2.0}
B = {"d3": 0.9, "x": 0.5, "d1": 0.1}

LISTS = st.lists(
    st.dictionaries(
        st.sampled_from(["a", "bb", "ccc", "dddd", "e", "f"]),
        st.floats(-100, 100, width=32).map(lambda score: round(score, 3)),
        min_size=1,
    ),
    min_size=2,
    max_size=3,
)


@settings(deadline=None, max_examples=60)
@given(LISTS, st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
@pytest.mark.parametrize(("norm", "normalise"), [("minmax", minmax), ("zscore", zscore), ("none", dict)])
def test_weighted_sums_are_those_of_the_formula(norm, normalise, lists, weights):
    weights = weights[: len(lists)]
    normed = [normalise(each) for each in lists]
    assert fused(*lists, by="wsum", norm=norm, weights=weights) == close(total(normed, weights))
    assert fused(*lists, by="combsum", norm=norm) == close(total(normed, [1.0] * len(lists)))


@settings(deadline=None, max_examples=60)
@given(LISTS)
def test_reciprocal_rank_fusion_is_that_of_the_formula(lists):
    ranks = [
        {
            doc_id: rank
            for rank, (_, doc_id) in enumerate(sorted(((s, d) for d, s in each.items()), reverse=True), 1)
        }
        for each in lists
    ]
    expected = {
        doc_id: sum(1 / (60 + each[doc_id]) for each in ranks if doc_id in each)
        for doc_id in set(itertools.chain(*lists))
    }
    assert fused(*lists, by="rrf") == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("by", "options", "expected"),
    [
        ("rrf", {"parameter": 0}, {"d1": 1 + 1 / 3, "d3": 1 / 3 + 1, "d2": 1 / 2, "x": 1 / 2, "d4": 1 / 4}),
        ("isr", {}, {"d1": 2 * (1 + 1 / 9), "d3": 2 * (1 / 9 + 1), "d2": 1 / 4, "x": 1 / 4, "d4": 1 / 16}),
        (
            "logn_isr",
            {"parameter": 1},
            {
                "d1": math.log(3) * (1 + 1 / 9),
                "d3": math.log(3) * (1 / 9 + 1),
                "d2": math.log(2) / 4,
                "x": math.log(2) / 4,
                "d4": math.log(2) / 16,
            },
        ),
        (
            "rbc",
            {"parameter": 0.5},
            {"d1": 0.5 + 0.125, "d3": 0.125 + 0.5, "d2": 0.25, "x": 0.25, "d4": 0.0625},
        ),
        # Five documents: a run gives 5, 4 ... points, and shares the rest among those it lacks.
        ("borda", {}, {"d1": 5 + 3, "d3": 3 + 5, "d2": 4 + 1.5, "x": 1 + 4, "d4": 2 + 1.5}),
        ("combmnz", {}, {"d1": 2 * 1.0, "d3": 2 * 1.2, "d2": 0.7, "x": 0.5, "d4": 0}),
        ("combgmnz", {"parameter": 2}, {"d1": 4 * 1.0, "d3": 4 * 1.2, "d2": 0.7, "x": 0.5, "d4": 0}),
        ("combmax", {}, {"d1": 1, "d3": 1, "d2": 0.7, "x": 0.5, "d4": 0}),
        ("combmin", {}, {"d1": 0, "d3": 0.2, "d2": 0.7, "x": 0.5, "d4": 0}),
        ("combmed", {}, {"d1": 0.5, "d3": 0.6, "d2": 0.7, "x": 0.5, "d4": 0}),
        ("combanz", {}, {"d1": 0.5, "d3": 0.6, "d2": 0.7, "x": 0.5, "d4": 0}),
        (
            "combsum",
            {"norm": "sum"},
            {"d1": 10 / 19, "d3": 2 / 19 + 2 / 3, "d2": 7 / 19, "x": 1 / 3, "d4": 0},
        ),
        (
            "combsum",
            {"norm": "max"},
            {"d1": 1 + 1 / 9, "d3": 1 / 3 + 1, "d2": 3 / 4, "x": 5 / 9, "d4": 1 / 6},
        ),
        ("combsum", {"norm": "rank"}, {"d1": 1 + 1 / 3, "d3": 0.5 + 1, "d2": 0.75, "x": 2 / 3, "d4": 0.25}),
        ("wsum", {"weights": [0.1, 0.9]}, {"d1": 0.1, "d3": 0.92, "d2": 0.07, "x": 0.45, "d4": 0}),
        ("wsum", {}, {"d1": 0.5, "d3": 0.6, "d2": 0.35, "x": 0.25, "d4": 0}),
        ("wmnz", {"weights": [2, 3]}, {"d1": 5, "d3": 5 * 1.2, "d2": 2 * 0.7, "x": 3 * 0.5, "d4": 0}),
        (
            "mixed",
            {"weights": [2, 3]},
            {"d1": 2 * 2**0.5, "d3": 3.4 * 2**0.5, "d2": 1.4, "x": 1.5, "d4": 0},
        ),
    ],
)
def test_every_method_computes_its_formula(by, options, expected):
    assert fused(A, B, by=by, **options) == close(expected)


def test_every_method_is_in_the_help():
    assert [word for word in re.findall(r"\w+", IN_HELP) if word in METHODS] == METHODS


@pytest.mark.parametrize("by", METHODS)
def test_queries_that_a_run_lacks_are_fused_from_the_others(by):
    runs = {
        "a": run_of(q1={"d1": 2.0, "d2": 1.0}, q3={"d5": 1.0, "d6": 0.5}),
        "b": run_of(q2={"d3": 3.0, "d4": 1.0}, q3={"d6": 1.0}),
    }
    result = fuse_runs(runs, plan_fusion(by, 2))
    assert {query_id: result.ranked(query_id).doc_ids() for query_id in ("q1", "q2")} == {
        "q1": ["d1", "d2"],
        "q2": ["d3", "d4"],
    }
    assert list(result) == ["q1", "q3", "q2"]
    assert set(result.ranked("q3").doc_ids()) == {"d5", "d6"}


@pytest.mark.parametrize("by", METHODS)
def test_fusing_changes_no_run_and_is_the_same_every_time(by):
    runs = {"a": run_of(q=A), "b": run_of(q=B)}
    before = {name: dict(run) for name, run in runs.items()}
    first, second = (dict(fuse_runs(runs, plan_fusion(by, 2))) for _ in range(2))
    assert first == second
    assert {name: dict(run) for name, run in runs.items()} == before


@pytest.mark.parametrize("by", METHODS)
def test_what_is_written_is_read_back_in_the_same_order(by, tmp_path):
    lists = [{f"d{number}": float(number // 7) for number in range(start, 60)} for start in (0, 20)]
    result = fuse_runs(
        {str(number): run_of(q=scores) for number, scores in enumerate(lists)}, plan_fusion(by, 2)
    )
    write_run(result, tmp_path / "run", own_scores=True)
    assert read_run(tmp_path / "run").ranked("q").doc_ids() == result.ranked("q").doc_ids()


def test_ties_are_broken_by_document_id_descending():
    assert list(fused({"a": 1.0, "m": 0.5}, {"z": 1.0, "b": 0.5}, by="rrf")) == ["z", "a", "m", "b"]


def test_an_input_of_ties_has_the_order_it_was_read_in(tmp_path):
    lines = "".join(f"q Q0 d{number:03} 1 7.0 t\n" for number in range(40))
    (tmp_path / "run").write_text(lines)
    run = read_run(tmp_path / "run")
    result = fuse_runs({"a": run, "b": run}, plan_fusion("rrf", 2))
    assert (
        result.ranked("q").doc_ids() == run.ranked("q").doc_ids() == [f"d{n:03}" for n in range(39, -1, -1)]
    )


def test_a_document_that_a_run_lacks_is_no_better_than_its_last_one_by_z_score():
    # `last` is in both lists, at the end of the second, where `absent` is not at all.
    scores = fused(
        {"absent": 5.0, "last": 5.0, "z": 1.0},
        {"y": 9.0, "x": 8.0, "last": 1.0},
        by="combsum",
        norm="zscore",
    )
    assert scores["last"] == pytest.approx(scores["absent"], abs=1e-5)


@pytest.mark.parametrize(
    ("norm", "expected"), [("minmax", {"d": 1.5, "e": 1}), ("sum", {"d": 4 / 3, "e": 2 / 3})]
)
def test_a_list_of_one_document_counts(norm, expected):
    scores = fused({"d": 3.0}, {"e": 3.0, "d": 2.0, "f": 1.0}, by="combsum", norm=norm)
    assert {doc_id: scores[doc_id] for doc_id in expected} == close(expected)
    assert all(math.isfinite(score) for score in scores.values())


def test_scores_that_differ_by_very_little_count():
    tiny = {doc_id: score * 1e-12 for doc_id, score in A.items()}
    assert fused(tiny, B, by="combsum") == close(fused(A, B, by="combsum"))


def test_document_ids_of_any_width_stay_whole():
    long = "clueweb22-en0000-00-00000" * 8
    assert fused({"a": 2.0, long: 1.0}, {"日本": 2.0, long: 1.0}, by="rrf").keys() == {"a", "日本", long}


def test_only_the_first_documents_are_kept():
    result = fuse_runs({"a": run_of(q=A), "b": run_of(q=B)}, plan_fusion("rrf", 2), depth=2, tag="mine")
    assert len(result.ranked("q")) == 2
    assert result.tag == "mine"


@pytest.mark.parametrize(
    ("by", "options", "message"),
    [
        ("bm25", {}, "fusion method 'bm25' is unknown"),
        ("rrf", {"norm": "zscore"}, "rrf looks at ranks alone"),
        ("rrf", {"weights": [1, 2]}, "rrf takes no weights; methods that do are wsum, wmnz, mixed"),
        ("wsum", {"weights": [1]}, "there are 2 runs and 1 weights"),
        ("wsum", {"weights": [1, -1]}, "weights are numbers from 0 up, and not all 0"),
        ("wsum", {"weights": [0, 0]}, "weights are numbers from 0 up, and not all 0"),
        ("wsum", {"weights": [1, math.nan]}, "weights are numbers from 0 up"),
        ("wsum", {"parameter": 1}, "wsum has no parameter"),
        ("rbc", {"parameter": 1.5}, "phi of rbc is a number from 0 to 1, not 1.5"),
        ("rrf", {"parameter": -1}, "k of rrf is a number from 0 up, not -1"),
    ],
)
def test_what_does_not_go_together_is_refused(by, options, message):
    with pytest.raises(UsageError) as error:
        plan_fusion(by, 2, **options)
    assert message in str(error.value)


def test_one_run_cannot_be_fused():
    with pytest.raises(UsageError, match="two runs or more"):
        plan_fusion("rrf", 1)


@pytest.mark.parametrize("by", ["combmnz", "combgmnz", "wmnz", "mixed"])
def test_methods_that_multiply_refuse_scores_below_zero(by):
    with pytest.raises(UsageError, match=rf"{by} multiplies scores.* --norm zscore .*give --norm minmax"):
        fused(A, B, by=by, norm="zscore")


def test_a_best_score_that_is_not_above_zero_cannot_be_divided_by():
    with pytest.raises(UsageError, match=r"run 1, q: its best score is -1.*--norm max"):
        fused(A, {"d": -1.0}, by="combsum", norm="max")


def test_runs_without_documents_are_an_error():
    with pytest.raises(InputError, match="no documents in any of the runs"):
        fuse_runs({"a": Run({}), "b": Run({"q": []})}, plan_fusion("combsum", 2))


QRELS = {"q": {"x": 3, "d2": 1}, "q2": {"e": 1}, "unseen": {"e": 1}}
RUNS = {"a": run_of(q=A, q2={"e": 1.0, "f": 0.5}), "b": run_of(q=B, q2={"f": 9.0, "e": 1.0})}


@pytest.mark.parametrize(("by", "tried"), [("wsum", 21), ("wmnz", 21), ("mixed", 21), ("rrf", 11)])
def test_tuning_finds_the_best_of_all_that_it_tries(by, tried):
    tuning = tune_fusion(RUNS, plan_fusion(by, 2), QRELS, "ndcg@2")
    (evaluation,) = evaluate_runs({"": fuse_runs(RUNS, tuning.fusion)}, QRELS, ["ndcg@2"])
    assert tuning.value == pytest.approx(evaluation.means["ndcg@2"])
    (before,) = evaluate_runs({"": fuse_runs(RUNS, plan_fusion(by, 2))}, QRELS, ["ndcg@2"])
    assert tuning.before == pytest.approx(before.means["ndcg@2"])
    assert tuning.value >= tuning.before
    assert (tuning.tried, tuning.topics, tuning.measure) == (tried, 3, "ndcg@2")


def test_tuned_weights_are_the_same_every_time_and_nearest_to_equal_ones():
    # Any weights are as good as any others here.
    runs = {"a": run_of(q=A), "b": run_of(q=A), "c": run_of(q=A)}
    found = [tune_fusion(runs, plan_fusion("wsum", 3), QRELS, "ndcg@10").fusion.weights for _ in range(2)]
    assert found[0] == found[1]
    assert max(found[0]) - min(found[0]) <= 0.05 + 1e-9
    assert sum(found[0]) == pytest.approx(1)


def test_excluded_documents_do_not_count_in_tuning():
    qrels = {"q": {"d2": 1}}
    plain, without = (
        tune_fusion(RUNS, plan_fusion("wsum", 2), qrels, "mrr", excluded=excluded).value
        for excluded in ({}, {"q": ["d1", "d3"]})
    )
    assert without > plain


def test_tuning_needs_something_to_tune():
    with pytest.raises(UsageError, match="combsum has nothing to tune"):
        tune_fusion(RUNS, plan_fusion("combsum", 2), QRELS, "ndcg@10")


def test_tuning_needs_a_judged_topic():
    with pytest.raises(InputError, match="no topic in common"):
        tune_fusion(RUNS, plan_fusion("wsum", 2), {"other": {"d": 1}}, "ndcg@10")


@pytest.mark.parametrize("by", ["wsum", "combmnz", "rrf", "borda"])
def test_the_numbers_are_those_of_ranx_where_it_leaves_nothing_open(by):
    full = {"d1": 0.2, "d2": 0.5, "d3": 0.9, "d4": 0.3}
    method = next(method for method in FUSION_METHODS if method.name == by)
    params = {"weights": [0.3, 0.7]} if by == "wsum" else {}
    expected = ranx.fuse(
        [ranx.Run({"q": dict(A)}), ranx.Run({"q": full})], norm="min-max", method=method.ranx, params=params
    )
    found = fused(A, full, by=by, **({"weights": [0.3, 0.7]} if by == "wsum" else {}))
    assert found == close(dict(expected.run["q"]))


@pytest.mark.skipif("REARANK_LONG" not in os.environ, reason="compiles: set REARANK_LONG=1")
def test_fusing_works_where_numba_compiles_too():
    program = (
        "import numba\n"
        "from rearank_cli.evaluation import fuse_runs, plan_fusion\n"
        "from rearank_cli.records import Run, ScoredDoc\n"
        "assert not numba.config.DISABLE_JIT\n"
        "a = Run({'q': [ScoredDoc('x', 2.0), ScoredDoc('yy', 1.0)]})\n"
        "b = Run({'q': [ScoredDoc('yy', 2.0), ScoredDoc('z', 1.0)], 'q2': [ScoredDoc('z', 1.0)]})\n"
        "print(dict(fuse_runs({'a': a, 'b': b}, plan_fusion('rrf', 2))))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "NUMBA_DISABLE_JIT"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "ScoredDoc(doc_id='yy'" in done.stdout
