"""Answers of one word, yes or no, read from the probabilities of both."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rearank_cli.families.answers import find_answer, whole_text
from rearank_cli.families.reader import Reader, literal
from rearank_cli.records import Completion, Gives, Reading, Sampling, Status, Token

_SENTENCE = re.compile(r".*[.!?]", re.DOTALL)
# What a word that is certain leaves to the other one, so that its logarithm can be written.
_LEAST = 1e-9


@dataclass(frozen=True)
class ProbabilityReader(Reader):
    """Scores a passage p(yes) / (p(yes) + p(no)), by the words with which the answer says so.

    A model that answers at once is allowed these two words only, which leaves their shares as they are
    and both known. One that thinks first is made to answer wherever one of the probabilities is not
    known: its thought is cut after its last sentence and closed, and only the two words are allowed.
    """

    gives: ClassVar[Gives] = "score"
    most_passages: ClassVar[int | None] = 1

    yes: str = "yes"
    no: str = "no"

    @property
    def finishes_unreadable(self) -> bool:
        return self.thought

    def sampling(self, sampling: Sampling, n: int) -> Sampling:
        return replace(sampling, watch=(self.yes, self.no), only_watched=not self.thought)

    def finish(self, sampling: Sampling, n: int) -> Sampling:
        return replace(sampling, stop=(), max_tokens=1, watch=(self.yes, self.no), only_watched=True)

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        # One word is a whole answer: it cannot be cut off by the limit on tokens.
        ended = (
            replace(completion, finish_reason="stop")
            if completion.finish_reason == "length" and self._ends_with_word(whole_text(completion, begun))
            else completion
        )
        found = find_answer(ended, begun, self.thought_marks, self._is_word)
        if found.answer is None:
            return found.nothing(n)
        if not self._is_word(found.answer):
            return found.nothing(n, Status.UNREADABLE)
        if completion.tokens:
            spelled = found.spelled(completion.tokens)
            watched = spelled[0].watched if spelled else {}
            if not {self.yes, self.no} <= watched.keys():
                return found.nothing(n, Status.UNREADABLE)
            score = shares([watched[self.yes], watched[self.no]])[0]
        else:
            # An engine that tells no probabilities leaves the word alone.
            score = float(found.answer.strip().lower() == self.yes.strip().lower())
        return Reading(Status.OK, [0], [score], found.reasoning)

    def _is_word(self, text: str) -> bool:
        return text.strip().lower() in (self.yes.strip().lower(), self.no.strip().lower())

    def _ends_with_word(self, text: str) -> bool:
        _, rest, after = self.thought_marks.split(text)
        thought_out = not self.thought or self.thought_marks.close in text
        return thought_out and after == len(rest) and self._is_word(rest)

    def begin_answer(self, text: str, begun: str) -> str:
        """The thought up to its last whole sentence, closed (as Rank1's own wrapper ends it)."""
        if not self.thought:
            return super().begin_answer(text, begun)
        marks = self.thought_marks
        if marks.close in text:
            text = text.rpartition(marks.close)[0]
        text = text.rstrip() if begun else text.strip().removeprefix(marks.open).strip()
        whole = _SENTENCE.match(text)
        return f"{'' if begun else marks.open}\n{whole[0] if whole else text}\n{marks.close}"

    def pattern(self, n: int) -> str:
        return f"({literal(self.yes)}|{literal(self.no)})"

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model for which the passage is as relevant as the score says, from 0 to 1."""
        score = min(max(scores[0] if scores else 1.0, _LEAST), 1 - _LEAST)
        watched = {self.yes: math.log(score), self.no: math.log1p(-score)}
        word = self.yes if score >= 0.5 else self.no
        # Unlike other thoughts it ends without a line's end: the word follows its closing mark.
        thought = self._thought(reasoning).rstrip()
        before = (Token(thought, 0.0),) if thought else ()
        return Completion(thought + word, tokens=(*before, Token(word, watched[word], watched)))


def shares(logprobs: Sequence[float]) -> list[float]:
    """The probabilities of several tokens, where it must be one of these."""
    highest = max(logprobs)
    if highest == -math.inf:
        return [1 / len(logprobs)] * len(logprobs)
    weights = [math.exp(logprob - highest) for logprob in logprobs]
    return [weight / sum(weights) for weight in weights]
