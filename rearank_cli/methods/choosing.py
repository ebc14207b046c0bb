"""The one document of a window that is the best, as setwise methods ask for it."""

from collections.abc import Sequence

from rearank_cli.methods.tiers import tiers
from rearank_cli.records import Reading


def best_of(reading: Reading, shown: Sequence[int]) -> int:
    """The document that the model chose, of those shown, which are numbered by their first-stage rank.

    Of several that it holds for equally good, and of all where it chose none, the best by that rank:
    what the published code falls back on, the place in the heap, would bring the last documents to
    the head when no call is answered.
    """
    chosen = next(iter(tiers(reading)), range(len(shown)))
    return min(shown[position] for position in chosen)
