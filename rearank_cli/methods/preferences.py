"""Who is known to be better than whom."""

from collections.abc import Iterator, Sequence
from itertools import combinations, product


class Preferences:
    """Preferences between documents 0 to count - 1, in first-stage order, with all that follows from them.

    Sets of documents are bits of an int. Documents that each lead to the other are tied.
    """

    def __init__(self, count: int) -> None:
        # Closed under transitivity at any time; a document in a cycle is above and below itself.
        self._above = [0] * count
        self._below = [0] * count
        # Comparisons won, less those lost.
        self._balance = [0] * count

    def learn(self, tiers: Sequence[Sequence[int]]) -> bool:
        """Take in what a call told, the best tier first; whether any of it was new."""
        new = False
        for above, below in combinations(tiers, 2):
            for better, worse in product(above, below):
                new |= self._add(better, worse)
                self._balance[better] += 1
                self._balance[worse] -= 1
        return new

    def assume(self, order: Sequence[int]) -> None:
        """Take an order for given where nothing is known against it: so it makes no cycle."""
        for better, worse in combinations(order, 2):
            if not self.known(better) >> worse & 1:
                self._add(better, worse)

    def _add(self, better: int, worse: int) -> bool:
        if self._below[better] >> worse & 1:
            return False
        above = self._above[better] | 1 << better
        below = self._below[worse] | 1 << worse
        for document in members(above):
            self._below[document] |= below
        for document in members(below):
            self._above[document] |= above
        return True

    def winners(self, document: int) -> int:
        """Those that are better."""
        return self._above[document] & ~self._below[document]

    def losers(self, document: int) -> int:
        """Those that are worse."""
        return self._below[document] & ~self._above[document]

    def tied(self, document: int) -> int:
        """Those in a cycle with it, and itself."""
        return self._above[document] & self._below[document] | 1 << document

    def known(self, document: int) -> int:
        """Those that are better, worse or tied, and itself."""
        return self._above[document] | self._below[document] | 1 << document

    def ranked(self) -> list[int]:
        """All documents: those with fewer winners first, then by comparisons won, then as they were."""
        documents = range(len(self._balance))
        if not any(self._balance):
            # Nobody was told to be better than another: assumptions are no reason to change the order.
            return list(documents)
        return sorted(documents, key=lambda one: (self.winners(one).bit_count(), -self._balance[one]))


def members(documents: int) -> Iterator[int]:
    """The documents of a set."""
    while documents:
        lowest = documents & -documents
        yield lowest.bit_length() - 1
        documents ^= lowest
