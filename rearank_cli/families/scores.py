"""Answers that score every passage of a window: `{"[1]": 5, "[2]": 3}` in JSON."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rearank_cli.families.answers import END_TAG, find_answer
from rearank_cli.families.reader import Reader, by_score
from rearank_cli.families.thought import REASON, Thought
from rearank_cli.records import Completion, Gives, Reading, Status

_FENCED = re.compile(r"```(?:json)?(.*?)```", re.DOTALL)
_BRACED = re.compile(r"\{[^{}]*\}")
# The authors take `[7]]`, too, which their models write now and then.
_KEY = re.compile(r"\[?([0-9]{1,9})\]*")
_HIGHEST = 10


@dataclass(frozen=True)
class ScoresReader(Reader):
    """Reads and writes scores from 0 to 10, given as tenths of them: 0 to 1.

    A passage that the model did not score has none, which is no bad score.
    """

    gives: ClassVar[Gives] = "scores"
    thought_marks: ClassVar[Thought] = REASON

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        found = find_answer(completion, begun, self.thought_marks, lambda text: _whole(text) is not None)
        if found.answer is None:
            return found.nothing(n)
        given = _scores(found.answer)
        scores: list[float | None] = [given.get(number) for number in range(1, n + 1)]
        scored = sum(score is not None for score in scores)
        if not scored:
            return found.nothing(n, Status.UNREADABLE)
        status = Status.OK if scored == len(given) == n else Status.REPAIRED
        return Reading(status, by_score(scores), scores, found.reasoning, listed=scored)

    def pattern(self, n: int) -> str:
        """The rest of an answer: a score for every passage, fenced."""
        pairs = ", ".join(rf'"\[{number}\]": (10|[0-9])' for number in range(1, n + 1))
        return rf"\n```json\n\{{{pairs}\}}\n```\n{END_TAG if self.tags else ''}"

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model that gives these scores, to the tenth; even ones for an order."""
        n = len(order)
        given = scores or [1 - order.index(position) / n for position in range(n)]
        pairs = {f"[{number}]": round(_HIGHEST * score) for number, score in enumerate(given, 1)}
        answer = f"\n```json\n{json.dumps(pairs)}\n```\n"
        return self._completion(reasoning, answer)


def _whole(text: str) -> str | None:
    """The JSON of a text that is nothing but JSON, fenced or not."""
    text = text.strip()
    fenced = _FENCED.fullmatch(text)
    inner = fenced[1].strip() if fenced else text
    return inner if _BRACED.fullmatch(inner) else None


def _scores(answer: str) -> dict[int, float]:
    """Number of a passage -> score, of the last JSON object in an answer; all else in it is no score."""
    fenced = _FENCED.findall(answer)
    braced = _BRACED.findall(fenced[-1] if fenced else answer)
    try:
        pairs = json.loads(braced[-1]) if braced else {}
    except (ValueError, RecursionError):
        return {}
    given = {}
    for key, value in pairs.items():
        match = _KEY.fullmatch(key.strip())
        is_score = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _HIGHEST
        given[int(match[1]) if match else 0] = value / _HIGHEST if match and is_score else None
    return {number: score for number, score in given.items() if score is not None}
