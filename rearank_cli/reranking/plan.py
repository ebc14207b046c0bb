"""What a job would do, found out without asking anything: `--dry-run`."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rearank_cli.corpus import open_corpus
from rearank_cli.engines import model_card
from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.errors import EngineError
from rearank_cli.methods import find_method
from rearank_cli.records import Reading, Run, Status
from rearank_cli.reranking.assignments import Assignment, assign, choose, identity
from rearank_cli.reranking.conductor import order_topics
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import Recipe, RerankOptions
from rearank_cli.reranking.persistence import Persistence
from rearank_cli.reranking.prompting import DoesNotFitError, Prompter, answer_tokens, room_for_prompts
from rearank_cli.reranking.rounds import Rounds
from rearank_cli.reranking.tally import Tally
from rearank_cli.traces import Asker, Call, History, read_traces

# A trace line besides its texts, and what a token of English comes to, in bytes.
_LINE_BYTES = 1500
_TOKEN_BYTES = 5
# A list of twenty identifiers, where an answer is no longer than that.
_LIST_TOKENS = 128


@dataclass
class Plan:
    """What reranking a run would take.

    `calls` is exact for methods whose calls do not depend on answers, and otherwise what a judge would
    take that agrees with the first stage. Tokens are of the first window
    of every query, times its calls; None where no tokenizer is at hand. `seconds` goes by the pace of
    an earlier attempt; None where there is none.
    """

    name: str
    queries: int
    calls: int = 0
    depends_on_answers: bool = False
    in_traces: int = 0
    longest_chain: int = 0
    prompt_tokens: int | None = None
    longest_prompt: int | None = None
    cut_passages: int = 0
    cannot_fit: list[str] = field(default_factory=list)
    missing_queries: int = 0
    missing_documents: int = 0
    excluded_documents: int = 0
    disk_bytes: int = 0
    disk_free: int | None = None
    seconds: float | None = None


def plan_runs(
    runs: Sequence[str | Path | Run],
    options: RerankOptions,
    places: Sequence[Destination],
    recipe: Recipe,
    asker: Asker,
) -> tuple[list[Plan], str | None]:
    """A plan for every run, and why tokens could not be counted where they could not.

    Reads everything, and raises what the real job would raise about it.
    """
    tokenizer, room, why_not = _tokenizer(options, recipe)
    prompter = Prompter(recipe.family, tokenizer, room) if tokenizer else None
    corpus = open_corpus(dataset=options.dataset, docs=options.docs, queries=options.queries)
    assignments = assign(choose(runs, places, options), corpus, recipe.arrangement.depth, options)
    plans = [asyncio.run(_plan(assignment, options, recipe, asker, prompter)) for assignment in assignments]
    return plans, why_not


async def _plan(
    assignment: Assignment, options: RerankOptions, recipe: Recipe, asker: Asker, prompter: Prompter | None
) -> Plan:
    left_out = assignment.left_out
    plan = Plan(
        assignment.name,
        len(assignment.topics),
        missing_queries=len(left_out.get("queries", ())),
        missing_documents=len(left_out.get("documents", ())),
        excluded_documents=sum(map(len, left_out.get("excluded", {}).values())),
    )
    history = _history(assignment.destination, options)
    rounds = Rounds()
    if place := assignment.destination.traces:
        history.refuse_another(place, identity(recipe.family, asker, assignment))
    persistence = Persistence(options.retries, options.forced_finish)
    calls: dict[str, int] = {}
    first_calls: list[Call] = []

    async def settle(call: Call) -> Reading:
        if call.query.query_id not in calls:
            first_calls.append(call)
        calls[call.query.query_id] = calls.get(call.query.query_id, 0) + 1
        reading = persistence.remembered(history.of(call.key, call.texts))
        plan.in_traces += reading is not None
        await rounds.wait(call.query.query_id)
        # What is not known yet is taken to agree with the first stage: enough to count the calls by.
        return reading or _agreeing(call)

    work = order_topics(assignment.topics, recipe.arrangement, asker, settle, Tally(), seed=options.seed)
    await rounds.run(work)
    plan.calls = sum(calls.values())
    plan.depends_on_answers = find_method(recipe.arrangement.method).depends_on_answers
    plan.longest_chain = rounds.longest
    if prompter:
        _count_tokens(plan, prompter, first_calls, calls)
    new = plan.calls - plan.in_traces
    plan.seconds = new * history.seconds_per_call if history.seconds_per_call is not None else None
    line = history.bytes_per_call or _LINE_BYTES + 2 * _TOKEN_BYTES * (
        recipe.sampling.max_tokens or _LIST_TOKENS
    )
    plan.disk_bytes = round(new * line) + _run_bytes(assignment.before, options.tag)
    place = assignment.destination.traces or assignment.destination.output
    plan.disk_free = shutil.disk_usage(place.absolute().parent).free if place else None
    return plan


def _agreeing(call: Call) -> Reading:
    """The reading of a judge that finds the first stage right."""
    ranks = {passage.doc_id: rank for rank, passage in enumerate(call.candidates)}
    order = sorted(range(len(call.passages)), key=lambda position: ranks[call.window.doc_ids[position]])
    return Reading(Status.OK, order)


def _count_tokens(plan: Plan, prompter: Prompter, first_calls: Sequence[Call], calls: dict[str, int]) -> None:
    plan.prompt_tokens = plan.longest_prompt = 0
    for call in first_calls:
        try:
            ready = prompter.prompt(call.query, call.passages)
        except DoesNotFitError:
            plan.cannot_fit.append(call.query.query_id)
            continue
        length = len(ready.prompt.token_ids or ())
        plan.prompt_tokens += length * calls[call.query.query_id]
        plan.longest_prompt = max(plan.longest_prompt, length)
        plan.cut_passages += ready.cut_passages


def _tokenizer(options: RerankOptions, recipe: Recipe) -> tuple[Tokenizer | None, int | None, str | None]:
    """The model's tokenizer and the room for prompts, or why there is none."""
    if options.engine != "vllm":
        return None, None, "this engine reads no tokens"
    try:
        tokenizer, context = model_card(recipe.wanted(options))
    except EngineError as error:
        return None, None, str(error)
    window = recipe.arrangement.largest_window
    longest = recipe.sampling.max_tokens or answer_tokens(recipe.family, tokenizer, window)
    return tokenizer, room_for_prompts(context, longest), None


def _history(place: Destination, options: RerankOptions) -> History:
    if options.overwrite or place.traces is None or not place.traces.is_file():
        return History()
    return read_traces(place.traces)


def _run_bytes(run: Run, tag: str) -> int:
    return sum(
        len(query_id) + len(doc_id) + len(tag) + len(" Q0  100 100 \n")
        for query_id in run
        for doc_id in run.ranked(query_id).doc_ids()
    )
