"""Texts beside ids, where someone says where they are."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from rearank_cli.corpus import open_corpus
from rearank_cli.corpus.local import read_queries

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.records import Passage

_FIRST_WORDS = 100


class Texts:
    """The texts of queries and passages; nothing is known without a source.

    Raises UsageError for options that do not go together, and, when texts are looked up, InputError.
    """

    def __init__(
        self, dataset: str | None = None, docs: Path | None = None, queries: Path | None = None
    ) -> None:
        self._queries_path = queries
        self._corpus: Corpus | None = None
        if dataset is not None or docs is not None:
            self._corpus = open_corpus(dataset=dataset, docs=docs, queries=queries)
        self._queries: dict[str, str] = {}
        self._passages: dict[str, Passage] = {}

    def look_up(self, query_ids: Collection[str], doc_ids: Collection[str]) -> None:
        """Read the texts of these queries and documents, each source once."""
        if self._corpus is not None:
            self._queries = self._corpus.queries(query_ids)
            self._passages = self._corpus.passages(doc_ids) if doc_ids else {}
        elif self._queries_path is not None:
            self._queries = read_queries(self._queries_path, query_ids)

    def query(self, query_id: str) -> str:
        """A query's text in one line; empty where it is not known."""
        return " ".join(self._queries.get(query_id, "").split())

    def passage(self, doc_id: str, *, full: bool) -> str:
        """A passage's title and first words in one line, or all of it; empty where it is not known."""
        passage = self._passages.get(doc_id)
        if passage is None:
            return ""
        words = " ".join(filter(None, [passage.title and f"{passage.title}:", passage.text]))
        words = " ".join(words.split())
        if full or len(words) <= _FIRST_WORDS:
            return words
        return words[:_FIRST_WORDS].rpartition(" ")[0] + " ..."
