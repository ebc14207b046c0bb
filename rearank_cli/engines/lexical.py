"""The lexical judge: no model, but real reasons; so that all but the model runs anywhere, in a blink."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from rearank_cli.engines.engine import Verdict
from rearank_cli.records import Passage, Query

_WORD = re.compile(r"\w+")
# The most frequent words of English: they match everywhere and say nothing.
_STOP_WORDS = frozenset(
    """a about an and are as at be but by can did do does for from had has have how i if in into is it its
    of on or s so such t than that the their then there these they this to was were what when where which
    who why will with would you your""".split()  # noqa: SIM905  # reads better than a column of strings
)
# A second mention of a term says less than the first (BM25's saturation, with its usual k1).
_K1 = 0.9


class LexicalJudge:
    """Weighs the query terms that a passage has by how rare they are among the query's candidates."""

    name = "lexical"

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> Verdict:
        """The window's passages by summed weight, ties as they were; the reasoning names the terms.

        A score is the share of the weight that a passage could have at most.
        """
        weights = _term_weights(query.text, tuple(map(_text, candidates)))
        matches = [_matches(_text(passage), weights) for passage in passages]
        totals = [sum(found.values()) for found in matches]
        order = sorted(range(len(passages)), key=lambda position: -totals[position])
        most = sum(weights.values()) * (_K1 + 1) or 1.0
        return Verdict(
            order, "\n".join(_reasons(weights, matches, len(candidates))), [total / most for total in totals]
        )


def _reasons(
    weights: Mapping[str, float], matches: Sequence[Mapping[str, float]], candidates: int
) -> list[str]:
    def named(terms: Mapping[str, float]) -> str:
        return ", ".join(sorted(terms, key=lambda term: -terms[term])) or "no term of the query"

    lines = [f"Terms of the query, rarest among its {candidates} candidates first: {named(weights)}."]
    lines += [
        f"Passage [{number}] ({sum(found.values()):.2f}): {named(found)}."
        for number, found in enumerate(matches, 1)
    ]
    return lines


def _matches(text: str, weights: Mapping[str, float]) -> dict[str, float]:
    """The query terms in a text, each with its weight there."""
    counts = _terms(text)
    return {
        term: weight * counts[term] * (_K1 + 1) / (counts[term] + _K1)
        for term, weight in weights.items()
        if term in counts
    }


@lru_cache(maxsize=1024)
def _term_weights(query: str, candidates: tuple[str, ...]) -> dict[str, float]:
    """How much each query term says: 1 where every candidate has it, more the fewer have it."""
    containing = Counter(term for text in candidates for term in _terms(text))
    return {term: 1 + math.log(len(candidates) / max(containing[term], 1)) for term in _terms(query)}


@lru_cache(maxsize=1 << 16)
def _terms(text: str) -> Counter[str]:
    words = (word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS)
    return Counter(_singular(word) for word in words)


def _singular(word: str) -> str:
    """Fold the commonest ending of English: `bees` and `bee` are one term."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _text(passage: Passage) -> str:
    return f"{passage.title} {passage.text}" if passage.title else passage.text
