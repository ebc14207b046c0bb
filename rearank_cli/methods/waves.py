"""Passes over a ranking that overlap in time, as waves do that follow each other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from rearank_cli.methods.together import together


class Stretch(NamedTuple):
    """Ranks from `start` up to `end`, 0-based, to be worked on in a pass."""

    number: int
    start: int
    end: int


async def in_waves(stretches: Sequence[Stretch], work: Callable[[Stretch], Awaitable[None]]) -> None:
    """Work on each stretch as soon as the work on all earlier ones that share a rank with it is done.

    The outcome is that of working on one after the other.
    """
    latest: dict[int, asyncio.Event] = {}
    turns: list[tuple[Stretch, list[asyncio.Event], asyncio.Event]] = []
    for stretch in stretches:
        ranks, done = range(stretch.start, stretch.end), asyncio.Event()
        before = dict.fromkeys(latest[rank] for rank in ranks if rank in latest)
        turns.append((stretch, list(before), done))
        latest |= dict.fromkeys(ranks, done)

    async def take(stretch: Stretch, after: list[asyncio.Event], done: asyncio.Event) -> None:
        for earlier in after:
            await earlier.wait()
        await work(stretch)
        done.set()

    await together(take(*turn) for turn in turns)
