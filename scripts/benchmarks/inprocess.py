"""The same 540 requests to the same vLLM: our whole job beside a bare loop that sends prepared tokens."""

import argparse
import asyncio
import time

from rearank_cli.reranking.options import RerankOptions
from scripts.benchmarks import policies
from scripts.benchmarks.collection import make_topics, rerank_topics
from scripts.benchmarks.engine import constant, median, tiny_engine

FAMILY, WINDOW, STEP, DEPTH, WORDS, TOKENS = "rankzephyr", 20, 10, 100, 30, 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    topics = make_topics(arguments.queries, DEPTH, WORDS)
    options = RerankOptions(
        model="castorini/rank_zephyr_7b_v1_full",
        window=WINDOW,
        step=STEP,
        depth=DEPTH,
        retries=0,
        forced_finish=False,
    )
    ours: list[float] = []
    bare: list[float] = []
    async with tiny_engine() as engine:
        engine.length_of = constant(TOKENS)
        prompts = policies.make_prompts(topics, FAMILY, engine, WINDOW, STEP)
        await policies.bare(engine, prompts[:8], policies.SAMPLING)  # warm
        for _ in range(arguments.rounds):
            await engine.forget()
            started = time.perf_counter()
            await rerank_topics(topics, engine, options)
            ours.append(time.perf_counter() - started)
            await engine.forget()
            started = time.perf_counter()
            await policies.bare(engine, prompts, policies.SAMPLING)
            bare.append(time.perf_counter() - started)
    return [
        {
            "requests": sum(map(len, prompts)),
            "ours, seconds": round(median(ours), 2),
            "bare loop, seconds": round(median(bare), 2),
            "ratio": f"{median([mine / theirs for mine, theirs in zip(ours, bare, strict=True)]):.2f}",
            "target": "at most 1.1",
        }
    ]
