"""Trace files as people read them: every request with its words."""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from rearank_cli.errors import InputError
from rearank_cli.records import Sampling, Status
from rearank_cli.traces.calls import Asker
from rearank_cli.traces.history import SCHEMA
from rearank_cli.trec.streams import describe, open_input

log = logging.getLogger("rearank")

# Keys that mean something else in Python, or nothing to a reader.
_RENAMED = {"try": "attempt"}
_TUPLES = ("doc_ids", "order", "scores", "window")
# So many characters of a reasoning's end find it in its response.
_TAIL = 200


_CLOSED = re.compile(r"\s*</\w+>")


@dataclass(frozen=True, slots=True)
class TracedRequest:
    """One line of a trace file, in the words of the file (`attempt` is its `try`).

    `order` holds 0-based positions in `doc_ids`, best first; only its first `listed` (None for all) are the
    model's own words. `window` is the stretch of the ranking that was shown, as [start, end) from 0; None
    where the method shows no stretch. `asked_by` is the place in `TraceFile.attempts` of the attempt that
    asked, and `shuffled` says that it showed every window in several other orders (--permutations).
    """

    key: str
    texts: str
    run: str
    query_id: str
    sample: int
    attempt: int
    forced: bool
    window: tuple[int, int] | None
    doc_ids: tuple[str, ...]
    order: tuple[int, ...]
    listed: int | None
    scores: tuple[float | None, ...] | None
    status: Status
    answered: bool
    reasoning: str
    response: str
    finish_reason: str
    error: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cached_tokens: int | None
    seconds: float
    cut_passages: int
    asked_by: int = 0
    shuffled: bool = False

    @property
    def first_rank(self) -> int | None:
        """The rank, from 1, of the first passage shown, where places in the window are ranks in the list."""
        if self.window is None or self.shuffled or self.window[1] - self.window[0] != len(self.doc_ids):
            return None
        return self.window[0] + 1

    @property
    def ranked(self) -> list[str]:
        """The window's documents in their new order."""
        return [self.doc_ids[position] for position in self.order]

    @property
    def answer(self) -> str:
        """What the response says after its reasoning; all of it where the reasoning is no part of it."""
        # The last line of it is together in the response, also where there were two kinds of thought.
        tail = self.reasoning.strip().rpartition("\n")[2][-_TAIL:]
        if tail and not self.answered and self.response.rstrip().endswith(tail):
            return ""
        place = self.response.rfind(tail) if tail else -1
        while place >= 0:
            if closed := _CLOSED.match(self.response, place + len(tail)):
                return self.response[closed.end() :].strip()
            place = self.response.rfind(tail, 0, place + len(tail) - 1)
        return self.response.strip()


# What a line does not say of itself, but the attempt before it.
_OF_ATTEMPT = ("asked_by", "shuffled")
_NAMES = [field.name for field in fields(TracedRequest) if field.name not in _OF_ATTEMPT]

Chooses = Callable[[TracedRequest], bool]
"""Says of a request whether it is wanted."""


@dataclass(frozen=True, slots=True)
class TracedCall:
    """The requests of one call, in the order they were made: tries, and the forced finish of one."""

    requests: tuple[TracedRequest, ...]

    @property
    def settled(self) -> TracedRequest:
        """The request whose reading became the call's: a forced finish with a response, or the last try."""
        # What was said of texts that have changed since then does not count.
        valid = [request for request in self.requests if request.texts == self.requests[-1].texts]
        finishes = [request for request in valid if request.forced and request.status is not Status.FAILED]
        tries = [request for request in valid if not request.forced]
        return (finishes or tries or valid)[-1]


