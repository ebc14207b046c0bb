"""Replay: a run rebuilt from its traces alone, without a model, a tokenizer or the texts."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Reading, Run, Status, Window
from rearank_cli.reranking.assignments import reassign
from rearank_cli.reranking.conductor import order_topics
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import Arrangement, RerankOptions, check_options
from rearank_cli.reranking.persistence import Persistence
from rearank_cli.reranking.results import Reranked, finish
from rearank_cli.reranking.tally import Tally
from rearank_cli.traces import Call, History, read_traces
from rearank_cli.traces.reading import asker_of


@dataclass(frozen=True)
class Replayed:
    """A run rebuilt, and the calls that made it what it is.

    `windows` has, for every query, each call's key -> the window that it asked about, in the order in
    which the calls were made: what other attempts have left in the traces is not among them.
    """

    result: Reranked
    windows: Mapping[str, Mapping[str, Window]]


def replay_runs(
    runs: Sequence[str | Path | Run], options: RerankOptions, places: Sequence[Destination]
) -> list[Reranked]:
    """Rebuild runs from their trace files, as the last attempt in each arranged its calls.

    Calls that are not in the traces count as failed. Raises UsageError where the traces are of
    another run, InputError where they cannot be read.
    """
    results = []
    for run, place in zip(runs, places, strict=True):
        if place.traces is None:
            raise UsageError("--engine replay needs the trace file to replay: give it with --traces")
        results.append(replay_run(run, read_traces(place.traces), options, place).result)
    return results


def replay_run(
    run: str | Path | Run,
    history: History,
    options: RerankOptions,
    place: Destination,
    *,
    responses: bool = True,
) -> Replayed:
    """Rebuild one run from the history that its traces tell; `place.traces` only names it in messages.

    Raises what `replay_runs` does; a history without any response is refused, unless `responses` is False.
    """
    return asyncio.run(_replay(run, history, options, place, responses))


async def _replay(
    run: str | Path | Run,
    history: History,
    options: RerankOptions,
    place: Destination,
    responses: bool,
) -> Replayed:
    started = time.monotonic()
    traces = place.traces or Path("the traces")
    attempt = history.attempts[-1]
    names = [field.name for field in fields(Arrangement)]
    told = {name: attempt["options"][name] for name in names if name in attempt["options"]}
    arrangement = replace(Arrangement(**told), **options.arrangement_given())
    check_options(options, arrangement)
    persistence = Persistence(forced_finish=options.forced_finish and attempt["options"]["forced_finish"])
    asker = asker_of(attempt)
    # The traces are read, and not written.
    written = replace(place, traces=None)
    assignment = reassign(run, written, arrangement.depth, history.left_out, options)
    history.refuse_another(traces, {**attempt, "run_sha256": assignment.digest})
    tally = Tally()
    windows: dict[str, dict[str, Window]] = {topic.query_id: {} for topic in assignment.topics}

    async def settle(call: Call) -> Reading:
        windows[call.query.query_id].setdefault(call.key, call.window)
        reading = persistence.remembered(history.of(call.key, texts=None))
        tally.reused += reading is not None
        return reading or Reading(Status.FAILED, list(range(len(call.passages))))

    seed = attempt["options"].get("seed", 0)
    rankings = await order_topics(assignment.topics, arrangement, asker, settle, tally, seed=seed)
    if responses and tally.calls and not tally.reused:
        raise nothing_to_replay(traces, tally.calls)
    result = finish(assignment, rankings, tally, time.monotonic() - started, options)
    return Replayed(result, windows)


def nothing_to_replay(traces: Path, calls: int) -> InputError:
    """The error of traces that have none of the calls."""
    return InputError(
        f"{traces} has none of the {calls} calls: nothing is there to replay; "
        "give the options and the version of rearank with which it was written"
    )
