"""One window that holds all candidates."""

from collections.abc import Sequence

from rearank_cli.methods.asking import Ask
from rearank_cli.records import Ranking, Window


async def full(doc_ids: Sequence[str], ask: Ask) -> Ranking:
    """Rank all candidates in one call (Liu et al., 2024, "Sliding Windows Are Not the End").

    Given a judge that never errs the whole order is exact.

    Calls: 1, also for a single document; none for none.
    Longest chain: 1.
    Documents read: N.
    """
    if not doc_ids:
        return Ranking([])
    reading = await ask(Window(tuple(doc_ids), 0, len(doc_ids)))
    return Ranking(reading.arrange(doc_ids))
