"""`rearank train reward`: what the papers' rewards make of answers that are there already."""

import logging
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, JudgedDataset, Qrels, Quiet, Traces, Verbose
from rearank_cli.commands.train.judgments import judgments_of
from rearank_cli.errors import UsageError
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.training.survey import Survey

log = logging.getLogger("rearank")


def reward(
    traces: Traces,
    qrels: Qrels = None,
    dataset: JudgedDataset = None,
    by: Annotated[
        Literal["rearank", "reasonrank"], typer.Option("--reward", help="The paper whose reward it is.")
    ] = "rearank",
    gain: Annotated[
        Literal["normalised", "ndcg", "difference"],
        typer.Option(
            metavar="NAME",
            help="rearank: the possible gain in nDCG@10 that is made, nDCG@10 itself, or its difference. "
            "One of normalised, ndcg, difference.",
        ),
    ] = "normalised",
    clip: Annotated[bool, typer.Option("--clip", help="rearank: the gain ends at 0 and 1.")] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="rearank: a well-formed ranking has every identifier, once.")
    ] = False,
    recall_weight: Annotated[float, typer.Option(help="reasonrank: the weight of recall@10.")] = 0.2,
    overlap_weight: Annotated[
        float, typer.Option(help="reasonrank: the weight of the overlap with the best order.")
    ] = 0.1,
    level: Annotated[int, typer.Option(min=1, help="reasonrank: the least grade that is relevant.")] = 1,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The family that was asked.",
            show_default="the one the traces name",
            autocompletion=completion.families,
        ),
    ] = None,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print the numbers.")
    ] = "table",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Reward what a model already answered, part by part: what training would see, before any is spent.

    rearank train reward run.rearank.jsonl --qrels qrels.trec
    """
    import orjson

    from rearank_cli.traces import TraceFile
    from rearank_cli.training.bars import as_text
    from rearank_cli.training.survey import survey

    if (qrels is None) == (dataset is None):
        raise UsageError("give the judgments with either --qrels or --dataset")
    if [traces, qrels].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    judgments = judgments_of(qrels, _corpus_of_judgments(dataset))
    options = {
        "gain": gain,
        "clip": clip,
        "complete": complete,
        "recall_weight": recall_weight,
        "overlap_weight": overlap_weight,
    }
    surveyed = survey(TraceFile(traces), judgments, by, family=family, level=level, options=options)
    if output_format == "json":
        typer.echo(orjson.dumps(surveyed.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(as_text(surveyed), nl=False)
    _tell(surveyed)


def _tell(surveyed: "Survey") -> None:
    """What the numbers are of."""
    log.info(
        "%s answers to windows of %d queries, by the reward of %s",
        f"{surveyed.answers:,}",
        surveyed.queries,
        {"rearank": "REARANK", "reasonrank": "ReasonRank"}[surveyed.reward],
    )
    if surveyed.unjudged:
        log.info("%s calls are of queries without judgments", f"{surveyed.unjudged:,}")
    if surveyed.unanswered:
        log.info("%s calls had no response", f"{surveyed.unanswered:,}")
    if surveyed.without_room:
        log.info(
            "%s answers are to windows that no order improves: train data draws none of these",
            f"{surveyed.without_room:,}",
        )
    groups = surveyed.groups
    if groups.windows:
        log.info(
            "windows asked more than once: %s, of which %s (%.0f %%) have only equal answers, "
            "and teach GRPO nothing; mean spread %.4f",
            f"{groups.windows:,}",
            f"{groups.equal:,}",
            100 * groups.equal / groups.windows,
            groups.deviation,
        )
    elif surveyed.answers:
        log.info("no window was shown twice in the same order: there is nothing that GRPO would compare")


def _corpus_of_judgments(dataset: str | None) -> "Corpus | None":
    from rearank_cli.corpus import open_corpus

    return open_corpus(dataset=dataset) if dataset is not None else None
