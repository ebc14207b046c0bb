"""The view of a document: every window that it was in, where it went, and what was said of it."""

from collections.abc import Iterator, Sequence

from rearank_cli.commands.tracing.calls import heading, identifier
from rearank_cli.commands.tracing.numbers import change, style_of
from rearank_cli.commands.tracing.paper import Paper, Part
from rearank_cli.commands.tracing.selection import Selected
from rearank_cli.commands.tracing.texts import Texts
from rearank_cli.commands.tracing.words import with_mentions
from rearank_cli.traces import TracedCall, TracedRequest
from rearank_cli.traces.mentions import mentions
from rearank_cli.traces.movements import Move, journeys, moves


def show_journeys(paper: Paper, found: Sequence[Selected], doc_id: str, texts: Texts, *, full: bool) -> None:
    """Follow a document through the calls asked for; with `full` the whole reasoning stands under each."""
    texts.look_up([selected.query_id for selected in found], [doc_id])
    text = texts.passage(doc_id, full=full)
    paper.write((doc_id, "bold"), f": {text}" if text else "")
    several_runs = len({selected.run for selected in found}) > 1
    for selected in found:
        paper.end_paragraph()
        query = texts.query(selected.query_id)
        paper.write(
            (f"query {selected.query_id}", "bold"),
            f" of {selected.run}" if several_runs else "",
            f": {query}" if query else "",
        )
        whole = _journey(selected, doc_id)
        if whole:
            paper.write(f"rank {whole.before} -> {whole.after}, ", (change(whole), style_of(whole)), indent=2)
        for number, call in selected.asked_for:
            _write_step(paper, selected, number, call, doc_id, full=full)


def _journey(selected: Selected, doc_id: str) -> Move | None:
    settled = (call.settled for call in selected.calls)
    return next((move for move in journeys(settled) if move.doc_id == doc_id), None)


def _outcome(request: TracedRequest, move: Move) -> Iterator[Part]:
    """What became of a passage in a call: `rank 12 -> 3, up 9`, its score where it has one."""
    if not request.answered:
        yield "no answer"
        return
    score = request.scores[request.doc_ids.index(move.doc_id)] if request.scores else None
    if len(request.doc_ids) > 1:
        yield f"{'place' if request.first_rank is None else 'rank'} {move.before} -> {move.after}, "
        yield change(move), style_of(move)
        yield "" if score is None else ", "
    yield "" if score is None else f"score {score:.4g}"


def _write_step(
    paper: Paper, selected: Selected, number: int, call: TracedCall, doc_id: str, *, full: bool
) -> None:
    request = call.settled
    move = next(move for move in moves(request) if move.doc_id == doc_id)
    place = request.doc_ids.index(doc_id) + 1
    paper.end_paragraph()
    # Each such line can be found by its query, too.
    name = (f"{selected.query_id} {doc_id} {identifier(request, place - 1)}", "bold")
    paper.write(name, ": ", *_outcome(request, move), "; ", heading(selected, number, call), indent=2)
    thought = "\n".join(one.reasoning or one.answer for one in call.requests if not one.forced)
    if full:
        paper.write(with_mentions(thought.strip(), len(request.doc_ids), only=place), indent=4)
        return
    # Of a single passage everything speaks.
    told = [sentence.text for sentence in mentions(thought, place)]
    if len(request.doc_ids) == 1 and thought.strip():
        told = [thought.strip()]
    for sentence in told:
        paper.write(with_mentions(sentence, len(request.doc_ids), only=place), indent=4)
    if not told and any(one.reasoning for one in call.requests):
        paper.write(("its reasoning does not name it", "dim"), indent=4)
