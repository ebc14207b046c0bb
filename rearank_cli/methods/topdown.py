"""Top-down partitioning: who is better than a pivot."""

from collections.abc import Sequence
from itertools import count

from rearank_cli.methods.asking import Ask, Shuffle
from rearank_cli.methods.tiers import tiers
from rearank_cli.methods.together import together
from rearank_cli.records import Ranking, Window


async def topdown(doc_ids: Sequence[str], ask: Ask, *, window: int, top: int, shuffle: Shuffle) -> Ranking:
    """Rank the head, and compare all others with its document at rank `top` (Parry et al., 2024, TDPart).

    Those that are better than this pivot join the documents above it, and so on with these until
    nothing gains on a ranked head. Departures from the published code: no budget, which abandons
    documents unseen; the parts of a round are asked about at once; no further call when none is better
    than the pivot; later rounds' rejects stand in front of earlier ones'; the pivot's place in a prompt
    is shuffled. A part is kept below the pivot where the answer does not list the pivot.

    Given a judge that never errs, the best min(top, window - 1) documents come out in their true order,
    and all where N <= window. Let parts be ceil((N - window) / (window - 1)): 5 for N = 100, window 20.

    Calls: 1 where N <= window (none for a single document); 1 + parts where none is better than the
    pivot, and at least one more where some are: 6 or 7 on a good first stage, 10 on a random order.
    Every round asks for its head and its parts, and takes the pivot and all below it out of the race.
    Longest chain: 2 in a round, 1 in one without parts: 2 or 3 on a good first stage, 5 or 6 on a random
    order.
    Documents read: N + parts where none is better than the pivot; 105 to 125 on a good first stage,
    175 on a random order. With a top near to the window the pivot is weak, and a random order takes
    three times as many: 565 for top 19.
    """
    pivot_rank = max(1, min(top, window - 1))
    candidates, rejected = list(doc_ids), list[str]()
    for number in count():
        head, others = candidates[:window], candidates[window:]
        if len(head) > 1:
            reading = await ask(Window(tuple(head), 0, len(head)))
            head = reading.arrange(head)
        if not others:
            break
        pivot = head[pivot_rank - 1]
        parts = [others[start : start + window - 1] for start in range(0, len(others), window - 1)]
        places = [shuffle(range(len(part) + 1), number, index)[0] for index, part in enumerate(parts)]
        split = await together(
            _split(part, pivot, place, ask) for part, place in zip(parts, places, strict=True)
        )
        better = [doc_id for above, _ in split for doc_id in above]
        worse = [doc_id for _, below in split for doc_id in below]
        if not better:
            rejected = worse + rejected
            break
        candidates = head[: pivot_rank - 1] + better
        rejected = head[pivot_rank - 1 :] + worse + rejected
    return Ranking(head + rejected)


async def _split(part: list[str], pivot: str, place: int, ask: Ask) -> tuple[list[str], list[str]]:
    """The documents that are better than the pivot, and the others, each as the model ordered them."""
    shown = [*part[:place], pivot, *part[place:]]
    reading = await ask(Window(tuple(shown)))
    stated = tiers(reading)
    pivots = next((index for index, tier in enumerate(stated) if place in tier), 0)
    better = [shown[position] for tier in stated[:pivots] for position in tier]
    return better, [doc_id for doc_id in reading.arrange(shown) if doc_id != pivot and doc_id not in better]
