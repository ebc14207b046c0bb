"""Sliding windows, from the bottom of the list to its head."""

from collections.abc import Sequence

from rearank_cli.methods.asking import Ask
from rearank_cli.records import Window


async def sliding(doc_ids: Sequence[str], ask: Ask, *, window: int, step: int) -> list[str]:
    """Reorder the candidates by ranking overlapping windows bottom-up (Sun et al., EMNLP 2023, RankGPT).

    For N documents: 1 + ceil((N - window) / step) calls, each after the one before it, and one call
    where N <= window. Given a judge that never errs, the best `window - step` documents come out at
    the head in their true order; below them the order is only better than it was.
    """
    ranking = list(doc_ids)
    start = max(0, len(ranking) - window)
    while ranking:
        end = min(start + window, len(ranking))
        reading = await ask(Window(tuple(ranking[start:end]), start, end))
        ranking[start:end] = reading.arrange(ranking[start:end])
        if start == 0:
            break
        # The last window is moved to the head, whatever the length: the published loop stops
        # before it, and never shows the model the head of a list of 95 or any of a list of 15.
        start = max(0, start - step)
    return ranking
