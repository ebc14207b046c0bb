"""Sliding windows, from the bottom of the list to its head."""

from collections.abc import Iterator, Sequence

from rearank_cli.methods.asking import Ask
from rearank_cli.methods.waves import Stretch, in_waves
from rearank_cli.records import Ranking, Window


async def sliding(doc_ids: Sequence[str], ask: Ask, *, window: int, step: int, passes: int = 1) -> Ranking:
    """Reorder the candidates by ranking overlapping windows bottom-up (Sun et al., EMNLP 2023, RankGPT).

    Every pass follows the one before it up the list, as soon as the windows that share a rank with its
    own are done. Windows that do not overlap, where step is window, are asked about at once.

    Given a judge that never errs, the best passes * (window - step) documents come out at the head in
    their true order, and all where N <= window; below them the order is only better than it was.

    Calls: in each pass 1 + ceil((N - window) / step), one where N <= window (so one for a single
    document): 9 for N = 100, window 20, step 10.
    Longest chain: the calls of one pass, and for each further pass ceil(window / step) more, or one more
    than that where the last window was moved to the head: 9 + 2 (passes - 1).
    Documents read: min(window, N) a call: 180 in each pass.
    """
    ranking = list(doc_ids)

    async def rank(stretch: Stretch) -> None:
        number, start, end = stretch
        reading = await ask(Window(tuple(ranking[start:end]), start, end, sample=number))
        ranking[start:end] = reading.arrange(ranking[start:end])

    stretches = [
        Stretch(number, start, min(start + window, len(ranking)))
        for number in range(passes)
        for start in _starts(len(ranking), window, step)
    ]
    await in_waves(stretches, rank)
    return Ranking(ranking)


def _starts(count: int, window: int, step: int) -> Iterator[int]:
    """Where the windows of a pass start, from the bottom to the head."""
    start = max(0, count - window)
    while count:
        yield start
        if start == 0:
            break
        # The last window is moved to the head, whatever the length: the published loop stops
        # before it, and never shows the model the head of a list of 95 or any of a list of 15.
        start = max(0, start - step)
