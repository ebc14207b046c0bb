"""A call in words: what was shown, what became of it, and where its passages went."""

import re
from collections.abc import Iterator, Sequence

from rich.text import Text

from rearank_cli.commands.tracing.numbers import aligned, change, cost, style_of, where
from rearank_cli.commands.tracing.paper import STYLES, Paper
from rearank_cli.commands.tracing.selection import Selected
from rearank_cli.commands.tracing.texts import Texts
from rearank_cli.commands.tracing.words import write_words
from rearank_cli.traces import TracedCall, TracedRequest
from rearank_cli.traces.movements import Move, moves
from rearank_cli.words import counted

# An answer of one token.
_LETTER = re.compile(r"\W*[A-Z]\W*")
_LETTERS = 26


def heading(selected: Selected, number: int, call: TracedCall) -> Text:
    """`call 2 of 9: ranks 71-90, ok, 3,412 tokens in, 871 out, 9.3 s`."""
    request = call.settled
    text = Text.assemble((f"call {number} of {len(selected.calls)}", "bold"), f": {where(request)}, ")
    text.append(str(request.status), STYLES[request.status])
    for remark in _remarks(selected, call):
        text.append(f", {remark}")
    return text.append(f", {cost(call.requests)}")


def _remarks(selected: Selected, call: TracedCall) -> Iterator[str]:
    request = call.settled
    if request.forced:
        yield "made to finish" if request.answered else "made to finish in vain"
    tries = sum(not one.forced for one in call.requests)
    if tries > 1:
        yield f"asked {tries} times"
    if request.sample:
        yield f"sample {request.sample}"
    if request.cut_passages:
        yield f"{counted(request.cut_passages, 'passage')} cut to fit"
    if len({other.settled.asked_by for other in selected.calls}) > 1:
        yield f"attempt {request.asked_by + 1}"


def write_requests(paper: Paper, requests: Sequence[TracedRequest], indent: int) -> None:
    """Write the words of every request of a call, told apart where there are several."""
    for request in requests:
        if len(requests) > 1:
            kind = "forced finish" if request.forced else f"try {request.attempt + 1}"
            paper.write(
                (kind, "bold"),
                ": ",
                (str(request.status), STYLES[request.status]),
                f", finish reason {request.finish_reason}",
                indent=indent,
            )
        write_words(paper, request, indent)


def write_moves(paper: Paper, request: TracedRequest, texts: Texts, indent: int, *, full: bool) -> None:
    """Write the new order, a line per passage; where only one was moved, its line stands for all."""
    if not request.answered:
        paper.write("no answer: its order was kept", indent=indent)
        return
    every = moves(request)
    if len(every) == 1:
        _write_alone(paper, request, texts, indent, full=full)
        return
    shown = every if full else _telling(request, every)
    numbers = {doc_id: identifier(request, place) for place, doc_id in enumerate(request.doc_ids)}
    rows = [
        (
            str(move.after),
            f"<- {move.before}",
            change(move),
            numbers[move.doc_id],
            move.doc_id,
            ", ".join(_notes(request, place)),
        )
        for place, move in enumerate(every)
        if move in shown
    ]
    for move, cells in zip(shown, aligned(rows, right=[0]), strict=True):
        *moved, doc_id, notes = cells
        paper.write_row(
            ("  ".join(moved), style_of(move)),
            "  ",
            (doc_id, "bold"),
            f"  {notes}" if notes else "",
            f"  {texts.passage(move.doc_id, full=full)}".rstrip(),
            indent=indent,
        )
    if len(shown) < len(every):
        paper.write(
            f"the other {counted(len(every) - len(shown), 'passage')} in the order they had", indent=indent
        )


def identifier(request: TracedRequest, position: int) -> str:
    """How the model was told to name a passage: by its number, or by its letter (FIRST)."""
    has_letters = not request.reasoning and _LETTER.fullmatch(request.response)
    return f"[{chr(ord('A') + position) if has_letters and position < _LETTERS else position + 1}]"


def _write_alone(paper: Paper, request: TracedRequest, texts: Texts, indent: int, *, full: bool) -> None:
    """Write a passage that was shown alone: it has not moved yet."""
    doc_id = request.doc_ids[0]
    notes = "".join(f"  {note}" for note in _notes(request, 0))
    paper.write_row((doc_id, "bold"), notes, f"  {texts.passage(doc_id, full=full)}".rstrip(), indent=indent)


def _telling(request: TracedRequest, every: list[Move]) -> list[Move]:
    """The moves that tell all: of a choice of the best or the worst, that of the one that was chosen."""
    order = list(request.order)
    if len(order) > 2 and order[0] != 0 and order[1:] == sorted(order[1:]):
        return every[:1]
    if len(order) > 2 and order[-1] != len(order) - 1 and order[:-1] == sorted(order[:-1]):
        return every[-1:]
    return every[:1] if len(order) > 2 and request.listed == 1 else every


def _notes(request: TracedRequest, place: int) -> Iterator[str]:
    """What else there is to say of the passage at this place of the new order."""
    if request.listed is not None and place >= request.listed:
        yield "not listed"
    scores = request.scores
    if scores is None:
        return
    score = scores[request.order[place]]
    if score is None:
        return
    yield f"score {score:.4g}"
    around = [request.order[other] for other in (place - 1, place + 1) if 0 <= other < len(request.order)]
    if any(scores[position] == score for position in around):
        yield "tied"
