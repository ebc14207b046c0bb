"""What a method is given: a way to have a window judged, and one to shuffle."""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Protocol, TypeVar

from rearank_cli.records import Reading, Window

Item = TypeVar("Item")

Ask = Callable[[Window], Awaitable[Reading]]
"""Awaits the reading of a window. Calls that do not need each other's answers are awaited together."""


class Shuffle(Protocol):
    """Shuffles items: the same items and the same `occasion` always come out the same way.

    So an order never depends on which of several answers came first.
    """

    def __call__(self, items: Sequence[Item], *occasion: int) -> list[Item]: ...


def shuffle_for(seed: int, query_id: str) -> Shuffle:
    """The shuffle of a query of a run: another seed shuffles otherwise, and so does another query."""

    def shuffle(items: Sequence[Item], *occasion: int) -> list[Item]:
        told = hashlib.sha256(repr((seed, query_id, occasion)).encode()).digest()
        return Random(told).sample(items, len(items))  # noqa: S311  # no secret depends on it

    return shuffle
