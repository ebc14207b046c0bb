"""Which passages a reasoning speaks of: `[3]`, `[3, 5]`, `Passage 3`, `documents 1, 4 and 5`."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# What stands between the identifiers of one list.
_BETWEEN = r"\s*(?:[,;/&>=~–-]|and\b|or\b|vs\.?)\s*(?:(?:and|or)\b\s*)?"
_NOUN = r"passage|document|doc|candidate|psg|identifier"
# A number of a measure, a version or a decimal is none of a passage: 3.5, 3%, 3rd, 3-year.
_ENDS = r"(?![\w%]|[.,]\d|-[A-Za-z])"
_SENTENCE_END = re.compile(r"""(?<=[.!?])["')\]*]*\s+(?=["'(\[*]*[A-Z0-9])|\n+""")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SEVERAL = rf"\d{{1,4}}(?:{_BETWEEN}\d{{1,4}})*"
# After one noun in the singular stands one identifier: "Passage 3, 5 years later, ...".
# Spaces and asterisks are taken whole (`++`): a model that repeats itself writes thousands of them, and
# time would go by their square.
_LISTING = re.compile(
    rf"(?P<brackets>\[\s*{_SEVERAL}\s*\])"
    rf"|\b(?:{_NOUN})s[\s*]++(?:(?:no\.?|numbers?|ids?)\s+)?#?(?P<many>{_SEVERAL}){_ENDS}"
    rf"|\b(?:{_NOUN})[\s*]++(?:(?:no\.?|number|id)\s+)?[#*]*(?P<one>\d{{1,4}}){_ENDS}",
    re.IGNORECASE,
)


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


def mentioned(text: str, n: int) -> list[Mention]:
    """The identifiers of passages 1 to n in a text, in its order; none overlaps another.

    Digits alone are no mention: a year, an amount, a numbered step.
    """
    found: list[Mention] = []
    for listing in _LISTING.finditer(text):
        whole = listing["brackets"] is not None
        group = "brackets" if whole else "many" if listing["many"] is not None else "one"
        offset = listing.start(group)
        identifiers = [
            (offset + identifier.start(), offset + identifier.end(), int(identifier.group()))
            for identifier in re.finditer(r"\d+", listing[group])
        ]
        if whole and len(identifiers) == 1:
            # Its brackets belong to it.
            identifiers = [(listing.start(group), listing.end(group), identifiers[0][2])]
        found += [Mention(*identifier) for identifier in identifiers if 1 <= identifier[2] <= n]
    return found


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text; a line's end ends one, too."""
    return list(_sentences(text))


def mentions(text: str, number: int) -> list[Sentence]:
    """The sentences that speak of a passage; a bare list of identifiers says nothing of any."""
    told = [mention for mention in mentioned(text, number) if mention.number == number]
    return [
        sentence
        for sentence in _sentences(text)
        if _is_in(sentence, told) and _WORD.search(re.sub(_NOUN, "", sentence.text, flags=re.IGNORECASE))
    ]


def _is_in(sentence: Sentence, told: Sequence[Mention]) -> bool:
    """Whether one of the mentions, which are in the order of the text, stands in a sentence."""
    place = bisect_left(told, sentence.start, key=lambda mention: mention.start)
    return place < len(told) and told[place].end <= sentence.end


def _sentences(text: str) -> Iterator[Sentence]:
    start = 0
    for end in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        piece = text[start:end]
        if piece.strip():
            begin = start + len(piece) - len(piece.lstrip())
            yield Sentence(begin, begin + len(piece.strip()), piece.strip())
        start = end
