"""The documents of a query as the lines of a run name them, and the order they are put into."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress, count
from operator import eq
from typing import Literal

from rearank_cli.records import RankedDocs

Order = Literal["trec", "rank", "file"]


@dataclass(slots=True)
class Topic:
    """The documents of one query in the order of their lines.

    There may be millions in a run, so none is an object of its own: `joined` has their ids, each with
    a line feed after it, and `stretches` the lines that named them, as pairs of the first line's
    number and how many lines follow each other from there.
    """

    query_id: str
    joined: bytearray = field(default_factory=bytearray)
    scores: "array[float]" = field(default_factory=lambda: array("d"))
    ranks: "array[int]" = field(default_factory=lambda: array("q"))
    stretches: "array[int]" = field(default_factory=lambda: array("q"))

    def name(self, doc_ids: Sequence[bytes], first: int) -> None:
        """Add documents that were named on consecutive lines, from line `first`."""
        self.joined += b"\n".join(doc_ids)
        self.joined += b"\n"
        if self.stretches and sum(self.stretches[-2:]) == first:
            self.stretches[-1] += len(doc_ids)
        else:
            self.stretches.extend((first, len(doc_ids)))

    def doc_ids(self) -> list[str]:
        """The ids of the documents, in the order of their lines."""
        return self.joined.decode().split("\n")[:-1]

    def first_duplicate(self) -> tuple[int, str] | None:
        """The first line that names a document again, and its id."""
        seen = set()
        for number, doc_id in zip(self._lines(), self.doc_ids(), strict=True):
            if doc_id in seen:
                return number, doc_id
            seen.add(doc_id)
        return None

    def _lines(self) -> Iterator[int]:
        for first, lines in zip(self.stretches[::2], self.stretches[1::2], strict=True):
            yield from range(first, first + lines)


def ranked_docs(topic: Topic, doc_ids: list[str], order: Order) -> RankedDocs:
    """A topic's documents (`doc_ids` are its own, unpacked) in the order that was asked for."""
    if order == "file":
        return RankedDocs(doc_ids, topic.scores)
    if order == "rank":
        # Sorting is stable: equal ranks keep the order of the lines.
        places = sorted(range(len(doc_ids)), key=topic.ranks.__getitem__)
        return RankedDocs([doc_ids[place] for place in places], [topic.scores[place] for place in places])
    return _as_trec_eval_ranks(doc_ids, topic.scores.tolist())


def _as_trec_eval_ranks(doc_ids: list[str], scores: list[float]) -> RankedDocs:
    """By score as a 32-bit float, then by id, both descending: the order of trec_eval 9."""
    singles = array("f", scores).tolist()
    falling = sorted(singles, reverse=True)
    if singles != falling:
        places = sorted(range(len(singles)), key=singles.__getitem__, reverse=True)
        doc_ids = [doc_ids[place] for place in places]
        scores = [scores[place] for place in places]
    # Most runs are in order but for ties, which are few: what is left to sort is little.
    for start, end in _ties(falling):
        tied = sorted(zip(doc_ids[start:end], scores[start:end], strict=True), reverse=True)
        doc_ids[start:end], scores[start:end] = zip(*tied, strict=True)
    return RankedDocs(doc_ids, scores)


def _ties(falling: list[float]) -> list[tuple[int, int]]:
    """The start and the end of every stretch of equal numbers."""
    ties: list[tuple[int, int]] = []
    for place in compress(count(), map(eq, falling, falling[1:])):
        start = ties.pop()[0] if ties and ties[-1][1] > place else place
        ties.append((start, place + 2))
    return ties


def depends_on_precision(ranked: RankedDocs) -> bool:
    """Whether trec_eval 10, which compares 64-bit scores, would order otherwise what trec_eval 9 ordered."""
    # Rounding keeps order, and ties are broken alike: they differ only where a tie at 32 bits hides a rise.
    scores = ranked.scores()
    return scores != sorted(scores, reverse=True)
