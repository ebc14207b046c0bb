"""A BM25 index of documents: built in one pass, scored by bm25s, kept in a folder."""

import json
import logging
import mmap
import os
import sys
import time
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rearank_cli.corpus.analysis import VERSION, Analyzer
from rearank_cli.errors import InputError
from rearank_cli.records import Passage, ScoredDoc

log = logging.getLogger("rearank")

_FORMAT = 1
_DESCRIPTION = "rearank.json"
_IDS = "doc_ids.txt"
_ID_ENDS = "doc_ids.npy"
_SECONDS_BETWEEN_MESSAGES = 60.0


@dataclass(frozen=True, slots=True)
class IndexRecipe:
    """What an index is made of: the same recipe gives the same index.

    `source` identifies the documents; None where nothing does (a pipe). k1 and b are part of the
    index, as bm25s keeps the weight of each term in each document.
    """

    source: str | None
    k1: float = 0.9
    b: float = 0.4
    analysis: str = VERSION
    format: int = _FORMAT


class Index:
    """Documents that can be searched.

    The score is that of Lucene's BM25Similarity: idf ln(1 + (N - n + 0.5) / (n + 0.5)), times
    tf / (tf + k1 (1 - b + b length / mean length)), summed over the query's terms, a term that is
    there twice counted twice. As in Lucene, N and the mean length are of documents that have terms.
    Other than Lucene, which rounds lengths to 256 values, it takes them as they are: the exact
    variant of Kamphuis et al. (ECIR 2020), who found no difference in effectiveness. Scores are
    32-bit floats.
    """

    def __init__(self, bm25: Any, ids: "_Ids") -> None:
        self._bm25 = bm25
        self._ids = ids
        self._analyzer = Analyzer()

    def __len__(self) -> int:
        return len(self._ids)

    def search(self, query: str, k: int, excluded: Collection[int] = ()) -> list[ScoredDoc]:
        """The `k` best documents that share a term with a query, less the `excluded` (their numbers).

        Documents of equal score are ordered by id, descending, as trec_eval orders them.
        """
        import numpy as np

        terms = self._bm25.get_tokens_ids(self._analyzer.terms(query))
        if not terms or k < 1:
            return []
        scores = self._bm25.get_scores_from_ids(terms)
        scores[list(excluded)] = 0
        hits = np.flatnonzero(scores > 0)
        if len(hits) > k:
            found = scores[hits]
            # All that tie with the last one stay: which of them are cut is up to their ids.
            hits = hits[found >= np.partition(found, len(found) - k)[len(found) - k]]
        best = sorted(((float(scores[hit]), self._ids[hit]) for hit in hits.tolist()), reverse=True)
        return [ScoredDoc(doc_id, score) for score, doc_id in best[:k]]

    def numbers(self, doc_ids: Collection[str]) -> dict[str, int]:
        """The numbers of those of these documents that are in the index; reads all ids once."""
        wanted = frozenset(doc_ids)
        return {doc_id: number for number, doc_id in enumerate(self._ids) if doc_id in wanted}

    def save(self, folder: Path, recipe: IndexRecipe) -> None:
        """Write the index into an empty folder, and all of it to the disk. Raises OSError."""
        import numpy as np

        self._bm25.save(folder, show_progress=False)
        folder.joinpath(_IDS).write_bytes(self._ids.joined)
        np.save(folder / _ID_ENDS, self._ids.ends)
        files = {file.name: file.stat().st_size for file in sorted(folder.iterdir())}
        description = {"recipe": asdict(recipe), "documents": len(self), "files": files}
        folder.joinpath(_DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
        for file in (*folder.iterdir(), folder):
            handle = os.open(file, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def recipe_of(folder: Path) -> IndexRecipe | None:
    """The recipe of the index in a folder; None where there is no index, or one that is not whole."""
    try:
        description = json.loads(folder.joinpath(_DESCRIPTION).read_bytes())
        if any(folder.joinpath(name).stat().st_size != size for name, size in description["files"].items()):
            return None
        return IndexRecipe(**description["recipe"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def load_index(folder: Path) -> Index:
    """The index in a folder, read as it is needed: only the vocabulary is in memory.

    Raises OSError or ValueError where it is not whole.
    """
    import numpy as np

    bm25 = _import_bm25s().BM25.load(folder, mmap=True, show_progress=False)
    with folder.joinpath(_IDS).open("rb") as file:
        joined = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return Index(bm25, _Ids(joined, np.load(folder / _ID_ENDS, mmap_mode="r")))


def build_index(documents: Iterable[Passage], recipe: IndexRecipe, name: str) -> Index:
    """Index documents by title and text, one after another: no text is kept.

    What is kept is 4 bytes for each of their terms, the ids, and the vocabulary; then bm25s makes a
    matrix of them, with 8 bytes for each different term of a document, and needs three times that
    to make it. 600,000 passages as long as MS MARCO's take a minute, 0.7 GB, and 0.16 GB on the disk; for
    all of its 8.8 million expect a quarter of an hour, 8 GB, and 2.4 GB on the disk.

    Of documents with the same id the first counts; those without terms cannot be found, and are not
    indexed. Raises InputError where none is left.
    """
    bm25s = _import_bm25s()
    started = said = time.monotonic()
    analyzer = Analyzer()
    tokens = _Tokens()
    ids = bytearray()
    ends = array("q")
    seen: set[str] = set()
    repeated = empty = 0
    for count, document in enumerate(documents):
        if count % 1000 == 0 and time.monotonic() - said >= _SECONDS_BETWEEN_MESSAGES:
            said = time.monotonic()
            log.info("%s: %s documents read so far", name, f"{count:,}")
        if document.doc_id in seen:
            repeated += 1
            continue
        seen.add(document.doc_id)
        if not tokens.add(analyzer.terms(f"{document.title or ''} {document.text}")):
            empty += 1
            continue
        ids += document.doc_id.encode()
        ends.append(len(ids))
    del seen
    if not ends:
        raise InputError(f"{name}: no document has a word in it, so there is nothing to retrieve")
    bm25 = bm25s.BM25(method="lucene", k1=recipe.k1, b=recipe.b, csc_backend="scipy")
    bm25.index(tokens, create_empty_token=False, show_progress=False)
    if repeated:
        log.warning("%s: %s documents have an id that came before; the first counts", name, f"{repeated:,}")
    without = f" ({empty:,} more have no words)" if empty else ""
    log.info("indexed %s documents%s in %.1f s", f"{len(ends):,}", without, time.monotonic() - started)
    return Index(bm25, _Ids(bytes(ids), ends))


def _import_bm25s() -> Any:
    """Import bm25s without what it would only import in case it is asked for.

    numba takes most of the time, and has to be told how to behave before it is imported (see how ranx
    is); jax would take hold of a GPU.
    """
    hidden: dict[str, Any] = {name: None for name in ("numba", "jax") if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        import bm25s
    finally:
        for name in hidden:
            del sys.modules[name]
    return bm25s


@dataclass(frozen=True, slots=True)
class _Ids(Sequence[str]):
    """The ids of all documents in one piece: millions need not be an object each."""

    joined: Any
    ends: Any

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: Any) -> Any:
        start = int(self.ends[number - 1]) if number else 0
        return bytes(self.joined[start : int(self.ends[number])]).decode()

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in map(int, self.ends):
            yield bytes(self.joined[start:end]).decode()
            start = end


@dataclass(slots=True)
class _Tokens:
    """The terms of all documents as bm25s takes them: `vocab`, and `ids`, a list for each document.

    The lists are made when they are asked for, and thrown away: they would take ten times the memory.
    """

    vocab: dict[str, int] = field(default_factory=dict)
    _numbers: "array[int]" = field(default_factory=lambda: array("i"))
    _ends: "array[int]" = field(default_factory=lambda: array("q"))

    @property
    def ids(self) -> "_Tokens":
        return self

    def add(self, terms: Sequence[str]) -> bool:
        """Add a document; False where there is nothing to add."""
        if not terms:
            return False
        vocab = self.vocab
        self._numbers.extend([vocab.setdefault(term, len(vocab)) for term in terms])
        self._ends.append(len(self._numbers))
        return True

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[list[int]]:
        numbers = memoryview(self._numbers)
        start = 0
        for end in self._ends:
            yield numbers[start:end].tolist()
            start = end
