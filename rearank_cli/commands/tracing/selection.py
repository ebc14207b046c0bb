"""Which calls of a trace file are asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Status
from rearank_cli.traces import TracedCall, TracedRequest, TraceFile
from rearank_cli.trec.streams import describe
from rearank_cli.words import did_you_mean


@dataclass(frozen=True)
class Selection:
    """What a reader asked for; nothing of a kind is all of it. `attempt` counts from 1, None is the last."""

    query_ids: Sequence[str] = ()
    doc_id: str | None = None
    statuses: Sequence[Status] = ()
    run: str | None = None
    attempt: int | None = None

    def names_query(self, query_id: str) -> bool:
        return not self.query_ids or query_id in self.query_ids

    def concerns(self, request: TracedRequest) -> bool:
        """Whether a request shows the document asked for and went one of the ways asked for."""
        return (self.doc_id is None or self.doc_id in request.doc_ids) and (
            not self.statuses or request.status in self.statuses
        )


@dataclass(frozen=True)
class Selected:
    """The calls of a query in a run.

    `calls` are all that the attempt would ask, `numbers` the places from 1 in it of those asked for, and
    `left_out` counts calls of other attempts.
    """

    run: str
    query_id: str
    calls: Sequence[TracedCall]
    numbers: Sequence[int]
    left_out: int = 0

    @property
    def asked_for(self) -> list[tuple[int, TracedCall]]:
        """The calls asked for, with their numbers."""
        return [(number, self.calls[number - 1]) for number in self.numbers]


def parse_statuses(names: Iterable[str]) -> list[Status]:
    """The statuses of these names. Raises UsageError."""
    statuses = []
    for name in names:
        try:
            statuses.append(Status(name))
        except ValueError:
            known = ", ".join(Status)
            raise UsageError(f"unknown status '{name}'{_hint(name, Status)} (there are {known})") from None
    return statuses


def find_selected(file: TraceFile, selection: Selection) -> list[Selected]:
    """The calls asked for, by run and query, in the file's order; queries without any are left out.

    Raises InputError for a run, an attempt, a query or a document that is not in the file.
    """
    _check(file, selection)
    found = [
        _select(file, run, query_id, selection)
        for run in (file.runs if selection.run is None else [selection.run])
        for query_id in file.query_ids(run)
        if selection.names_query(query_id)
    ]
    if selection.doc_id is not None and not any(selected.numbers for selected in found):
        _refuse_document(file, selection, found)
    narrowed = selection.statuses or selection.doc_id
    return [selected for selected in found if selected.numbers or not narrowed]


def nothing_found(file: TraceFile, selection: Selection) -> str:
    """What to say where no call is as asked for."""
    ways = " or ".join(selection.statuses)
    calls = f"no call that shows {selection.doc_id}" if selection.doc_id else "no call"
    of = f" of query {', '.join(selection.query_ids)}" if selection.query_ids else ""
    return f"{describe(file.path)}: {calls}{of} was {ways}" if ways else f"{describe(file.path)}: {calls}{of}"


def _select(file: TraceFile, run: str, query_id: str, selection: Selection) -> Selected:
    calls = file.calls(query_id, run)
    current = [call for call in calls if file.is_current(call, selection.attempt)]
    numbers = [
        number for number, call in enumerate(current, 1) if any(map(selection.concerns, call.requests))
    ]
    return Selected(run, query_id, current, numbers, len(calls) - len(current))


def _check(file: TraceFile, selection: Selection) -> None:
    name = describe(file.path)
    if selection.run is not None and selection.run not in file.runs:
        raise InputError(
            f"{name} has no run '{selection.run}'{_hint(selection.run, file.runs)} "
            f"(it has {', '.join(file.runs)})"
        )
    if selection.attempt is not None and not 1 <= selection.attempt <= len(file.attempts):
        raise InputError(f"{name} has no attempt {selection.attempt}; it has {len(file.attempts)}")
    known = file.query_ids(selection.run)
    for query_id in selection.query_ids:
        if query_id not in known:
            raise InputError(
                f"{name} has no query '{query_id}'{_hint(query_id, known)} "
                f"(it has {len(known)}; rearank trace {name} lists them)"
            )


def _refuse_document(file: TraceFile, selection: Selection, found: Sequence[Selected]) -> None:
    """Raise InputError for a document that no call shows; one without the statuses asked for is no error."""
    shown = {
        doc_id: None
        for selected in found
        for call in selected.calls
        for request in call.requests
        for doc_id in request.doc_ids
    }
    doc_id = selection.doc_id or ""
    if doc_id not in shown:
        where = f" of query {', '.join(selection.query_ids)}" if selection.query_ids else ""
        raise InputError(
            f"{describe(file.path)}: no call{where} shows document '{doc_id}'{_hint(doc_id, shown)} "
            f"(they show {len(shown):,} documents)"
        )


def _hint(word: str, known: Iterable[str]) -> str:
    guess = did_you_mean(word, known)
    return f"; {guess}" if guess else ""
