"""The worst goes, again and again."""

from collections.abc import Sequence

from rearank_cli.methods.asking import Ask
from rearank_cli.records import Ranking, Window


async def exclusion(doc_ids: Sequence[str], ask: Ask) -> Ranking:
    """Remove the worst of all that are left, until one is (IRanker, 2025).

    For a short head only. Where a call is not answered the last by first-stage rank goes.

    Given a judge that never errs, the whole order is exact.

    Calls: N - 1, none for a single document.
    Longest chain: N - 1.
    Documents read: N + (N - 1) + ... + 2 = N (N + 1) / 2 - 1.
    """
    left, removed = list(doc_ids), list[str]()
    while len(left) > 1:
        reading = await ask(Window(tuple(left), 0, len(left)))
        removed.append(left.pop(reading.order[-1]))
    return Ranking(left + removed[::-1])
