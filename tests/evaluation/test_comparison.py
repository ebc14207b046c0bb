"""Differences, intervals and p-values are SciPy's, and are always numbers."""

import math
import random
from collections.abc import Sequence
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from rearank_cli.errors import UsageError
from rearank_cli.evaluation import (
    Comparison,
    Difference,
    Evaluation,
    compare_runs,
    evaluate_runs,
    mean_interval,
)
from rearank_cli.records import Run, ScoredDoc

TESTS = ("student", "fisher", "tukey")


def evaluation(run: str, **measures: Sequence[float]) -> Evaluation:
    return Evaluation(
        run=run,
        means={measure: fmean(values) for measure, values in measures.items()},
        per_query={
            measure: {f"q{place}": float(value) for place, value in enumerate(values)}
            for measure, values in measures.items()
        },
    )


def random_runs(seed: int, topics: int, runs: int = 3) -> list[list[float]]:
    """Values such as ndcg has, those of the later runs a little better; of many topics some do not change."""
    rng = random.Random(seed)
    first = [rng.random() for _ in range(topics)]
    return [first] + [
        [min(1, max(0, value + rng.choice([topics < 5, 1]) * rng.gauss(0.02 * run, 0.1))) for value in first]
        for run in range(1, runs)
    ]


def compare(values: Sequence[Sequence[float]], test: str, **options: float) -> list[Difference]:
    return compare_runs([evaluation(f"run{i}", m=v) for i, v in enumerate(values)], test, **options)


def permutation_test(values: Sequence[float], baseline: Sequence[float]) -> float:
    return stats.permutation_test(
        (values, baseline),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=100_000,
        batch=1000,
        random_state=np.random.default_rng(5),
    ).pvalue


@pytest.mark.parametrize("topics", [2, 3, 12, 43, 323])
def test_the_t_test_is_that_of_scipy(topics: int) -> None:
    baseline, *others = random_runs(topics, topics)
    for values, difference in zip(others, compare([baseline, *others], "student"), strict=True):
        expected = stats.ttest_rel(values, baseline)
        interval = expected.confidence_interval(0.95)
        assert difference.p == pytest.approx(expected.pvalue, rel=1e-12)
        assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
        assert difference.mean == pytest.approx(fmean(values) - fmean(baseline), abs=1e-12)


@pytest.mark.parametrize("topics", [2, 5, 12, 16])
def test_fishers_test_of_few_topics_is_exact(topics: int) -> None:
    baseline, *others = random_runs(topics, topics)
    for values, difference in zip(others, compare([baseline, *others], "fisher"), strict=True):
        assert difference.p == pytest.approx(permutation_test(values, baseline), abs=1e-12)


@pytest.mark.parametrize("topics", [17, 43, 100])
def test_fishers_test_of_many_topics_is_that_of_scipy_as_near_as_drawing_comes(topics: int) -> None:
    baseline, *others = random_runs(topics, topics)
    for values, difference in zip(others, compare([baseline, *others], "fisher"), strict=True):
        assert difference.p == pytest.approx(permutation_test(values, baseline), abs=0.015)


def test_fishers_test_is_drawn_by_its_seed() -> None:
    runs = random_runs(1, 43)
    first, again, other = (compare(runs, "fisher", seed=seed) for seed in (7, 7, 8))
    assert first == again
    assert first[0].p != other[0].p
    # Whatever else is compared.
    assert compare(runs[:2], "fisher", seed=7)[0].p == first[0].p


def test_fishers_p_is_never_zero() -> None:
    (difference,) = compare([[0.1] * 60, [0.9] * 60], "fisher")
    assert difference.p == pytest.approx(1 / 100_001)


@pytest.mark.parametrize(("topics", "runs"), [(2, 2), (12, 2), (43, 3), (43, 6)])
def test_tukeys_hsd_and_its_interval_are_those_of_scipy(topics: int, runs: int) -> None:
    values = random_runs(topics, topics, runs)
    expected = stats.tukey_hsd(*values)
    interval = expected.confidence_interval(0.9)
    for row, difference in enumerate(compare(values, "tukey", confidence=0.9), start=1):
        assert difference.p == difference.corrected == pytest.approx(expected.pvalue[row, 0], abs=1e-12)
        assert difference.low == pytest.approx(interval.low[row, 0])
        assert difference.high == pytest.approx(interval.high[row, 0])
        assert difference.low < difference.mean < difference.high


@pytest.mark.parametrize("test", TESTS)
def test_runs_that_do_not_differ_have_p_1(test: str) -> None:
    values = [0.25, 0.5, 1.0, 0.0]
    same, other = compare([values, values, [0.5, 0.25, 0.5, 0.25]], test)
    assert (same.p, same.corrected, same.mean) == (1, 1, 0)
    assert same.low <= 0 <= same.high
    assert (same.gains, same.losses, same.unchanged) == (0, 0, 4)
    assert (other.gains, other.losses, other.unchanged) == (2, 2, 0)


@pytest.mark.parametrize(("before", "after"), [(0.1 + 0.2, 0.3), (0.3, 0.1 + 0.2)])
@pytest.mark.parametrize("test", TESTS)
def test_a_topic_that_differs_by_rounding_alone_is_unchanged(test: str, before: float, after: float) -> None:
    (difference,) = compare([[before, 0.5, 0.7], [after, 0.5, 0.7]], test)
    assert (difference.gains, difference.losses, difference.unchanged) == (0, 0, 3)
    assert difference.p == 1


