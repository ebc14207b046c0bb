"""What every way to read an answer has in common."""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rearank_cli.families.answers import END_TAG, TAG
from rearank_cli.families.thought import THINK, Thought
from rearank_cli.records import Completion, Gives, Reading, Sampling


@dataclass(frozen=True)
class Reader(ABC):
    """A way to read an answer about a window, to have it drawn, and to write one.

    `thought` and `tags` say what a well-formed answer has; `begun` is the part of an answer that the
    family's own prompts end with.
    """

    gives: ClassVar[Gives]
    thought_marks: ClassVar[Thought] = THINK
    most_passages: ClassVar[int | None] = None
    highest: ClassVar[float] = 1.0
    """The score of the most relevant passage there can be; the lowest is 0."""

    thought: bool = False
    tags: bool = False
    begun: str = ""

    @property
    def finishes_unreadable(self) -> bool:
        """Whether an answer that could not be read is made to finish, too, and not only a truncated one."""
        return False

    @abstractmethod
    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        """What a completion of a prompt that ended with `begun` says of n passages; never raises."""

    @abstractmethod
    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model that answers so: 0-based positions, best first, and their scores."""

    def sampling(self, sampling: Sampling, n: int) -> Sampling:
        """How an answer about n passages is drawn."""
        return sampling

    def begin_answer(self, text: str, begun: str) -> str:
        """What is put after a prompt and a completion of it that has no answer, to have the answer.

        Its thought so far, closed, and the beginning of the answer; a part of an answer is dropped.
        """
        # A chat template can have opened a thought also for a family that does without.
        thought = self.thought_marks.finished(text, begun) if self.thought or begun else ""
        return thought + (TAG if self.tags else "")

    def finish(self, sampling: Sampling, n: int) -> Sampling:
        """How the rest of the answer after `begin_answer` is drawn: nothing but an answer."""
        return replace(sampling, stop=(), max_tokens=None, pattern=self.pattern(n), logprobs=None, watch=())

    @abstractmethod
    def pattern(self, n: int) -> str:
        """A regular expression for the rest of the answer after `begin_answer`."""

    def _completion(self, reasoning: str, answer: str) -> Completion:
        """A thought and an answer, as this family's models write them."""
        tagged = f"{TAG}{answer}{END_TAG}" if self.tags else answer
        return Completion(self._thought(reasoning) + tagged)

    def _thought(self, reasoning: str) -> str:
        return self.thought_marks.written(reasoning, self.begun) if self.thought else ""


def literal(text: str) -> str:
    """A regular expression for a text. Unlike Python's, other engines refuse to have a blank escaped."""
    return re.sub(r"[][\\.^$*+?{}|()]", r"\\\g<0>", text)


def missing(chosen: Sequence[int], n: int) -> list[int]:
    """The positions of n that are not among those chosen."""
    kept = set(chosen)
    return [position for position in range(n) if position not in kept]


def by_score(scores: Sequence[float | None]) -> list[int]:
    """Positions by score, best first; equal ones, and at the end those without one, as they were."""
    scored = [position for position, score in enumerate(scores) if score is not None]
    return [*sorted(scored, key=lambda position: -(scores[position] or 0)), *missing(scored, len(scores))]
