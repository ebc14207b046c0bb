"""Runs in, numbers out: equal to those of `trec_eval -c`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from rearank_cli.errors import InputError
from rearank_cli.evaluation.engine import Scorer
from rearank_cli.evaluation.measures import Measure, parse_measures
from rearank_cli.records import Qrels, Run

DEFAULT_MEASURES = ("ndcg@10", "map@100", "mrr@10", "recall@100")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One run's numbers, and what to know about them.

    `means` has each measure's mean over all topics of the judgments; `per_query` has measure ->
    query_id -> value, for all these topics, in the order of the judgments.

    `missing` judged topics have no documents in the run and count as 0; `unjudged` topics of the run
    do not count; `excluded` documents were removed before scoring.
    """

    run: str
    means: dict[str, float]
    per_query: dict[str, dict[str, float]] = field(repr=False)
    missing: int = 0
    unjudged: int = 0
    excluded: int = 0


def evaluate_runs(
    runs: Mapping[str, Run],
    qrels: Qrels,
    measures: Sequence[str] = DEFAULT_MEASURES,
    *,
    excluded: Mapping[str, Collection[str]] | None = None,
    qrels_name: str = "the judgments",
) -> list[Evaluation]:
    """Evaluate runs by name. What counts is the order of a run's documents, not their scores.

    `excluded` has, by query_id, documents to remove from the runs first. Raises UsageError for
    measures that cannot be used, InputError where the judgments or a run are empty, or have no topic
    in common.
    """
    parsed = parse_measures(measures)
    if not any(qrels.values()):
        raise InputError(f"{qrels_name}: no judgments in it")
    for name, run in runs.items():
        if not any(len(run.ranked(query_id)) for query_id in run):
            raise InputError(f"{name}: no documents in it")
        if qrels.keys().isdisjoint(run):
            raise InputError(
                f"{name} and {qrels_name} have no topic in common: one begins with {next(iter(run))}, "
                f"the other with {next(iter(qrels))}; are both of the same collection?"
            )
    scorer = Scorer(qrels)
    return [_evaluate(name, run, qrels, parsed, excluded or {}, scorer) for name, run in runs.items()]


def _evaluate(
    name: str,
    run: Run,
    qrels: Qrels,
    measures: Sequence[Measure],
    excluded: Mapping[str, Collection[str]],
    scorer: Scorer,
) -> Evaluation:
    missing = removed = 0
    rankings = {}
    for query_id in qrels:
        ranking = run.ranked(query_id).doc_ids() if query_id in run else []
        unwanted = frozenset(excluded.get(query_id, ()))
        rankings[query_id] = [doc_id for doc_id in ranking if doc_id not in unwanted]
        missing += not ranking
        removed += len(ranking) - len(rankings[query_id])
    per_query = scorer.score(rankings, measures)
    return Evaluation(
        run=name,
        means={measure: fmean(values.values()) for measure, values in per_query.items()},
        per_query=per_query,
        missing=missing,
        unjudged=len(run.keys() - qrels.keys()),
        excluded=removed,
    )
