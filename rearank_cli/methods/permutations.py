"""Permutation self-consistency: the same window in several orders, and what the answers agree on."""

import asyncio
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from rearank_cli.methods.asking import Ask, Shuffle
from rearank_cli.methods.kemeny import kemeny
from rearank_cli.methods.tiers import all_tiers
from rearank_cli.methods.together import together
from rearank_cli.records import Reading, Status, Window

# Windows up to this are merged in a millisecond.
_AT_ONCE = 10


def consistent(ask: Ask, permutations: int, shuffle: Shuffle) -> Ask:
    """Ask about every window in so many shuffled orders at once (Tang et al., NAACL 2024).

    The reading that comes of it has the order that goes against the fewest of the preferences told
    (Kemeny). What an answer left out is below what it listed, and has no vote otherwise; so a choice
    of the best is a vote for it. Scores are means over the answers that gave one. One permutation is
    the window as it stands.

    Its status is ok where all answers were, repaired where only some were or some had none, and that
    of the first where none was read: the window then keeps its order.

    Calls: `permutations` for each call of the method. Longest chain: that of the method. Documents
    read: `permutations` times as many.
    """
    if permutations == 1:
        return ask

    async def asked(window: Window) -> Reading:
        first = window.sample * permutations
        samples = range(first, first + permutations)
        where = -1 if window.start is None else window.start
        shown = [shuffle(range(len(window.doc_ids)), sample, where) for sample in samples]
        readings = await together(
            ask(Window(tuple(window.doc_ids[place] for place in places), window.start, window.end, sample))
            for places, sample in zip(shown, samples, strict=True)
        )
        votes = _votes(readings, shown)
        # Where many disagree the search takes a second: others are heard meanwhile.
        disputed = len(votes) > _AT_ONCE and any(
            votes[one][other] and votes[other][one] for one, other in combinations(range(len(votes)), 2)
        )
        order = await asyncio.to_thread(kemeny, votes) if disputed else kemeny(votes)
        return _merged(readings, shown, order)

    return asked


def _votes(readings: Sequence[Reading], shown: Sequence[Sequence[int]]) -> list[list[int]]:
    """How many readings have a place of the window above another; `shown` has each one's places in order."""
    count = len(shown[0])
    votes = [[0] * count for _ in range(count)]
    for reading, places in zip(readings, shown, strict=True):
        if reading.answered:
            for above, below in combinations(all_tiers(reading), 2):
                for better in above:
                    for worse in below:
                        votes[places[better]][places[worse]] += 1
    return votes


def _merged(readings: Sequence[Reading], shown: Sequence[Sequence[int]], order: Sequence[int]) -> Reading:
    """What readings say together, in places of the window."""
    stated: set[int] = set()
    given: list[list[float]] = [[] for _ in order]
    for reading, places in zip(readings, shown, strict=True):
        if not reading.answered:
            continue
        stated.update(places[position] for position in reading.stated)
        for place, score in zip(places, reading.scores or (), strict=False):
            if score is not None:
                given[place].append(score)
    return Reading(
        _status(readings),
        list(order),
        [fmean(scores) if scores else None for scores in given] if any(given) else None,
        "\n\n".join(reading.reasoning for reading in readings if reading.reasoning),
        any(reading.forced for reading in readings),
        len(stated) if len(stated) < len(order) else None,
    )


def _status(readings: Sequence[Reading]) -> Status:
    if all(reading.status is Status.OK for reading in readings):
        return Status.OK
    return Status.REPAIRED if any(reading.answered for reading in readings) else readings[0].status
