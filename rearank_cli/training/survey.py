"""What a reward makes of the answers in traces: what training would see, before any is spent."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import fmean, pstdev
from typing import Any

from rearank_cli.records import Qrels
from rearank_cli.traces import TraceFile
from rearank_cli.training.answers import Asked
from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.scoring import score

# Answers whose rewards differ by less are equal to a trainer: it divides by the spread and this.
_EQUAL = 1e-6
# Of the bins of histograms: how wide they are, and the number of the one that has all that is -1 or less.
_WIDTH = 0.2
_LOWEST = -5


@dataclass(frozen=True)
class Bin:
    """How many values are above `low` and up to `high`; None for no `low`."""

    low: float | None
    high: float
    count: int


@dataclass(frozen=True)
class Part:
    """One part of the reward over all answers."""

    mean: float
    deviation: float
    least: float
    most: float
    histogram: Sequence[Bin]


@dataclass(frozen=True)
class Groups:
    """Windows that were asked more than once with the same prompt: what GRPO learns from.

    `equal` are those whose answers all have the same reward, of which it learns nothing; `deviation` is
    the mean spread within a window.
    """

    windows: int
    answers: int
    equal: int
    deviation: float


@dataclass(frozen=True)
class Survey:
    """The rewards of all answers, by part and by status.

    `unanswered` and `unjudged` are calls that are not among them. `without_room` are answers to windows
    that no order improves: REARANK's gain is 0 there, whatever is answered.
    """

    reward: str
    answers: int
    queries: int
    parts: Mapping[str, Part]
    by_status: Mapping[str, tuple[int, float]]
    groups: Groups
    unanswered: int
    unjudged: int
    without_room: int

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "reward": self.reward,
            "answers": self.answers,
            "queries": self.queries,
            "unanswered": self.unanswered,
            "unjudged": self.unjudged,
            "without_room_to_improve": self.without_room,
            "parts": {
                name: {
                    "mean": part.mean,
                    "deviation": part.deviation,
                    "least": part.least,
                    "most": part.most,
                    "histogram": [
                        {"above": each.low, "up_to": each.high, "count": each.count}
                        for each in part.histogram
                    ],
                }
                for name, part in self.parts.items()
            },
            "by_status": {
                status: {"answers": count, "mean": mean} for status, (count, mean) in self.by_status.items()
            },
            "groups": {
                "windows": self.groups.windows,
                "answers": self.groups.answers,
                "all_equal": self.groups.equal,
                "deviation": self.groups.deviation,
            },
        }


def survey(
    file: TraceFile,
    qrels: Qrels,
    reward: str = "rearank",
    *,
    family: str | None = None,
    level: int = 1,
    options: Mapping[str, Any] | None = None,
) -> Survey:
    """Reward the first answer of every call in a trace file.

    `family` and `level` are as in `Asked` and `GroundTruth.of`, `options` those of the reward. Queries
    without judgments are left out, and counted, as are calls without a response.
    """
    scored: list[dict[str, float]] = []
    statuses: dict[str, list[float]] = {}
    windows: dict[tuple[str, str, tuple[str, ...]], list[float]] = {}
    unanswered = unjudged = without_room = 0
    for call, answer in Asked(file, family).answers():
        request = call.requests[0]
        judged = qrels.get(request.query_id)
        if not judged:
            unjudged += 1
            continue
        if answer is None:
            unanswered += 1
            continue
        truth = GroundTruth.of(request.query_id, request.doc_ids, judged, level)
        grades = [judged.get(doc_id, 0) for doc_id in request.doc_ids]
        without_room += _best_is_shown(grades)
        parts = score(answer.text, truth, reward, **options or {})
        scored.append(parts)
        statuses.setdefault(answer.request.status.value, []).append(parts["score"])
        key = (answer.family.digest, request.query_id, request.doc_ids)
        windows.setdefault(key, []).append(parts["score"])
    names = list(scored[0]) if scored else []
    return Survey(
        reward,
        len(scored),
        len({query_id for _, query_id, _ in windows}),
        {name: _part([parts[name] for parts in scored]) for name in names},
        {status: (len(scores), fmean(scores)) for status, scores in statuses.items()},
        _groups(list(windows.values())),
        unanswered,
        unjudged,
        without_room,
    )


def _best_is_shown(grades: Sequence[int]) -> bool:
    """Whether the order shown has the highest grades, as far as nDCG@10 sees."""
    gains = [max(grade, 0) for grade in grades]
    return gains[:10] == sorted(gains, reverse=True)[:10]


def _part(values: Sequence[float]) -> Part:
    # Rounded: 0.6 is 3 * 0.2, and a little less.
    places = [max(ceil(round(value / _WIDTH, 6)), _LOWEST) for value in values]
    counts = Counter(places)
    bins = [
        Bin(None if place == _LOWEST else (place - 1) * _WIDTH, place * _WIDTH, counts[place])
        for place in range(min(places), max(places) + 1)
    ]
    return Part(fmean(values), pstdev(values), min(values), max(values), bins)


def _groups(windows: Sequence[Sequence[float]]) -> Groups:
    several = [scores for scores in windows if len(scores) > 1]
    spreads = [pstdev(scores) for scores in several]
    equal = sum(max(scores) - min(scores) < _EQUAL for scores in several)
    return Groups(len(several), sum(map(len, several)), equal, fmean(spreads) if spreads else 0.0)
