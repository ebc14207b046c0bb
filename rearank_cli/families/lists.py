"""Answers that are a list of identifiers: `<answer> [2] > [1] </answer>`, or the bare list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from rearank_cli.families.answers import END_TAG, find_answer
from rearank_cli.families.reader import Reader, missing
from rearank_cli.records import Completion, Gives, Reading, Status

_BARE = re.compile(r"\[?\d+\]?(?:[\s>,;=]+\[?\d+\]?)*\s*\.?")
# A number cut to so many digits is still no identifier of any window, and costs nothing to convert.
_MOST_DIGITS = 9
# Digits above the line and in circles, which some models write for plain ones.
_FANCY = str.maketrans(
    {character: str(digit) for digit, character in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
    | {chr(ord("①") + number - 1): str(number) for number in range(1, 21)}
)


@dataclass(frozen=True)
class ListReader(Reader):
    """Reads and writes an order of the window's passages.

    Reading accepts it with and without thought and tags. `separator` stands between identifiers.
    `fancy_digits` reads ① and ¹ as 1. With `ties`, passages between `=` are as good as each other,
    and the list is the last line of the text, whatever stands above it.
    """

    gives: ClassVar[Gives] = "order"

    separator: str = " > "
    fancy_digits: bool = False
    ties: bool = False

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        """The order of n passages. A list that lacks some is completed in the window's own order."""
        found = find_answer(completion, begun, self.thought_marks, self._is_bare)
        if found.answer is None:
            return found.nothing(n)
        if self.ties:
            tiers, faulty = _tiers(self._plain(_last_line(found.answer)), n)
        else:
            tiers, faulty = _list(self._plain(found.answer), n)
        chosen = [position for tier in tiers for position in tier]
        if not chosen:
            return found.nothing(n, Status.UNREADABLE)
        status = Status.REPAIRED if faulty or len(chosen) < n else Status.OK
        scores: list[float | None] | None = None
        if self.ties:
            scores = [None] * n
            for rank, tier in enumerate(tiers, 1):
                for position in tier:
                    scores[position] = 1 / rank
        order = [*chosen, *missing(chosen, n)]
        return Reading(status, order, scores, found.reasoning, listed=len(chosen))

    def _is_bare(self, text: str) -> bool:
        return bool(_BARE.fullmatch(self._plain(_last_line(text) if self.ties else text.strip())))

    def _plain(self, text: str) -> str:
        return text.translate(_FANCY) if self.fancy_digits else text

    def pattern(self, n: int) -> str:
        """The rest of an answer: n identifiers, none out of range."""
        identifier = rf"\[({'|'.join(str(number) for number in range(1, n + 1))})\]"
        answer = rf"{identifier}({self.separator}{identifier}){{{n - 1}}}"
        return rf" {answer} {END_TAG}" if self.tags else answer

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model that answers with this order; equal scores are ties where it has them."""
        answer = f"[{order[0] + 1}]" if order else ""
        for before, position in pairwise(order):
            tied = self.ties and scores is not None and scores[before] == scores[position]
            answer += f"{' = ' if tied else self.separator}[{position + 1}]"
        return self._completion(reasoning, f" {answer} " if self.tags else answer)


def _list(answer: str, n: int) -> tuple[list[list[int]], bool]:
    """The passages listed, each a tier of its own, and whether there was anything else."""
    listed = _identifiers(answer)
    chosen = list(dict.fromkeys(identifier - 1 for identifier in listed if 1 <= identifier <= n))
    return [[position] for position in chosen], len(listed) > len(chosen)


def _tiers(answer: str, n: int) -> tuple[list[list[int]], bool]:
    """Tiers of equally good passages, in the order named; a list ends where it repeats itself (Rank-K)."""
    tiers: list[list[int]] = []
    seen: set[int] = set()
    faulty = False
    for part in answer.split(">"):
        tier: list[int] = []
        for identifier in _identifiers(part):
            position = identifier - 1
            if position in seen:
                return [*tiers, *filter(None, [tier])], True
            if 0 <= position < n:
                seen.add(position)
                tier.append(position)
            else:
                faulty = True
        if tier:
            tiers.append(tier)
    return tiers, faulty


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()


def _identifiers(answer: str) -> list[int]:
    """Every number in an answer, as the reference reads it: whatever is no digit is a gap."""
    spaced = "".join(character if character.isdigit() else " " for character in answer)
    # str.isdigit() also holds for superscripts, which are no numbers.
    return [int(number[:_MOST_DIGITS]) for number in spaced.split() if number.isdecimal()]
