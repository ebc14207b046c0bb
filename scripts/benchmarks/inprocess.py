"""The same 540 requests to the same vLLM: our whole job beside a bare loop that sends prepared tokens."""

import argparse
import asyncio

from scripts.benchmarks import policies
from scripts.benchmarks.collection import make_topics
from scripts.benchmarks.engine import constant, tiny_engine
from scripts.benchmarks.schedule import compare, options_for

FAMILY, WINDOW, STEP, DEPTH, WORDS, TOKENS = "rankzephyr", 20, 10, 100, 30, 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    topics = make_topics(arguments.queries, DEPTH, WORDS, real=True)
    async with tiny_engine() as engine:
        engine.length_of = constant(TOKENS)
        others = {"a bare loop that sends prepared tokens": (policies.bare, "at least 0.91")}
        return await compare(
            engine, topics, options_for(FAMILY, WINDOW, STEP, DEPTH), others, arguments.rounds
        )
