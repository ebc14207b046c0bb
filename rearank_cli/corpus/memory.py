"""Texts that are in memory already, as in a notebook."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rearank_cli.corpus.local import read_queries, read_query_ids
from rearank_cli.errors import InputError
from rearank_cli.records import Passage, Qrels

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus

Texts = Mapping[str, str | Passage]
"""The texts of documents or queries by id; a passage can have a title too."""

NO_QUERIES = Path(os.devnull)
"""The queries of a corpus whose queries are in memory."""


@dataclass(frozen=True, slots=True)
class MemoryCorpus:
    """Documents in memory, and queries in a file."""

    docs: Texts
    queries_path: Path

    @property
    def name(self) -> str:
        return f"the {len(self.docs):,} docs given"

    def query_ids(self) -> list[str]:
        return read_query_ids(self.queries_path)

    def queries(self, query_ids: Collection[str]) -> dict[str, str]:
        return read_queries(self.queries_path, query_ids)

    def passages(self, doc_ids: Collection[str]) -> dict[str, Passage]:
        return {doc_id: _passage(doc_id, self.docs[doc_id]) for doc_id in doc_ids if doc_id in self.docs}

    def documents(self) -> Iterator[Passage]:
        return (_passage(doc_id, given) for doc_id, given in self.docs.items())

    def identity(self) -> str | None:
        return None

    def excluded(self) -> Mapping[str, Collection[str]]:
        return {}

    def qrels(self) -> Qrels | None:
        return None


@dataclass(frozen=True, slots=True)
class WithQueries:
    """A corpus whose queries give way to those in memory."""

    corpus: "Corpus"
    texts: Texts

    @property
    def name(self) -> str:
        return self.corpus.name

    def query_ids(self) -> list[str]:
        return list(self.texts)

    def queries(self, query_ids: Collection[str]) -> dict[str, str]:
        return {
            query_id: _text("query", query_id, self.texts[query_id])
            for query_id in query_ids
            if query_id in self.texts
        }

    def passages(self, doc_ids: Collection[str]) -> dict[str, Passage]:
        return self.corpus.passages(doc_ids)

    def documents(self) -> Iterator[Passage]:
        return self.corpus.documents()

    def identity(self) -> str | None:
        return self.corpus.identity()

    def excluded(self) -> Mapping[str, Collection[str]]:
        return self.corpus.excluded()

    def qrels(self) -> Qrels | None:
        return self.corpus.qrels()


def _passage(doc_id: str, given: str | Passage) -> Passage:
    # Its first-stage score is the run's to say.
    return (
        replace(given, doc_id=doc_id)
        if isinstance(given, Passage)
        else Passage(doc_id, _text("document", doc_id, given))
    )


def _text(kind: str, key: str, given: object) -> str:
    if isinstance(given, Passage):
        return given.text
    if not isinstance(given, str):
        raise InputError(f"the text of {kind} '{key}' is {given!r:.40}, and must be a str")
    return given
