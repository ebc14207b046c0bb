"""`rearank evaluate`: measure runs against judgments."""

import logging
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from rearank_cli.commands.shared import Config, Debug, Quiet, Verbose
from rearank_cli.errors import InputError, UsageError
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.evaluation import Evaluation
    from rearank_cli.records import Qrels

log = logging.getLogger("rearank")

DEFAULTS = "ndcg@10 map@100 mrr@10 recall@100"


def evaluate(
    runs: Annotated[list[str], typer.Argument(metavar="RUN", help="Run files; - is standard input.")],
    qrels: Annotated[str | None, typer.Option(metavar="PATH", help="Judgments.")] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="The ir_datasets collection that has the judgments.")
    ] = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--measure",
            metavar="MEASURE",
            help="A measure, such as ndcg@10, map@100-l2 (grades from 2 up are relevant) or recip_rank; "
            "can be given several times.",
            show_default=DEFAULTS,
        ),
    ] = None,
    per_query: Annotated[
        bool, typer.Option("--per-query", help="Show every judged topic, then the means.")
    ] = False,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print the numbers.")
    ] = "table",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Evaluate runs: the numbers of trec_eval -c, which counts the judged topics that a run lacks as 0.

    rearank evaluate bm25.trec bm25.rearank.trec --dataset msmarco-passage/trec-dl-2019/judged
    """
    from rearank_cli.evaluation import as_json, as_table, evaluate_runs, name_runs, parse_measures
    from rearank_cli.trec import read_run

    if (qrels is None) == (dataset is None):
        raise UsageError("give the judgments with either --qrels or --dataset")
    if [*runs, qrels].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    names = [measure.name for measure in parse_measures(measures or DEFAULTS.split())]
    rankings = {name: read_run(path) for name, path in zip(name_runs(runs), runs, strict=True)}
    judgments = _read_judgments(qrels, dataset)
    evaluations = evaluate_runs(
        rankings, judgments.grades, names, excluded=judgments.excluded, qrels_name=judgments.name
    )
    for evaluation in evaluations:
        _warn_of_topics(evaluation, judged=len(judgments.grades))
        if evaluation.excluded:
            log.warning(
                "%s: documents removed because the judgments exclude them: %d",
                evaluation.run,
                evaluation.excluded,
            )
    if output_format == "json":
        typer.echo(as_json(evaluations, runs, judgments.name, per_query=per_query), nl=False)
    else:
        typer.echo(as_table(evaluations, per_query=per_query), nl=False)


class _Judgments(NamedTuple):
    name: str
    grades: "Qrels"
    excluded: Mapping[str, Collection[str]]


def _read_judgments(path: str | None, dataset: str | None) -> _Judgments:
    from rearank_cli.corpus import open_corpus
    from rearank_cli.trec import read_qrels

    if path is not None:
        return _Judgments(path, read_qrels(path), {})
    corpus = open_corpus(dataset=dataset)
    grades = corpus.qrels()
    if grades is None:
        raise InputError(f"{corpus.name} has no judgments; give them with --qrels")
    return _Judgments(corpus.name, grades, corpus.excluded())


def _warn_of_topics(evaluation: "Evaluation", judged: int) -> None:
    differences = []
    if evaluation.missing:
        differences.append(f"lacks {evaluation.missing} of the {judged} judged topics (counted as 0)")
    if evaluation.unjudged:
        topics = "topic" if evaluation.unjudged == 1 else "topics"
        differences.append(f"has {evaluation.unjudged} unjudged {topics} (not counted)")
    if differences:
        log.warning("%s %s", evaluation.run, " and ".join(differences))
