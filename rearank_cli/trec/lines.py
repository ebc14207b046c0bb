"""The lines of a TREC file: UTF-8, fields between spaces and tabs, comments and blank lines left out."""

import re
from collections.abc import Iterator
from pathlib import Path

from rearank_cli.errors import InputError
from rearank_cli.trec.streams import describe, open_input

_BOM = b"\xef\xbb\xbf"
_GAPS = re.compile(rb"[ \t]+")


def split_lines(path: str | Path) -> Iterator[tuple[int, list[bytes]]]:
    """The number (from 1) and the fields of every line that has any.

    Raises InputError where the file cannot be read or ends its lines with a bare carriage return.
    """
    with open_input(path) as file:
        for number, line in enumerate(file, 1):
            if number == 1 and line.startswith(_BOM):
                line = line[len(_BOM) :]  # noqa: PLW2901
            line = line.rstrip(b"\r\n")  # noqa: PLW2901
            if b"\r" in line:
                raise InputError(
                    f"{describe(path)}:{number}: a carriage return inside a line; "
                    "convert the line ends first, for instance with tr '\\r' '\\n'"
                )
            fields = line.split()
            if b"\x0b" in line or b"\x0c" in line:  # bytes.split() splits there too
                fields = [field for field in _GAPS.split(line) if field]
            if fields and not fields[0].startswith(b"#"):
                yield number, fields


def decode(field: bytes, path: str | Path, number: int) -> str:
    """A field as text. Raises InputError where it is not UTF-8."""
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError:
        shown = field.decode("utf-8", "backslashreplace")
        raise InputError(
            f"{describe(path)}:{number}: '{shown}' is not UTF-8; "
            "convert the file first, for instance with iconv -f latin1 -t utf-8"
        ) from None
