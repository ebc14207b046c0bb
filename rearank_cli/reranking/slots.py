"""Places in flight: as many as the engine can run at once, given to the query with most work left."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

Precedence = tuple[int, ...]
"""What sorts before another goes first."""


class Slots:
    """So many requests at once, those of several runs together; who waits goes in order of precedence.

    Belongs to the event loop that is running when it is first waited for.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._taken = 0
        self._waiting: list[tuple[Precedence, int, asyncio.Future[None]]] = []
        # Of equals, the one that came first.
        self._arrivals = itertools.count()
        self.idle = asyncio.Event()
        self.idle.set()

    @property
    def taken(self) -> int:
        """How many requests are in flight."""
        return self._taken

    @asynccontextmanager
    async def place(self, precedence: Precedence) -> AsyncIterator[None]:
        """Wait for a place, and give it back in the end."""
        await self._take(precedence)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, precedence: Precedence) -> None:
        if self._free:
            self._free -= 1
        else:
            turn = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (precedence, next(self._arrivals), turn))
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    # It came too late for this one: the next may have it.
                    self._pass_on()
                raise
        self._taken += 1
        self.idle.clear()

    def _give_back(self) -> None:
        self._taken -= 1
        if not self._taken:
            self.idle.set()
        self._pass_on()

    def _pass_on(self) -> None:
        while self._waiting:
            _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
