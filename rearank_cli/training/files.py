"""Files of rows: parquet, or JSON Lines; written row by row, and there only when they are whole."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.streams import without_compression_suffix

_JSON_LINES = frozenset({".jsonl", ".ndjson"})
# Rows that are in memory at once, and in a row group of the file: 20 MB of text.
_GROUP = 256


def is_json_lines(path: str | Path) -> bool:
    """Whether a file's name asks for JSON Lines."""
    return without_compression_suffix(path).suffix.lower() in _JSON_LINES


def write_parquet(rows: Iterable[dict[str, Any]], schema: Any, path: str | Path) -> int:
    """Write rows with these columns, and return how many there were. Raises OutputError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = 0
    with open_output(path) as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for group in _groups(rows):
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
            written += len(group)
    return written


def write_json_lines(rows: Iterable[dict[str, Any]], path: str | Path) -> int:
    """Write rows as one JSON object a line, and return how many there were. Raises OutputError."""
    written = 0
    with open_output(path) as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            written += 1
    return written


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while group := list(islice(iterator, _GROUP)):
        yield group
