"""Rankings by scores that some documents may lack."""

from collections.abc import Mapping, Sequence


def by_score(doc_ids: Sequence[str], scores: Mapping[str, float]) -> list[str]:
    """The documents by descending score, equal ones in the order they are given in.

    One without a score keeps its place, as if nobody had asked about it; the scored ones share out
    the other places.
    """
    scored = iter(
        sorted((doc_id for doc_id in doc_ids if doc_id in scores), key=lambda doc_id: -scores[doc_id])
    )
    return [next(scored) if doc_id in scores else doc_id for doc_id in doc_ids]
