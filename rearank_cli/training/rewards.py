"""The rewards that REARANK and ReasonRank were trained with: an answer in, a number out.

They read answers as the papers' code does, which is more forgiving than a family's reading of the same
answer: what a model was rewarded for is a fact of its training, and stays what it was. Nothing here is
shared between answers, and nothing that comes in is changed.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log2
from typing import Literal

CUTOFF = 10

Gain = Literal["normalised", "ndcg", "difference"]
"""What REARANK rewards of an order: how much of the possible gain in nDCG@10 it makes (the paper's reward),
its nDCG@10, or the difference to that of the order that was shown (the paper's ablations)."""

_DISCOUNTS = tuple(1 / log2(rank + 1) for rank in range(1, CUTOFF + 1))
_ANSWER = re.compile(r"<answer>(.*?)</answer>", re.DOTALL)
_WELL_FORMED = re.compile(r"<think>.*?</think>\s*<answer>.*?</answer>", re.DOTALL)
_REASONED = re.compile(r"<think>.*?</think>\s*<answer>(.*?)</answer>", re.DOTALL)
_LISTS = re.compile(r"(?:\[\d+\] > )*\[\d+\]")
_NUMBER = re.compile(r"[0-9]+")
# A number of more digits is the identifier of no passage, whatever the others are.
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Weights:
    """What REARANK's reward is the sum of: the gain, the response's format, and the ranking's."""

    ndcg: float = 0.8
    response_format: float = 0.1
    ranking_format: float = 0.1


_AS_PUBLISHED = Weights()


def rearank_reward(
    response: str,
    doc_ids: Sequence[str],
    qrels: Mapping[str, int],
    *,
    gain: Gain = "normalised",
    clip: bool = False,
    complete: bool = False,
    weights: Weights = _AS_PUBLISHED,
) -> dict[str, float]:
    """REARANK's reward of a response about passages that were shown in the order of `doc_ids`.

    Returns `score`, the weighted sum of the other three: `ndcg`, the gain (see `Gain`); `response_format`,
    1 where the response is a thought and an answer and nothing else; `ranking_format`, 1 where the answer
    has identifiers as `[2] > [1]` in it. `qrels` holds grades by doc_id, also of documents that were not
    shown: nDCG@10 is that of trec_eval, over the ideal of all that are judged.

    The normalised gain is at most 1, and far below 0 for an order worse than the one shown; `clip` ends it
    at 0 and 1. As published, a single `[7]` is a well-formed ranking; with `complete` it takes every
    identifier, once. Source: Zhang et al., EMNLP 2025, equations 5 and 6, and `listwiserank.py` of its
    code, where a response without answer tags is read for all of its digits.
    """
    answers = _ANSWER.findall(response)
    listed = _identifiers(answers[0] if answers else response)
    order = _order(listed, len(doc_ids))
    grades = [qrels.get(doc_id, 0) for doc_id in doc_ids]
    ideal = _dcg(nlargest(CUTOFF, qrels.values()))
    gained = _gain(grades, [grades[position] for position in order], ideal, gain)
    if clip:
        gained = min(1.0, max(0.0, gained))
    listing = answers[0] if answers else ""
    if complete:
        lists = _is_permutation(listed, len(doc_ids)) and _LISTS.fullmatch(listing.strip())
    else:
        lists = _LISTS.search(listing)
    response_format = float(_WELL_FORMED.fullmatch(response) is not None)
    ranking_format = float(bool(lists))
    return {
        "score": weights.ndcg * gained
        + weights.response_format * response_format
        + weights.ranking_format * ranking_format,
        "ndcg": gained,
        "response_format": response_format,
        "ranking_format": ranking_format,
    }


def reasonrank_reward(
    response: str,
    doc_ids: Sequence[str],
    teacher: Sequence[int],
    relevant: Collection[str],
    *,
    recall_weight: float = 0.2,
    overlap_weight: float = 0.1,
) -> float:
    """ReasonRank's multi-view reward of a response about passages that were shown in the order of `doc_ids`.

    nDCG@10 and recall@10 against the `relevant` doc_ids, and the average overlap with the `teacher`'s list
    of identifiers, from 1 (rank-biased overlap with p = 1, as the package `rbo` computes it by default). -1
    where there is no thought with an answer after it; 0 where its identifiers are not as many and as
    different as the teacher's. Source: Liu et al. 2025 (ReasonRank), section on the reward.
    """
    weights = {"recall_weight": recall_weight, "overlap_weight": overlap_weight}
    return reasonrank_parts(response, doc_ids, teacher, relevant, **weights)["score"]


def reasonrank_parts(
    response: str,
    doc_ids: Sequence[str],
    teacher: Sequence[int],
    relevant: Collection[str],
    *,
    recall_weight: float = 0.2,
    overlap_weight: float = 0.1,
) -> dict[str, float]:
    """ReasonRank's reward as `score`, with what it is made of.

    `ndcg`, `recall` and `overlap` are 0 where they are not looked at. `response_format` is 1 where there is
    a thought with an answer after it, `ranking_format` where the answer has the right identifiers, too.
    """
    parts = dict.fromkeys(("score", "ndcg", "recall", "overlap", "response_format", "ranking_format"), 0.0)
    answer = _REASONED.search(response.lower())
    if answer is None:
        return {**parts, "score": -1.0}
    parts["response_format"] = 1.0
    listed = _identifiers(answer[1])
    if len(listed) != len(teacher) or not _is_permutation(listed, len(doc_ids)):
        return parts
    wanted = frozenset(relevant)
    gains = [int(doc_ids[identifier - 1] in wanted) for identifier in listed[:CUTOFF]]
    ideal = _dcg([1] * min(len(wanted), CUTOFF))
    ndcg = _dcg(gains) / ideal if ideal else 0.0
    recall = sum(gains) / len(wanted) if wanted else 0.0
    overlap = average_overlap(listed, teacher)
    score = ndcg + recall_weight * recall + overlap_weight * overlap
    return parts | {"score": score, "ndcg": ndcg, "recall": recall, "overlap": overlap, "ranking_format": 1.0}


def average_overlap(one: Sequence[int], other: Sequence[int]) -> float:
    """The part that the heads of two rankings have in common, averaged over all depths of the shorter.

    From 0 to 1; 1 for two empty ones.
    """
    common = 0
    overlaps = 0.0
    seen_in_one: set[int] = set()
    seen_in_other: set[int] = set()
    depth = 0
    for depth, (first, second) in enumerate(zip(one, other, strict=False), 1):
        seen_in_one.add(first)
        seen_in_other.add(second)
        common += (first == second) + (first != second) * ((first in seen_in_other) + (second in seen_in_one))
        overlaps += common / depth
    return overlaps / depth if depth else 1.0


def ndcg(ranked: Sequence[str], qrels: Mapping[str, int], cutoff: int = CUTOFF) -> float:
    """nDCG of doc_ids, best first, as trec_eval has it: linear gains, the ideal over all judgments.

    The cut-off is 10, or less.
    """
    ideal = _dcg(nlargest(cutoff, qrels.values()))
    return _dcg([qrels.get(doc_id, 0) for doc_id in ranked[:cutoff]]) / ideal if ideal else 0.0


def best_order(doc_ids: Sequence[str], qrels: Mapping[str, int]) -> list[int]:
    """The 0-based positions of documents by their grades, highest first; equal ones as they stand."""
    return sorted(range(len(doc_ids)), key=lambda position: -qrels.get(doc_ids[position], 0))


def _gain(shown: Sequence[int], ordered: Sequence[int], ideal: float, gain: Gain) -> float:
    if not ideal:
        return 0.0
    reached = _dcg(ordered) / ideal
    if gain == "ndcg":
        return reached
    initial = _dcg(shown) / ideal
    if gain == "difference":
        return reached - initial
    best = _dcg(nlargest(CUTOFF, shown)) / ideal
    return (reached - initial) / (best - initial) if best > initial else 0.0


def _dcg(grades: Sequence[int]) -> float:
    # Fewer discounts than grades: what stands below the cut-off gains nothing.
    return sum(grade * discount for grade, discount in zip(grades, _DISCOUNTS, strict=False) if grade > 0)


def _identifiers(text: str) -> list[int]:
    return [int(number[:_MOST_DIGITS]) for number in _NUMBER.findall(text)]


def _order(listed: Sequence[int], n: int) -> list[int]:
    """The positions listed, the first mention of each, and then those that are missing."""
    chosen = dict.fromkeys(identifier - 1 for identifier in listed if 1 <= identifier <= n)
    return [*chosen, *(position for position in range(n) if position not in chosen)]


def _is_permutation(listed: Sequence[int], n: int) -> bool:
    return len(listed) == n and set(listed) == set(range(1, n + 1))
