"""`rearank evaluate`: measure runs against judgments."""

import logging
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, JudgedDataset, Qrels, Quiet, Runs, Verbose
from rearank_cli.errors import UsageError
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.evaluation import Evaluation

log = logging.getLogger("rearank")

DEFAULTS = "ndcg@10 map@100 mrr@10 recall@100"


def evaluate(
    runs: Runs,
    qrels: Qrels = None,
    dataset: JudgedDataset = None,
    measures: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--measure",
            metavar="MEASURE",
            help="A measure, such as ndcg@10, map@100-l2 (grades from 2 up are relevant) or recip_rank; "
            "can be given several times.",
            show_default=DEFAULTS,
            autocompletion=completion.measures,
        ),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Measure as a track of TREC does: dl-2019-passage to dl-2023-passage, dl-2019-document to "
            "dl-2023-document.",
            autocompletion=completion.measured_tracks,
        ),
    ] = None,
    level: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Grades from N up are relevant, in measures that know only relevant or not and name no "
            "level of their own.",
            show_default="1, or the track's",
        ),
    ] = None,
    cutoff: Annotated[
        int | None,
        typer.Option(metavar="N", help="Only the first N documents of each topic count.", show_default="all"),
    ] = None,
    per_query: Annotated[
        bool,
        typer.Option(
            "--per-query",
            help="Show every judged topic, then the means; with several runs what each topic gained or "
            "lost, the greatest gain first.",
        ),
    ] = False,
    compare: Annotated[
        Literal["student", "fisher", "tukey"] | None,
        typer.Option(
            help="Compare every run with the first: Student's paired t-test, Fisher's randomization test, "
            "or Tukey's HSD.",
        ),
    ] = None,
    alpha: Annotated[
        float,
        typer.Option(
            metavar="P", help="What p counts as significant; intervals have the confidence 1 - alpha."
        ),
    ] = 0.05,
    seed: Annotated[int, typer.Option(metavar="N", help="What --compare fisher draws permutations by.")] = 0,
    output_format: Annotated[
        Literal["table", "json", "csv", "markdown", "latex"],
        typer.Option(
            "--format",
            help="How to print the numbers: json and csv have them unrounded, latex uses booktabs.",
        ),
    ] = "table",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Evaluate runs: the numbers of trec_eval -c, which counts the judged topics that a run lacks as 0.

    rearank evaluate bm25.trec new.trec --dataset msmarco-passage/trec-dl-2019/judged --compare student
    """
    from rearank_cli.corpus.judgments import read_judgments
    from rearank_cli.evaluation import (
        Comparison,
        as_csv,
        as_json,
        as_latex,
        as_markdown,
        as_table,
        check_options,
        choose_measures,
        evaluate_runs,
        name_runs,
    )
    from rearank_cli.trec import read_run

    if (qrels is None) == (dataset is None):
        raise UsageError("give the judgments with either --qrels or --dataset")
    if [*runs, qrels].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    chosen, least = choose_measures(measures, level, track)
    check_options(chosen, cutoff=cutoff, level=least)
    tested = Comparison(compare or "student", seed=seed, alpha=alpha)
    comparison = tested if compare else None
    if comparison and len(runs) < 2:
        raise UsageError("--compare needs two runs or more: the first is what the others are compared with")
    if comparison and per_query and output_format == "csv":
        raise UsageError("a CSV file is one table; give either --compare or --per-query")
    rankings = {name: read_run(path) for name, path in zip(name_runs(runs), runs, strict=True)}
    judgments = read_judgments(qrels, dataset)
    evaluations = evaluate_runs(
        rankings,
        judgments.grades,
        chosen,
        excluded=judgments.excluded,
        cutoff=cutoff,
        level=least,
        qrels_name=judgments.name,
    )
    for evaluation in evaluations:
        _warn_of_topics(evaluation, judged=len(judgments.grades))
        if evaluation.excluded:
            log.warning(
                "%s: documents removed because the judgments exclude them: %d",
                evaluation.run,
                evaluation.excluded,
            )
    if comparison:
        if len(judgments.grades) == 1:
            log.warning("only one topic is judged: no test can tell anything, and every p is 1")
        evaluations = comparison.apply(evaluations)
    text: str | bytes
    if output_format == "json":
        text = as_json(
            evaluations, runs, judgments.name, per_query=per_query, comparison=comparison, cutoff=cutoff
        )
    elif output_format == "csv":
        text = as_csv(evaluations, per_query=per_query, comparison=comparison)
    elif output_format == "latex":
        text = as_latex(evaluations, per_query=per_query, comparison=comparison, cutoff=cutoff)
    elif output_format == "markdown":
        text = as_markdown(evaluations, per_query=per_query, comparison=comparison)
    else:
        text = as_table(evaluations, per_query=per_query, comparison=comparison)
    typer.echo(text, nl=False)


def _warn_of_topics(evaluation: "Evaluation", judged: int) -> None:
    differences = []
    if evaluation.missing:
        differences.append(f"lacks {evaluation.missing} of the {judged} judged topics (counted as 0)")
    if evaluation.unjudged:
        topics = "topic" if evaluation.unjudged == 1 else "topics"
        differences.append(f"has {evaluation.unjudged} unjudged {topics} (not counted)")
    if differences:
        log.warning("%s %s", evaluation.run, " and ".join(differences))
