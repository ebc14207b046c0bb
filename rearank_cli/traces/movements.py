"""Where calls moved their passages, in ranks as people count them."""

from collections.abc import Iterable
from typing import NamedTuple

from rearank_cli.traces.reading import TracedRequest


class Move(NamedTuple):
    """A passage's rank before and after, from 1."""

    doc_id: str
    before: int
    after: int

    @property
    def climb(self) -> int:
        """How many ranks it went up; negative where it went down."""
        return self.before - self.after


def moves(request: TracedRequest) -> list[Move]:
    """Every passage of a window with its move, in the new order.

    Ranks are those of the query's whole ranking where the places of the window are ranks
    (`request.first_rank`), else places in the window.
    """
    first = request.first_rank or 1
    return [
        Move(request.doc_ids[position], first + position, first + place)
        for place, position in enumerate(request.order)
    ]


def journeys(requests: Iterable[TracedRequest]) -> list[Move]:
    """From where to where a query's passages went over all its windows, in the order of their last ranks.

    Only windows whose places are ranks tell of it. The requests are those that settled the query's calls, in
    the order of the calls. A passage begins where it was first seen and ends where it was last put; passages
    that were each shown alone go where their scores take them, and those without a score stay.
    """
    begun: dict[str, int] = {}
    ended: dict[str, int] = {}
    scores: dict[str, float] = {}
    for request in requests:
        if request.first_rank is None:
            continue
        for move in moves(request):
            begun.setdefault(move.doc_id, move.before)
            ended[move.doc_id] = move.after
        if len(request.doc_ids) == 1 and request.scores and request.scores[0] is not None:
            scores[request.doc_ids[0]] = request.scores[0]
    # Equal scores leave the first stage's order, as the method pointwise does.
    best_first = sorted(scores, key=lambda doc_id: (-scores[doc_id], begun[doc_id]))
    places = sorted(begun[doc_id] for doc_id in scores)
    ended.update(zip(best_first, places, strict=True))
    journeyed = [Move(doc_id, begun[doc_id], after) for doc_id, after in ended.items()]
    return sorted(journeyed, key=lambda move: move.after)
