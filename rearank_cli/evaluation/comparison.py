"""Is a run better than another, or was it luck? Differences, their intervals, and tests of them."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev
from typing import Literal, get_args

from rearank_cli.errors import UsageError
from rearank_cli.evaluation.scoring import Evaluation

Test = Literal["student", "fisher", "tukey"]

PERMUTATIONS = 100_000
"""How many permutations Fisher's test draws, as Smucker et al. (CIKM 2007) did."""

# What differs by less is the same number, summed in another order.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Difference:
    """What a run has more of a measure than the baseline, on average over all judged topics.

    `low` and `high` bound the confidence interval of `mean`; `p` is the test's own, and `corrected`
    the one that allows for all runs that were compared. `gains`, `losses` and `unchanged` count
    topics. Nothing is ever NaN: runs that do not differ have p = 1.
    """

    run: str
    baseline: str
    measure: str
    mean: float
    low: float
    high: float
    p: float
    corrected: float
    gains: int
    losses: int
    unchanged: int


def compare_runs(
    evaluations: Sequence[Evaluation], test: Test = "student", *, seed: int = 0, confidence: float = 0.95
) -> list[Difference]:
    """Compare every run with the first one by every measure: run after run, measures in their order.

    `student` is the paired t-test. `fisher` is Fisher's randomization test: over all permutations where
    they are at most 100,000 (up to 16 topics), else over 100,000 drawn with `seed`, and the observed
    one. `tukey` is Tukey's HSD, which takes the runs for independent samples, and so finds less than the
    others. All are two-sided, and their p-values SciPy's: those of `ttest_rel`, of
    `permutation_test(permutation_type="samples")` (as near as drawing comes), and of `tukey_hsd`.

    The interval is that of the paired t-test; for `tukey` its own, which holds for all pairs of runs at
    once. `corrected` is Holm's (Scandinavian Journal of Statistics 6, 1979) over the runs, measure by
    measure; Tukey's p is corrected already, for all pairs of runs.

    With a single topic nothing can be tested: p is 1, and the interval a point.

    Raises UsageError for fewer than two runs, runs that were not measured alike, and a test, seed or
    confidence that cannot be.
    """
    _check(test, seed, confidence)
    if len(evaluations) < 2:
        raise UsageError(
            "a comparison needs two runs or more: the first is what the others are compared with"
        )
    baseline = evaluations[0]
    for evaluation in evaluations:
        if _topics(evaluation) != _topics(baseline):
            raise UsageError(
                f"{evaluation.run} and {baseline.run} were not measured alike; "
                "evaluate them together, by the same measures and judgments"
            )
    by_measure = [_compare(evaluations, measure, test, seed, confidence) for measure in baseline.per_query]
    return [difference for of_run in zip(*by_measure, strict=True) for difference in of_run]


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The t interval of a sample's mean; of one value, that value twice."""
    mean = fmean(values)
    if len(values) < 2:
        return mean, mean
    from scipy.special import stdtrit  # scipy.stats has it too, and takes half a second to import

    radius = float(stdtrit(len(values) - 1, (1 + confidence) / 2)) * stdev(values) / len(values) ** 0.5
    return mean - radius, mean + radius


