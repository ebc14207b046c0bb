"""A graph of preferences: what one call tells is never asked again."""

from collections.abc import Sequence

from rearank_cli.methods.asking import Ask
from rearank_cli.methods.dealing import deal
from rearank_cli.methods.preferences import Preferences, members
from rearank_cli.methods.tiers import all_tiers
from rearank_cli.methods.together import together
from rearank_cli.records import Ranking, Reading, Window


async def blitz(doc_ids: Sequence[str], ask: Ask, *, window: int, top: int) -> Ranking:
    """Ask until the order of the best `top` follows from what was told (BlitzRank, 2026).

    All documents are ranked in disjoint windows; then, window by window, those that may still be
    among the best and whose relation to each other is not known. Preferences are transitive, and
    documents in a cycle of them are tied. Departures from the published code: documents are dealt out
    to the first windows, so that each has its share of good ones, which saves the third round on a
    good first stage; an answer tells nothing of documents it left out, but that they are worse than
    the listed ones; a window that told nothing new keeps its order.

    Given a judge that never errs, the best `top` documents come out in their true order; the others
    by the number of documents that are known to be better.

    Calls: ceil(N / window) for the first round, so 1 where N <= window (also for a single document),
    and one in each later round: 6 or 7 for N = 100, window 20, top 10.
    Longest chain: 1 and the later rounds: 2 or 3.
    Documents read: N and at most `window` in each later round: 120 to 140, and 121 as a rule.
    """
    known = Preferences(len(doc_ids))

    async def compare(shown: Sequence[int]) -> Reading:
        return await ask(Window(tuple(doc_ids[place] for place in shown)))

    def learn(shown: Sequence[int], reading: Reading) -> None:
        told = [[shown[position] for position in tier] for tier in all_tiers(reading)]
        if not known.learn(told):
            known.assume(shown)

    blocks = deal(range(len(doc_ids)), window)
    for block, reading in zip(blocks, await together(map(compare, blocks)), strict=True):
        learn(block, reading)
    while shown := _unsettled(known, len(doc_ids), window, top):
        learn(shown, await compare(shown))
    return Ranking([doc_ids[place] for place in known.ranked()])


def _unsettled(known: Preferences, count: int, window: int, top: int) -> list[int]:
    """Documents to compare next, in first-stage order; none where the order of the best is known.

    Of documents that are tied one stands for all. Any two of the best whose relation is not known may
    change places, so the one with the fewest known winners is shown with others that it, or one of
    these, has not been compared with.
    """
    race = sum(1 << place for place in range(count) if known.winners(place).bit_count() < top)
    open_ones = [
        place
        for place in members(race)
        if race & ~known.known(place) and place == next(members(known.tied(place)))
    ]
    open_ones.sort(key=lambda place: (known.winners(place).bit_count(), known.losers(place).bit_count()))
    shown = open_ones[:1]
    settled_with_all = known.known(shown[0]) if shown else 0
    for place in open_ones[1:]:
        if len(shown) < window and not settled_with_all >> place & 1:
            shown.append(place)
            settled_with_all &= known.known(place)
    return sorted(shown)
