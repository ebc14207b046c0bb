"""The order that goes against the fewest votes."""

from collections.abc import Sequence
from itertools import accumulate, groupby

from rearank_cli.methods.preferences import members

_EXACT = 20
"""More documents than this that cannot be told apart by majorities are ordered by local search."""

Votes = Sequence[Sequence[int]]
"""votes[a][b] is how many hold a for better than b. Two that nobody compared have none either way."""


def kemeny(votes: Votes) -> list[int]:
    """An order of 0 to n - 1 with the least sum of votes[b][a] over all a that stand before b (Kemeny, 1959).

    Of several such orders, the one that is first when they are sorted. Both hold where no more than 20
    documents hang together by cycles of majorities and ties; the order of larger such groups that have
    a cycle is a local optimum: no document can be moved to make it better.
    """
    order: list[int] = []
    for component in _components(votes):
        order += _without_cycles(votes, component) or (
            _exact(votes, component) if len(component) <= _EXACT else _searched(votes, component)
        )
    return order


def _components(votes: Votes) -> list[list[int]]:
    """The documents in groups: each has majorities over all of the groups after it, so stands before them.

    They are the strongly connected components of the graph of "at least as many votes", where any two
    documents have an edge; so those of one component reach the same documents, and more than the next.
    """
    count = len(votes)
    reach = [
        sum(1 << other for other in range(count) if votes[one][other] >= votes[other][one])
        for one in range(count)
    ]
    for between in range(count):
        for one in range(count):
            if reach[one] >> between & 1:
                reach[one] |= reach[between]
    order = sorted(range(count), key=lambda one: -reach[one].bit_count())
    return [list(component) for _, component in groupby(order, lambda one: reach[one])]


def _without_cycles(votes: Votes, documents: list[int]) -> list[int]:
    """The first order that breaks no majority; empty where majorities are in a cycle."""
    beaten_by = {
        one: sum(1 << other for other in documents if votes[other][one] > votes[one][other])
        for one in documents
    }
    left = sum(1 << one for one in documents)
    order: list[int] = []
    while left:
        free = next((one for one in members(left) if not beaten_by[one] & left), None)
        if free is None:
            return []
        order.append(free)
        left ^= 1 << free
    return order


def _exact(votes: Votes, documents: list[int]) -> list[int]:
    """The first of the best orders, by the least cost of ordering each subset, smaller subsets first."""
    import numpy as np

    count = len(documents)
    half = count // 2
    low = (1 << half) - 1
    # The cost of a document before a set: before the part of it in the lower half, and in the upper.
    lower, upper = (
        np.array([_sums([votes[other][one] for other in part]) for one in documents], np.int32)
        for part in (documents[:half], documents[half:])
    )
    sizes = np.add.outer(_sums([1] * (count - half)), _sums([1] * half)).ravel()
    least = np.zeros(1 << count, dtype=np.int32)
    by_size = np.argsort(sizes, kind="stable")
    for layer in np.split(by_size, np.searchsorted(sizes[by_size], np.arange(1, count + 1)))[1:]:
        cheapest = np.full(len(layer), np.iinfo(np.int32).max, np.int32)
        for one in range(count):
            having = np.flatnonzero(layer >> one & 1)
            rest = layer[having] ^ (1 << one)
            cost = least[rest] + lower[one][rest & low] + upper[one][rest >> half]
            cheapest[having] = np.minimum(cheapest[having], cost)
        least[layer] = cheapest

    order: list[int] = []
    left = (1 << count) - 1
    while left:
        for one in members(left):
            after = left ^ 1 << one
            if least[left] == least[after] + lower[one][after & low] + upper[one][after >> half]:
                break
        order.append(documents[one])
        left = after
    return order


def _sums(numbers: Sequence[int]) -> list[int]:
    """The sum over every subset; bit i of a subset's place in the list is for number i."""
    sums = [0]
    for number in numbers:
        sums += [number + one for one in sums]
    return sums


def _searched(votes: Votes, documents: list[int]) -> list[int]:
    """By most votes for and least against, then each document is moved to its best place until none moves."""

    def against(one: int, others: Sequence[int]) -> list[int]:
        return [votes[other][one] - votes[one][other] for other in others]

    order = sorted(documents, key=lambda one: sum(against(one, documents)))
    moved = True
    while moved:
        moved = False
        for one in documents:
            others = [other for other in order if other != one]
            costs = list(accumulate((-more for more in against(one, others)), initial=0))
            best = min(range(len(costs)), key=costs.__getitem__)
            if costs[best] < costs[order.index(one)]:
                order = [*others[:best], one, *others[best:]]
                moved = True
    return order
