"""A whole `rearank rerank`: runs in, better runs out, the model loaded once."""

import asyncio
import datetime
import time
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from rearank_cli.corpus import Corpus, open_corpus
from rearank_cli.engines import Engine, Judge, LexicalJudge, Wanted, check_engine, start_engine
from rearank_cli.engines.background import in_background
from rearank_cli.errors import UsageError
from rearank_cli.methods import find_method
from rearank_cli.methods.together import together
from rearank_cli.records import Reading, Run
from rearank_cli.reranking.assignments import Assignment, Chosen, assign, choose, identity
from rearank_cli.reranking.conductor import order_topics, until_stopped
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.kept import KeptEngine
from rearank_cli.reranking.options import Recipe, RerankOptions, recipe_for
from rearank_cli.reranking.persistence import Persistence
from rearank_cli.reranking.plan import Plan, plan_runs
from rearank_cli.reranking.progress import CLOSING, FETCHING, LOADING, REACHING, Course, EachMinute, Observer
from rearank_cli.reranking.replay import replay_runs
from rearank_cli.reranking.requests import Requester
from rearank_cli.reranking.results import Reranked, finish
from rearank_cli.reranking.slots import Slots
from rearank_cli.reranking.stopping import Stop, listening
from rearank_cli.traces import Asker, Call, Journal, Request
from rearank_cli.traces.journal import Mode
from rearank_cli.trec.runs import check_tag

# In flight, where an engine does not say how many requests it can run at once.
IN_FLIGHT = 64


def rerank_runs(
    runs: Sequence[str | Path | Run],
    options: RerankOptions,
    places: Sequence[Destination],
    observer: Observer | None = None,
    kept: KeptEngine | None = None,
) -> list[Reranked]:
    """Rerank runs with one engine, and write each with its traces to its place.

    The observer is shown how far it has come; without one, that is a message a minute. The engine ends
    with the job, unless it is kept. Raises a RearankError, before anything is asked or written, where an
    option, an input or an output cannot be.
    """
    check_tag(options.tag)
    recipe = recipe_for(options) if options.engine != "replay" else None
    for place in places:
        place.check(options)
    if recipe is None:
        return replay_runs(runs, options, places)
    if isinstance(options.engine, str):
        check_engine(options.engine, recipe.wanted(options), replicas=options.replicas)
    mode: Mode = "resume" if options.resume else "overwrite" if options.overwrite else "new"
    for place in places:
        place.make_folders()
    chosen = choose(runs, places, options)
    corpus = open_corpus(dataset=options.dataset, docs=options.docs, queries=options.queries)
    with ExitStack() as stack:
        # Held from here on: a second process on the same files is refused before it loads a model.
        journals = [stack.enter_context(Journal(place.traces, mode)) for place in places]
        asker = _asker(recipe, options)
        for journal, run in zip(journals, chosen, strict=True):
            if journal.path:
                journal.history.refuse_another(journal.path, identity(recipe.family, asker, run))
        observer = observer or EachMinute()
        work = _carry_out(chosen, corpus, journals, recipe, options, observer, kept)
        return kept.run(work) if kept else asyncio.run(work)


def plan_rerank(
    runs: Sequence[str | Path | Run], options: RerankOptions, places: Sequence[Destination]
) -> tuple[list[Plan], str | None]:
    """What `rerank_runs` would do, and why prompts could not be counted where they could not.

    Raises what the real job would raise about its options, inputs and outputs.
    """
    if options.engine == "replay":
        raise UsageError("--dry-run has nothing to say of --engine replay, which asks nothing either")
    check_tag(options.tag)
    recipe = recipe_for(options)
    for place in places:
        # Nothing is written: what is there already is in nobody's way.
        place.check(replace(options, overwrite=not options.resume))
    return plan_runs(runs, options, places, recipe, _asker(recipe, options))


async def _carry_out(
    chosen: Sequence[Chosen],
    corpus: Corpus,
    journals: Sequence[Journal],
    recipe: Recipe,
    options: RerankOptions,
    observer: Observer,
    kept: KeptEngine | None,
) -> list[Reranked]:
    stop = Stop(options.grace)
    course = Course(stop, about=find_method(recipe.arrangement.method).depends_on_answers)
    with listening(stop):
        async with course.observed(observer), AsyncExitStack() as engines:
            # A shard may have no queries: then no one is asked.
            wanted = recipe.wanted(options) if any(run.run for run in chosen) else None
            loading = course.busy(
                REACHING if options.engine == "openai" else LOADING,
                _loaded(engines, options, wanted, journals, course, kept),
            )
            fetching = course.busy(
                FETCHING,
                in_background(lambda: assign(chosen, corpus, recipe.arrangement.depth, options)),
            )
            engine, assignments = await _unless_stopped(stop, loading, fetching)
            slots = Slots(options.in_flight or getattr(engine, "capacity", None) or IN_FLIGHT)
            course.begin(slots)
            job = Job(engine, recipe, options, stop, slots, course)
            # All at once: while the last windows of a run are answered, the next one fills the engine.
            return await together(
                job.rerank(number, assignment, journal)
                for number, (assignment, journal) in enumerate(zip(assignments, journals, strict=True))
            )


