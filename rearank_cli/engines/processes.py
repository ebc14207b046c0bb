"""An engine's own processes: ended with it, and those that a killed attempt left behind.

They are known by a mark in their environment, which all that is started inherits: a parent that
died says nothing any more, and a process id may by then be another's.
"""

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

_MARK = "REARANK_TRACES"
_BETWEEN = "\n"
# A process that gives itself a title, as vLLM's do, would write it over the environment that the mark is in.
_KEPT = {"SPT_NOENV": "1"}
_STARTED_BY = "started by "
_PATIENCE = 10.0
"""Seconds from asking processes to end to ending them."""
_LOOK_AGAIN = 0.05


@contextlib.contextmanager
def marked(traces: Iterable[Path] = ()) -> Iterator[str]:
    """Have every process that is started meanwhile carry the names of these trace files, and who started it.

    Gives the mark that they alone have. One at a time: the environment is that of the whole process.
    """
    mark = uuid.uuid4().hex
    entries = [mark, _starter(os.getpid()) or "", *(str(path.resolve()) for path in traces)]
    wanted = {_MARK: _BETWEEN.join(entries), **_KEPT}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield mark
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def end_orphans(traces: Iterable[Path]) -> int:
    """End the engine processes of killed attempts; return how many.

    Those of attempts on these trace files, which must be locked by this process, so that no living
    attempt can be meant; and those of any whose process is no more.
    """
    locked = list(traces)
    return _end(
        lambda process, mark: any(_is_gone(entry) or _names(process, entry, locked) for entry in mark)
    )


def end_marked(mark: str) -> None:
    """End all that was started with a mark and is still there, grandchildren too."""
    _end(lambda _, entries: mark in entries)


def _end(meant: Callable[[int, Sequence[str]], bool]) -> int:
    found = _marked(meant)
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _PATIENCE
        for process in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        while _marked(meant) and time.monotonic() < deadline:
            time.sleep(_LOOK_AGAIN)
        if not _marked(meant):
            break
    return len(found)


def _marked(meant: Callable[[int, Sequence[str]], bool]) -> list[int]:
    """The running processes whose mark is meant, this one not among them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        process = int(folder.name)
        try:
            # Empty where a process has ended and waits to be noticed.
            environment = (folder / "environ").read_bytes().split(b"\0")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # another user's, or gone
        entry = next((entry for entry in environment if entry.startswith(_MARK.encode() + b"=")), b"")
        mark = entry.partition(b"=")[2].decode("utf-8", "surrogateescape").split(_BETWEEN)
        # Python's resource tracker ends by itself, after it has cleaned up.
        if process != os.getpid() and b"resource_tracker" not in command and meant(process, mark):
            found.append(process)
    return found


def _names(process: int, entry: str, files: Sequence[Path]) -> bool:
    """Whether an entry of a process's mark is the path of one of these files, as that process sees it.

    In another container the same path is another file.
    """
    if not entry.startswith("/"):
        return False
    with contextlib.suppress(OSError):
        seen = Path(f"/proc/{process}/root{entry}").stat()
        return any(os.path.samestat(seen, file.stat()) for file in files)
    return False


def _starter(process: int) -> str | None:
    """A process as no other one was or will be until the machine starts again: its id alone is used again.

    Within one namespace of ids, and of time, as that of a container: what those of another one mean is
    not known here. None where it has ended.
    """
    try:
        # The name before, in brackets, may have spaces and brackets in it.
        state, *facts = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if state in "ZX" else f"{_STARTED_BY}{process} of {_namespaces()} since {facts[18]}"


def _is_gone(entry: str) -> bool:
    """Whether an entry of a mark names a process, of those that can be seen here, that is no more."""
    if not entry.startswith(_STARTED_BY) or f" of {_namespaces()} " not in entry:
        return False
    try:
        return _starter(int(entry.removeprefix(_STARTED_BY).split()[0])) != entry
    except OSError:  # another user's
        return False


def _namespaces() -> str:
    return ",".join(_namespace(kind) for kind in ("pid", "time"))


def _namespace(kind: str) -> str:
    try:
        return str(Path(f"/proc/self/ns/{kind}").readlink())
    except OSError:  # a kernel without
        return kind
