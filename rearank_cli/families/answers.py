"""Where the answer is in a completion: outside of thought, in its tags or alone."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rearank_cli.families.thought import THINK, Thought
from rearank_cli.records import Completion, Reading, Status, Token

TAG, END_TAG = "<answer>", "</answer>"
_TAGGED = re.compile(r"<answer>(.*?)(</answer>|\Z)", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """An answer (None where there is none), the thought before it, and what to say where there is none.

    `from_end` is the number of characters from the answer's beginning to the end of the completion.
    """

    answer: str | None
    reasoning: str
    from_end: int
    status: Status

    def spelled(self, tokens: Sequence[Token]) -> list[Token]:
        """The tokens that spell the answer, without what is blank around it; empty where it is not known."""
        answer = self.answer or ""
        blank = len(answer) - len(answer.lstrip())
        return tokens_between(tokens, self.from_end - blank, len(answer.strip()))

    def nothing(self, n: int, status: Status | None = None) -> Reading:
        """The reading of n passages where there is no answer: they keep their order."""
        return Reading(status or self.status, list(range(n)), reasoning=self.reasoning)


def find_answer(
    completion: Completion, begun: str, thought: Thought, is_bare: Callable[[str], bool]
) -> Found:
    """The answer of a completion to a prompt that ended with `begun`.

    It stands outside of thought: in tags, closed, or open and ended by the model itself; or, where
    there are no tags, it is the whole text, if `is_bare` and the model ended it.
    """
    if completion.finish_reason not in ("stop", "length"):
        return Found(None, "", 0, Status.FAILED)
    thoughts, rest, after = thought.split(whole_text(completion, begun))
    reasoning = completion.reasoning or thoughts
    complete = completion.finish_reason == "stop"
    nowhere = Found(None, reasoning, 0, Status.UNREADABLE if complete else Status.TRUNCATED)
    tagged = _TAGGED.search(rest)
    if tagged:
        if not complete and not tagged[2]:
            return nowhere
        return Found(tagged[1], reasoning, after - tagged.start(1), Status.OK)
    # A list with an open thought behind it is not the whole text.
    if not complete or after > len(rest) or not is_bare(rest):
        return nowhere
    return Found(rest, reasoning, after, Status.OK)


def whole_text(completion: Completion, begun: str) -> str:
    """What stands after a prompt, with the part of an answer that the prompt ended with.

    Where a server returned the thought apart, what the prompt opened is no longer open.
    """
    apart = completion.reasoning is not None and begun.strip() == THINK.open
    return completion.text if apart else begun + completion.text


def tokens_between(tokens: Sequence[Token], from_end: int, length: int) -> list[Token]:
    """The tokens of a stretch of the text that begins so many characters before its end.

    Counted from the end, for a thought in many scripts has characters that are several tokens.
    """
    stretch = []
    place = 0
    for token in reversed(tokens):
        begins = place + len(token.text)
        if begins > from_end - length and place < from_end and token.text:
            stretch.append(token)
        place = begins
    return stretch[::-1]
