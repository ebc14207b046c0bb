"""Evaluations as JSON: all there is, unrounded."""

import json
from collections.abc import Sequence
from typing import Any

import orjson

from rearank_cli.evaluation.comparison import Comparison, Difference
from rearank_cli.evaluation.scoring import Evaluation


def as_json(
    evaluations: Sequence[Evaluation],
    paths: Sequence[str],
    qrels_name: str,
    *,
    per_query: bool = False,
    comparison: Comparison | None = None,
    cutoff: int | None = None,
) -> bytes:
    """One object; `paths` are those of the runs, in the same order. With a comparison every run has its
    `differences`, the first an empty list.
    """
    measures = list(evaluations[0].means)
    topics = list(evaluations[0].per_query[measures[0]])
    result: dict[str, Any] = {"qrels": qrels_name, "topics": len(topics), "measures": measures}
    if cutoff is not None:
        result["cutoff"] = cutoff
    if comparison:
        result["comparison"] = _settings(comparison, baseline=evaluations[0].run)
    result["runs"] = []
    for evaluation, path in zip(evaluations, paths, strict=True):
        run: dict[str, object] = {"run": evaluation.run, "path": path, "mean": evaluation.means}
        if comparison:
            run["differences"] = list(map(_difference, evaluation.differences))
        if per_query:
            run["queries"] = {
                query_id: {measure: values[query_id] for measure, values in evaluation.per_query.items()}
                for query_id in topics
            }
        result["runs"].append(run)
    text = orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    # What JSON lets stand can still steer a terminal.
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text).encode()


def _settings(comparison: Comparison, baseline: str) -> dict[str, object]:
    settings: dict[str, object] = {
        "test": comparison.test,
        "baseline": baseline,
        "correction": "tukey" if comparison.test == "tukey" else "holm",
        "alpha": comparison.alpha,
    }
    if comparison.test == "fisher":
        settings["seed"] = comparison.seed
    return settings


def _difference(difference: Difference) -> dict[str, object]:
    return {
        "measure": difference.measure,
        "mean": difference.mean,
        "low": difference.low,
        "high": difference.high,
        "p": difference.p,
        "corrected": difference.corrected,
        "gains": difference.gains,
        "losses": difference.losses,
        "unchanged": difference.unchanged,
    }
