"""Windows drawn from a first stage: so many of a query's candidates at random, in the order they had."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from random import Random

from rearank_cli.errors import UsageError
from rearank_cli.training.rewards import best_order, ndcg


@dataclass(frozen=True, slots=True)
class Drawing:
    """How windows are drawn, and which are kept; the defaults are REARANK's.

    `draws` windows of `size` among the first `depth` documents of each query, kept where their nDCG@10 is
    at least `minimum`. The same seed draws the same windows of a query, whatever other queries there are.
    """

    draws: int = 100
    size: int = 20
    depth: int = 100
    minimum: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size > self.depth:
            raise UsageError(f"{self.size} documents cannot be drawn of {self.depth}; give a greater --depth")


@dataclass(slots=True)
class Filtered:
    """How many windows each filter left; counted as they are drawn."""

    drawn: int = 0
    high_enough: int = 0
    improvable: int = 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """A window: places among the candidates, from 0 and ascending, and its documents best first."""

    number: int
    places: Sequence[int]
    doc_ids: Sequence[str] = field(repr=False)
    best: Sequence[int] = field(repr=False)

    @property
    def ideal(self) -> list[str]:
        """The doc_ids by their grades, highest first."""
        return [self.doc_ids[position] for position in self.best]


def is_useful(doc_ids: Sequence[str], qrels: Mapping[str, int]) -> bool:
    """Whether a query is drawn from: its first stage has something relevant among the first 10."""
    return ndcg(doc_ids, qrels) > 0


def draw_windows(
    query_id: str, doc_ids: Sequence[str], qrels: Mapping[str, int], drawing: Drawing, filtered: Filtered
) -> Iterator[Drawn]:
    """The windows of a query that are kept, in the order they were drawn; no window twice.

    `doc_ids` are its candidates in the order of the first stage; a list shorter than a window is one.
    Dropped are windows below the least nDCG@10, and those that no order improves. Source: the notebook
    that REARANK's data was made with.
    """
    size = min(drawing.size, len(doc_ids))
    seen: set[tuple[int, ...]] = set()
    for number in range(min(drawing.draws, comb(len(doc_ids), size))):
        places = _draw(drawing.seed, query_id, number, len(doc_ids), size)
        if places in seen:
            continue
        if len(doc_ids) <= 2 * size:  # elsewhere none is ever drawn twice
            seen.add(places)
        filtered.drawn += 1
        shown = [doc_ids[place] for place in places]
        before = ndcg(shown, qrels)
        if before < drawing.minimum:
            continue
        filtered.high_enough += 1
        window = Drawn(number, places, shown, best_order(shown, qrels))
        if ndcg(window.ideal, qrels) <= before:
            continue
        filtered.improvable += 1
        yield window


def _draw(seed: int, query_id: str, number: int, n: int, size: int) -> tuple[int, ...]:
    told = hashlib.sha256(repr((seed, query_id, number)).encode()).digest()
    return tuple(sorted(Random(told).sample(range(n), size)))  # noqa: S311  # no secret depends on it
