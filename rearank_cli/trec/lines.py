"""The lines of a TREC file: UTF-8, fields between spaces and tabs, comments and blank lines left out."""

import re
from collections.abc import Iterator
from pathlib import Path

from rearank_cli.errors import InputError
from rearank_cli.trec.streams import describe, open_input

_BOM = b"\xef\xbb\xbf"
_GAPS = re.compile(rb"[ \t]+")

# Larger blocks are slower: with their fields they no longer fit into a processor's cache.
_BLOCK_BYTES = 1 << 16


def read_blocks(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Whole lines, many at a time: the number (from 1) of the first one, and all as they are, without a BOM.

    Raises InputError where the file cannot be read.
    """
    number = 1
    with open_input(path) as file:
        while block := file.read(_BLOCK_BYTES):
            block += file.readline()
            yield number, block.removeprefix(_BOM) if number == 1 else block
            number += block.count(b"\n")


def split_block(block: bytes, first: int, path: str | Path) -> Iterator[tuple[int, list[bytes]]]:
    """The number and the fields of every line that has any; `first` is the number of the block's first line.

    Raises InputError for a line that ends with a bare carriage return.
    """
    for number, line in enumerate(block.split(b"\n"), first):
        line = line.rstrip(b"\r")  # noqa: PLW2901
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


def split_lines(path: str | Path) -> Iterator[tuple[int, list[bytes]]]:
    """The number (from 1) and the fields of every line that has any.

    Raises InputError where the file cannot be read or ends its lines with a bare carriage return.
    """
    for first, block in read_blocks(path):
        yield from split_block(block, first, path)


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
