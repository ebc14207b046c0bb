"""What a report tells: values, gathered before any of it is written as HTML."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rearank_cli.evaluation import Evaluation
from rearank_cli.evaluation.comparison import Difference
from rearank_cli.records import Passage, Qrels, Run, Status, Window
from rearank_cli.traces import TracedCall
from rearank_cli.trec.streams import describe


@dataclass(frozen=True, slots=True)
class Asked:
    """A call that had a part in the ranking, and what the traces have of it; None where they have nothing."""

    window: Window
    call: TracedCall | None

    @property
    def status(self) -> Status | None:
        """What became of it; None where it is not in the traces."""
        return self.call.settled.status if self.call else None

    @property
    def tokens(self) -> int | None:
        """The tokens answered, over all its requests; None where no engine counted any."""
        counted = [
            request.completion_tokens
            for request in (self.call.requests if self.call else ())
            if request.completion_tokens is not None
        ]
        return sum(counted) if counted else None

    @property
    def seconds(self) -> float | None:
        """How long its requests took, one after another."""
        return sum(request.seconds for request in self.call.requests) if self.call else None


@dataclass(frozen=True)
class Reranking:
    """One trace file: a run, how it was reranked, and call by call why.

    `calls` has, for every query of the traces, its calls in their order. `before` and `after` hold these
    queries, which are all of the run where it `is_whole`. Both are None where the run is not at hand;
    `calls` are then all that the traces have, those of earlier attempts too.
    """

    name: str
    attempt: Mapping[str, Any]
    attempts: int
    calls: Mapping[str, Sequence[Asked]]
    before: Run | None = None
    after: Run | None = None
    is_whole: bool = True

    @property
    def run(self) -> str:
        """The name of the run that was reranked."""
        return describe(self.attempt["run"])

    @property
    def depth(self) -> int:
        """How many documents of each query were candidates."""
        return int(self.attempt["options"]["depth"])

    @property
    def asked(self) -> list[Asked]:
        """The calls of all queries."""
        return [asked for calls in self.calls.values() for asked in calls]

    def only(self, query_ids: Collection[str]) -> "Reranking":
        """The part of it that has these queries."""
        calls = {query_id: calls for query_id, calls in self.calls.items() if query_id in query_ids}
        if len(calls) == len(self.calls):
            return self
        before, after = (run and run.only(calls) for run in (self.before, self.after))
        return replace(self, calls=calls, before=before, after=after, is_whole=False)

    @property
    def statuses(self) -> dict[str, int]:
        """The calls by status, from ok to failed."""
        counts = Counter(asked.status for asked in self.asked)
        return {str(status): counts[status] for status in Status if counts[status]}


@dataclass(frozen=True)
class Measured:
    """Rerankings of one run, measured beside it: `evaluations[0]` is the run's, then theirs in order.

    `rerankings` are their names; `differences` are those of each from the run, measure by measure.
    """

    rerankings: Sequence[str]
    evaluations: Sequence[Evaluation]
    differences: Sequence[Difference]

    def difference(self, name: str, measure: str) -> Difference:
        """The difference of a reranking from its run."""
        return next(each for each in self.differences if (each.run, each.measure) == (name, measure))

    def evaluation(self, name: str) -> Evaluation:
        """The numbers of a reranking."""
        return next(each for each in self.evaluations if each.run == name)


@dataclass(frozen=True)
class Report:
    """All that a page shows.

    `queries` has the queries in their order, with their texts where these are known. `level` is the grade
    from which a document counts as relevant where that takes a yes or no. `notes` say what is missing.
    """

    rerankings: Sequence[Reranking]
    queries: Mapping[str, str | None]
    passages: Mapping[str, Passage] = field(default_factory=dict)
    judgments: Qrels | None = None
    judgments_name: str | None = None
    measures: Sequence[str] = ()
    measured: Sequence[Measured] = ()
    level: int = 1
    notes: Sequence[str] = ()

    def measured_with(self, reranking: Reranking) -> Measured | None:
        """The comparison that a reranking is part of; None where it was not measured."""
        return next((each for each in self.measured if reranking.name in each.rerankings), None)
