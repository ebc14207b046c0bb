"""The journal of calls: JSON Lines, each written the moment its request ends."""

import fcntl
import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import orjson

from rearank_cli.errors import BusyError, InputError, OutputError, UsageError
from rearank_cli.traces.history import SCHEMA, History, read_history

log = logging.getLogger("rearank")

Mode = Literal["new", "overwrite", "resume"]


class Journal:
    """A trace file that one process holds: what earlier attempts left in it, and where new lines go.

    Each line goes to the operating system as one write, so it survives the death of the process;
    only a machine that stops can leave a line cut short, which the next attempt drops. Without a
    path nothing is kept. Raises OutputError where the file cannot be written or another process
    holds it (BusyError), UsageError where it is there already and `mode` is `new`.
    """

    def __init__(self, path: Path | None, mode: Mode = "new") -> None:
        self.path = path
        self.history = History()
        self._empties = mode == "overwrite"
        self._file: int | None = None
        if path is None:
            return
        self._is_new = not path.exists()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        except OSError as error:
            raise self._cannot(error) from error
        try:
            self._take_over(self._file, path, mode)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def begin(self, attempt: Mapping[str, Any]) -> None:
        """Write the first line of an attempt; only now is a file emptied that is to be replaced."""
        if self._empties and self._file is not None:
            os.ftruncate(self._file, 0)
        self.append({"type": "attempt", "schema": SCHEMA, **attempt})

    def append(self, line: Mapping[str, Any]) -> None:
        """Write one line. Raises OutputError, for instance where the disk is full."""
        if self._file is None:
            return
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        size = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise self._cannot(error) from error
        if written < len(data):
            os.ftruncate(self._file, size)
            raise OutputError(f"the trace file {self.path} cannot be written: no space left on device")

    def close(self) -> None:
        """Give the file back; one that was made for nothing is not left behind."""
        if self._file is None or self.path is None:
            return
        if self._is_new and os.fstat(self._file).st_size == 0:
            self.path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = None

    def _take_over(self, file: int, path: Path, mode: Mode) -> None:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            self._empties = False
            return
        try:
            # A record lock: it ends with its process, and the engine's processes do not inherit it.
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise BusyError(
                f"another rearank is writing {path}; wait for it, or name another file with --traces"
            ) from None
        except OSError:
            log.warning("%s cannot be locked on this file system; let no second job write it", path)
        size = os.fstat(file).st_size
        if mode == "new" and size:
            raise UsageError(
                f"{path} exists already; give --resume to go on with it, or --overwrite to replace it"
            )
        if mode == "resume":
            # closefd: to close any descriptor of the file is to give the lock away.
            with open(file, "rb", closefd=False) as lines:
                self.history = read_history(path, lines)
            if size and not self.history.attempts:
                raise InputError(f"{path} is no trace file; name another one with --traces")
            if self.history.whole < size:
                log.warning("%s: the last line was cut short, and is dropped", path)
                os.ftruncate(file, self.history.whole)

    def _cannot(self, error: OSError) -> OutputError:
        return OutputError(f"the trace file {self.path} cannot be written: {error.strerror}")


def read_traces(path: Path) -> History:
    """What is in a trace file. Raises InputError where it cannot be read or has no attempt."""
    try:
        with path.open("rb") as lines:
            history = read_history(path, lines)
    except OSError as error:
        raise InputError(f"the trace file {path} cannot be read: {error.strerror}") from None
    if not history.attempts:
        raise InputError(f"{path} has no attempt in it")
    return history
