"""The view of calls that went one way: why, and what the model wrote last."""

from collections.abc import Iterator, Sequence

from rearank_cli.commands.tracing.calls import heading
from rearank_cli.commands.tracing.paper import STYLES, Paper
from rearank_cli.commands.tracing.selection import Selected
from rearank_cli.commands.tracing.texts import Texts
from rearank_cli.commands.tracing.words import with_mentions
from rearank_cli.records import Status
from rearank_cli.traces import TracedCall, TracedRequest
from rearank_cli.words import counted

_LAST_LINES = 6
_LAST_CHARACTERS = 600


def show_faults(
    paper: Paper, found: Sequence[Selected], wanted: Sequence[Status], texts: Texts, *, full: bool
) -> None:
    """Write the calls asked for, each with what was amiss and the end of its response, or all of it."""
    texts.look_up([selected.query_id for selected in found], [])
    shown = [(selected, number, call) for selected in found for number, call in selected.asked_for]
    for place, (selected, number, call) in enumerate(shown):
        if place:
            paper.end_paragraph()
        text = texts.query(selected.query_id)
        paper.write((f"query {selected.query_id}", "bold"), ", ", heading(selected, number, call))
        if text:
            paper.write(text, indent=2)
        for request in call.requests:
            if request.status in wanted:
                _write_request(paper, call, request, full=full)


def _write_request(paper: Paper, call: TracedCall, request: TracedRequest, *, full: bool) -> None:
    kind = "forced finish" if request.forced else f"try {request.attempt + 1}"
    paper.write(
        f"{kind}: " if len(call.requests) > 1 else "",
        (_reason(request), STYLES[request.status]),
        indent=2,
    )
    # A server may have kept the thought apart: then there is nothing in the response but the answer.
    whole = request.response.strip() or request.reasoning.strip()
    last = whole if full else _end(whole)
    if last:
        paper.write(("it wrote:" if last == whole else "it wrote last:", "bold"), indent=2)
        paper.write(with_mentions(last, len(request.doc_ids)), indent=4)
    elif not request.error:
        paper.write("it wrote nothing", indent=2)


def _reason(request: TracedRequest) -> str:
    """What was amiss, in a sentence."""
    written = request.completion_tokens
    tokens = f" after {counted(written, 'token')}" if written is not None else ""
    match request.status:
        case Status.TRUNCATED:
            if request.forced:
                return "the end of an answer that had run out of tokens" + (
                    "" if request.answered else ": no answer either"
                )
            return f"ran out of tokens{tokens}, before its answer was complete"
        case Status.UNREADABLE:
            return f"ended{tokens} without an answer (finish reason {request.finish_reason})"
        case Status.FAILED:
            return f"no response: {request.error or request.finish_reason}"
        case Status.REPAIRED:
            return ", ".join(_repairs(request))
        case Status.OK:
            return f"all in order{tokens}"


def _repairs(request: TracedRequest) -> Iterator[str]:
    count = len(request.doc_ids)
    listed = count if request.listed is None else request.listed
    if listed < count:
        left_out = " ".join(f"[{position + 1}]" for position in sorted(request.order[listed:]))
        yield f"listed {listed} of {counted(count, 'passage')}, not {left_out}"
    else:
        yield f"listed all {counted(count, 'passage')}, and something twice or out of range"


def _end(text: str) -> str:
    last = "\n".join(text.split("\n")[-_LAST_LINES:])
    if len(last) > _LAST_CHARACTERS:
        last = last[-_LAST_CHARACTERS:]
        last = last.partition(" ")[2] or last
    return last if len(last) == len(text) else f"...\n{last}"
