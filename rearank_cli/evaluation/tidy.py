"""Evaluations as CSV, in the long form that pandas and R expect: one value a row."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from rearank_cli.evaluation.comparison import Comparison
from rearank_cli.evaluation.layout import by_change
from rearank_cli.evaluation.scoring import Evaluation
from rearank_cli.trec.streams import printable

_DIFFERENCE = ("baseline", "difference", "low", "high", "p", "corrected", "gains", "losses", "unchanged")


def as_csv(
    evaluations: Sequence[Evaluation], *, per_query: bool = False, comparison: Comparison | None = None
) -> str:
    """A row for each run and measure, or with `per_query` for each run, measure and topic; RFC 4180.

    Numbers are unrounded. What the first run has not, a difference from itself, is left empty. With
    several runs the topics that gained most come first.
    """
    if per_query:
        header = ["run", "measure", "query", "value", *(["change"] if len(evaluations) > 1 else [])]
        rows = _topics(evaluations)
    else:
        header = ["run", "measure", "mean", *(_DIFFERENCE if comparison else ())]
        rows = _means(evaluations, compared=comparison is not None)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    for row in rows:
        writer.writerow([printable(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()


def _means(evaluations: Sequence[Evaluation], *, compared: bool) -> Iterator[list[str | float | None]]:
    for evaluation in evaluations:
        of_measure = {difference.measure: difference for difference in evaluation.differences}
        for measure, mean in evaluation.means.items():
            row: list[str | float | None] = [evaluation.run, measure, mean]
            if measure in of_measure:
                _, baseline, _, *numbers = astuple(of_measure[measure])
                row += [baseline, *numbers]
            elif compared:
                row += [None] * len(_DIFFERENCE)
            yield row


def _topics(evaluations: Sequence[Evaluation]) -> Iterator[list[str | float | None]]:
    for evaluation in evaluations:
        for measure, values in evaluation.per_query.items():
            before = evaluations[0].per_query[measure]
            for query_id in by_change(before, values):
                row: list[str | float | None] = [evaluation.run, measure, query_id, values[query_id]]
                if evaluation is not evaluations[0]:
                    row.append(values[query_id] - before[query_id])
                elif len(evaluations) > 1:
                    row.append(None)
                yield row
