"""Runs in, numbers out: equal to those of `trec_eval -c`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from rearank_cli.errors import InputError, UsageError
from rearank_cli.evaluation.engine import Scorer
from rearank_cli.evaluation.measures import Measure, parse_measures
from rearank_cli.records import Qrels, Run

if TYPE_CHECKING:
    from rearank_cli.evaluation.comparison import Difference

DEFAULT_MEASURES = ("ndcg@10", "map@100", "mrr@10", "recall@100")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run's numbers, and what to know about them.

    `means` has each measure's mean over all topics of the judgments; `per_query` has measure ->
    query_id -> value, for all these topics, in the order of the judgments.

    `missing` judged topics have no documents in the run and count as 0; `unjudged` topics of the run
    do not count; `excluded` documents were removed before scoring. `differences` are those from the
    first run, by measure, where runs were compared; the first run has none.
    """

    run: str
    means: dict[str, float]
    per_query: dict[str, dict[str, float]] = field(repr=False)
    missing: int = 0
    unjudged: int = 0
    excluded: int = 0
    differences: "tuple[Difference, ...]" = ()


def evaluate_runs(
    runs: Mapping[str, Run],
    qrels: Qrels,
    measures: Sequence[str] = DEFAULT_MEASURES,
    *,
    excluded: Mapping[str, Collection[str]] | None = None,
    cutoff: int | None = None,
    level: int = 1,
    qrels_name: str = "the judgments",
) -> list[Evaluation]:
    """Evaluate runs by name. What counts is the order of a run's documents, not their scores.

    `excluded` has, by query_id, documents to remove from the runs first. Only the first `cutoff`
    documents of each topic count (trec_eval's -M), and grades from `level` up are relevant in measures
    that know only relevant or not, and do not name a level of their own (trec_eval's -l).

    Raises UsageError for measures, a cut-off or a level that cannot be used, InputError where the
    judgments or a run are empty, or have no topic in common.
    """
    parsed = check_options(measures, cutoff=cutoff, level=level)
    if not any(qrels.values()):
        raise InputError(f"{qrels_name}: no judgments in it")
    highest = max(grade for grades in qrels.values() for grade in grades.values())
    if level > max(1, highest):
        raise UsageError(
            f"at level {level} nothing is relevant: the highest grade in {qrels_name} is {highest}"
        )
    for name, run in runs.items():
        if not any(len(run.ranked(query_id)) for query_id in run):
            raise InputError(f"{name}: no documents in it")
        if qrels.keys().isdisjoint(run):
            raise InputError(
                f"{name} and {qrels_name} have no topic in common: one begins with {next(iter(run))}, "
                f"the other with {next(iter(qrels))}; are both of the same collection?"
            )
    scorer = Scorer(qrels)
    return [_evaluate(name, run, qrels, parsed, excluded or {}, cutoff, scorer) for name, run in runs.items()]


def check_options(measures: Sequence[str], *, cutoff: int | None, level: int) -> list[Measure]:
    """The measures, as `evaluate_runs` will take them. Raises UsageError where it would for these options."""
    if cutoff is not None and cutoff < 1:
        raise UsageError(f"cutoff {cutoff} cannot be: cut-offs begin with 1")
    return parse_measures(measures, level=level)


def _evaluate(
    name: str,
    run: Run,
    qrels: Qrels,
    measures: Sequence[Measure],
    excluded: Mapping[str, Collection[str]],
    cutoff: int | None,
    scorer: Scorer,
) -> Evaluation:
    missing = removed = 0
    rankings = {}
    for query_id in qrels:
        ranking = run.ranked(query_id).doc_ids() if query_id in run else []
        unwanted = frozenset(excluded.get(query_id, ()))
        wanted = [doc_id for doc_id in ranking if doc_id not in unwanted]
        rankings[query_id] = wanted[:cutoff]
        missing += not ranking
        removed += len(ranking) - len(wanted)
    per_query = scorer.score(rankings, measures)
    return Evaluation(
        run=name,
        means={measure: fmean(values.values()) for measure, values in per_query.items()},
        per_query=per_query,
        missing=missing,
        unjudged=len(run.keys() - qrels.keys()),
        excluded=removed,
    )
