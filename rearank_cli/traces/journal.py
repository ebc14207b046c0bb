"""The journal of calls: JSON Lines, each written the moment its call ends."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson

from rearank_cli.errors import OutputError

SCHEMA = 1
"""The version of the records. Keys are only ever added."""


class Journal:
    """Appends records to a trace file; what was appended survives the death of the process.

    Without a path nothing is kept.
    Each record goes to the operating system as one write, so a reader never sees half of one
    unless the machine stopped or the disk was full in the middle of it.
    """

    def __init__(self, path: Path | None, *, overwrite: bool = False) -> None:
        self._file: int | None = None
        self.path = path
        if path is None:
            return
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if overwrite else os.O_EXCL)
        try:
            self._file = os.open(path, flags, 0o666)
        except OSError as error:
            raise OutputError(f"the trace file {path} cannot be written: {error.strerror}") from error

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record. Raises OutputError, for instance where the disk is full."""
        if self._file is None:
            return
        line = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
        try:
            written = os.write(self._file, line)
        except OSError as error:
            raise OutputError(f"the trace file {self.path} cannot be written: {error.strerror}") from error
        if written < len(line):
            raise OutputError(f"the trace file {self.path} cannot be written: the disk is full")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            os.close(self._file)
