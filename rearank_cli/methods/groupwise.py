"""Scores given to documents in random company."""

from collections.abc import Sequence
from statistics import fmean

from rearank_cli.methods.asking import Ask, Shuffle
from rearank_cli.methods.dealing import deal
from rearank_cli.methods.scored import by_score
from rearank_cli.methods.together import together
from rearank_cli.records import Ranking, Window


async def groupwise(
    doc_ids: Sequence[str], ask: Ask, *, window: int, passes: int, shuffle: Shuffle
) -> Ranking:
    """Score documents in shuffled groups, and sort by the mean over rounds (GroupRank, 2025).

    A document's mean is over the rounds in which it got a score: the published code counts an answer
    that it cannot read as zeros for all of the group. Documents of equal score stay in first-stage
    order; those that got none keep their places. First-stage scores have no part in it.

    Given a judge that never errs, the whole order is exact, as far as its scores tell documents apart.

    Calls: ceil(N / window) in each of `passes` rounds: 10 for N = 100, window 20 and 2 rounds.
    Longest chain: 1.
    Documents read: N in each round: 200.
    """

    async def score(group: list[str], number: int) -> list[tuple[str, float]]:
        reading = await ask(Window(tuple(group), sample=number))
        given = reading.scores if reading.answered and reading.scores else []
        return [(doc_id, score) for doc_id, score in zip(group, given, strict=False) if score is not None]

    groups = [(group, number) for number in range(passes) for group in deal(shuffle(doc_ids, number), window)]
    given: dict[str, list[float]] = {}
    for scored in await together(score(group, number) for group, number in groups):
        for doc_id, one in scored:
            given.setdefault(doc_id, []).append(one)
    scores = {doc_id: fmean(given[doc_id]) for doc_id in doc_ids if doc_id in given}
    return Ranking(by_score(doc_ids, scores), scores)
