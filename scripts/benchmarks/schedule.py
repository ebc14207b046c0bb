"""Whole jobs on real vLLM, with answers of log-normal length: our scheduler beside four others.

Ours is the whole job: prompts made and tokenized, answers read, the journal written. The others are
given their prompts as tokens, and throw the answers away.
"""

import argparse
import asyncio
import time

from rearank_cli.reranking.options import RerankOptions
from scripts.benchmarks import policies
from scripts.benchmarks.collection import make_topics, rerank_topics
from scripts.benchmarks.engine import log_normal, median, tiny_engine

FAMILY, WINDOW, STEP, DEPTH, WORDS = "rankzephyr", 10, 5, 50, 14

_OTHERS: dict[str, tuple[policies.Policy, str]] = {
    "groups of 16, barriers (REARANK's scripts)": (policies.groups_of_16, "at least 3"),
    "32 in flight (RankLLM 0.26)": (policies.in_flight_32, "at least 1.25"),
    "one barrier per window step": (policies.barrier, "at least 1.1"),
    "all windows at once, no dependency": (policies.at_once, "at least 0.91"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--queries", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=float, default=113, help="mean length of an answer")


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
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", *_OTHERS)}
    async with tiny_engine() as engine:
        engine.length_of = log_normal(arguments.tokens)
        prompts = policies.make_prompts(topics, FAMILY, engine, WINDOW, STEP)
        sampling = policies.SAMPLING
        await policies.bare(engine, prompts[:16], sampling)  # warm
        for _ in range(arguments.rounds):
            for name, taken in seconds.items():
                # Each its own beginning: what is cached of the prompts is gone.
                await engine.forget()
                started = time.perf_counter()
                if name == "ours":
                    await rerank_topics(topics, engine, options)
                else:
                    await _OTHERS[name][0](engine, prompts, sampling)
                taken.append(time.perf_counter() - started)
    tokens = median([len(prompt.token_ids or ()) for query in prompts for prompt in query])
    asked = f"{arguments.queries} queries x {len(prompts[0])} windows, {tokens:.0f} prompt tokens"
    rows: list[dict[str, object]] = []
    for name, taken in seconds.items():
        ratio = median([other / own for other, own in zip(taken, seconds["ours"], strict=True)])
        rows.append(
            {
                asked: name,
                "seconds": round(median(taken), 1),
                "times ours": f"{ratio:.2f}",
                "target": _OTHERS[name][1] if name in _OTHERS else "",
            }
        )
    return rows
