"""How others send the same windows to the same engine: prompts made beforehand, answers thrown away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from rearank_cli.engines.vllm import VllmEngine
from rearank_cli.families import Family
from rearank_cli.records import Prompt, Sampling
from rearank_cli.reranking.prompting import Prompter
from rearank_cli.reranking.topics import Topic
from scripts.benchmarks.texts import windows_of

SAMPLING = Sampling()

Policy = Callable[[VllmEngine, Sequence[Sequence[Prompt]], Sampling], Awaitable[None]]


def make_prompts(
    topics: Sequence[Topic], family: Family, engine: VllmEngine, window: int, step: int
) -> list[list[Prompt]]:
    """The prompts of every query's windows, from the bottom of its list to the head."""
    prompter = Prompter(family, engine.tokenizer, None)
    return [
        [
            prompter.prompt(topic.query, shown).prompt
            for shown in windows_of(topic.candidates, window, step)
            if topic.query
        ]
        for topic in topics
    ]


async def at_once(engine: VllmEngine, prompts: Sequence[Sequence[Prompt]], sampling: Sampling) -> None:
    """All windows submitted together, as if none waited for another: what no method can do."""
    await asyncio.gather(*(engine.complete(prompt, sampling) for query in prompts for prompt in query))


async def bare(engine: VllmEngine, prompts: Sequence[Sequence[Prompt]], sampling: Sampling) -> None:
    """A coroutine per query."""
    await _in_flight(engine, prompts, sampling, sum(map(len, prompts)))


async def in_flight_32(engine: VllmEngine, prompts: Sequence[Sequence[Prompt]], sampling: Sampling) -> None:
    """A coroutine per query and a semaphore of 32: RankLLM 0.26."""
    await _in_flight(engine, prompts, sampling, 32)


async def _in_flight(
    engine: VllmEngine, prompts: Sequence[Sequence[Prompt]], sampling: Sampling, count: int
) -> None:
    places = asyncio.Semaphore(count)

    async def ask(query: Sequence[Prompt]) -> None:
        for prompt in query:
            async with places:
                await engine.complete(prompt, sampling)

    await asyncio.gather(*map(ask, prompts))


async def barrier(engine: VllmEngine, prompts: Sequence[Sequence[Prompt]], sampling: Sampling) -> None:
    """All queries' first windows, then all their second ones: RankLLM before 0.26."""
    for step in zip(*prompts, strict=True):
        await asyncio.gather(*(engine.complete(prompt, sampling) for prompt in step))


async def groups_of_16(engine: VllmEngine, prompts: Sequence[Sequence[Prompt]], sampling: Sampling) -> None:
    """Groups of 16 queries with a barrier after each step: REARANK's own scripts on one GPU."""
    for start in range(0, len(prompts), 16):
        await barrier(engine, prompts[start : start + 16], sampling)
