"""Rounds: calls that do not wait for each other's answers are answered together, to count those that do."""

import asyncio
from collections import Counter
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

# How often the event loop turns until whoever was answered has asked on, through tasks within tasks.
_TURNS = 50


class Rounds:
    """Holds back every answer until nobody has anything left to ask, and then lets all go.

    `longest` is the number of rounds in which the query that took most of them asked: its longest
    chain of calls that wait for each other.
    """

    def __init__(self) -> None:
        self._round = asyncio.Event()
        self._asking: set[str] = set()
        self._taken: Counter[str] = Counter()

    async def wait(self, query_id: str) -> None:
        """Wait for the end of the round."""
        self._asking.add(query_id)
        await self._round.wait()

    async def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Await work, round by round."""
        task = asyncio.ensure_future(work)
        while not task.done():
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            self._taken.update(self._asking)
            self._asking.clear()
            ended, self._round = self._round, asyncio.Event()
            ended.set()
        return task.result()

    @property
    def longest(self) -> int:
        """The longest chain of calls of any query."""
        return max(self._taken.values(), default=0)