@dataclass(frozen=True, slots=True)
class Comparison:
    """How runs are compared with the first: the test, what it draws with, and what counts as significant.

    Intervals have the confidence 1 - alpha. Raises UsageError for what cannot be.
    """

    test: Test = "student"
    seed: int = 0
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha {self.alpha:g} cannot be: it lies between 0 and 1, and 0.05 is usual")
        _check(self.test, self.seed, 1 - self.alpha)

    def apply(self, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
        """The evaluations with their differences; the first has none. Raises UsageError."""
        differences = compare_runs(evaluations, self.test, seed=self.seed, confidence=1 - self.alpha)
        return [
            replace(evaluation, differences=tuple(d for d in differences if d.run == evaluation.run))
            for evaluation in evaluations
        ]

    def is_significant(self, difference: Difference) -> bool:
        """Whether luck alone would hardly do it."""
        return difference.corrected < self.alpha


def is_exact(topics: int) -> bool:
    """Whether Fisher's test goes through all permutations of so many topics."""
    return topics < PERMUTATIONS.bit_length()


def _check(test: str, seed: int, confidence: float) -> None:
    if test not in get_args(Test):
        raise UsageError(f"the test '{test}' is unknown (known are {', '.join(get_args(Test))})")
    if seed < 0:
        raise UsageError(f"seed {seed} cannot be: seeds begin with 0")
    if not 0 < confidence < 1:
        raise UsageError(f"confidence {confidence:g} cannot be: it lies between 0 and 1, and 0.95 is usual")


def _topics(evaluation: Evaluation) -> dict[str, set[str]]:
    return {measure: set(values) for measure, values in evaluation.per_query.items()}


def _compare(
    evaluations: Sequence[Evaluation], measure: str, test: Test, seed: int, confidence: float
) -> list[Difference]:
    """The differences by one measure, one for each run but the first."""
    query_ids = list(evaluations[0].per_query[measure])
    baseline, *others = ([e.per_query[measure][query_id] for query_id in query_ids] for e in evaluations)
    changes = [[new - old for new, old in zip(values, baseline, strict=True)] for values in others]
    if test == "tukey":
        found = _tukey(baseline, others, confidence)
        corrected = [p for p, _ in found]
    else:
        found = [
            (
                _fisher(change, seed) if test == "fisher" else _student(values, baseline),
                mean_interval(change, confidence),
            )
            for values, change in zip(others, changes, strict=True)
        ]
        corrected = _holm([p for p, _ in found])
    return [
        Difference(
            run=evaluation.run,
            baseline=evaluations[0].run,
            measure=measure,
            mean=fmean(change),
            low=low,
            high=high,
            p=p,
            corrected=p_of_all,
            gains=sum(value > _SAME for value in change),
            losses=sum(value < -_SAME for value in change),
            unchanged=sum(abs(value) <= _SAME for value in change),
        )
        for evaluation, change, (p, (low, high)), p_of_all in zip(
            evaluations[1:], changes, found, corrected, strict=True
        )
    ]


# ranx has these tests too, for runs that it measures itself. Its t-test and Tukey's HSD are SciPy's,
# without their intervals, and NaN where runs do not differ. Its Fisher's test draws 1000 permutations,
# by a seed that compiled code ignores, and leaves out the observed one, so that p can be 0.


def _student(values: Sequence[float], baseline: Sequence[float]) -> float:
    if len(values) < 2 or _are_same(values, baseline):
        return 1.0
    from scipy.stats import ttest_rel

    with warnings.catch_warnings():
        # Of topics that all change by the same: p is 0, or next to it.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(ttest_rel(values, baseline).pvalue)


def _fisher(changes: Sequence[float], seed: int) -> float:
    """To permute the two values of a topic is to flip the sign of its change.

    SciPy's permutation_test says the same, and takes 20 times as long to draw as many.
    """
    import numpy as np

    change = np.array(changes)
    # A sum as great as the observed one may come out a hair smaller, by another order of adding.
    observed = abs(change.sum()) - 1e-12 * np.abs(change).sum()
    exact = is_exact(len(change))
    permutations = 2 ** len(change) if exact else PERMUTATIONS
    generator = np.random.default_rng(seed)
    at_once = max(1, 2_000_000 // len(change))
    as_great = 0
    for start in range(0, permutations, at_once):
        numbers = np.arange(start, min(start + at_once, permutations))
        if exact:
            flipped = (numbers[:, np.newaxis] >> np.arange(len(change)) & 1).astype(np.uint8)
        else:
            drawn = generator.integers(0, 256, (len(numbers), (len(change) + 7) // 8), dtype=np.uint8)
            flipped = np.unpackbits(drawn, axis=1, count=len(change))
        sums = change.sum() - 2 * (flipped @ change)
        as_great += int((np.abs(sums) >= observed).sum())
    return as_great / permutations if exact else (as_great + 1) / (permutations + 1)


def _tukey(
    baseline: Sequence[float], others: Sequence[Sequence[float]], confidence: float
) -> list[tuple[float, tuple[float, float]]]:
    if len(baseline) < 2:
        return [(1.0, (fmean(values) - fmean(baseline),) * 2) for values in others]
    from scipy.stats import tukey_hsd

    with warnings.catch_warnings():
        # Of runs in which all topics have the same value: no variance to measure differences by.
        warnings.simplefilter("ignore", RuntimeWarning)
        tested = tukey_hsd(baseline, *others)
        interval = tested.confidence_interval(confidence)
    found = []
    for row, values in enumerate(others, start=1):
        p = float(tested.pvalue[row, 0])
        if p != p:  # NaN
            p = 1.0 if _are_same(values, baseline) else 0.0
        found.append((min(max(p, 0.0), 1.0), (float(interval.low[row, 0]), float(interval.high[row, 0]))))
    return found


def _are_same(values: Sequence[float], baseline: Sequence[float]) -> bool:
    return all(abs(new - old) <= _SAME for new, old in zip(values, baseline, strict=True))


def _holm(p_values: Sequence[float]) -> list[float]:
    """Multiply the smallest by how many there are, the next by one less ...; none below one before it."""
    corrected = [1.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = least
    return corrected
