"""Relevance judgments as files: TREC's four fields, or BEIR's three under a header."""

from pathlib import Path

from rearank_cli.errors import InputError
from rearank_cli.records import Qrels
from rearank_cli.trec.lines import decode, split_lines
from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.runs import escape_id
from rearank_cli.trec.streams import describe

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
        if beir:
            fields.insert(1, b"0")
        if len(fields) < 4:
            raise InputError(
                f"{name}:{number}: found {len(fields)} fields, expected four: query iteration document grade"
            )
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
    try:
        return int(field)
    except ValueError:
        shown = field.decode("utf-8", "backslashreplace")
        raise InputError(f"{where}: the grade '{shown}' is not an integer") from None


def write_qrels(qrels: Qrels, path: str | Path, *, escape_ids: bool = False) -> None:
    """Write judgments in TREC's four fields; `escape_ids` as in `write_run`. Raises OutputError."""
    with open_output(path) as file:
        for query_id, judged in qrels.items():
            for doc_id, grade in judged.items():
                name = escape_id(doc_id) if escape_ids else doc_id
                file.write(f"{query_id} 0 {name} {grade}\n".encode())
