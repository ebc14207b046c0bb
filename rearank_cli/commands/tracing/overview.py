"""The view of a whole trace file: its attempts, and a line per query."""

from collections.abc import Sequence

from rearank_cli.commands.tracing.attempts import write_attempts
from rearank_cli.commands.tracing.numbers import aligned, cost, statuses
from rearank_cli.commands.tracing.paper import STYLES, Paper
from rearank_cli.commands.tracing.selection import Selected
from rearank_cli.commands.tracing.texts import Texts
from rearank_cli.records import Status
from rearank_cli.traces import TraceFile
from rearank_cli.traces.movements import journeys
from rearank_cli.trec.streams import describe
from rearank_cli.words import counted

_HEADINGS = ("query", "calls", "status", "tokens in", "out", "seconds", "longest climb", "")
_NUMBERS = (1, 3, 4, 5)


def show_overview(paper: Paper, file: TraceFile, found: Sequence[Selected], texts: Texts) -> None:
    """Write the attempts, then every run with its queries, in the file's order."""
    texts.look_up(list(dict.fromkeys(selected.query_id for selected in found)), [])
    paper.write((describe(file.path), "bold"))
    write_attempts(paper, file.attempts)
    for run in dict.fromkeys(selected.run for selected in found):
        _show_run(paper, run, [selected for selected in found if selected.run == run], texts)


def _show_run(paper: Paper, run: str, found: Sequence[Selected], texts: Texts) -> None:
    calls = [call for selected in found for call in selected.calls]
    requests = [request for call in calls for request in call.requests]
    paper.end_paragraph()
    summary = f"{counted(len(calls), 'call')} ({statuses(calls)}), {cost(requests)}"
    paper.write((run, "bold"), f": {counted(len(found), 'query', 'queries')}, {summary}")
    left_out = sum(selected.left_out for selected in found)
    if left_out:
        paper.write(
            f"{counted(left_out, 'call')} of other attempts left out; --attempt N shows them", indent=2
        )
    paper.end_paragraph()
    rows = [_row(selected, texts.query(selected.query_id)) for selected in found]
    for row, cells in zip([_HEADINGS, *rows], aligned([_HEADINGS, *rows], right=_NUMBERS), strict=True):
        paper.write_row(("  ".join(cells).rstrip(), "bold" if row is _HEADINGS else _style(row[2])))


def _row(selected: Selected, text: str) -> tuple[str, ...]:
    requests = [request for call in selected.calls for request in call.requests]
    climbs = [move for move in journeys(call.settled for call in selected.calls) if move.climb > 0]
    longest = max(climbs, key=lambda move: move.climb, default=None)
    return (
        selected.query_id,
        f"{len(selected.calls):,}",
        statuses(selected.calls),
        _total([request.prompt_tokens for request in requests]),
        _total([request.completion_tokens for request in requests]),
        f"{sum(request.seconds for request in requests):.1f}",
        f"{longest.doc_id} {longest.before} -> {longest.after}" if longest else "-",
        text,
    )


def _total(counts: Sequence[int | None]) -> str:
    given = [count for count in counts if count is not None]
    return f"{sum(given):,}" if given else "-"


def _style(told: str) -> str:
    """Queries where all went well need no colour."""
    bad = [status for status in (Status.FAILED, Status.UNREADABLE, Status.TRUNCATED) if status in told]
    return STYLES[bad[0]] if bad else ""
