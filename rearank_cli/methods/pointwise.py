"""Every document alone."""

from collections.abc import Sequence

from rearank_cli.methods.asking import Ask
from rearank_cli.methods.scored import by_score
from rearank_cli.methods.together import together
from rearank_cli.records import Ranking, Window


async def pointwise(doc_ids: Sequence[str], ask: Ask) -> Ranking:
    """Score every document by itself, and sort (Nogueira et al., 2020, monoT5; Rank1, 2025).

    Documents of equal score stay in first-stage order; those that got none keep their places.

    Given a judge that never errs, the whole order is exact, as far as its scores tell documents apart.

    Calls: N.
    Longest chain: 1.
    Documents read: N.
    """

    async def score(place: int, doc_id: str) -> float | None:
        reading = await ask(Window((doc_id,), place, place + 1))
        return reading.scores[0] if reading.answered and reading.scores else None

    given = await together(score(place, doc_id) for place, doc_id in enumerate(doc_ids))
    scores = {doc_id: score for doc_id, score in zip(doc_ids, given, strict=True) if score is not None}
    return Ranking(by_score(doc_ids, scores), scores)
