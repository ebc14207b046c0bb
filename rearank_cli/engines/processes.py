"""The engine's own processes: ended with this one, and those that a killed one left behind.

They are known by a mark in their environment, which all that is started inherits: a parent that
died says nothing any more, and a process id may by then be another's.
"""

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Iterable, Iterator, Set
from pathlib import Path

_MARK = "REARANK_TRACES"
# A process that gives itself a title, as vLLM's do, would write it over the environment that the mark is in.
_KEPT = {"SPT_NOENV": "1"}
_BETWEEN = "\n"
_PATIENCE = 10.0
"""Seconds from asking processes to end to ending them."""
_LOOK_AGAIN = 0.05

# In the mark of all that this process starts, and of nothing else.
_OWN = uuid.uuid4().hex


@contextlib.contextmanager
def marked(traces: Iterable[Path]) -> Iterator[None]:
    """Have every process that is started meanwhile carry the names of these trace files."""
    os.environ.update(_KEPT)
    os.environ[_MARK] = _BETWEEN.join([_OWN, *map(_name, traces)])
    try:
        yield
    finally:
        del os.environ[_MARK]


def end_orphans(traces: Iterable[Path]) -> int:
    """End the engine processes of a killed attempt on any of these trace files; return how many.

    The trace files must be locked by this process, so that no living attempt can be meant.
    """
    return _end({_name(path) for path in traces})


def end_own() -> None:
    """End all that this process started and that is still there, its grandchildren too."""
    _end({_OWN})


def _end(wanted: Set[str]) -> int:
    found = _marked(wanted)
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE
        for process in found:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                continue
        while _marked(wanted) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN)
        if not _marked(wanted):
            break
    return len(found)


def _marked(wanted: Set[str]) -> list[int]:
    """The running processes that carry one of these marks, this one not among them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Empty where a process has ended and waits to be noticed.
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # another user's, or gone
        marks = next((entry for entry in environment if entry.startswith(_MARK.encode() + b"=")), b"")
        carried = marks.partition(b"=")[2].decode("utf-8", "replace").split(_BETWEEN)
        # Python's resource tracker ends by itself, after it has cleaned up.
        if not wanted.isdisjoint(carried) and b"resource_tracker" not in command:
            found.append(int(folder.name))
    return [process for process in found if process != os.getpid()]


def _name(path: Path) -> str:
    return str(path.resolve())
