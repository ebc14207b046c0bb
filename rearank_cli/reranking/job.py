"""A whole `rearank rerank`: runs in, better runs out, the model loaded once."""

import asyncio
import datetime
import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rearank_cli import __version__
from rearank_cli.corpus import open_corpus
from rearank_cli.engines import Engine, Judge, check_engine, start_engine
from rearank_cli.records import Run
from rearank_cli.reranking.conductor import Conductor, Tally
from rearank_cli.reranking.destinations import Destination, destinations
from rearank_cli.reranking.options import Recipe, RerankOptions, recipe_for
from rearank_cli.reranking.topics import Topic, load_topics, select, without_excluded
from rearank_cli.traces import SCHEMA, Asker, Journal
from rearank_cli.trec import read_run, write_run
from rearank_cli.trec.runs import check_tag
from rearank_cli.trec.streams import STDIN, describe


@dataclass(frozen=True)
class Reranked:
    """What became of one run. `before` and `after` hold the queries that were asked for."""

    name: str
    before: Run
    after: Run
    destination: Destination
    tally: Tally
    seconds: float


@dataclass(frozen=True)
class _Assignment:
    """A run that was read, with its texts, and where its results go."""

    name: str
    digest: str
    before: Run
    topics: list[Topic]
    destination: Destination


def rerank_runs(
    runs: Sequence[str | Path | Run], options: RerankOptions, places: Sequence[Destination] | None = None
) -> list[Reranked]:
    """Rerank runs one after another with one engine, and write them with their traces.

    `places` defaults to the command line's names for outputs. Raises a RearankError, before
    anything is written, where an option, an input or an output cannot be.
    """
    recipe = recipe_for(options)
    check_tag(options.tag)
    if places is None:
        places = destinations(
            [run for run in runs if not isinstance(run, Run)], options.output, options.traces
        )
    for place in places:
        place.check(overwrite=options.overwrite)
    if isinstance(options.engine, str):
        check_engine(options.engine)
    return asyncio.run(_carry_out(_assign(runs, places, recipe, options), recipe, options))


def _assign(
    runs: Sequence[str | Path | Run], places: Sequence[Destination], recipe: Recipe, options: RerankOptions
) -> list[_Assignment]:
    """Read every input there is, so that what is wrong with one is known before a model is loaded."""
    read = [run if isinstance(run, Run) else read_run(run, options.input_order) for run in runs]
    names = ["" if isinstance(run, Run) else describe(run) for run in runs]
    selected = [
        select(run, limit=options.limit, query_ids=options.query, name=name)
        for run, name in zip(read, names, strict=True)
    ]
    corpus = open_corpus(dataset=options.dataset, docs=options.docs, queries=options.queries)
    excluded = corpus.excluded()
    assignments = []
    for given, name, run, place in zip(runs, names, selected, places, strict=True):
        before = without_excluded(run, excluded)
        topics = load_topics(before, corpus, depth=recipe.depth, missing=options.missing)
        assignments.append(_Assignment(Path(name).name, _digest(given, run), before, topics, place))
    return assignments


async def _carry_out(
    assignments: Sequence[_Assignment], recipe: Recipe, options: RerankOptions
) -> list[Reranked]:
    if not isinstance(options.engine, str):
        # An engine that was handed in belongs to whoever made it.
        return await _rerank_each(assignments, options.engine, recipe, options)
    engine = await start_engine(
        options.engine, options.model, revision=options.revision, engine_args=options.engine_args
    )
    try:
        return await _rerank_each(assignments, engine, recipe, options)
    finally:
        if close := getattr(engine, "close", None):
            await close()


async def _rerank_each(
    assignments: Sequence[_Assignment], engine: Engine | Judge, recipe: Recipe, options: RerankOptions
) -> list[Reranked]:
    asker = _asker(engine, recipe, options)
    conductor = Conductor(recipe, engine, asker, in_flight=options.in_flight)
    try:
        return [
            await _rerank(assignment, conductor, engine, asker, recipe, options) for assignment in assignments
        ]
    finally:
        conductor.close()


async def _rerank(
    assignment: _Assignment,
    conductor: Conductor,
    engine: Engine | Judge,
    asker: Asker,
    recipe: Recipe,
    options: RerankOptions,
) -> Reranked:
    started = time.monotonic()
    place = assignment.destination
    with Journal(place.traces, overwrite=options.overwrite) as journal:
        journal.append(_attempt(assignment, engine, asker, recipe))
        orders, tally = await conductor.rerank(assignment.topics, run=assignment.name, record=journal.append)
    after = Run(
        {topic.query_id: topic.rearranged(orders[topic.query_id]) for topic in assignment.topics}, options.tag
    )
    if place.output:
        write_run(after, place.output, escape_ids=options.escape_ids)
    return Reranked(assignment.name, assignment.before, after, place, tally, time.monotonic() - started)


def _asker(engine: Engine | Judge, recipe: Recipe, options: RerankOptions) -> Asker:
    lexical = options.engine == "lexical"
    return Asker(
        family=recipe.family.digest,
        engine=_name(engine),
        model="" if lexical else options.model,
        revision=None if lexical else options.revision,
        adapter=None,
        sampling=recipe.sampling,
        seed=options.seed,
    )


def _attempt(
    assignment: _Assignment, engine: Engine | Judge, asker: Asker, recipe: Recipe
) -> Mapping[str, Any]:
    """The first line of a trace file: what everything after it was asked with."""
    return {
        "type": "attempt",
        "schema": SCHEMA,
        "rearank": __version__,
        "engine": _name(engine),
        "engine_version": getattr(engine, "version", None),
        "model": asker.model,
        "revision": asker.revision,
        "adapter": asker.adapter,
        "family": recipe.family.name,
        "family_digest": recipe.family.digest,
        "options": {
            "method": recipe.method,
            "window": recipe.window,
            "step": recipe.step,
            "depth": recipe.depth,
            "settings": dict(recipe.family.settings),
            "sampling": asdict(recipe.sampling),
            "seed": asker.seed,
        },
        "run": assignment.name,
        "run_sha256": assignment.digest,
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def _name(engine: Engine | Judge) -> str:
    return getattr(engine, "name", type(engine).__name__)


def _digest(given: str | Path | Run, run: Run) -> str:
    """SHA-256 of a run file's bytes; of the ranking itself where it came from no file."""
    if not isinstance(given, Run) and str(given) != STDIN:
        with Path(given).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    for query_id, ranking in run.items():
        digest.update(f"{query_id}\t{' '.join(document.doc_id for document in ranking)}\n".encode())
    return digest.hexdigest()
