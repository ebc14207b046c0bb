"""The best of window after window is carried to the head."""

from collections.abc import Iterator, Sequence

from rearank_cli.methods.asking import Ask, Shuffle
from rearank_cli.methods.choosing import best_of
from rearank_cli.methods.waves import Stretch, in_waves
from rearank_cli.records import Ranking, Window


async def setwise_bubblesort(
    doc_ids: Sequence[str], ask: Ask, *, window: int, top: int, shuffle: Shuffle
) -> Ranking:
    """Carry the best document up the list, `top` times (Zhuang et al., SIGIR 2024, setwise bubblesort).

    Windows go from the bottom to the head and overlap by one document. The best of each, shown in
    shuffled order, changes places with its first. Pass p, from 0, ends at rank p, and follows the pass
    before it as soon as the windows that share a rank with its own are done. The published shortcut,
    which passes over windows where nothing had changed, is left out: it errs even when no answer does.
    Where a call is not answered the best by first-stage rank of those shown wins.

    Given a judge that never errs, the best `top` documents come out in their true order.

    Calls: ceil((N - 1 - p) / (window - 1)) in pass p of min(top, N - 1): 318 for N = 100, window 4,
    top 10. None for a single document.
    Longest chain: at most the calls of the last pass and 2 for each before it: 48.
    Documents read: in each pass its N - p, and one more for each call but the first: 1263.
    """
    ranking = list(range(len(doc_ids)))

    async def carry(stretch: Stretch) -> None:
        number, start, end = stretch
        shown = shuffle(ranking[start:end], number, start)
        reading = await ask(Window(tuple(doc_ids[rank] for rank in shown), start, end, sample=number))
        best = ranking.index(best_of(reading, shown))
        ranking[start], ranking[best] = ranking[best], ranking[start]

    passes = range(min(top, len(ranking) - 1))
    await in_waves([step for number in passes for step in _upwards(number, len(ranking), window)], carry)
    return Ranking([doc_ids[rank] for rank in ranking])


def _upwards(number: int, end: int, window: int) -> Iterator[Stretch]:
    while end - number > 1:
        start = max(number, end - window)
        yield Stretch(number, start, end)
        end = start + 1
