"""Relevance judgments as files: TREC's four fields, or BEIR's three under a header."""

import re
from pathlib import Path

from rearank_cli.errors import InputError
from rearank_cli.records import Qrels
from rearank_cli.trec.lines import decode, split_lines
from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.runs import check_id, escape_id
from rearank_cli.trec.streams import describe

_INTEGER = re.compile(rb"[-+]?[0-9]{1,18}")
_BEIR_HEADER = [b"query-id", b"corpus-id", b"score"]


def read_qrels(path: str | Path) -> dict[str, dict[str, int]]:
    """Read judgments: query_id -> doc_id -> grade.

    Lines are `query iteration document grade`, or `query document grade` under BEIR's header.
    Raises InputError (`path:line: what`) for anything else, or a document judged twice differently.
    """
    name = describe(path)
    qrels: dict[str, dict[str, int]] = {}
    beir = False
    for number, fields in split_lines(path):
        if not qrels and fields == _BEIR_HEADER:
            beir = True
            continue
        if len(fields) < (3 if beir else 4):
            expected = "three: query document grade" if beir else "four: query iteration document grade"
            raise InputError(f"{name}:{number}: found {len(fields)} fields, expected {expected}")
        if beir:
            fields.insert(1, b"0")
        query_id = decode(fields[0], path, number)
        # An id with spaces takes whatever stands between the iteration and the grade.
        doc_id = decode(b" ".join(fields[2:-1]), path, number)
        grade = _grade(fields[-1], f"{name}:{number}")
        judged = qrels.setdefault(query_id, {})
        if judged.setdefault(doc_id, grade) != grade:
            raise InputError(
                f"{name}:{number}: document {doc_id} has grade {grade} for query {query_id}, "
                f"and grade {judged[doc_id]} on an earlier line"
            )
    if not qrels:
        raise InputError(
            f"{name}: no judgments in it; they have lines of four fields: query iteration document grade"
        )
    return qrels


def _grade(field: bytes, where: str) -> int:
    if not _INTEGER.fullmatch(field):
        shown = field.decode("utf-8", "backslashreplace")
        raise InputError(f"{where}: the grade '{shown}' is not an integer")
    return int(field)


def write_qrels(qrels: Qrels, path: str | Path, *, escape_ids: bool = False) -> None:
    """Write judgments in TREC's four fields; `escape_ids` and errors as in `write_run`."""
    written = escape_id if escape_ids else check_id
    lines = [
        f"{written(query_id)} 0 {written(doc_id)} {grade}\n"
        for query_id, judged in qrels.items()
        for doc_id, grade in judged.items()
    ]
    with open_output(path) as file:
        file.write("".join(lines).encode())
