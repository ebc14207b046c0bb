"""What became of a run: its new order, written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rearank_cli.errors import UnansweredError
from rearank_cli.records import RankedDocs, Ranking, Run
from rearank_cli.reranking.assignments import Assignment
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.tally import Tally
from rearank_cli.reranking.topics import Topic
from rearank_cli.trec import write_run
from rearank_cli.trec.own_scores import strictly_falling


@dataclass(frozen=True)
class Reranked:
    """What became of one run. `before` and `after` hold the queries that were asked for."""

    name: str
    before: Run
    after: Run
    destination: Destination
    tally: Tally
    seconds: float


def check_answers(results: Sequence[Reranked], max_failed: float) -> None:
    """Raise UnansweredError where too many calls had no answer; all of their windows kept their order."""
    calls = sum(result.tally.calls for result in results)
    unanswered = sum(result.tally.unanswered for result in results)
    if calls and unanswered / calls > max_failed:
        raise UnansweredError(
            f"{unanswered} of {calls} calls ended without an answer, more than --max-failed {max_failed:g} "
            "allows; the run is written, and its traces say what the model answered"
        )


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


def _ranked(topic: Topic, ranking: Ranking, options: RerankOptions) -> RankedDocs:
    ranked = topic.rearranged(ranking.doc_ids)
    if options.scores == "rank" or ranking.scores is None:
        return ranked
    return model_scored(ranked.doc_ids(), ranking.scores)


def model_scored(doc_ids: Sequence[str], scores: Mapping[str, float]) -> RankedDocs:
    """Ranked documents with the scores that a model gave, made strictly falling.

    A document that has no score (the tail, a failed call) is scored a hair below the one above it, and one
    that stands first a little above all that have a score.
    """
    above = max(scores.values(), default=0.0) + 2.0**-20 * max(map(abs, scores.values()), default=0.0)
    given = []
    for doc_id in doc_ids:
        above = min(scores.get(doc_id, above), above)
        given.append(above)
    return RankedDocs(doc_ids, strictly_falling(given))
