"""`rearank rerank`: a run goes in, a better run comes out, with the reasons."""

import contextlib
import logging
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, Quiet, Verbose, pairs
from rearank_cli.errors import (
    BusyError,
    EngineError,
    OutputError,
    RearankError,
    StoppedByUserError,
    TerminatedError,
)
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN, describe

if TYPE_CHECKING:
    from rearank_cli.records import Qrels
    from rearank_cli.reranking import Destination, Plan, Reranked, RerankOptions

log = logging.getLogger("rearank")

# Written out, as is what other commands list in their help: to import it takes longer than all the help.
METHODS = (
    "sliding, full, topdown, blitz, tourrank, setwise-heapsort, setwise-bubblesort, "
    "pointwise, groupwise, exclusion"
)


def rerank(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Run files to rerank; - is standard input.")],
    dataset: Annotated[str | None, typer.Option(metavar="ID", help="Texts and judgments from ir_datasets.", autocompletion=completion.datasets, rich_help_panel="Texts")] = None,
    docs: Annotated[Path | None, typer.Option(help="Documents: .jsonl, .tsv or a BEIR folder.", rich_help_panel="Texts")] = None,
    queries: Annotated[Path | None, typer.Option(help="Queries: .jsonl or .tsv.", rich_help_panel="Texts")] = None,
    qrels: Annotated[Path | None, typer.Option(help="Judgments, to evaluate before and after.", rich_help_panel="Texts")] = None,
    missing: Annotated[Literal["error", "skip"], typer.Option(help="Texts not found: stop, or leave their documents in place.", rich_help_panel="Texts")] = "error",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where the new run goes; - is standard output.", show_default="<run>.rearank.trec here", rich_help_panel="Output")] = None,
    traces: Annotated[Path | None, typer.Option(help="Where the reasoning goes.", show_default="beside the output, .jsonl", rich_help_panel="Output")] = None,
    tag: Annotated[str, typer.Option(help="Run tag.", rich_help_panel="Output")] = "rearank",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.", rich_help_panel="Output")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the traces of an earlier attempt; ask nothing twice.", rich_help_panel="Output")] = False,
    escape_ids: Annotated[bool, typer.Option("--escape-ids", help="Write spaces in document ids as %20.", rich_help_panel="Output")] = False,
    scores: Annotated[Literal["rank", "model"], typer.Option(help="Score column: N-rank+1, or the model's own where the method gives any.", rich_help_panel="Output")] = "rank",
    model: Annotated[str, typer.Option("--model", "-m", help="Model: a Hugging Face id or a folder.", autocompletion=completion.models, rich_help_panel="Model")] = "le723z/Rearank-7B",
    family: Annotated[str | None, typer.Option(metavar="NAME|FILE", help="What the model was trained to read: see rearank families.", show_default="the family that lists the model", autocompletion=completion.families, rich_help_panel="Model")] = None,
    engine: Annotated[Literal["vllm", "openai", "lexical", "replay"], typer.Option(help="What answers; replay rebuilds a run from its traces.", rich_help_panel="Model")] = "vllm",
    adapter: Annotated[str | None, typer.Option(metavar="PATH", help="LoRA adapter of the model: a folder or a Hugging Face id.", rich_help_panel="Model")] = None,
    revision: Annotated[str | None, typer.Option(metavar="REV", help="Model revision.", rich_help_panel="Model")] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A setting of the family, such as cut=300.", rich_help_panel="Model")] = None,
    engine_arg: Annotated[list[str] | None, typer.Option("--engine-arg", metavar="KEY=VALUE", help="Any vLLM engine argument, such as tensor_parallel_size=4.", rich_help_panel="Model")] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="The server of --engine openai; its key is $OPENAI_API_KEY.", show_default="$OPENAI_BASE_URL", rich_help_panel="Model")] = None,
    replicas: Annotated[int, typer.Option(metavar="N", help="Load the model so many times, on the GPUs of a Ray cluster or of this machine.", rich_help_panel="Model")] = 1,
    ray_address: Annotated[str | None, typer.Option(metavar="ADDR", help="The Ray cluster of the replicas, such as auto.", show_default="this machine alone", rich_help_panel="Model")] = None,
    method: Annotated[str | None, typer.Option(metavar="NAME", help=f"How calls are arranged: {METHODS}.", show_default="the family's", autocompletion=completion.methods, rich_help_panel="Method")] = None,
    window: Annotated[int | None, typer.Option(help="Passages in a call.", show_default="the family's", rich_help_panel="Method")] = None,
    step: Annotated[int | None, typer.Option(help="Passages from one window to the next.", show_default="the family's", rich_help_panel="Method")] = None,
    depth: Annotated[int | None, typer.Option(help="Passages of each query to rerank; the rest keep their order.", show_default="the family's", rich_help_panel="Method")] = None,
    top: Annotated[int | None, typer.Option(help="How many of the best to find: topdown, blitz, setwise.", show_default="10", rich_help_panel="Method")] = None,
    passes: Annotated[int | None, typer.Option(help="Go over the list so often: sliding, tourrank, groupwise.", show_default="the family's", rich_help_panel="Method")] = None,
    permutations: Annotated[int | None, typer.Option(help="Ask about each window in so many orders, and merge the answers.", show_default="1", rich_help_panel="Method")] = None,
    temperature: Annotated[float | None, typer.Option(help="Sampling temperature; 0 is greedy.", show_default="the family's", rich_help_panel="Method")] = None,
    top_p: Annotated[float | None, typer.Option(help="Sampling from the likeliest tokens of this total probability.", show_default="the family's", rich_help_panel="Method")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Longest answer, in tokens.", show_default="the family's", rich_help_panel="Method")] = None,
    seed: Annotated[int, typer.Option(help="Seed of sampling and of shuffles.", rich_help_panel="Method")] = 0,
    in_flight: Annotated[int | None, typer.Option(help="Calls at once.", show_default="as many as the engine can run", rich_help_panel="Method")] = None,
    retries: Annotated[int, typer.Option(help="Ask again so often: what failed, and what was unreadable where answers are sampled.", rich_help_panel="Answers")] = 1,
    no_forced_finish: Annotated[bool, typer.Option("--no-forced-finish", help="Leave answers that ran out of tokens unfinished, as most papers did.", rich_help_panel="Answers")] = False,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Give a request up after this.", show_default="never", rich_help_panel="Answers")] = None,
    grace: Annotated[float, typer.Option(metavar="SECONDS", help="After Ctrl-C or SIGTERM, wait for requests in flight.", rich_help_panel="Answers")] = 30.0,
    limit: Annotated[int | None, typer.Option(help="Only the first so many queries.", rich_help_panel="Queries")] = None,
    query: Annotated[list[str] | None, typer.Option(metavar="ID", help="Only these queries.", rich_help_panel="Queries")] = None,
    shard: Annotated[str | None, typer.Option(metavar="I/N", help="Only queries I, I+N, I+2N ...; rearank merge puts shards together.", rich_help_panel="Queries")] = None,
    input_order: Annotated[Literal["trec", "rank", "file"], typer.Option(help="What ranks the run: trec_eval's order by score, the rank field, or the lines.", rich_help_panel="Queries")] = "trec",
    max_failed: Annotated[float, typer.Option(metavar="FRACTION", help="Exit 5 when more calls than this end without an answer.", rich_help_panel="Answers")] = 0.05,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; ask nothing, write nothing.", rich_help_panel="Queries")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:  # fmt: skip
    """Rerank runs with a reasoning model; write new runs, and the reasoning beside them.

    rearank rerank run.trec --dataset msmarco-passage/trec-dl-2019/judged
    """
    from rearank_cli.commands.progress import looking_on
    from rearank_cli.reranking import RerankOptions, check_answers, destinations, plan_rerank, rerank_runs

    options = RerankOptions(
        dataset=dataset,
        docs=docs,
        queries=queries,
        missing=missing,
        output=output,
        traces=traces,
        tag=tag,
        overwrite=overwrite,
        resume=resume,
        retries=retries,
        forced_finish=not no_forced_finish,
        timeout=timeout,
        grace=grace,
        escape_ids=escape_ids,
        scores=scores,
        model=model,
        family=family,
        engine=engine,
        adapter=adapter,
        revision=revision,
        settings=pairs("--set", settings or []),
        engine_args=pairs("--engine-arg", engine_arg or []),
        method=method,
        window=window,
        step=step,
        depth=depth,
        top=top,
        passes=passes,
        permutations=permutations,
        temperature=temperature,
        top_p=top_p,
        max_tokens=max_tokens,
        seed=seed,
        in_flight=in_flight,
        base_url=base_url,
        replicas=replicas,
        ray_address=ray_address,
        shard=shard,
        limit=limit,
        query=tuple(query or ()),
        input_order=input_order,
        max_failed=max_failed,
    )
    places = destinations(runs, output, traces, replay=engine == "replay", shard=shard)
    if dry_run:
        plans, why_not = plan_rerank(runs, options, places)
        for plan in plans:
            typer.echo("\n".join(_plan_lines(plan, why_not)))
        return
    sizes = _trace_sizes(places)
    try:
        with looking_on() as observer:
            results = rerank_runs(runs, options, places, observer)
    except (EngineError, OutputError, StoppedByUserError, TerminatedError) as error:
        # Where another job is writing, or nothing was begun, there is nothing to go on from.
        if isinstance(error, BusyError) or _trace_sizes(places) == sizes:
            raise
        raise _with_way_on(error) from error
    for result in results:
        _report(result)
    _evaluate(results, options, qrels)
    check_answers(results, max_failed)


def _trace_sizes(places: Sequence["Destination"]) -> list[int]:
    return [place.traces.stat().st_size if place.traces and place.traces.is_file() else 0 for place in places]


def _with_way_on(error: RearankError) -> RearankError:
    """The error, with the command that goes on from the traces."""
    words = [word for word in sys.argv[1:] if word not in {"--overwrite", "--resume"}]
    # Right after the command: what follows a -- is no option.
    words.insert(words.index("rerank") + 1 if "rerank" in words else 0, "--resume")
    way_on = shlex.join(["rearank", *words])
    return type(error)(f"{error}; what was answered is in the traces, to go on: {way_on}")


def _plan_lines(plan: "Plan", why_not: str | None) -> Iterator[str]:
    """What would happen, a fact a line."""
    yield f"run        {plan.name}"
    yield f"queries    {plan.queries:,}"
    about, most = ("about ", "some") if plan.depends_on_answers else ("", "at most")
    yield f"calls      {about}{plan.calls:,}, {most} {plan.longest_chain} of a query one after another"
    yield f"in traces  {plan.in_traces:,} of them already"
    if plan.prompt_tokens is None:
        yield f"tokens     not counted: {why_not}"
    else:
        yield f"tokens     about {plan.prompt_tokens:,} in prompts, the longest of {plan.longest_prompt:,}"
        yield f"cut        {plan.cut_passages:,} passages in the first window of each query"
        if plan.cannot_fit:
            yield f"no room    for the prompts of queries {', '.join(plan.cannot_fit)}: they would keep their order"
    yield f"missing    {plan.missing_queries:,} queries and {plan.missing_documents:,} documents without text"
    if plan.excluded_documents:
        yield f"excluded   {plan.excluded_documents:,} documents, by the dataset's judgments"
    free = "" if plan.disk_free is None else f", {plan.disk_free / 1e6:,.0f} MB free"
    yield f"disk       at most {plan.disk_bytes / 1e6:,.1f} MB{free}"
    if plan.seconds is not None:
        yield f"time       about {plan.seconds:,.0f} s, at the pace of the last attempt"


def _report(result: "Reranked") -> None:
    """Say what became of a run."""
    from rearank_cli.words import counted

    tally = result.tally
    queries = counted(len(result.after), "query", "queries")
    log.info("%s: %s, %s", describe(result.name), queries, tally.summary)
    log.info("%s", tally.work(result.seconds))
    if tally.trouble:
        log.warning("%s", tally.trouble)
    if tally.cut_passages:
        cut = "passage was" if tally.cut_passages == 1 else "passages were"
        log.info("%s %s cut so that prompts fit the model's context", f"{tally.cut_passages:,}", cut)
    places = (result.destination.output, result.destination.traces)
    if written := [str(path) for path in places if path and str(path) != STDOUT]:
        log.info("wrote %s", " and ".join(written))


def _evaluate(results: Sequence["Reranked"], options: "RerankOptions", qrels: Path | None) -> None:
    """Show the measures before and after. What is wrong with judgments is a warning: the runs are written."""
    from rearank_cli.evaluation.aside import evaluate_aside

    if not log.isEnabledFor(logging.INFO):
        return
    try:
        judgments = _judgments(options, qrels)
        if judgments is None:
            return
        for result in results:
            if not result.after:  # a shard without queries
                continue
            topics = result.after if options.limit or options.query or options.shard else judgments
            judged = {query_id: judgments[query_id] for query_id in topics if query_id in judgments}
            before, after = result.name, Path(result.destination.output or "reranked").name
            if before == after or STDIN in (before, after):
                before, after = "before", "after"
            table = evaluate_aside({before: result.before, after: result.after}, judged)
            with contextlib.suppress(OSError):  # as messages do, where the terminal has gone away
                typer.echo(table, err=True, nl=False)
    except RearankError as error:
        log.warning("no evaluation: %s", error)


def _judgments(options: "RerankOptions", qrels: Path | None) -> "Qrels | None":
    from rearank_cli.corpus import open_corpus
    from rearank_cli.trec import read_qrels

    if qrels:
        return read_qrels(qrels)
    if not options.dataset and not options.docs:
        return None
    return open_corpus(dataset=options.dataset, docs=options.docs, queries=options.queries).qrels()
