"""What stands in the tables: rows of means, of topics, of differences, and the words beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rearank_cli.evaluation.comparison import PERMUTATIONS, Comparison, Difference, is_exact
from rearank_cli.evaluation.scoring import Evaluation

ALL = "all"
"""What stands for a query's id in the rows of means, as in trec_eval's output."""

Write = Callable[[str, bool, bool], str]
"""How a mean is written: from its digits, whether it is the best, whether it differs significantly."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A header and rows of as many cells; the first `labels` columns are words, the others numbers."""

    labels: int
    header: list[str]
    rows: list[list[str]]


def means(
    evaluations: Sequence[Evaluation],
    comparison: Comparison | None = None,
    write: Write | None = None,
) -> Grid:
    """A line for each run, a column for each measure.

    The best of a measure are all that look alike; no run is the best of one.
    """
    measures = list(evaluations[0].means)
    digits = [[_digits(evaluation.means[measure]) for measure in measures] for evaluation in evaluations]
    best = [max(column, key=float) if len(column) > 1 else None for column in zip(*digits, strict=True)]
    rows = []
    for evaluation, numbers in zip(evaluations, digits, strict=True):
        marked = {
            difference.measure
            for difference in evaluation.differences
            if comparison and comparison.is_significant(difference)
        }
        cells = [
            write(number, number == highest, measure in marked) if write else number
            for measure, number, highest in zip(measures, numbers, best, strict=True)
        ]
        rows.append([evaluation.run, *cells])
    return Grid(1, ["run", *measures], rows)


def topics(evaluations: Sequence[Evaluation]) -> Grid:
    """A line for each judged topic, and the means last.

    With several runs a line for each topic and measure, which has every run's value and what it changed
    from the first run; within a measure the greatest gain of the second run comes first.
    """
    measures = list(evaluations[0].means)
    if len(evaluations) == 1:
        (evaluation,) = evaluations
        rows = [
            [query_id, *(_digits(values[query_id]) for values in evaluation.per_query.values())]
            for query_id in evaluation.per_query[measures[0]]
        ]
        rows.append([ALL, *map(_digits, evaluation.means.values())])
        return Grid(2, ["query", "run", *measures], [[row[0], evaluation.run, *row[1:]] for row in rows])

    baseline, *others = evaluations
    header = ["query", "measure", baseline.run]
    for other in others:
        header += [other.run, "change"]
    rows = []
    for measure in measures:
        before = baseline.per_query[measure]
        for query_id in by_change(before, others[0].per_query[measure]):
            values = [other.per_query[measure][query_id] for other in others]
            rows.append([query_id, measure, *_changes(before[query_id], values)])
        values = [other.means[measure] for other in others]
        rows.append([ALL, measure, *_changes(baseline.means[measure], values)])
    return Grid(2, header, rows)


def by_change(before: dict[str, float], after: dict[str, float]) -> list[str]:
    """The topics, the greatest gain first; those that change alike stay in their order."""
    return sorted(before, key=lambda query_id: before[query_id] - after[query_id])


def differences(evaluations: Sequence[Evaluation], comparison: Comparison) -> Grid:
    """A line for each measure and run that was compared, all runs of a measure together."""
    found = [difference for evaluation in evaluations for difference in evaluation.differences]
    measures = list(evaluations[0].means)
    found.sort(key=lambda difference: measures.index(difference.measure))
    # Tukey's p has no other beside it: it is corrected.
    corrected = [] if comparison.test == "tukey" else ["p-holm"]
    header = ["measure", "run", "change", "low", "high", "p", *corrected, "gains", "losses", "unchanged"]
    return Grid(2, header, [_difference(difference, with_corrected=bool(corrected)) for difference in found])


def in_words(evaluations: Sequence[Evaluation], comparison: Comparison) -> tuple[str, str]:
    """A sentence that says what was compared with what and by which test, and one on the columns."""
    count = _topic_count(evaluations)
    compared = (
        f"Compared with {evaluations[0].run} over {topics_in_words(evaluations)}: "
        f"{test_name(comparison, count)}."
    )
    confidence = f"{100 * (1 - comparison.alpha):.4g} %"
    if comparison.test == "tukey":
        pairs = len(evaluations) * (len(evaluations) - 1) // 2
        of_pairs = "the one pair of runs" if pairs == 1 else f"all {pairs} pairs of runs"
        return compared, (
            f"p and the {confidence} confidence interval (low, high) are corrected for {of_pairs}."
        )
    others = len(evaluations) - 1
    of_runs = "for the one run compared" if others == 1 else f"for {others} runs"
    return compared, (
        f"p-holm: Holm's correction of p {of_runs}; "
        f"low and high: the {confidence} confidence interval (paired t)."
    )


def test_name(comparison: Comparison, topic_count: int) -> str:
    """The test as a paper names it."""
    if comparison.test == "student":
        return "paired Student's t-test, two-sided"
    if comparison.test == "tukey":
        return "Tukey's HSD test, unpaired"
    if is_exact(topic_count):
        return "Fisher's randomization test, two-sided, all permutations"
    return f"Fisher's randomization test, two-sided, {PERMUTATIONS:,} permutations, seed {comparison.seed}"


def topics_in_words(evaluations: Sequence[Evaluation]) -> str:
    """`43 topics`."""
    count = _topic_count(evaluations)
    return f"{count} topic" if count == 1 else f"{count} topics"


def _topic_count(evaluations: Sequence[Evaluation]) -> int:
    return len(next(iter(evaluations[0].per_query.values())))


def _difference(difference: Difference, *, with_corrected: bool) -> list[str]:
    return [
        difference.measure,
        difference.run,
        _signed(difference.mean),
        _signed(difference.low),
        _signed(difference.high),
        _probability(difference.p),
        *([_probability(difference.corrected)] if with_corrected else []),
        str(difference.gains),
        str(difference.losses),
        str(difference.unchanged),
    ]


def _changes(before: float, after: Sequence[float]) -> list[str]:
    cells = [_digits(before)]
    for value in after:
        cells += [_digits(value), _signed(value - before)]
    return cells


def _digits(value: float) -> str:
    return f"{value:.4f}"


def _signed(value: float) -> str:
    """`+0.0123`; what rounds to nothing has no sign."""
    return f"{value:+.4f}" if round(value, 4) else _digits(0)


def _probability(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.4f}"
