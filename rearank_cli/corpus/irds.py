"""Texts and judgments from a dataset of ir_datasets."""

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rearank_cli.corpus.docstore import DocumentStore
from rearank_cli.corpus.fields import DOCUMENT, QUERY, find_text
from rearank_cli.corpus.library import ir_datasets, one_process_at_a_time
from rearank_cli.corpus.local import read_queries, read_query_ids
from rearank_cli.corpus.unavailable import unavailable
from rearank_cli.errors import InputError
from rearank_cli.records import Passage, Qrels

# How BRIGHT says "Excluded from evaluation"; no measure may see it as a grade.
_EXCLUDED = -100
_NO_TEXT = frozenset({"doc_id", "query_id", "url"})


class IrdsCorpus:
    """A dataset; its own queries give way to those of a file, where one is given."""

    def __init__(self, dataset_id: str, own_queries: Path | None = None) -> None:
        self._name = dataset_id
        self._dataset = _load(dataset_id)
        self._documents = DocumentStore(self._dataset)
        self._own_queries = own_queries

    @property
    def name(self) -> str:
        return self._name

    def query_ids(self) -> list[str]:
        if self._own_queries:
            return read_query_ids(self._own_queries)
        return list(dict.fromkeys(query.query_id for query in self._all_queries()))

    def queries(self, query_ids: Collection[str]) -> dict[str, str]:
        if self._own_queries:
            return read_queries(self._own_queries, query_ids)
        asked = frozenset(query_ids)
        texts = {
            query.query_id: _query_text(query) for query in self._all_queries() if query.query_id in asked
        }
        return {query_id: text for query_id, text in texts.items() if text}

    def passages(self, doc_ids: Collection[str]) -> dict[str, Passage]:
        self._check_documents()
        if not doc_ids:
            return {}
        with self._fetching("documents"):
            documents = self._documents.get_many(list(dict.fromkeys(doc_ids)))
        return {doc_id: _passage(documents[doc_id]) for doc_id in doc_ids if doc_id in documents}

    def documents(self) -> Iterator[Passage]:
        self._check_documents()
        with self._fetching("documents"):
            # Until the first document is there, files are downloaded and a store may be built.
            with one_process_at_a_time():
                documents = iter(self._dataset.docs_iter())
                first = next(documents, None)
            if first is not None:
                yield _passage(first)
            yield from map(_passage, documents)

    def identity(self) -> str | None:
        # Datasets that share their documents share an index; another home may have others of this name.
        library = ir_datasets()
        return f"{library.docs_parent_id(self._name) or self._name} in {library.util.home_path()}"

    def excluded(self) -> Mapping[str, Collection[str]]:
        # What the grades mean is known without a download: only these datasets need their judgments here.
        if not self._dataset.has_qrels() or _EXCLUDED not in self._dataset.qrels_defs():
            return {}
        excluded: dict[str, set[str]] = {}
        for qrel in self._judgments():
            if qrel.relevance == _EXCLUDED:
                excluded.setdefault(qrel.query_id, set()).add(qrel.doc_id)
        return excluded

    def qrels(self) -> Qrels | None:
        if not self._dataset.has_qrels():
            return None
        qrels: dict[str, dict[str, int]] = {}
        for qrel in self._judgments():
            if qrel.relevance != _EXCLUDED:
                qrels.setdefault(qrel.query_id, {})[qrel.doc_id] = int(qrel.relevance)
        return qrels

    def _check_documents(self) -> None:
        if not self._dataset.has_docs():
            raise InputError(f"{self._name} has no documents; give one of its subsets")

    def _all_queries(self) -> list[Any]:
        if not self._dataset.has_queries():
            raise InputError(f"{self._name} has no queries; give --queries PATH, or one of its subsets")
        with self._fetching("queries"):
            return list(self._dataset.queries_iter())

    def _judgments(self) -> list[Any]:
        with self._fetching("judgments"):
            return list(self._dataset.qrels_iter())

    @contextmanager
    def _fetching(self, what: str) -> Iterator[None]:
        """Turn whatever ir_datasets raises into an InputError: it has no exceptions of its own."""
        try:
            yield
        except InputError:
            raise
        except Exception as error:
            raise unavailable(self._name, what, error) from error


def _load(dataset_id: str) -> Any:
    library = ir_datasets()
    try:
        return library.load(dataset_id)
    except KeyError:
        within = [known for known in library.registry if f"/{dataset_id}/" in f"{known}/"]
        near = within or difflib.get_close_matches(dataset_id, library.registry, n=1)
        the_list = "the list is at https://ir-datasets.com"
        hint = f"did you mean '{near[0]}'? ({the_list})" if near else the_list
        raise InputError(f"unknown dataset '{dataset_id}'; {hint}") from None


def _passage(document: Any) -> Passage:
    strings = _strings(document)
    text = find_text(strings, DOCUMENT.texts)
    if text is None:
        # The whole text has the title in it.
        return Passage(document.doc_id, _default_text(document) or " ".join(strings.values()).strip())
    return Passage(document.doc_id, text, find_text(strings, DOCUMENT.titles))


def _query_text(query: Any) -> str:
    strings = _strings(query)
    return _default_text(query) or find_text(strings, QUERY.texts) or " ".join(strings.values()).strip()


def _strings(record: Any) -> dict[str, str]:
    """The fields that may be text. Some hold bytes (a web page), lists or numbers."""
    return {
        name: value
        for name, value in record._asdict().items()
        if isinstance(value, str) and name not in _NO_TEXT
    }


def _default_text(record: Any) -> str:
    """The text as ir_datasets defines it; a few kinds of record, BRIGHT's queries among them, have none."""
    return (record.default_text() or "").strip() if hasattr(record, "default_text") else ""
