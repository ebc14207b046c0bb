"""Files as they come: compressed or not, from a path or from standard input."""

import bz2
import gzip
import io
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from rearank_cli.errors import InputError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STDIN = "-"

# The first bytes of a compressed file: its name may say anything.
_BY_CONTENT: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file)),
    b"BZh": lambda file: cast(IO[bytes], bz2.BZ2File(file)),
    b"\xfd7zXZ\x00": lambda file: cast(IO[bytes], lzma.LZMAFile(file)),  # noqa: SIM115
    b"\x28\xb5\x2f\xfd": lambda file: cast(IO[bytes], zstd.ZstdFile(file)),
}
_BY_SUFFIX: dict[str, Callable[[IO[bytes]], IO[bytes]]] = {
    # No name and no time in the header: the same run gives the same bytes.
    ".gz": lambda file: cast(IO[bytes], gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0)),
    ".bz2": lambda file: cast(IO[bytes], bz2.BZ2File(file, "wb")),
    ".xz": lambda file: cast(IO[bytes], lzma.LZMAFile(file, "wb")),  # noqa: SIM115
    ".zst": lambda file: cast(IO[bytes], zstd.ZstdFile(file, "wb")),
}
_DAMAGED = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstd.ZstdError, EOFError)


@contextmanager
def open_input(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a file or standard input (`-`) for reading, decompressing what is compressed.

    Raises InputError where the file is missing, unreadable or its compression damaged.
    """
    name = describe(path)
    try:
        with _open_raw(path) as raw:
            head = raw.peek(6)
            for magic, decompress in _BY_CONTENT.items():
                if head.startswith(magic):
                    with decompress(raw) as file:
                        yield file
                    return
            yield raw
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{name} is a folder, and a file was expected") from None
    except _DAMAGED as error:
        raise InputError(f"{name}: its compression is damaged or cut short ({error})") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror or error}") from None


def compressing(file: IO[bytes], suffix: str) -> IO[bytes]:
    """The stream that compresses into `file` as a file name's suffix asks, or `file` itself."""
    wrap = _BY_SUFFIX.get(suffix.lower())
    return wrap(file) if wrap else file


def without_compression_suffix(path: str | Path) -> Path:
    """`run.trec.gz` -> `run.trec`."""
    path = Path(path)
    return path.with_suffix("") if path.suffix.lower() in _BY_SUFFIX else path


def describe(path: str | Path) -> str:
    """How messages name an input."""
    return "standard input" if str(path) == STDIN else str(path)


def _open_raw(path: str | Path) -> io.BufferedReader:
    if str(path) == STDIN:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    return Path(path).open("rb")


def printable(text: str) -> str:
    """A text from outside, fit for a terminal: what would steer it is shown as an escape."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
