"""The view of a query: call by call, what the model thought, what it answered, and what moved."""

from collections.abc import Sequence

from rearank_cli.commands.tracing.calls import heading, write_moves, write_requests
from rearank_cli.commands.tracing.numbers import aligned, change, cost, statuses, style_of
from rearank_cli.commands.tracing.paper import Paper
from rearank_cli.commands.tracing.selection import Selected
from rearank_cli.commands.tracing.texts import Texts
from rearank_cli.traces.movements import journeys
from rearank_cli.words import counted

_HEAD = 10


def show_stories(paper: Paper, found: Sequence[Selected], texts: Texts, *, full: bool) -> None:
    """Write the calls asked for, in the order in which they were answered."""
    texts.look_up(
        [selected.query_id for selected in found],
        {doc_id for selected in found for _, call in selected.asked_for for doc_id in call.settled.doc_ids},
    )
    for number, selected in enumerate(found):
        if number:
            paper.end_paragraph()
        write_query(paper, selected, texts)
        for place, call in selected.asked_for:
            paper.end_paragraph()
            paper.write(heading(selected, place, call))
            write_requests(paper, call.requests, indent=2)
            write_moves(paper, call.settled, texts, indent=2, full=full)
        _write_end(paper, selected, texts, full=full)


def _write_end(paper: Paper, selected: Selected, texts: Texts, *, full: bool) -> None:
    """Write what came of several calls, where their windows tell of ranks."""
    went = journeys(call.settled for call in selected.calls)
    if len(selected.calls) < 2 or not went:
        return
    paper.end_paragraph()
    shown = went if full else went[:_HEAD]
    paper.write(("after all calls", "bold"), "" if full else f", the first {len(shown)}")
    rows = aligned([(str(move.after), f"<- {move.before}", change(move), move.doc_id) for move in shown], [0])
    for move, (*moved, doc_id) in zip(shown, rows, strict=True):
        paper.write_row(
            ("  ".join(moved), style_of(move)),
            "  ",
            (doc_id, "bold"),
            f"  {texts.passage(move.doc_id, full=full)}".rstrip(),
            indent=2,
        )


def write_query(paper: Paper, selected: Selected, texts: Texts) -> None:
    """Write which query it is, and what its calls came to."""
    text = texts.query(selected.query_id)
    requests = [request for call in selected.calls for request in call.requests]
    paper.write((f"query {selected.query_id}", "bold"), f": {text}" if text else "")
    summary = f"{counted(len(selected.calls), 'call')} ({statuses(selected.calls)}), {cost(requests)}"
    paper.write(f"{selected.run}: {summary}")
    if selected.left_out:
        paper.write(
            f"{counted(selected.left_out, 'call')} of other attempts left out; --attempt N shows them"
        )
