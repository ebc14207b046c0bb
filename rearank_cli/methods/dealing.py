"""Groups of documents that are alike in strength."""

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


def deal(items: Sequence[Item], size: int) -> list[list[Item]]:
    """Deal items out, one by one as cards, to as few groups as can be when none is larger than `size`.

    Group g of G has items g, g + G, g + 2G ..., so groups of a ranking are as good as each other and
    none is left with a few documents only.
    """
    groups = -(-len(items) // size)
    return [list(items[group::groups]) for group in range(groups)]
