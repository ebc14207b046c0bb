"""Files that are whole or not there at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rearank_cli.errors import OutputError
from rearank_cli.trec.streams import compressing

STDOUT = "-"


@contextmanager
def open_output(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file, or standard output (`-`), to be written from the start.

    A regular file appears under its name only when everything was written and synced; until then
    and after a failure there is nothing, or what was there before. The suffix (.gz, .bz2, .xz,
    .zst) says how it is compressed. Raises OutputError.
    """
    if str(path) == STDOUT:
        with _explained("standard output"):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    with _explained(str(path)):
        # A pipe or a device cannot be replaced, and may have no other name: /dev/stdout, >(...) in a shell.
        if Path(path).exists() and not Path(path).is_file():
            with Path(path).open("wb") as file:
                yield file
            return
        # A symbolic link stays one: what it points to is replaced.
        target = Path(os.path.realpath(path))
        temporary = target.with_name(f".{target.name}.part")
        try:
            with temporary.open("wb") as file:
                stream = compressing(file, target.suffix)
                yield stream
                if stream is not file:
                    stream.close()
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"{name} cannot be written: {error.strerror or error}") from error
