"""Replay: a run rebuilt from its traces alone, without a model, a tokenizer or the texts."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Reading, Run, Sampling, Status
from rearank_cli.reranking.assignments import reassign
from rearank_cli.reranking.conductor import Tally, order_topics
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import Arrangement, RerankOptions, check_options
from rearank_cli.reranking.persistence import Persistence
from rearank_cli.reranking.results import Reranked, finish
from rearank_cli.traces import Asker, Call, read_traces


def replay_runs(
    runs: Sequence[str | Path | Run], options: RerankOptions, places: Sequence[Destination]
) -> list[Reranked]:
    """Rebuild runs from their trace files, as the last attempt in each arranged its calls.

    Calls that are not in the traces count as failed. Raises UsageError where the traces are of
    another run, InputError where they cannot be read.
    """
    return [asyncio.run(_replay(run, options, place)) for run, place in zip(runs, places, strict=True)]


async def _replay(run: str | Path | Run, options: RerankOptions, place: Destination) -> Reranked:
    started = time.monotonic()
    if place.traces is None:
        raise UsageError("--engine replay needs the trace file to replay: give it with --traces")
    history = read_traces(place.traces)
    attempt = history.attempts[-1]
    names = [field.name for field in fields(Arrangement)]
    told = {name: attempt["options"][name] for name in names if name in attempt["options"]}
    arrangement = replace(Arrangement(**told), **options.arrangement_given())
    check_options(options, arrangement)
    persistence = Persistence(forced_finish=options.forced_finish and attempt["options"]["forced_finish"])
    sampling: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in attempt["asker"]["sampling"].items()
    }
    asker = Asker(**{**attempt["asker"], "sampling": Sampling(**sampling)})
    # The traces are read, and not written.
    written = replace(place, traces=None)
    assignment = reassign(run, written, arrangement.depth, history.left_out, options)
    history.refuse_another(place.traces, {**attempt, "run_sha256": assignment.digest})
    tally = Tally()
    found = 0

    async def settle(call: Call) -> Reading:
        nonlocal found
        reading = persistence.remembered(history.of(call.key, texts=None))
        found += reading is not None
        return reading or Reading(Status.FAILED, list(range(len(call.passages))))

    seed = attempt["options"].get("seed", 0)
    rankings = await order_topics(assignment.topics, arrangement, asker, settle, tally, seed=seed)
    if tally.calls and not found:
        raise InputError(
            f"{place.traces} has none of the {tally.calls} calls: nothing is there to replay; "
            "give the options and the version of rearank with which it was written"
        )
    return finish(assignment, rankings, tally, time.monotonic() - started, options)
