"""Where texts come from: a dataset of ir_datasets, or local files; BM25 over them."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Protocol

from rearank_cli.corpus.beir import beir_corpus
from rearank_cli.corpus.irds import IrdsCorpus
from rearank_cli.corpus.local import LocalCorpus, read_query_ids
from rearank_cli.corpus.memory import NO_QUERIES, MemoryCorpus, Texts, WithQueries
from rearank_cli.corpus.retrieval import retrieve_run
from rearank_cli.errors import UsageError
from rearank_cli.records import Passage, Qrels

__all__ = ["Corpus", "Texts", "open_corpus", "read_query_ids", "retrieve_run"]


class Corpus(Protocol):
    """Where queries, passages and judgments come from. Its methods raise InputError."""

    @property
    def name(self) -> str:
        """What messages call it: `msmarco-passage/trec-dl-2019/judged`, or `docs.jsonl`."""

    def query_ids(self) -> list[str]:
        """All queries there are, in the order of their source."""

    def queries(self, query_ids: Collection[str]) -> dict[str, str]:
        """The texts of these queries, query_id -> text; what is not to be found is left out."""

    def passages(self, doc_ids: Collection[str]) -> dict[str, Passage]:
        """These documents, doc_id -> passage; what is not to be found is left out."""

    def documents(self) -> Iterator[Passage]:
        """All documents, one after another; one without text has an empty one."""

    def identity(self) -> str | None:
        """What tells these documents from all others, and from what they were before they changed.

        None where nothing does: they come through a pipe.
        """

    def excluded(self) -> Mapping[str, Collection[str]]:
        """The documents that judgments exclude from evaluation, query_id -> doc_ids; mostly empty."""

    def qrels(self) -> Qrels | None:
        """The judgments; None where there are none."""


def open_corpus(
    *, dataset: str | None = None, docs: Path | Texts | None = None, queries: Path | Texts | None = None
) -> Corpus:
    """Open a dataset of ir_datasets, or local documents: a file, a folder in BEIR's layout, or in memory.

    `queries` takes the place of the queries of a dataset or a folder; a file of documents needs it.
    Raises UsageError for options that do not go together, InputError where there is no such dataset
    or folder.
    """
    if isinstance(queries, Mapping):
        return WithQueries(open_corpus(dataset=dataset, docs=docs, queries=NO_QUERIES), queries)
    if dataset is not None and docs is not None:
        raise UsageError(
            "--dataset and --docs name two sources of texts; give one (--queries goes with either)"
        )
    if dataset is not None:
        return IrdsCorpus(dataset, queries)
    if docs is None:
        raise UsageError("no texts to rank; give --dataset ID, or --docs PATH with --queries PATH")
    if isinstance(docs, Path) and docs.is_dir():
        return beir_corpus(docs, queries)
    if queries is None and not isinstance(docs, Path):
        raise UsageError("docs has no queries: give queries too, a mapping or a file")
    if queries is None:
        raise UsageError(
            "--docs with a file needs --queries too (only a BEIR folder holds both; --dataset has its own)"
        )
    return LocalCorpus(docs, queries) if isinstance(docs, Path) else MemoryCorpus(docs, queries)