class TraceFile:
    """The attempts and the calls in a trace file; compressed or not, or standard input (`-`).

    `attempts` are the first lines of its attempts as they are. A last line that was cut short is left out,
    with a warning. Raises InputError (`path:line: what`) for anything else that is no trace file.
    """

    def __init__(
        self, path: str | Path, *, query_ids: Sequence[str] | None = None, words: Chooses | None = None
    ) -> None:
        """Read the file; with `query_ids`, keep only the calls of these queries.

        With `words`, what was thought and answered is kept only of the requests that it chooses: the rest
        of 60,000 calls of 20 passages takes less than 150 MB.
        """
        self.path = path
        self.attempts: list[Mapping[str, Any]] = []
        wanted = None if query_ids is None else frozenset(query_ids)
        self._requests: dict[tuple[str, str], dict[str, list[TracedRequest]]] = {}
        for record in _records(path, words):
            if isinstance(record, TracedRequest):
                queries = self._requests.setdefault((record.run, record.query_id), {})
                if wanted is None or record.query_id in wanted:
                    queries.setdefault(record.key, []).append(record)
            else:
                self.attempts.append(record)
        if not self.attempts:
            raise InputError(f"{describe(path)} is no trace file: it has no attempt in it")

    @property
    def runs(self) -> list[str]:
        """The names of the runs that the calls are of; several where traces were put together."""
        return list(dict.fromkeys(run for run, _ in self._requests))

    def query_ids(self, run: str | None = None) -> list[str]:
        """The queries with calls, in the order of their first."""
        return list(dict.fromkeys(query_id for name, query_id in self._requests if run in (None, name)))

    def calls(self, query_id: str, run: str | None = None) -> list[TracedCall]:
        """The calls of a query, in the order of their first requests; empty where there are none."""
        names = self.runs if run is None else [run]
        return [
            TracedCall(tuple(requests))
            for name in names
            for requests in self._requests.get((name, query_id), {}).values()
        ]

    def is_current(self, call: TracedCall, attempt: int | None = None) -> bool:
        """Whether an attempt (from 1; None for the last) of the call's run would ask it the same way.

        That is with the same family, model, sampling and seed; what an earlier attempt asked otherwise, the
        last one asked again. An attempt with another window or step leaves calls behind, too; those cannot be
        told from the ones that it used again.
        """
        request = call.settled
        if attempt is None:
            return self._askers[request.asked_by] == self._last_askers.get(request.run)
        is_of_its_run = bool(self.attempts[attempt - 1]["run"] == request.run)
        return is_of_its_run and self._askers[request.asked_by] == self._askers[attempt - 1]

    @cached_property
    def _askers(self) -> list[Asker]:
        return [asker_of(attempt) for attempt in self.attempts]

    @cached_property
    def _last_askers(self) -> dict[str, Asker]:
        """The asker of every run's last attempt, by the run's name."""
        names = [attempt["run"] for attempt in self.attempts]
        return dict(zip(names, self._askers, strict=True))


def asker_of(attempt: Mapping[str, Any]) -> Asker:
    """What all calls of an attempt have in common. Raises KeyError, TypeError or ValueError for less."""
    told = dict(attempt["asker"])
    sampling: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told["sampling"].items()
    }
    return Asker(**{**told, "sampling": Sampling(**sampling)})


def _records(path: str | Path, words: Chooses | None) -> Iterator[TracedRequest | Mapping[str, Any]]:
    asked_by, shuffled = -1, False
    with open_input(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                log.warning("%s: the last line was cut short, and is left out", describe(path))
                return
            try:
                record = orjson.loads(line)
                if record["type"] == "attempt":
                    _check(record, path, number)
                    asked_by += 1
                    shuffled = record["options"].get("permutations", 1) > 1
                    yield record
                    continue
                request = _request(record, asked_by, shuffled=shuffled)
                yield (
                    request
                    if words is None or words(request)
                    else replace(request, reasoning="", response="")
                )
            except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(
                    f"{describe(path)}:{number}: not a line of a trace file ({type(error).__name__}: {error})"
                ) from None


def _check(attempt: Mapping[str, Any], path: str | Path, number: int) -> None:
    if attempt["schema"] > SCHEMA:
        raise InputError(f"{describe(path)}:{number}: written by a newer rearank; update this one to read it")
    for needed in ("run", "options", "started", "family", "model", "engine"):
        attempt[needed]
    asker_of(attempt)


def _request(record: Mapping[str, Any], asked_by: int, *, shuffled: bool) -> TracedRequest:
    if asked_by < 0:
        raise ValueError("no attempt stands before it")
    told = {_RENAMED.get(name, name): value for name, value in record.items()}
    told["status"] = Status(told["status"])
    # The ids of a run are in most of its windows: each is kept once.
    told["doc_ids"] = map(sys.intern, told["doc_ids"])
    for name in ("run", "query_id"):
        told[name] = sys.intern(told[name])
    for name in _TUPLES:
        told[name] = None if told[name] is None else tuple(told[name])
    # A later key: the first traces do not have it.
    told.setdefault("listed", None)
    if sorted(told["order"]) != list(range(len(told["doc_ids"]))):
        raise ValueError("its order is no permutation of its documents")
    return TracedRequest(**{name: told[name] for name in _NAMES}, asked_by=asked_by, shuffled=shuffled)
