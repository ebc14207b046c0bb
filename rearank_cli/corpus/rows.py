"""The records of a file: a JSON object, or tab-separated columns, in each line."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from rearank_cli.corpus.fields import Fields, Record, RecordError
from rearank_cli.errors import InputError
from rearank_cli.trec.streams import describe, open_input

_BOM = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """A record, and the number of its line (from 1)."""

    number: int
    record: Record


def read_rows(path: Path, fields: Fields) -> Iterator[Row]:
    """The records of a file that is JSON Lines if it starts with `{`, and tab-separated otherwise.

    Tab-separated lines are `id text`, unless the first one names the columns. Raises InputError,
    with the line where there is one, for a file or a line that is neither.
    """
    with open_input(path) as file:
        lines = _lines(file)
        first = next(lines, None)
        if first is None:
            return
        number, line = first
        rows: Iterator[tuple[int, bytes]] = itertools.chain([first], lines)
        try:
            parse: Callable[[bytes], Record]
            if line.lstrip().startswith(b"{"):
                parse = _json_object
            elif header := _header(line, fields):
                parse = _columns(header, quoted=True)
                rows = lines
            else:
                parse = _columns(("id", "text"), quoted=False)
            for number, line in rows:
                yield Row(number, parse(line))
        except RecordError as error:
            raise malformed(path, number, error) from None


def malformed(path: Path, number: int, error: RecordError) -> InputError:
    """The error of one line."""
    return InputError(f"{describe(path)}:{number}: {error}")


def _lines(file: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, without their ends, and their numbers."""
    for number, raw in enumerate(file, 1):
        line = raw.removeprefix(_BOM) if number == 1 else raw
        if line and not line.isspace():
            yield number, line.rstrip(b"\r\n")


def _json_object(line: bytes) -> Record:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        _decode(line)
        raise RecordError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    if not isinstance(record, dict):
        raise RecordError("expected a JSON object, as on the first line")
    return record


def _header(line: bytes, fields: Fields) -> tuple[str, ...] | None:
    columns = tuple(_decode(line).split("\t"))
    is_header = len(columns) > 1 and set(columns) <= fields.names and not set(columns).isdisjoint(fields.ids)
    return columns if is_header else None


def _columns(names: Sequence[str], *, quoted: bool) -> Callable[[bytes], Record]:
    def parse(line: bytes) -> Record:
        values = _decode(line).split("\t")
        if len(values) != len(names):
            raise RecordError(
                f"found {len(values)} tab-separated fields, expected {len(names)} ({', '.join(names)}); "
                "replace tabs inside a text by spaces, "
                "name the columns in a first line (such as id, text, title), or use JSON Lines"
            )
        return dict(zip(names, map(_unquote, values) if quoted else values, strict=True))

    return parse


def _unquote(value: str) -> str:
    """A field as it was before a CSV writer quoted it.

    Files with a header come from such writers (DPR's passages do), and they quote a field that holds
    a quote. Files without one (MS MARCO's) never do: there a quote is text.
    """
    inner = value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"' and '"' not in inner.replace('""', ""):
        return inner.replace('""', '"')
    return value


def _decode(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecordError(
            f"byte 0x{line[error.start]:02x} (the {error.start + 1}. of the line) is not UTF-8; "
            "convert the file first, for instance with iconv -f latin1 -t utf-8"
        ) from None
