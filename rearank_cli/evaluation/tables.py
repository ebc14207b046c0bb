"""Evaluations as text: aligned columns, or JSON."""

import json
from collections.abc import Iterable, Sequence

import orjson

from rearank_cli.evaluation.scoring import Evaluation
from rearank_cli.trec.streams import printable

ALL = "all"
"""What stands for a query's id in the rows of means, as in trec_eval's output."""


def as_table(evaluations: Sequence[Evaluation], *, per_query: bool = False) -> str:
    """A line for each run; with `per_query` one for each judged topic and run, and the means last."""
    measures = list(evaluations[0].means)
    means = [[evaluation.run, *_rounded(evaluation.means.values())] for evaluation in evaluations]
    if not per_query:
        return _align([["run", *measures], *means], labels=1)
    topics = [
        [query_id, evaluation.run, *_rounded(values[query_id] for values in evaluation.per_query.values())]
        for query_id in evaluations[0].per_query[measures[0]]
        for evaluation in evaluations
    ]
    return _align([["query", "run", *measures], *topics, *([ALL, *row] for row in means)], labels=2)


def as_json(
    evaluations: Sequence[Evaluation], paths: Sequence[str], qrels_name: str, *, per_query: bool = False
) -> bytes:
    """One object with all there is, unrounded; `paths` are those of the runs, in the same order."""
    measures = list(evaluations[0].means)
    topics = list(evaluations[0].per_query[measures[0]])
    runs = []
    for evaluation, path in zip(evaluations, paths, strict=True):
        run: dict[str, object] = {"run": evaluation.run, "path": path, "mean": evaluation.means}
        if per_query:
            run["queries"] = {
                query_id: {measure: values[query_id] for measure, values in evaluation.per_query.items()}
                for query_id in topics
            }
        runs.append(run)
    result = {"qrels": qrels_name, "topics": len(topics), "measures": measures, "runs": runs}
    text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    # What JSON lets stand can still steer a terminal.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text).encode()


def _rounded(values: Iterable[float]) -> list[str]:
    return [f"{value:.4f}" for value in values]


def _align(rows: Sequence[Sequence[str]], labels: int) -> str:
    """Pad the first `labels` columns on the right, the numbers after them on the left."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < labels else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells) + "\n")
    return "".join(lines)
