"""The engine's own processes: ended with this one, and those that a killed one left behind."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

# The engine's processes inherit it: by it the next attempt knows those that a killed one left.
_MARK = "REARANK_TRACES"
_PATIENCE = 10.0
"""Seconds from asking a process to end to ending it."""


def mark_processes(traces: Iterable[Path]) -> None:
    """Have every process that is started from now on carry the names of these trace files."""
    os.environ[_MARK] = _joined(traces)


def end_orphans(traces: Iterable[Path]) -> int:
    """End the engine processes of a killed attempt on any of these trace files; return how many.

    The trace files must be locked by this process, so that no living attempt can be meant.
    """
    import psutil

    wanted = set(_joined(traces).split(os.pathsep)) - {""}
    orphans = []
    for process in psutil.process_iter():
        try:
            marked = process.environ().get(_MARK, "").split(os.pathsep)
        except (psutil.Error, OSError):
            continue  # another user's, or gone
        if process.pid != os.getpid() and wanted.intersection(marked):
            orphans.append(process)
    _end(orphans)
    return len(orphans)


def end_children() -> None:
    """End all processes that this one started, and theirs."""
    import psutil

    _end(psutil.Process().children(recursive=True))


def _end(processes: list[Any]) -> None:
    import psutil

    for process in processes:
        try:
            process.terminate()
        except psutil.Error:
            continue
    _, alive = psutil.wait_procs(processes, timeout=_PATIENCE)
    for process in alive:
        try:
            process.kill()
        except psutil.Error:
            continue
    psutil.wait_procs(alive, timeout=_PATIENCE)


def _joined(traces: Iterable[Path]) -> str:
    return os.pathsep.join(str(path.resolve()) for path in traces)
