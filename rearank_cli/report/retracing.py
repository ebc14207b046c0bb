"""The calls that made a ranking: those of the last attempt, in their order, found by replaying it."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rearank_cli.errors import InputError
from rearank_cli.records import Run, Window
from rearank_cli.report.contents import Asked, Reranking
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.replay import nothing_to_replay, replay_run
from rearank_cli.traces import History, TracedCall, TraceFile
from rearank_cli.traces.history import read_history
from rearank_cli.trec.runs import Order
from rearank_cli.trec.streams import STDIN, describe, open_input


@dataclass(frozen=True)
class Traced:
    """A trace file that was read, under the name that the report gives it."""

    path: str
    name: str
    file: TraceFile
    history: History


def read_traced(path: str, name: str) -> Traced:
    """Read a trace file, compressed or not, or standard input.

    Raises InputError where it is none, or where several runs are in it.
    """
    with _readable(path) as source:
        try:
            file = TraceFile(source)
            with open_input(source) as lines:
                history = read_history(Path(describe(path)), lines)
        except InputError as error:
            raise InputError(str(error).replace(str(source), describe(path))) from None
    if len({attempt["run_sha256"] for attempt in file.attempts}) > 1:
        runs = ", ".join(dict.fromkeys(str(attempt["run"]) for attempt in file.attempts))
        raise InputError(
            f"{describe(path)} has the traces of several runs ({runs}); give a trace file for each of them"
        )
    return Traced(path, name, file, history)


@contextmanager
def _readable(path: str) -> Iterator[str]:
    """The path of a file that can be read twice."""
    if path != STDIN:
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="rearank-", suffix=".jsonl") as copy:
        with open_input(path) as lines:
            shutil.copyfileobj(lines, copy)
        copy.flush()
        yield copy.name


def retrace(traced: Traced, run: Path | Run | None, order: Order) -> Reranking:
    """What became of a run, and the calls that it was due to; without the run, whatever was asked.

    Raises UsageError or InputError where the traces cannot be those of the run.
    """
    known = {
        query_id: {call.requests[0].key: call for call in traced.file.calls(query_id)}
        for query_id in traced.file.query_ids()
    }
    attempt, attempts = traced.file.attempts[-1], len(traced.file.attempts)
    if run is None:
        asked = {query_id: [_as_traced(call) for call in calls.values()] for query_id, calls in known.items()}
        return Reranking(traced.name, attempt, attempts, asked)
    # Ids with spaces are shown, not written.
    options = RerankOptions(input_order=order, escape_ids=True)
    path = Path(describe(traced.path))
    replayed = replay_run(run, traced.history, options, Destination(None, path), responses=False)
    keys = {key for windows in replayed.windows.values() for key in windows}
    # Calls that failed are in the traces, too: to see why is what a report is for.
    if keys and keys.isdisjoint(key for calls in known.values() for key in calls):
        raise nothing_to_replay(path, len(keys))
    # The others were not asked for, or not yet; a query of one document is, and asks nothing.
    query_ids = [
        query_id for query_id, windows in replayed.windows.items() if query_id in known or not windows
    ]
    counted = {
        query_id: _counted(replayed.windows[query_id], known.get(query_id, {})) for query_id in query_ids
    }
    return Reranking(
        traced.name,
        attempt,
        attempts,
        counted,
        replayed.result.before.only(query_ids),
        replayed.result.after.only(query_ids),
        is_whole=len(query_ids) == len(replayed.windows),
    )


def _counted(windows: Mapping[str, Window], known: Mapping[str, TracedCall]) -> Sequence[Asked]:
    return [Asked(window, known.get(key)) for key, window in windows.items()]


def _as_traced(call: TracedCall) -> Asked:
    request = call.settled
    start, end = request.window or (None, None)
    return Asked(Window(request.doc_ids, start, end, request.sample), call)
