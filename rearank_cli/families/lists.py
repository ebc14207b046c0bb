"""Answers that are a list of identifiers: `<answer> [2] > [1] </answer>`, or the bare list."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rearank_cli.families.thought import CLOSE, OPEN, split_thought
from rearank_cli.records import Completion, Reading, Status

_TAG = "<answer>"
_TAGGED = re.compile(r"<answer>(.*?)(</answer>|\Z)", re.DOTALL)
_BARE = re.compile(r"\[?\d+\]?(?:[\s>,;=]+\[?\d+\]?)*\s*\.?")
# A number cut to so many digits is still no identifier of any window, and costs nothing to convert.
_MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class ListReader:
    """Reads and writes an order of the window's passages.

    `thought` and `tags` say what a well-formed answer has; reading accepts it with and without.
    """

    thought: bool
    tags: bool

    def read(self, completion: Completion, n: int) -> Reading:
        """The order of n passages. A list that lacks some is completed in the window's own order."""
        if completion.finish_reason not in ("stop", "length"):
            return Reading(Status.FAILED, list(range(n)))
        thought, rest = split_thought(completion.text)
        reasoning = completion.reasoning or thought
        complete = completion.finish_reason == "stop"
        answer = _answer(rest, complete=complete)
        if answer is None:
            status = Status.UNREADABLE if complete else Status.TRUNCATED
            return Reading(status, list(range(n)), reasoning=reasoning)
        listed = _identifiers(answer)
        chosen = list(dict.fromkeys(i - 1 for i in listed if 1 <= i <= n))
        if not chosen:
            return Reading(Status.UNREADABLE, list(range(n)), reasoning=reasoning)
        status = Status.OK if len(listed) == len(chosen) == n else Status.REPAIRED
        kept = set(chosen)
        order = chosen + [position for position in range(n) if position not in kept]
        return Reading(status, order, reasoning=reasoning)

    def begin_answer(self, text: str) -> str:
        """What a completion that ran out of tokens becomes, when it is made to answer at once.

        Its thought so far, closed, and the beginning of the answer; a part of an answer is dropped.
        """
        thought, rest = split_thought(text)
        if CLOSE not in text:
            thought = thought or rest.strip()  # some models think without saying so
        beginning = _TAG if self.tags else ""
        return f"{OPEN}\n{thought}\n{CLOSE}\n\n{beginning}" if self.thought else beginning

    def answer_pattern(self, n: int) -> str:
        """A regular expression for the rest of the answer: n identifiers, none out of range."""
        identifier = rf"\[({'|'.join(str(number) for number in range(1, n + 1))})\]"
        answer = rf"{identifier}( > {identifier}){{{n - 1}}}"
        return rf" {answer} </answer>" if self.tags else answer

    def write(self, order: Sequence[int], reasoning: str = "") -> Completion:
        """The completion of a model that answers with this order of 0-based positions."""
        answer = " > ".join(f"[{position + 1}]" for position in order)
        if self.tags:
            answer = f"<answer> {answer} </answer>"
        if self.thought:
            answer = f"{OPEN}\n{reasoning}\n{CLOSE}\n\n{answer}"
        return Completion(answer)


def _answer(text: str, *, complete: bool) -> str | None:
    """The part of a text outside thought that is an answer; None where there is none.

    Tags without an end, and a list without tags, count only when the model itself ended there.
    """
    tagged = _TAGGED.search(text)
    if tagged:
        return tagged[1] if complete or tagged[2] else None
    return text if complete and _BARE.fullmatch(text.strip()) else None


def _identifiers(answer: str) -> list[int]:
    """Every number in an answer, as the reference reads it: whatever is no digit is a gap."""
    spaced = "".join(character if character.isdigit() else " " for character in answer)
    # str.isdigit() also holds for superscripts, which are no numbers.
    return [int(number[:_MOST_DIGITS]) for number in spaced.split() if number.isdecimal()]
