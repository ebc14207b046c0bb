"""Scores of a run that are more than ranks, written so that no reader can see another order."""

from collections.abc import Iterable

# A hair: twice what a 32-bit float tells apart at the best score.
_HAIR = 2.0**-22
# ... and what it tells apart at all.
_LEAST = 1e-37


def strictly_falling(scores: Iterable[float]) -> list[float]:
    """Scores, best first, as they are, but each at least a hair below the one above it.

    A hair is 2^-22 of the largest magnitude among them. So 32-bit readers see no tie either, and
    no reader's rule for ties can undo the order.
    """
    given = list(scores)
    hair = max(_HAIR * (max(map(abs, given), default=0.0) or 1.0), _LEAST)
    falling: list[float] = []
    for score in given:
        falling.append(min(score, falling[-1] - hair) if falling else score)
    return falling
