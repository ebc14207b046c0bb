"""Tournaments: groups of documents, the better ones of each go on."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

from rearank_cli.methods.asking import Ask, Shuffle
from rearank_cli.methods.dealing import deal
from rearank_cli.methods.tiers import tiers
from rearank_cli.methods.together import together
from rearank_cli.records import Ranking, Window

# Of each stage: a group is the window divided by this, and this part of it goes on. The paper gives
# counts for 100 documents: 100 -> 50 -> 20 -> 10 -> 5 -> 2.
_STAGES = (
    (1, Fraction(1, 2)),
    (2, Fraction(2, 5)),
    (1, Fraction(1, 2)),
    (1, Fraction(1, 2)),
    (1, Fraction(2, 5)),
)


async def tourrank(
    doc_ids: Sequence[str], ask: Ask, *, window: int, passes: int, shuffle: Shuffle
) -> Ranking:
    """Sort by points won in tournaments (Chen et al., WWW 2025, TourRank-r).

    A tournament has five stages. In each the documents still in it are dealt out to groups, and those
    that are the best of their group win a point and go on; it ends early where one is left. A group
    of one is not asked about. `passes` tournaments differ in the order within prompts, and their
    points add up; documents of equal points stay in first-stage order. So do, within a group, those that
    an answer held for equally good, and those it left out, which follow the listed ones.

    Given a judge that never errs, the best document has as many points as any; for N = 100 and
    window 20 the best two have the most, and the best four more than all but one other.

    Calls: in each tournament the groups of its stages, 5 + 5 + 1 + 1 + 1 = 13 for N = 100 and window
    20; none for a single document.
    Longest chain: 5.
    Documents read: in each tournament those of its stages, 100 + 50 + 20 + 10 + 5 = 185.
    """

    async def select(group: list[int], most: int, *occasion: int) -> list[int]:
        if len(group) == 1:
            return group
        shown = shuffle(group, *occasion)
        reading = await ask(Window(tuple(doc_ids[place] for place in shown), sample=occasion[0]))
        stated = [place for tier in tiers(reading) for place in sorted(shown[position] for position in tier)]
        return list(dict.fromkeys([*stated, *group]))[:most]

    async def tournament(number: int) -> Counter[int]:
        points: Counter[int] = Counter()
        left = list(range(len(doc_ids)))
        for stage, (parts, kept) in enumerate(_STAGES):
            if len(left) < 2:
                break
            groups = deal(left, max(2, window // parts))
            winners = await together(
                select(group, ceil(kept * len(group)), number, stage, index)
                for index, group in enumerate(groups)
            )
            left = sorted(place for group in winners for place in group)
            points.update(left)
        return points

    points = sum(await together(map(tournament, range(passes))), Counter[int]())
    order = sorted(range(len(doc_ids)), key=lambda place: -points[place])
    return Ranking(
        [doc_ids[place] for place in order], {doc_ids[place]: float(points[place]) for place in order}
    )
