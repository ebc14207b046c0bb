"""Fusion with the weights that judgments like best."""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from statistics import fmean

from rearank_cli.errors import InputError, UsageError
from rearank_cli.evaluation.engine import Scorer
from rearank_cli.evaluation.fusion import NormedRuns, in_order
from rearank_cli.evaluation.fusion_methods import Fusion
from rearank_cli.evaluation.measures import parse_measures
from rearank_cli.records import Qrels, Run

_MOST_WEIGHTS = 500


@dataclass(frozen=True, slots=True)
class Tuning:
    """The best of all that were tried, its mean over the judged topics, and the mean `before`: by default."""

    fusion: Fusion
    measure: str
    value: float
    before: float
    tried: int
    topics: int


def tune_fusion(
    runs: Mapping[str, Run],
    fusion: Fusion,
    qrels: Qrels,
    measure: str,
    *,
    excluded: Mapping[str, Collection[str]] | None = None,
) -> Tuning:
    """Find the weights, or the parameter, with the best mean of a measure over all judged topics.

    All weights that sum to 1 in steps are tried (of 0.05 for two runs, of more for many), or the
    parameter's usual values; of equally good ones those nearest to equal weights, or to the default,
    are taken. Raises UsageError for a method that has neither, InputError without a judged topic.
    """
    tried = _candidates(fusion, len(runs))
    if not tried:
        raise UsageError(f"{fusion.method.name} has nothing to tune; --by wsum has weights, --by rrf its k")
    measures = parse_measures([measure])
    topics = [query_id for query_id in qrels if any(query_id in run for run in runs.values())]
    if not topics:
        raise InputError(
            "the judgments and the runs have no topic in common; are all of the same collection?"
        )
    normed = NormedRuns(runs, topics, fusion)
    scorer = Scorer(qrels)
    unwanted = {query_id: frozenset(doc_ids) for query_id, doc_ids in (excluded or {}).items()}

    def mean(candidate: Fusion) -> float:
        rankings = {
            query_id: [doc_id for doc_id in in_order(scores) if doc_id not in unwanted.get(query_id, ())]
            for query_id, scores in normed.fused(candidate).items()
        }
        (values,) = scorer.score(rankings, measures).values()
        # Sums of the same numbers in another order are the same.
        return round(fmean(values.values()), 12)

    means = [mean(candidate) for candidate in tried]
    best = means.index(max(means))
    return Tuning(tried[best], measures[0].name, means[best], mean(fusion), len(tried), len(qrels))


def _candidates(fusion: Fusion, runs: int) -> list[Fusion]:
    """What tuning tries, the default nearest first."""
    method = fusion.method
    if method.weighted:
        weights = sorted(_weights(runs), key=lambda each: (sum(weight**2 for weight in each), each))
        return [Fusion(method, fusion.norm, each) for each in weights]
    values = sorted(method.grid, key=lambda value: (abs(value - method.default), value))
    return [Fusion(method, fusion.norm, (), value) for value in values]


def _weights(runs: int) -> Iterator[tuple[float, ...]]:
    """All weights in equal steps that sum to 1; the steps are as small as a few hundred weights allow."""
    steps = next(
        (each for each in (20, 10, 5, 4, 2) if math.comb(each + runs - 1, runs - 1) <= _MOST_WEIGHTS), 1
    )
    for parts in itertools.product(range(steps + 1), repeat=runs - 1):
        if sum(parts) <= steps:
            yield tuple(part / steps for part in (*parts, steps - sum(parts)))
