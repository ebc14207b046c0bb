"""Texts from a folder in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv."""

from pathlib import Path

from rearank_cli.corpus.local import LocalCorpus
from rearank_cli.errors import InputError

_COMPRESSIONS = ("", ".gz", ".bz2", ".xz", ".zst")


def beir_corpus(folder: Path, queries: Path | None = None) -> LocalCorpus:
    """The corpus in a folder. Raises InputError where it holds no corpus.jsonl, or no queries are given."""
    docs = _find(folder / "corpus.jsonl")
    if docs is None:
        raise InputError(
            f"{folder} is no BEIR folder: it has no corpus.jsonl (or {_alternatives('corpus.jsonl')})"
        )
    queries = queries or _find(folder / "queries.jsonl")
    if queries is None:
        raise InputError(
            f"{folder} has no queries.jsonl (or {_alternatives('queries.jsonl')}); give --queries PATH"
        )
    return LocalCorpus(docs, queries, _find(folder / "qrels" / "test.tsv"))


def _find(path: Path) -> Path | None:
    candidates = (path.with_name(path.name + suffix) for suffix in _COMPRESSIONS)
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _alternatives(name: str) -> str:
    return ", ".join(name + suffix for suffix in _COMPRESSIONS if suffix)
