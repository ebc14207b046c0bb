"""Plain lines of a run, taken apart all at once: the fast way, for lines that have nothing unusual."""

import math
from itertools import compress, count, pairwise
from operator import ne
from typing import NamedTuple

_FIELDS = 6
# What stands for the end of a line while a block is split: a field that no line has.
_END = b"\0"
_NUMBER_CHARACTERS = b"-+.0123456789eE"


class Columns(NamedTuple):
    """The fields of consecutive lines; all lines of a stretch (its start and end) have the same query."""

    stretches: list[tuple[int, int]]
    query_ids: list[bytes]
    doc_ids: list[bytes]
    ranks: list[bytes]
    scores: list[float]
    tags: list[bytes]


def plain_columns(block: bytes) -> Columns | None:
    """The columns of a block of whole lines; None unless every line is plain.

    A plain line has six fields of UTF-8, the first of which does not begin with #, and a finite score.
    None says nothing but that these lines have to be looked at one by one.
    """
    fields = _fields(block)
    if fields is None:
        return None
    scores = _numbers(fields[4 :: _FIELDS + 1])
    if scores is None:
        return None
    query_ids = fields[0 :: _FIELDS + 1]
    stretches = _stretches(query_ids)
    if any(query_ids[start].startswith(b"#") for start, _ in stretches):
        return None
    return Columns(
        stretches,
        query_ids,
        fields[2 :: _FIELDS + 1],
        fields[3 :: _FIELDS + 1],
        scores,
        fields[5 :: _FIELDS + 1],
    )


def _fields(block: bytes) -> list[bytes] | None:
    """The fields of all lines, and _END after each six of them; None where some line has not six."""
    if b"\r" in block:
        block = block.replace(b"\r\n", b"\n")
    # bytes.split() takes these for spaces, and a file may hold what stands for the end of a line.
    if any(unusual in block for unusual in (b"\r", b"\x0b", b"\x0c", _END)):
        return None
    try:
        block.decode()
    except UnicodeDecodeError:
        return None
    fields = block.replace(b"\n", b" %b " % _END).split()
    lines = block.count(b"\n")
    # There are as many ends as lines. When all of them are where six fields put them, each line has six.
    plain = len(fields) == lines * (_FIELDS + 1) and fields[_FIELDS :: _FIELDS + 1].count(_END) == lines
    return fields if fields and plain else None


def _numbers(fields: list[bytes]) -> list[float] | None:
    """Fields as numbers; None where one is not a number, or may be infinite."""
    # float() takes more than numbers as programs print them: nan, 1_000.
    if b"".join(fields).translate(None, _NUMBER_CHARACTERS):
        return None
    try:
        numbers = list(map(float, fields))
    except ValueError:
        return None
    return numbers if math.isfinite(sum(numbers)) else None


def _stretches(items: list[bytes]) -> list[tuple[int, int]]:
    """Where equal items follow each other: start and end."""
    changes = compress(count(1), map(ne, items, items[1:]))
    return list(pairwise([0, *changes, len(items)]))
