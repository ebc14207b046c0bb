"""Answers that are read from the probabilities of one token: a letter for each passage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import ClassVar

from rearank_cli.families.reader import Reader, missing
from rearank_cli.records import Completion, Gives, Reading, Sampling, Status, Token


@dataclass(frozen=True)
class LettersReader(Reader):
    """Orders passages by the log-probabilities of their letters as the first token of the answer.

    Letters that are not among the likeliest tokens come last, in the window's own order.
    """

    gives: ClassVar[Gives] = "order"
    most_passages: ClassVar[int | None] = len(ascii_uppercase)

    def sampling(self, sampling: Sampling, n: int) -> Sampling:
        return replace(sampling, watch=tuple(ascii_uppercase[:n]))

    def finish(self, sampling: Sampling, n: int) -> Sampling:
        return replace(self.sampling(sampling, n), only_watched=True)

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        """The order of n passages. One token is a whole answer: it cannot be cut off."""
        unread = list(range(n))
        if completion.finish_reason not in ("stop", "length"):
            return Reading(Status.FAILED, unread)
        watched = completion.tokens[0].watched if completion.tokens else {}
        found = [letter for letter in ascii_uppercase[:n] if letter in watched]
        if not found:
            return Reading(Status.UNREADABLE, unread)
        chosen = [
            ascii_uppercase.index(letter) for letter in sorted(found, key=lambda letter: -watched[letter])
        ]
        status = Status.OK if len(chosen) == n else Status.REPAIRED
        return Reading(status, [*chosen, *missing(chosen, n)], listed=len(chosen))

    def pattern(self, n: int) -> str:
        return f"[{ascii_uppercase[:n]}]"

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model for which every letter is half as likely as the one before."""
        letters = [ascii_uppercase[position] for position in order]
        watched = {letter: -0.7 * (rank + 1) for rank, letter in enumerate(letters)}
        first = Token(letters[0], watched[letters[0]], watched) if letters else Token("", 0.0)
        return Completion(first.text, "length", tokens=(first,))
