"""Texts from local files. Each call reads its file once and keeps only what was asked for."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rearank_cli.corpus.fields import DOCUMENT, QUERY, Fields, Record, RecordError, find_id, find_text
from rearank_cli.corpus.rows import malformed, read_rows
from rearank_cli.errors import InputError
from rearank_cli.records import Passage, Qrels
from rearank_cli.trec.qrels import read_qrels
from rearank_cli.trec.streams import STDIN, describe

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class LocalCorpus:
    """Documents and queries in files, judgments perhaps."""

    docs_path: Path
    queries_path: Path
    qrels_path: Path | None = None

    @property
    def name(self) -> str:
        return describe(self.docs_path)

    def query_ids(self) -> list[str]:
        return read_query_ids(self.queries_path)

    def queries(self, query_ids: Collection[str]) -> dict[str, str]:
        return read_queries(self.queries_path, query_ids)

    def passages(self, doc_ids: Collection[str]) -> dict[str, Passage]:
        return _read(self.docs_path, doc_ids, DOCUMENT, _passage)

    def documents(self) -> Iterator[Passage]:
        for number, record in read_rows(self.docs_path, DOCUMENT):
            try:
                doc_id = find_id(record, DOCUMENT.ids)
                text, title = find_text(record, DOCUMENT.texts), find_text(record, DOCUMENT.titles)
            except RecordError as error:
                raise malformed(self.docs_path, number, error) from None
            yield Passage(doc_id, text or "", title)

    def identity(self) -> str | None:
        # A file of that name is not what is read.
        if str(self.docs_path) == STDIN or not self.docs_path.is_file():
            return None
        state = self.docs_path.stat()
        return f"{self.docs_path.resolve()} ({state.st_size} bytes, {state.st_mtime_ns})"

    def excluded(self) -> Mapping[str, Collection[str]]:
        return {}

    def qrels(self) -> Qrels | None:
        return read_qrels(self.qrels_path) if self.qrels_path else None


def read_queries(path: Path, query_ids: Collection[str]) -> dict[str, str]:
    """The texts of these queries in a file. Raises InputError for a malformed file."""
    return _read(path, query_ids, QUERY, _query_text)


def read_query_ids(path: Path) -> list[str]:
    """The queries in a file, in its order. Raises InputError for a malformed file."""
    ids: dict[str, None] = {}
    for number, record in read_rows(path, QUERY):
        try:
            ids[find_id(record, QUERY.ids)] = None
        except RecordError as error:
            raise malformed(path, number, error) from None
    return list(ids)


def _read(
    path: Path, asked: Collection[str], fields: Fields, convert: Callable[[str, Record], Item]
) -> dict[str, Item]:
    """What was asked for, by id. An id may come twice only if it says the same."""
    wanted = frozenset(asked)
    found: dict[str, Item] = {}
    lines: dict[str, int] = {}
    for number, record in read_rows(path, fields):
        try:
            key = find_id(record, fields.ids)
            if key not in wanted:
                continue
            item = convert(key, record)
        except RecordError as error:
            raise malformed(path, number, error) from None
        if found.setdefault(key, item) != item:
            raise InputError(
                f"{describe(path)}:{number}: '{key}' has another text than on line {lines[key]}; "
                "an id can stand for one text only"
            )
        lines.setdefault(key, number)
    return found


def _passage(doc_id: str, record: Record) -> Passage:
    title = find_text(record, DOCUMENT.titles)
    text = find_text(record, DOCUMENT.texts)
    if text is not None:
        return Passage(doc_id, text, title)
    if title is not None:
        return Passage(doc_id, title)
    raise RecordError(
        f"document '{doc_id}' has neither text nor title; expected {', '.join(DOCUMENT.texts)} or title"
    )


def _query_text(query_id: str, record: Record) -> str:
    text = find_text(record, QUERY.texts)
    if text is None:
        raise RecordError(
            f"query '{query_id}' has no text; expected one of the fields {', '.join(QUERY.texts)}"
        )
    return text
