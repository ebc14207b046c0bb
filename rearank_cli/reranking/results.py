"""What became of a run: its new order, written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rearank_cli.records import Run
from rearank_cli.reranking.assignments import Assignment
from rearank_cli.reranking.conductor import Tally
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import RerankOptions
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
    orders: Mapping[str, Sequence[str]],
    tally: Tally,
    seconds: float,
    options: RerankOptions,
) -> Reranked:
    """Put every topic into its new order, and write the run. Raises OutputError."""
    after = Run(
        {topic.query_id: topic.rearranged(orders[topic.query_id]) for topic in assignment.topics}, options.tag
    )
    place = assignment.destination
    if place.output:
        write_run(after, place.output, escape_ids=options.escape_ids)
    return Reranked(assignment.name, assignment.before, after, place, tally, seconds)