async def _loaded(
    engines: AsyncExitStack,
    options: RerankOptions,
    wanted: Wanted | None,
    journals: Sequence[Journal],
    course: Course,
    kept: KeptEngine | None,
) -> Engine | Judge:
    """The engine, ready; what was started here is closed with `engines`. Any will do where none is wanted."""
    if not isinstance(options.engine, str):
        # It belongs to whoever made it.
        return options.engine
    if wanted is None:
        return LexicalJudge()
    if kept:
        return await kept.engine(options, wanted)
    engine = await start_engine(
        options.engine,
        wanted,
        traces=[journal.path for journal in journals if journal.path],
        replicas=options.replicas,
        ray_address=options.ray_address,
    )
    if close := getattr(engine, "close", None):
        engines.push_async_callback(lambda: course.busy(CLOSING, close()))
    return engine


async def _unless_stopped(
    stop: Stop, loading: Coroutine[Any, Any, Engine | Judge], fetching: Awaitable[list[Assignment]]
) -> tuple[Engine | Judge, list[Assignment]]:
    """Await both at once; a stop that is asked for, or the error of one, ends the other."""
    both: list[Awaitable[Any]] = [loading, fetching]
    work = asyncio.ensure_future(together(both))
    asked = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([work, asked], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            raise stop.error()
        engine, assignments = work.result()
        return engine, assignments
    finally:
        for task in (asked, work):
            task.cancel()
        await asyncio.gather(work, return_exceptions=True)


@dataclass(frozen=True)
class Job:
    """What reranks runs."""

    engine: Engine | Judge
    recipe: Recipe
    options: RerankOptions
    stop: Stop
    slots: Slots
    course: Course

    async def rerank(self, number: int, assignment: Assignment, journal: Journal) -> Reranked:
        """Rerank the run of that number and write it."""
        started = time.monotonic()
        tally = self.course.tally(assignment.name)
        asker = _asker(self.recipe, self.options)
        journal.begin(self._attempt(assignment, asker))

        def record(request: Request) -> None:
            tally.add_request(request)
            journal.append(request.line(assignment.name))

        requester = Requester(
            self.engine,
            self.recipe.family,
            self.recipe.sampling,
            record=record,
            stop=self.stop,
            largest_window=self.recipe.arrangement.largest_window,
            slots=self.slots,
            number=number,
            timeout=self.options.timeout,
        )
        persistence = Persistence(self.options.retries, self.options.forced_finish)

        async def settle(call: Call) -> Reading:
            past = journal.history.of(call.key, call.texts)
            reading = await persistence.settle(call, past, requester)
            tally.reused += any(reading is request.reading for request in past)
            return reading

        arrangement, seed = self.recipe.arrangement, self.options.seed
        work = order_topics(assignment.topics, arrangement, asker, settle, tally, seed=seed)
        try:
            rankings = await until_stopped(work, self.slots, self.stop)
        finally:
            requester.close()
        return finish(assignment, rankings, tally, time.monotonic() - started, self.options)

    def _attempt(self, assignment: Assignment, asker: Asker) -> Mapping[str, Any]:
        """What everything that follows in the traces was asked with."""
        return {
            "rearank": metadata.version("rearank"),
            "engine": _name(self.options.engine),
            "engine_version": getattr(self.engine, "version", None),
            "run": assignment.name,
            **identity(self.recipe.family, asker, assignment),
            "asker": asdict(asker),
            "options": {
                **asdict(self.recipe.arrangement),
                "set": dict(self.recipe.family.settings),
                "seed": self.options.seed,
                "retries": self.options.retries,
                "forced_finish": self.options.forced_finish,
                "engine_arg": dict(self.options.engine_args),
            },
            "left_out": assignment.left_out,
            "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }


def _asker(recipe: Recipe, options: RerankOptions) -> Asker:
    # Only an engine that finds models by name knows the model that the options name.
    loads_models = options.engine in ("vllm", "openai")
    greedy = options.engine == "lexical" or recipe.sampling.temperature == 0
    return Asker(
        family=recipe.family.digest,
        model=recipe.model if loads_models else _name(options.engine),
        revision=recipe.revision if loads_models else None,
        adapter=_named_adapter(recipe) if loads_models else None,
        sampling=recipe.sampling,
        seed=None if greedy else options.seed,
    )


def _named_adapter(recipe: Recipe) -> str | None:
    if recipe.adapter and recipe.adapter_revision:
        return f"{recipe.adapter}@{recipe.adapter_revision}"
    return recipe.adapter


def _name(engine: str | Engine | Judge) -> str:
    return engine if isinstance(engine, str) else getattr(engine, "name", type(engine).__name__)
