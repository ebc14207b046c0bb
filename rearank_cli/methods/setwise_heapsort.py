"""A heap whose every comparison is of many documents."""

from collections.abc import Sequence

from rearank_cli.methods.asking import Ask, Shuffle
from rearank_cli.methods.choosing import best_of
from rearank_cli.methods.together import together
from rearank_cli.records import Ranking, Window


async def setwise_heapsort(
    doc_ids: Sequence[str], ask: Ask, *, window: int, top: int, shuffle: Shuffle
) -> Ranking:
    """Take the best `top` from a heap of window - 1 children (Zhuang et al., SIGIR 2024; Rank-R1, 2025).

    Every call chooses the best of a document and its children in the heap, in shuffled order. Subtrees
    that stand beside each other are made heaps at once. Documents that were not taken follow in their
    first-stage order. Where a call is not answered the best by first-stage rank of those shown wins.

    Given a judge that never errs, the best `top` documents come out in their true order.

    Calls: each of the ceil((N - 1) / (window - 1)) parents is sifted down once, and the root top - 1 times
    more, at a call a level or less. For N = 100, window 20, top 10 that is 19 on a good first stage and 23
    on a random order; for window 3, 112 and 139. None for a single document.
    Longest chain: the sifts from the lowest parent up to the root, and all after: 15 and 19 for window 20,
    62 and 70 for window 3.
    Documents read: at most `window` a call: 365 and 440 for window 20, 334 and 415 for window 3.
    """
    heap = list(range(len(doc_ids)))

    def children(place: int) -> range:
        first = place * (window - 1) + 1
        return range(first, min(first + window - 1, len(heap)))

    async def sift(start: int, taken: int) -> None:
        place = start
        while below := children(place):
            shown = shuffle([heap[place], *heap[below.start : below.stop]], taken, start, place)
            reading = await ask(Window(tuple(doc_ids[rank] for rank in shown), sample=taken))
            best = heap.index(best_of(reading, shown))
            if best == place:
                break
            heap[place], heap[best] = heap[best], heap[place]
            place = best

    async def build(place: int) -> None:
        await together(map(build, children(place)))
        await sift(place, 0)

    await build(0)
    taken: list[int] = []
    while heap and len(taken) < top:
        if taken:
            await sift(0, len(taken))
        taken.append(heap[0])
        heap[0] = heap[-1]
        heap.pop()
    return Ranking([doc_ids[rank] for rank in [*taken, *sorted(heap)]])
