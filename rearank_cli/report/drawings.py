"""What of a report is drawn: its values, handed to the charts."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from rearank_cli.evaluation.comparison import mean_interval
from rearank_cli.report import charts
from rearank_cli.report.contents import Measured, Report, Reranking
from rearank_cli.report.data import query_measures


def drawings(report: Report) -> dict[str, Any]:
    """The drawings, as SVG; what there is nothing to draw of is left out."""
    drawn: dict[str, Any] = {
        "statuses": _svg(charts.statuses([(each.name, each.statuses) for each in report.rerankings])),
        "tokens": _distributions(report, "tokens", "tokens answered"),
        "seconds": _distributions(report, "seconds", "seconds"),
        "changes": [],
        "movements": [],
    }
    if report.measured:
        drawn["measures"] = _svg(charts.measures(list(_intervals(report)), shades=_shades(report)))
    for each in report.rerankings:
        if changes := list(_changes(each, report)):
            drawn["changes"].append(
                (each.name, _svg(charts.changes(changes, measure=report.measures[0], href=_link)))
            )
        if ranks := list(_ranks(each, report)):
            depth = max(max(first, new) for first, new, _ in ranks)
            drawn["movements"].append((each.name, _svg(charts.movements(ranks, depth=depth))))
    return drawn


def _svg(drawing: str) -> Markup:
    return Markup(drawing)  # noqa: S704  # charts escape what they are given


def _intervals(report: Report) -> Iterator[tuple[str, list[tuple[str, float, float, float]]]]:
    for measure in report.measures:
        yield (
            measure,
            [
                (evaluation.run, evaluation.means[measure], *_interval(measured, evaluation.run, measure))
                for measured in report.measured
                for evaluation in measured.evaluations
            ],
        )


def _interval(measured: Measured, run: str, measure: str) -> tuple[float, float]:
    return mean_interval(list(measured.evaluation(run).per_query[measure].values()))


def _shades(report: Report) -> list[str]:
    """The colours in the chart of measures: quiet for first stages, else those of the trace files."""
    own = {each.name: charts.shade_of(place) for place, each in enumerate(report.rerankings)}
    return [
        own.get(evaluation.run, "muted")
        for measured in report.measured
        for evaluation in measured.evaluations
    ]


def _distributions(report: Report, quantity: str, name: str) -> Markup | None:
    series, shades = [], []
    for place, each in enumerate(report.rerankings):
        values = [getattr(asked, quantity) for asked in each.asked]
        if counted := [float(value) for value in values if value is not None]:
            series.append((each.name, counted))
            shades.append(charts.shade_of(place))
    return _svg(charts.distributions(series, quantity=f"{name} per call", shades=shades)) if series else None


def _changes(reranking: Reranking, report: Report) -> Iterator[tuple[str, float]]:
    for query_id in reranking.calls:
        if values := query_measures(report, reranking, query_id):
            yield query_id, values[0][1] - values[0][0]


def _ranks(reranking: Reranking, report: Report) -> Iterator[tuple[int, int, bool]]:
    """Every candidate's rank in the first stage and in the new run, and whether it is relevant."""
    if reranking.before is None or reranking.after is None:
        return
    for query_id in reranking.before:
        judged = (report.judgments or {}).get(query_id, {})
        before = reranking.before.ranked(query_id).doc_ids()[: reranking.depth]
        after = reranking.after.ranked(query_id).doc_ids()[: reranking.depth]
        new = {doc_id: rank for rank, doc_id in enumerate(after, 1)}
        for rank, doc_id in enumerate(before, 1):
            yield rank, new[doc_id], judged.get(doc_id, 0) >= report.level


def _link(query_id: str) -> str:
    return f"#q={quote(query_id, safe='', errors='replace')}"
