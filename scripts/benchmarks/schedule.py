"""Whole jobs on real vLLM, with answers of log-normal length: our scheduler beside four others.

Ours is the whole job: prompts made and tokenized, answers read, the journal written. The others are
given their prompts as tokens, and throw the answers away; the second row is our job with such prompts.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence

from rearank_cli.records import Completion, Prompt, Sampling
from rearank_cli.reranking.options import RerankOptions, recipe_for
from rearank_cli.reranking.topics import Topic
from scripts.benchmarks import policies
from scripts.benchmarks.collection import make_topics, rerank_topics
from scripts.benchmarks.engine import MeasuredEngine, log_normal, median, tiny_engine

FAMILY, WINDOW, STEP, DEPTH, WORDS = "rankzephyr", 10, 5, 50, 25

OURS, PREPARED = "ours, the whole job", "ours, prompts tokenized beforehand as the others'"

_OTHERS: dict[str, tuple[policies.Policy, str]] = {
    "groups of 16, barriers (REARANK's scripts)": (policies.groups_of_16, "at least 3"),
    "32 in flight (RankLLM 0.26)": (policies.in_flight_32, "at least 1.25"),
    "one barrier per window step": (policies.barrier, "at least 1.1"),
    "a coroutine per query, nothing else": (policies.bare, ""),
    "all windows at once, no dependency": (policies.at_once, "at least 0.91"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=float, default=113, help="mean length of an answer")
    parser.add_argument("--skip", action="append", default=[], help="leave out policies of this name")


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    return asyncio.run(_run(arguments))


async def _run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    topics = make_topics(arguments.queries, DEPTH, WORDS, real=True)
    options = options_for(FAMILY, WINDOW, STEP, DEPTH)
    async with tiny_engine() as engine:
        engine.length_of = log_normal(arguments.tokens)
        others = {
            name: other for name, other in _OTHERS.items() if not any(word in name for word in arguments.skip)
        }
        return await compare(engine, topics, options, others, arguments.rounds)


class Prepared:
    """The engine, for prompts that were tokenized beforehand: what is left of a job without that."""

    name = "vllm"

    def __init__(self, engine: MeasuredEngine, prompts: Sequence[Sequence[Prompt]]) -> None:
        self._engine = engine
        self._prompts = {(each.query_id, each.doc_ids): each for query in prompts for each in query}
        self.capacity = engine.capacity

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        return await self._engine.complete(self._prompts[prompt.query_id, prompt.doc_ids], sampling)


def options_for(family: str, window: int, step: int, depth: int) -> RerankOptions:
    """A job whose every call is one request."""
    return RerankOptions(
        model="bench", family=family, window=window, step=step, depth=depth, retries=0, forced_finish=False
    )


async def compare(
    engine: MeasuredEngine,
    topics: list[Topic],
    options: RerankOptions,
    others: Mapping[str, tuple[policies.Policy, str]],
    rounds: int,
) -> list[dict[str, object]]:
    """Our whole job beside other policies for the same windows, in turns: seconds, and how many of ours."""
    recipe = recipe_for(options)
    window, step = recipe.arrangement.window, recipe.arrangement.step
    prompts = policies.make_prompts(topics, recipe.family, engine, window, step)
    await policies.bare(engine, prompts[:16], policies.SAMPLING)  # warm
    seconds: dict[str, list[float]] = {name: [] for name in (OURS, PREPARED, *others)}
    prepared = Prepared(engine, prompts)
    for _ in range(rounds):
        for name, taken in seconds.items():
            # Each its own beginning: what is cached of the prompts is gone.
            await engine.forget()
            started = time.perf_counter()
            if name in (OURS, PREPARED):
                await rerank_topics(topics, engine if name == OURS else prepared, options)
            else:
                await others[name][0](engine, prompts, policies.SAMPLING)
            taken.append(time.perf_counter() - started)
    asked = [prompt for query in prompts for prompt in query]
    tokens_in = sum(len(prompt.token_ids or ()) for prompt in asked)
    tokens_out = sum(map(engine.length_of, asked))
    about = f"{len(topics)} queries x {len(prompts[0])} windows, {tokens_in / len(asked):.0f} tokens in"
    rows: list[dict[str, object]] = []
    for name, taken in seconds.items():
        ratios = [other / own for other, own in zip(taken, seconds[OURS], strict=True)]
        rows.append(
            {
                f"{about}, {tokens_out / len(asked):.0f} out": name,
                "seconds": round(median(taken), 1),
                "queries an hour": round(3600 * len(topics) / median(taken)),
                "tokens in / s": round(tokens_in / median(taken)),
                "tokens out / s": round(tokens_out / median(taken)),
                "times ours": f"{median(ratios):.2f}",
                "target": others[name][1] if name in others else "",
            }
        )
    return rows