@pytest.mark.parametrize("test", TESTS)
def test_of_a_single_topic_nothing_can_be_told(test: str) -> None:
    (difference,) = compare([[0.25], [0.75]], test)
    assert (difference.p, difference.corrected) == (1, 1)
    assert (difference.low, difference.mean, difference.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("test", TESTS)
@settings(max_examples=30, deadline=None)
@given(
    values=st.integers(1, 6).flatmap(
        lambda topics: st.lists(
            st.lists(st.sampled_from([0.0, 0.1, 0.3, 1 / 3, 1.0]), min_size=topics, max_size=topics),
            min_size=2,
            max_size=3,
        )
    )
)
def test_nothing_is_ever_nan(test: str, values: list[list[float]]) -> None:
    for difference in compare(values, test):
        numbers = [difference.mean, difference.low, difference.high, difference.p, difference.corrected]
        assert all(map(math.isfinite, numbers))
        assert 0 <= difference.p <= difference.corrected <= 1
        assert difference.low - 1e-9 <= difference.mean <= difference.high + 1e-9
        assert difference.gains + difference.losses + difference.unchanged == len(values[0])


def test_holms_correction_is_over_the_runs_of_a_measure() -> None:
    runs = random_runs(3, 43, 5)
    found = compare(runs, "student")
    smallest, second, third, largest = sorted(found, key=lambda difference: difference.p)
    # The steps of Holm's procedure, one by one.
    assert smallest.corrected == pytest.approx(min(1, 4 * smallest.p))
    assert second.corrected == pytest.approx(min(1, max(smallest.corrected, 3 * second.p)))
    assert third.corrected == pytest.approx(min(1, max(second.corrected, 2 * third.p)))
    assert largest.corrected == pytest.approx(min(1, max(third.corrected, largest.p)))
    (alone,) = compare([runs[0], runs[found.index(smallest) + 1]], "student")
    assert alone.corrected == alone.p == smallest.p

    # Another measure has its own.
    two = [evaluation(f"run{i}", m=v, n=runs[0]) for i, v in enumerate(runs)]
    assert [d.corrected for d in compare_runs(two) if d.measure == "m"] == [d.corrected for d in found]


def test_every_run_is_compared_with_the_first_by_every_measure() -> None:
    values = random_runs(2, 5)
    runs = [evaluation(f"run{i}", one=v, two=v[::-1]) for i, v in enumerate(values)]
    assert [(d.run, d.baseline, d.measure) for d in compare_runs(runs)] == [
        ("run1", "run0", "one"),
        ("run1", "run0", "two"),
        ("run2", "run0", "one"),
        ("run2", "run0", "two"),
    ]


def test_topics_are_paired_by_their_ids() -> None:
    one = Evaluation("one", {"m": 0.5}, {"m": {"a": 1.0, "b": 0.0}})
    two = Evaluation("two", {"m": 0.5}, {"m": {"b": 0.0, "a": 1.0}})
    (difference,) = compare_runs([one, two])
    assert difference.unchanged == 2


@pytest.mark.parametrize(
    ("runs", "options", "words"),
    [
        ([], {}, "two runs or more"),
        ([evaluation("a", m=[1, 2])], {}, "two runs or more"),
        ([evaluation("a", m=[1, 2]), evaluation("b", m=[1])], {}, "b and a were not measured alike"),
        ([evaluation("a", m=[1, 2]), evaluation("b", n=[1, 2])], {}, "b and a were not measured alike"),
        ([evaluation("a", m=[1, 2])] * 2, {"test": "Tukey"}, "the test 'Tukey' is unknown"),
        ([evaluation("a", m=[1, 2])] * 2, {"seed": -1}, "seed -1 cannot be"),
        ([evaluation("a", m=[1, 2])] * 2, {"confidence": 1}, "confidence 1 cannot be"),
    ],
)
def test_what_cannot_be_compared_is_a_usage_error(
    runs: list[Evaluation], options: dict[str, float], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        compare_runs(runs, **options)


@pytest.mark.parametrize("alpha", [0, 1, -0.1, 5, float("nan")])
def test_alpha_lies_between_0_and_1(alpha: float) -> None:
    with pytest.raises(UsageError, match="alpha"):
        Comparison(alpha=alpha)


def test_evaluations_are_given_the_differences_of_their_run() -> None:
    qrels = {"q1": {"a": 1}, "q2": {"a": 1}}
    first, second, third = (
        Run({query_id: [ScoredDoc(doc_id, 0.0) for doc_id in order] for query_id in qrels}, tag="same")
        for order in ("ba", "ab", "ba")
    )
    evaluations = evaluate_runs({"x": first, "y": second, "z": third}, qrels, ["mrr", "P@1"])
    compared = Comparison("fisher").apply(evaluations)
    assert compared[0] == evaluations[0]
    assert compared[0].differences == ()
    assert [(d.run, d.measure, d.mean) for d in compared[1].differences] == [
        ("y", "mrr", 0.5),
        ("y", "precision@1", 1.0),
    ]
    assert [d.unchanged for d in compared[2].differences] == [2, 2]


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("topics", [2, 3, 50])
def test_the_interval_of_a_mean_is_that_of_the_t_distribution(topics: int, confidence: float) -> None:
    values = random_runs(topics, topics)[0]
    expected = stats.t.interval(confidence, topics - 1, loc=np.mean(values), scale=stats.sem(values))
    assert mean_interval(values, confidence) == pytest.approx(expected, abs=1e-9)


def test_the_interval_of_one_value_is_a_point() -> None:
    assert mean_interval([0.3]) == (0.3, 0.3)
