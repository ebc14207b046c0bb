"""Answers that grade one passage: an integer with its probability, or yes and no with a grade."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rearank_cli.families.answers import END_TAG, find_answer, tokens_between
from rearank_cli.families.probabilities import shares
from rearank_cli.families.reader import Reader
from rearank_cli.records import Completion, Gives, Reading, Sampling, Status, Token

_YES = ("yes", "Yes", "YES")
_NO = ("no", "No", "NO")
_GRADED = re.compile(r"\s*(yes|no)\s*\(\s*([0-4])\s*\)\s*(?:\.\s*)?", re.IGNORECASE)
# How far a word or grade that is not among the likeliest tokens is put below the least likely of them.
_UNSEEN = 10.0
_GRADES = range(5)
_HIGHEST_GRADE = 4
# The lowest grade that goes with a yes.
_RELEVANT = 2

PARTS = ("merge", "label", "yesno")
"""What a GradeReader can score by."""


@dataclass(frozen=True)
class IntegerReader(Reader):
    """Scores a passage s x Pr(s), s being the integer from 0 to 10 that the answer is.

    Pr(s) is the probability of all tokens that spell it: of "1" and of "0" for 10.
    """

    gives: ClassVar[Gives] = "score"
    most_passages: ClassVar[int | None] = 1
    highest: ClassVar[float] = 10.0

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        found = find_answer(completion, begun, self.thought_marks, _is_integer)
        if found.answer is None:
            return found.nothing(n)
        if not _is_integer(found.answer):
            return found.nothing(n, Status.UNREADABLE)
        # An engine that tells no probabilities leaves the integer alone.
        certainty = math.exp(sum(token.logprob for token in found.spelled(completion.tokens)))
        score = int(found.answer.strip()) * certainty
        return Reading(Status.OK, [0], [score], found.reasoning)

    def pattern(self, n: int) -> str:
        return f"(10|[0-9]){END_TAG if self.tags else ''}"

    def finish(self, sampling: Sampling, n: int) -> Sampling:
        # The probability of a forced integer counts as that of a free one does.
        return replace(super().finish(sampling, n), logprobs=sampling.logprobs)

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model that is certain of a score, to the nearest integer from 0 to 10."""
        answer = str(round(min(max(scores[0] if scores else self.highest, 0), self.highest)))
        return self._completion(reasoning, answer)


def _is_integer(text: str) -> bool:
    return bool(re.fullmatch(r"10|[0-9]", text.strip()))


@dataclass(frozen=True)
class GradeReader(Reader):
    """Scores a passage by `yes(3)`: the mean of p(yes) and of the expected grade over 4.

    `part` is what is scored: both (`merge`), the expected grade alone over 4 (`label`), or p(yes)
    alone (`yesno`).
    """

    gives: ClassVar[Gives] = "score"
    most_passages: ClassVar[int | None] = 1

    part: str = "merge"

    def sampling(self, sampling: Sampling, n: int) -> Sampling:
        return replace(sampling, watch=(*_YES, *_NO, *map(str, _GRADES)))

    def finish(self, sampling: Sampling, n: int) -> Sampling:
        finish = self.sampling(super().finish(sampling, n), n)
        return replace(finish, logprobs=sampling.logprobs)

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        found = find_answer(completion, begun, self.thought_marks, lambda text: bool(_GRADED.fullmatch(text)))
        match = _GRADED.fullmatch(found.answer) if found.answer is not None else None
        if match is None:
            return found.nothing(n, None if found.answer is None else Status.UNREADABLE)
        word = tokens_between(completion.tokens, found.from_end - match.start(1), len(match[1]))
        digit = tokens_between(completion.tokens, found.from_end - match.start(2), 1)
        relevant = _p_yes(word[0] if word else None, match[1].lower() == "yes")
        grade = _expected_grade(digit[0] if digit else None, int(match[2]))
        return Reading(Status.OK, [0], [self._score(grade, relevant)], found.reasoning)

    def pattern(self, n: int) -> str:
        return r"(yes|no)\([0-4]\)"

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model that is certain of the grade whose score is nearest."""
        wanted = scores[0] if scores else self.highest
        grade = min(_GRADES, key=lambda grade: abs(self._score(grade, grade >= _RELEVANT) - wanted))
        word = "yes" if grade >= _RELEVANT else "no"
        return self._completion(reasoning, f"{word}({grade})")

    def _score(self, grade: float, relevant: float) -> float:
        parts = {
            "merge": (grade / _HIGHEST_GRADE + relevant) / 2,
            "label": grade / _HIGHEST_GRADE,
            "yesno": float(relevant),
        }
        return parts[self.part]


def _p_yes(token: Token | None, said_yes: bool) -> float:
    """The probability of yes against no, each in the spelling that is found first."""
    if token is None or not token.watched:
        return float(said_yes)
    unseen = token.lowest - _UNSEEN
    found = [
        next((token.watched[word] for word in words if word in token.watched), unseen)
        for words in (_YES, _NO)
    ]
    return shares(found)[0]


def _expected_grade(token: Token | None, said: int) -> float:
    """The grade to be expected of the probabilities at the place of its digit."""
    if token is None or not token.watched:
        return float(said)
    unseen = token.lowest - _UNSEEN
    weights = shares([token.watched.get(str(grade), unseen) for grade in _GRADES])
    return sum(grade * weight for grade, weight in zip(_GRADES, weights, strict=True))
