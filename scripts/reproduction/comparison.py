"""Our numbers beside the published ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from scripts.reproduction.asking import Asking
from scripts.reproduction.attempt import Outcome
from scripts.reproduction.published import FIRST_STAGE, GROUPS, Collection, collections
from scripts.reproduction.scoring import Score

# A first stage that is further from the published one, nDCG@10 x 100, is another one.
_CLOSE = 1.0


@dataclass(frozen=True)
class Row:
    """A collection, our numbers and the published ones (nDCG@10 x 100), and what to know about them.

    `comparable` says whether ours began with the kind of first stage that the paper's did.
    """

    collection: Collection
    outcome: Outcome
    first_published: float | None
    published: float | None
    comparable: bool
    remarks: Sequence[str]
    notes: Sequence[str]

    @property
    def difference(self) -> float | None:
        """Ours less the published number, where they can be compared."""
        if self.outcome.reranked is None or self.published is None or not self.comparable:
            return None
        return self.outcome.reranked.mean - self.published


@dataclass(frozen=True)
class Mean:
    """The means over the collections of a group that are done, and over the same ones of the paper."""

    group: str
    done: int
    of: int
    first: float
    first_published: float | None
    reranked: float
    published: float | None
    difference: float | None
    complete: float


def compared_model(asking: Asking) -> str:
    """The model of the paper's tables that ours is compared with."""
    return asking.model if asking.model in asking.paper.models else asking.paper.model


def row_of(outcome: Outcome, asking: Asking) -> Row:
    """An outcome beside what was published."""
    paper, collection = asking.paper, outcome.collection
    first_published = paper.published(collection, FIRST_STAGE)
    published = paper.published(collection, compared_model(asking))
    comparable = paper.parts[collection.part].bm25 or collection.name in asking.first_stages
    remarks = list(outcome.remarks)
    first, reranked = outcome.first_stage, outcome.reranked
    if first and comparable:
        remarks += _distance(first, first_published, collection, asking)
    elif first:
        remarks.append("from BM25, not the paper's first stage: not to be compared")
    if first and reranked:
        if asking.engine == "lexical":
            remarks.append("no model: the lexical judge")
        if reranked.found < first.found:
            remarks.append(f"only {reranked.found} of the first stage's {first.found} queries")
        if published is None:
            remarks.append("no published number of its own")
    notes = paper.notes_on(collection)
    return Row(collection, outcome, first_published, published, comparable, remarks, notes)


def _distance(first: Score, published: float | None, collection: Collection, asking: Asking) -> list[str]:
    """A word where the first stage is neither the paper's nor what others found it to be."""
    elsewhere = asking.paper.parts[collection.part].elsewhere.get(FIRST_STAGE, {}).get(collection.name)
    distances = [first.mean - number for number in (published, elsewhere) if number is not None]
    nearest = min(distances, key=abs, default=0.0)
    return [f"first stage {nearest:+.2f}: not the paper's"] if abs(nearest) > _CLOSE else []


def means(rows: Sequence[Row], asking: Asking) -> list[Mean]:
    """The means of the groups of which at least two collections are done."""
    found = []
    for group in GROUPS:
        done = [row for row in rows if row.collection.group == group and row.outcome.reranked]
        if len(done) > 1:
            found.append(_mean(group, done, asking))
    return found


def _mean(group: str, done: Sequence[Row], asking: Asking) -> Mean:
    of = sum(each.group == group for each in collections().values())
    firsts = [row.outcome.first_stage.mean for row in done if row.outcome.first_stage]
    reranked = [row.outcome.reranked for row in done if row.outcome.reranked]
    first_published = _average([row.first_published for row in done])
    published = _average([row.published for row in done])
    if len(done) == of:  # some papers print only the average
        if first_published is None:
            first_published = asking.paper.average(group, FIRST_STAGE)
        if published is None:
            published = asking.paper.average(group, compared_model(asking))
    ours = fmean(score.mean for score in reranked)
    comparable = published is not None and all(row.comparable for row in done)
    return Mean(
        group=group,
        done=len(done),
        of=of,
        first=fmean(firsts),
        first_published=first_published,
        reranked=ours,
        published=published,
        difference=ours - published if comparable and published is not None else None,
        complete=fmean(score.complete for score in reranked),
    )


def _average(numbers: Sequence[float | None]) -> float | None:
    known = [number for number in numbers if number is not None]
    return fmean(known) if known and len(known) == len(numbers) else None
