"""What earlier attempts left in a trace file."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Status
from rearank_cli.traces.calls import PastRequest

SCHEMA = 1
"""The version of the lines. Keys are only ever added."""

# What must be the same in every attempt that a trace file tells of, and how it is called.
_SAME = {
    "run_sha256": "run (by its SHA-256)",
    "model": "model",
    "revision": "revision",
    "adapter": "adapter",
    "family": "family",
}


@dataclass(frozen=True)
class History:
    """The attempts in a trace file, and their requests less those that failed.

    `whole` is the length of the file in bytes, up to the end of its last whole line. The last attempt's
    pace and the size of a line are means; None where there are no calls.
    """

    attempts: Sequence[Mapping[str, Any]] = ()
    past: Mapping[str, Sequence[PastRequest]] = field(default_factory=dict)
    whole: int = 0
    seconds_per_call: float | None = None
    bytes_per_call: float | None = None

    def of(self, key: str, texts: str | None) -> list[PastRequest]:
        """The requests of a call, in their order; `texts` None where nothing is known of the texts."""
        return [past for past in self.past.get(key, ()) if texts is None or past.texts == texts]

    @property
    def left_out(self) -> dict[str, Any]:
        """The queries and documents that any attempt had no text of or removed, by kind."""
        kinds: dict[str, Any] = {"queries": set(), "documents": set(), "excluded": {}}
        for attempt in self.attempts:
            for kind in ("queries", "documents"):
                kinds[kind].update(attempt["left_out"].get(kind, ()))
            kinds["excluded"].update(attempt["left_out"].get("excluded", {}))
        return kinds

    def refuse_another(self, path: Path, attempt: Mapping[str, Any]) -> None:
        """Raise UsageError where an attempt is not of the same run, model and family as those before."""
        for earlier in self.attempts:
            differences = [
                f"the {name} was {earlier.get(key)} and is {attempt.get(key)}"
                for key, name in _SAME.items()
                if earlier.get(key) != attempt.get(key)
            ]
            if differences:
                raise UsageError(
                    f"{path} has the traces of something else: {'; '.join(differences)}; "
                    "give --overwrite to lose them, or another file with --traces"
                )


def read_history(path: Path, lines: Iterable[bytes]) -> History:
    """Read the lines of a trace file; a last line that was cut short is left out.

    Raises InputError (`path:line: what`) for anything else that is no trace file.
    """
    attempts: list[Mapping[str, Any]] = []
    past: defaultdict[str, list[PastRequest]] = defaultdict(list)
    whole = size = calls = pace_calls = 0
    began = ended = 0.0
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            break
        try:
            record = orjson.loads(line)
            if record["type"] == "attempt":
                _check_attempt(record, path, number)
                attempts.append(record)
                began, pace_calls = datetime.fromisoformat(record["started"]).timestamp(), 0
                continue
            request = PastRequest.of(record)
            calls, pace_calls, size, ended = calls + 1, pace_calls + 1, size + len(line), record["ended"]
            if request.reading.status is not Status.FAILED:
                past[record["key"]].append(request)
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}:{number}: not a line of a trace file ({type(error).__name__}: {error})"
            ) from None
        finally:
            whole += len(line)
    return History(
        attempts,
        past,
        whole,
        seconds_per_call=max(0.0, ended - began) / pace_calls if pace_calls else None,
        bytes_per_call=size / calls if calls else None,
    )


def _check_attempt(attempt: Mapping[str, Any], path: Path, number: int) -> None:
    """Raise InputError for one of a newer kind, KeyError for one that lacks what replaying takes."""
    for needed in ("options", "asker", "left_out", "started", *_SAME):
        attempt[needed]
    if attempt["schema"] > SCHEMA:
        raise InputError(f"{path}:{number}: written by a newer rearank; update this one to read it")
