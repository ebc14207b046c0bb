"""Which passages a reasoning speaks of: `[3]`, `[3, 5]`, `Passage 3`, `documents 1, 4 and 5`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

# What stands between the identifiers of one list.
_BETWEEN = r"\s*(?:[,;/&>=~–-]|and\b|or\b|vs\.?)\s*(?:(?:and|or)\b\s*)?"
_NOUN = r"passage|document|doc|candidate|psg|identifier"
# A number of a measure, a version or a decimal is none of a passage: 3.5, 3%, 3rd, 3-year.
_ENDS = r"(?![\w%]|[.,]\d|-[A-Za-z])"
_SENTENCE_END = re.compile(r"""(?<=[.!?])["')\]*]*\s+(?=["'(\[*]*[A-Z0-9])|\n+""")
_WORD = re.compile(r"[^\W\d_]{2,}")


class Mention(NamedTuple):
    """An identifier in a text, from `start` to `end`: `[3]`, or the `3` of `[3, 5]` and of `Passage 3`."""

    start: int
    end: int
    number: int


class Sentence(NamedTuple):
    """A sentence or line of a text, from `start` to `end`."""

    start: int
    end: int
    text: str


def mentioned(text: str, n: int, *, letters: bool = False) -> list[Mention]:
    """The identifiers of passages 1 to n in a text, in its order; none overlaps another.

    Digits alone are no mention: a year, an amount, a numbered step. With `letters`, passages are A, B, C
    and so on, as FIRST names them.
    """
    found: list[Mention] = []
    for listing in _listings(letters).finditer(text):
        whole = listing["brackets"] is not None
        group = "brackets" if whole else "many" if listing["many"] is not None else "one"
        offset = listing.start(group)
        identifiers = [
            (offset + identifier.start(), offset + identifier.end(), _number(identifier.group()))
            for identifier in re.finditer(r"\d+|\b[A-Z]\b" if letters else r"\d+", listing[group])
        ]
        if whole and len(identifiers) == 1:
            # Its brackets belong to it.
            identifiers = [(listing.start(group), listing.end(group), identifiers[0][2])]
        found += [Mention(*identifier) for identifier in identifiers if 1 <= identifier[2] <= n]
    return found


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text; a line's end ends one, too."""
    return list(_sentences(text))


def mentions(text: str, number: int, *, letters: bool = False) -> list[Sentence]:
    """The sentences that speak of a passage; a bare list of identifiers says nothing of any."""
    told = [mention for mention in mentioned(text, number, letters=letters) if mention.number == number]
    return [
        sentence
        for sentence in _sentences(text)
        if any(sentence.start <= mention.start and mention.end <= sentence.end for mention in told)
        and _WORD.search(re.sub(_NOUN, "", sentence.text, flags=re.IGNORECASE))
    ]


@lru_cache
def _listings(letters: bool) -> re.Pattern[str]:
    identifier = r"\d{1,4}" if not letters else r"(?-i:[A-Z])"
    several = rf"{identifier}(?:{_BETWEEN}{identifier})*"
    # After one noun in the singular stands one identifier: "Passage 3, 5 years later, ...".
    return re.compile(
        rf"(?P<brackets>\[\s*{several}\s*\])"
        rf"|\b(?:{_NOUN})s[\s*]+(?:(?:no\.?|numbers?|ids?)\s+)?#?(?P<many>{several}){_ENDS}"
        rf"|\b(?:{_NOUN})[\s*]+(?:(?:no\.?|number|id)\s+)?[#*]*(?P<one>{identifier}){_ENDS}",
        re.IGNORECASE,
    )


def _number(identifier: str) -> int:
    return int(identifier) if identifier.isdecimal() else ord(identifier) - ord("A") + 1


def _sentences(text: str) -> Iterator[Sentence]:
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:end]
        if piece.strip():
            begin = start + len(piece) - len(piece.lstrip())
            yield Sentence(begin, begin + len(piece.strip()), piece.strip())
        start = end
