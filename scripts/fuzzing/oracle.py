"""What an answer says, found out in another way than the readers do: the oracle that judges them.

It walks through a text from mark to mark where they match patterns, and counts tokens from the front
where they count from the end.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from string import ascii_letters, ascii_uppercase
from typing import NamedTuple

from rearank_cli.families import Family
from rearank_cli.families.grades import GradeReader, IntegerReader
from rearank_cli.families.labels import LabelReader, WorstLabelReader
from rearank_cli.families.letters import LettersReader
from rearank_cli.families.lists import ListReader
from rearank_cli.families.probabilities import ProbabilityReader
from rearank_cli.families.scores import ScoresReader
from rearank_cli.families.thought import Thought
from rearank_cli.records import Completion, Token

UNKNOWN = math.nan
"""A score of which the oracle knows no more than that there may be one."""

_ENDED = ("stop", "length")
_LOWER = {ord(letter): letter.lower() for letter in ascii_letters}


class Said(NamedTuple):
    """What an answer says of all passages; `surely` where a reader must hear it, too.

    The order is None where the scores, some UNKNOWN, do not tell it.
    """

    order: list[int] | None
    scores: Sequence[float | None] | None = None
    surely: bool = True


class Body(NamedTuple):
    """The text where an answer may stand, and where in the completion it begins.

    `tokens` are those of the completion, None where they are not those of its text.
    """

    text: str
    begins: int
    tagged: bool
    ended: bool
    tokens: Sequence[Token] | None

    def tokens_at(self, begins: int, length: int) -> Sequence[Token] | None:
        """The tokens of a piece of the body; none where the engine tells none, None where they are false."""
        if not self.tokens:
            return self.tokens
        begins += self.begins
        pieces = []
        place = 0
        for token in self.tokens:
            if place < begins + length and place + len(token.text) > begins and token.text:
                pieces.append(token)
            place += len(token.text)
        return pieces if begins >= 0 and pieces else None


def heard(family: Family, completion: Completion, n: int, begun: str) -> Said | None:
    """What a completion of a prompt that ended with `begun` says of n passages; None for nothing."""
    if completion.finish_reason not in _ENDED:
        return None
    reader = family.reader
    if isinstance(reader, LettersReader):
        return _letters(completion, n)
    body = _body(completion, begun, reader.thought_marks)
    if body is None:
        return None
    for kind, hear in _HEARS.items():
        if isinstance(reader, kind):
            return hear(reader, body, n)
    raise TypeError(f"no oracle for {type(reader).__name__}")


def _body(completion: Completion, begun: str, thought: Thought) -> Body | None:
    marks = [thought, thought.also] if thought.also else [thought]
    if completion.reasoning is not None and begun.strip() in [mark.open for mark in marks]:
        begun = ""  # what it opened, the server closed
    text, begins = begun + completion.text, -len(begun)
    if thought.also and text.lstrip().startswith(thought.also.open):
        # What comes before the other thought is over is no place for this one.
        before, closed, text = text.partition(thought.also.close)
        begins += len(before) + len(closed)
    outside, skipped = _outside(text, thought)
    begins += skipped
    true_tokens = "".join(token.text for token in completion.tokens) == completion.text
    tokens = completion.tokens if true_tokens or not completion.tokens else None
    stopped = completion.finish_reason == "stop"
    before, tag, body = _partition(outside, "<answer>")
    if not tag:
        # An open thought behind it takes it back.
        alone = begins + len(outside) == len(completion.text)
        return Body(outside, begins, False, stopped, tokens) if alone else None
    body, closed, _ = _partition(body, "</answer>")
    begins += len(before) + len(tag)
    return Body(body, begins, True, True, tokens) if closed or stopped else None


def _outside(text: str, mark: Thought) -> tuple[str, int]:
    """What of a text is no thought, and where it begins."""
    outside = ""
    begins = place = 0
    thinking = False
    for piece in re.split(f"({mark.open}|{mark.close})", text):
        place += len(piece)
        if piece == mark.close:
            outside, begins, thinking = "", place, False  # whatever was there was thought
        elif piece == mark.open:
            thinking = True
        elif not thinking:
            outside += piece
    return outside, begins


def _partition(text: str, tag: str) -> tuple[str, str, str]:
    """As str.partition does, for a tag in small or capital letters."""
    before, found, _ = text.translate(_LOWER).partition(tag)
    return before and text[: len(before)], found, text[len(before) + len(found) :]


def _with_rest(chosen: Sequence[int], n: int) -> list[int]:
    return [*chosen, *(position for position in range(n) if position not in set(chosen))]


# --- orders


def _list(reader: ListReader, body: Body, n: int) -> Said | None:
    text = body.text.strip().split("\n")[-1] if reader.ties else body.text
    if reader.fancy_digits:
        text = "".join(
            unicodedata.normalize("NFKC", character)
            if character in "⁰¹²³⁴⁵⁶⁷⁸⁹" or "①" <= character <= "⑳"
            else character
            for character in text
        )
    bare = all(character in "[]>,;=." or character.isspace() or character.isdigit() for character in text)
    if not body.tagged and not (body.ended and bare):
        return None
    tiers = _tiers(text, n) if reader.ties else [[number] for number in _numbers(text) if number <= n]
    chosen = list(dict.fromkeys(number - 1 for tier in tiers for number in tier if number > 0))
    if not chosen:
        return None
    scores: list[float | None] | None = None
    if reader.ties:
        scores = [None] * n
        for rank, tier in enumerate(tiers, 1):
            for number in tier:
                scores[number - 1] = 1 / rank
    return Said(_with_rest(chosen, n), scores, surely=body.tagged)


def _tiers(text: str, n: int) -> list[list[int]]:
    """Ties between ">", up to the first number that was there before."""
    tiers: list[list[int]] = [[]]
    for part in re.split("(>)", text):
        if part == ">":
            tiers.append([])
        for number in _numbers(part):
            if any(number in tier for tier in tiers):
                return [tier for tier in tiers if tier]
            if 1 <= number <= n:
                tiers[-1].append(number)
    return [tier for tier in tiers if tier]


def _numbers(text: str) -> list[int]:
    numbers = []
    digits = ""
    for character in f"{text} ":
        if unicodedata.digit(character, None) is not None:
            digits += character
        elif digits:
            if all(unicodedata.decimal(digit, None) is not None for digit in digits):
                # Longer ones are no identifiers.
                numbers.append(int("".join(str(unicodedata.decimal(digit)) for digit in digits[:9])))
            digits = ""
    return numbers


def _letters(completion: Completion, n: int) -> Said | None:
    """The letters that were seen at the first token, the likeliest first."""
    watched = completion.tokens[0].watched if completion.tokens else {}
    seen = [position for position, letter in enumerate(ascii_uppercase[:n]) if letter in watched]
    ranked = sorted(seen, key=lambda position: (-watched[ascii_uppercase[position]], position))
    return Said(_with_rest(ranked, n)) if ranked else None


def _label(reader: LabelReader, body: Body, n: int) -> Said | None:
    """Nothing but one label, of a passage that there is."""
    before, _, after = reader.label.lower().partition("{number}")
    text = body.text.strip().lower()
    number = text[len(before) : len(text) - len(after)]
    if not body.ended or text != before + number + after or number not in map(str, range(1, n + 1)):
        return None
    chosen = int(number) - 1
    order = _with_rest([chosen], n)
    return Said([*order[1:], chosen] if isinstance(reader, WorstLabelReader) else order)


# --- scores


def _integer(_: IntegerReader, body: Body, __: int) -> Said | None:
    digits = body.text.strip()
    if not body.ended or digits not in map(str, range(11)):
        return None
    tokens = body.tokens_at(body.text.index(digits), len(digits))
    if tokens is None:
        return Said([0], [UNKNOWN])
    return Said([0], [int(digits) * math.prod(math.exp(token.logprob) for token in tokens)])


def _probability(reader: ProbabilityReader, body: Body, _: int) -> Said | None:
    word = body.text.strip()
    if word.lower() not in (reader.yes.strip().lower(), reader.no.strip().lower()):
        return None
    # One word is whole, also where it is the last that there was room for. After a thought that is empty
    # it may be taken for one or not.
    whole = body.ended or not reader.thought
    tokens = body.tokens_at(body.text.index(word), len(word))
    if tokens is None:
        return Said([0], [UNKNOWN], surely=False)
    if not tokens:
        return Said([0], [float(word.lower() == reader.yes.strip().lower())], surely=whole)
    if not {reader.yes, reader.no} <= tokens[0].watched.keys():
        return None
    score = _share(tokens[0].watched[reader.yes], tokens[0].watched[reader.no])
    # Two words that cannot be are as good as unknown.
    return Said([0], [score], surely=whole and not math.isnan(score))


def _grade(reader: GradeReader, body: Body, _: int) -> Said | None:
    text = body.text.lower().lstrip()
    word = "yes" if text.startswith("yes") else "no"
    graded = "".join(text.removeprefix(word).split()).removesuffix(".")
    grade = graded[1:-1]
    if not body.ended or not text.startswith(word) or graded not in [f"({number})" for number in range(5)]:
        return None
    surely = body.text.strip().lower() == word + graded
    words = body.tokens_at(body.text.lower().index(word), len(word))
    digits = body.tokens_at(body.text.index(grade), 1)
    if words is None or digits is None:
        return Said([0], [UNKNOWN], surely=surely)
    relevant = _relevant(words[0]) if words and words[0].watched else float(word == "yes")
    expected = (_expected_grade(digits[0], int(grade)) if digits else int(grade)) / 4
    parts = {"yesno": relevant, "label": expected, "merge": (relevant + expected) / 2}
    return Said([0], [parts[reader.part]], surely=surely)


def _relevant(token: Token) -> float:
    """The probability of yes, in the first spelling that is among the likeliest tokens."""
    seen = [
        next(
            (token.watched[form] for form in (word, word.title(), word.upper()) if form in token.watched),
            None,
        )
        for word in ("yes", "no")
    ]
    if seen == [None, None]:
        return UNKNOWN
    yes, no = (token.lowest - 10 if logprob is None else logprob for logprob in seen)
    return _share(yes, no)


def _expected_grade(token: Token, said: int) -> float:
    if not token.watched:
        return said
    if not any(str(grade) in token.watched for grade in range(5)):
        return UNKNOWN
    logprobs = [token.watched.get(str(grade), token.lowest - 10) for grade in range(5)]
    likeliest = max(logprobs)
    if math.isinf(likeliest):
        return UNKNOWN
    shares = [math.exp(logprob - likeliest) for logprob in logprobs]
    return sum(grade * share for grade, share in enumerate(shares)) / sum(shares)


def _share(one: float, other: float) -> float:
    """The probability of one of two, by their logarithms."""
    likeliest = max(one, other)
    if math.isinf(likeliest):
        return UNKNOWN
    return math.exp(one - likeliest) / (math.exp(one - likeliest) + math.exp(other - likeliest))


def _scores(_: ScoresReader, body: Body, n: int) -> Said | None:
    """What the last object says of each passage; UNKNOWN where it says several things of one."""
    if not body.tagged and not (body.ended and body.text.strip().startswith(("{", "```"))):
        return None
    fenced = body.text.split("```")
    text = fenced[(len(fenced) - 1) // 2 * 2 - 1].removeprefix("json") if len(fenced) > 2 else body.text
    last, opened = "", None
    for place, character in enumerate(text):
        if character == "{":
            opened = place
        elif character == "}" and opened is not None:
            last, opened = text[opened : place + 1], None
    try:
        pairs: list[tuple[str, object]] = json.loads(last, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    given: dict[int, list[float | None]] = {}
    for key, value in pairs:
        number = key.strip().removeprefix("[").rstrip("]")
        if number.isascii() and number.isdigit() and len(number) < 10:
            valid = type(value) in (int, float) and 0 <= value <= 10  # type: ignore[operator]
            given.setdefault(int(number), []).append(value / 10 if valid else None)  # type: ignore[operator]
    said = [given.get(number, [None]) for number in range(1, n + 1)]
    scores = [each[0] if len(set(each)) == 1 else UNKNOWN for each in said]
    if all(score is None for score in scores):
        return None
    if any(score is not None and math.isnan(score) for score in scores):
        return Said(None, scores, surely=False)
    scored = [position for position, score in enumerate(scores) if score is not None]
    return Said(
        _with_rest(sorted(scored, key=lambda position: (-(scores[position] or 0), position)), n),
        scores,
        surely=body.tagged,
    )


_HEARS: dict[type, Callable[..., Said | None]] = {
    ListReader: _list,
    LabelReader: _label,
    IntegerReader: _integer,
    ProbabilityReader: _probability,
    GradeReader: _grade,
    ScoresReader: _scores,
}
