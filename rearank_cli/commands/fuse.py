"""`rearank fuse`: several runs as one."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.configuration import on_command_line
from rearank_cli.commands.shared import Config, Debug, EscapeIds, Overwrite, Quiet, Runs, Tag, Verbose
from rearank_cli.errors import UsageError
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.evaluation import Tuning
    from rearank_cli.records import Run

log = logging.getLogger("rearank")

# Written out, as is what other commands list in their help: to import it takes longer than all the help.
METHODS = (
    "rrf, isr, logn_isr, rbc, borda (by rank); combsum, combmnz, combgmnz, combmax, combmin, combmed, "
    "combanz (by score); wsum, wmnz, mixed (by weighted score)"
)


def fuse(
    context: typer.Context,
    runs: Runs,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the fused run goes; - is standard output.")
    ] = Path(STDOUT),
    by: Annotated[
        str,
        typer.Option(metavar="METHOD", help=f"How to fuse: {METHODS}.", autocompletion=completion.fusions),
    ] = "rrf",
    norm: Annotated[
        Literal["minmax", "zscore", "sum", "max", "rank", "none"] | None,
        typer.Option(
            help="What makes the scores of each query comparable; none leaves them as they are.",
            show_default="minmax, where scores count",
        ),
    ] = None,
    weights: Annotated[
        list[float] | None,
        typer.Option(
            "--weight",
            metavar="W",
            help="The weight of a run, once for each, in their order.",
            show_default="equal weights",
        ),
    ] = None,
    parameter: Annotated[
        float | None,
        typer.Option(
            metavar="NUMBER",
            help="k of rrf, phi of rbc, gamma of combgmnz, sigma of logn_isr.",
            show_default="60, 0.8, 0.5, 0.01",
        ),
    ] = None,
    tune_for: Annotated[
        str | None,
        typer.Option(
            metavar="MEASURE",
            help="Find the weights, or the parameter, with the best ndcg@10, map@100 ... on judgments. "
            "Measure the result on others: on these it is too good.",
            autocompletion=completion.measures,
        ),
    ] = None,
    qrels: Annotated[str | None, typer.Option(metavar="PATH", help="Judgments to tune for.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The ir_datasets collection that has these judgments.",
            autocompletion=completion.judged_datasets,
        ),
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option("--depth", "-k", min=1, help="Documents to keep for each query.", show_default="all"),
    ] = None,
    tag: Tag = "fused",
    escape_ids: EscapeIds = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Fuse runs into one, by their ranks or by their scores. Its scores are those of the fusion.

    rearank fuse bm25.trec reranked.trec --by wsum --weight 0.1 --weight 0.9 -o fused.trec
    """
    from rearank_cli.corpus.judgments import read_judgments
    from rearank_cli.evaluation import fuse_runs, name_runs, plan_fusion, tune_fusion
    from rearank_cli.reranking.destinations import check_writable
    from rearank_cli.trec import read_run, write_run
    from rearank_cli.trec.runs import check_tag

    fusion = plan_fusion(by, len(runs), norm=norm, weights=weights or (), parameter=parameter)
    if tune_for is None and (on_command_line(context, "qrels") or on_command_line(context, "dataset")):
        raise UsageError("judgments are there to tune for: give --tune-for MEASURE with them")
    _check_options(runs, tune_for, qrels, dataset, given=bool(weights) or parameter is not None)
    check_tag(tag)
    check_writable(output, may_exist=overwrite)
    named = {name: read_run(path) for name, path in zip(name_runs(runs), runs, strict=True)}
    _warn_of_queries(named)
    if not fusion.method.by_rank:
        _tell_of_ranks(named)
    if tune_for is not None:
        judgments = read_judgments(qrels, dataset)
        tuning = tune_fusion(named, fusion, judgments.grades, tune_for, excluded=judgments.excluded)
        fusion = tuning.fusion
        _tell_of(tuning)
    fused = fuse_runs(named, fusion, depth=depth, tag=tag)
    write_run(fused, output, escape_ids=escape_ids, own_scores=True)
    documents = sum(len(fused.ranked(query_id)) for query_id in fused)
    place = "" if str(output) == STDOUT else f"wrote {output}: "
    log.info("%s%d queries, %s documents of %d runs", place, len(fused), f"{documents:,}", len(named))


def _check_options(
    runs: list[str], tune_for: str | None, qrels: str | None, dataset: str | None, *, given: bool
) -> None:
    """Raise UsageError for what does not go together."""
    if [*runs, qrels].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    if tune_for is None:
        return
    if (qrels is None) == (dataset is None):
        raise UsageError("give the judgments to tune for with either --qrels or --dataset")
    if given:
        raise UsageError("--tune-for finds what --weight and --parameter say; leave them out")


def _warn_of_queries(runs: Mapping[str, "Run"]) -> None:
    queries = {query_id for run in runs.values() for query_id in run}
    for name, run in runs.items():
        if lacking := len(queries) - len(run):
            log.warning(
                "%s lacks %d of the %d queries; the other runs are fused there", name, lacking, len(queries)
            )


def _tell_of_ranks(runs: Mapping[str, "Run"]) -> None:
    from rearank_cli.trec.merging import has_own_scores

    for name, run in runs.items():
        if not has_own_scores(run):
            log.info("the scores of %s are its ranks (rerank --scores model writes a model's own)", name)


def _tell_of(tuning: "Tuning") -> None:
    fusion = tuning.fusion
    found = (
        " ".join(f"--weight {weight:g}" for weight in fusion.weights) or f"--parameter {fusion.parameter:g}"
    )
    log.info(
        "%s is the best of %d for %s: %.4f over %d judged topics (%s: %.4f)",
        found,
        tuning.tried,
        tuning.measure,
        tuning.value,
        tuning.topics,
        "equal weights" if fusion.weights else "the default",
        tuning.before,
    )
    log.warning("do not measure the fused run on the judgments that it is tuned for: it would look too good")
