"""What became of a run: its new order, written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rearank_cli.records import RankedDocs, Ranking, Run
from rearank_cli.reranking.assignments import Assignment
from rearank_cli.reranking.conductor import Tally
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.topics import Topic
from rearank_cli.trec import write_run


@dataclass(frozen=True)
class Reranked:
    """What became of one run. `before` and `after` hold the queries that were asked for."""

    name: str
    before: Run
    after: Run
    destination: Destination
    tally: Tally
    seconds: float


def finish(
    assignment: Assignment,
    rankings: Mapping[str, Ranking],
    tally: Tally,
    seconds: float,
    options: RerankOptions,
) -> Reranked:
    """Put every topic into its new order, and write the run. Raises OutputError."""
    after = Run(
        {topic.query_id: _ranked(topic, rankings[topic.query_id], options) for topic in assignment.topics},
        options.tag,
    )
    place = assignment.destination
    if place.output:
        write_run(
            after,
            place.output,
            escape_ids=options.escape_ids,
            own_scores=options.scores == "model",
        )
    return Reranked(assignment.name, assignment.before, after, place, tally, seconds)


# Far above the resolution of a 32-bit float, and far below any difference that a model means.
_GAP = 2.0**-20


def _ranked(topic: Topic, ranking: Ranking, options: RerankOptions) -> RankedDocs:
    ranked = topic.rearranged(ranking.doc_ids)
    if options.scores == "rank" or ranking.scores is None:
        return ranked
    return model_scored(ranked.doc_ids(), ranking.scores)


def model_scored(doc_ids: Sequence[str], scores: Mapping[str, float]) -> RankedDocs:
    """Ranked documents with the scores that a model gave, made strictly decreasing.

    A document that ties with the one above it, or has no score (the tail, a failed call), is scored
    a hair below it: no reader's rule for ties can undo the order.
    """
    given = []
    # A document without a score at the very top is a hair above all that have one.
    best = max(scores.values(), default=0.0)
    above = best + 2 * _GAP * max(1.0, abs(best))
    for doc_id in doc_ids:
        below = above - max(1.0, abs(above)) * _GAP
        above = min(scores.get(doc_id, below), below)
        given.append(above)
    return RankedDocs(doc_ids, given)
