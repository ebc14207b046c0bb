"""The figures and tables of the overview."""

from collections.abc import Iterator, Sequence
from statistics import fmean, median
from typing import Any, NamedTuple

from rearank_cli.records import Status
from rearank_cli.report.charts import shade_of
from rearank_cli.report.contents import Report, Reranking
from rearank_cli.report.numbers import counted, probability, signed, tone


class Tile(NamedTuple):
    """A figure, with what it is and what there is to say of it."""

    name: str
    value: str
    remark: str
    tone: str = ""


def tiles(reranking: Reranking, report: Report) -> Iterator[Tile]:
    """The figures to see first, of a single trace file."""
    if measured := report.measured_with(reranking):
        measure = report.measures[0]
        difference = measured.difference(reranking.name, measure)
        before = measured.evaluations[0].means[measure]
        after = measured.evaluation(reranking.name).means[measure]
        yield Tile(
            measure,
            f"{before:.4f} → {after:.4f}",
            f"{signed(difference.mean)}, p {probability(difference.p)}",
            tone(difference.mean),
        )
        # What the run lacks was counted, as unchanged, and is none of the queries of this page.
        lacked = measured.evaluations[0].missing
        unchanged = difference.unchanged - lacked
        judged = difference.gains + difference.losses + unchanged
        of = f" of {judged:,} judged" if judged != len(reranking.calls) else ""
        more = f"; {lacked:,} judged that the run lacks" if lacked else ""
        yield Tile(
            "Queries",
            counted(len(reranking.calls)),
            f"{difference.gains} gained, {difference.losses} lost, {unchanged} unchanged{of}{more}",
        )
    else:
        yield Tile("Queries", counted(len(reranking.calls)), "not judged")
    asked = reranking.asked
    troubled = [f"{count:,} {status}" for status, count in reranking.statuses.items() if status != Status.OK]
    yield Tile("Calls", counted(len(asked)), ", ".join(troubled) or "all ok")
    tokens = [each.tokens for each in asked if each.tokens is not None]
    if tokens:
        yield Tile("Tokens answered", counted(sum(tokens)), f"{fmean(tokens):,.0f} a call")
    seconds = [each.seconds for each in asked if each.seconds is not None]
    if seconds:
        yield Tile(
            "Seconds a call", f"{median(seconds):.3g}", f"median; 95 % under {_quantile(seconds, 0.95):.3g}"
        )


def summary(reranking: Reranking, place: int) -> dict[str, Any]:
    """A line of the table that compares trace files: that of the file at this place."""
    asked = reranking.asked
    tokens = [each.tokens for each in asked if each.tokens is not None]
    seconds = [each.seconds for each in asked if each.seconds is not None]
    return {
        "reranking": reranking,
        "shade": shade_of(place),
        "calls": len(asked),
        "answered": sum(bool(each.call and each.call.settled.answered) for each in asked),
        "tokens": fmean(tokens) if tokens else None,
        "seconds": median(seconds) if seconds else None,
    }


def topics(report: Report) -> str:
    """Over which queries the means are."""
    judged = {len(measured.evaluations[0].per_query[report.measures[0]]) for measured in report.measured}
    number = f"{judged.pop():,} " if len(judged) == 1 else ""
    lacked = lacking(report)
    rest = f" ({lacked} counted as 0, and as unchanged)" if lacked else ""
    return f"the {number}judged queries of {report.judgments_name}{rest}"


def lacking(report: Report) -> str:
    """The judged queries that means are over and a run lacks: they have no bar, and no page; "" for none."""
    told = {measured.evaluations[0].missing for measured in report.measured}
    if not any(told):
        return ""
    return f"{told.pop():,} that the run lacks" if len(told) == 1 else "those that a run lacks"


def measure_rows(report: Report) -> Iterator[dict[str, Any]]:
    """The table of measures: of each measure its rerankings, each with its difference from its run."""
    for measure in report.measures:
        first = True
        for measured in report.measured:
            for name in measured.rerankings:
                yield {
                    "measure": measure,
                    "first": first,
                    "before": measured.evaluations[0].means[measure],
                    "after": measured.evaluation(name).means[measure],
                    "difference": measured.difference(name, measure),
                }
                first = False


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)]
