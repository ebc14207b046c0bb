"""The lexical judge: no model, but real reasons; so that all but the model runs anywhere, in a blink."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from rearank_cli.records import Passage, Query

_WORD = re.compile(r"\w+")
# The most frequent words of English: they match everywhere and say nothing.
_STOP_WORDS = frozenset(
    "a about an and are as at be but by can did do does for from had has have how i if in into is it its of on "
    "or s so such t than that the their then there these they this to was were what when where which who why "
    "will with would you your".split()
)
# A second mention of a term says less than the first (BM25's saturation, with its usual k1).
_K1 = 0.9


class LexicalJudge:
    """Weighs the query terms a passage has by how rare they are among the query's candidates."""

    name = "lexical"

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> tuple[list[int], str]:
        """The window's passages by summed weight, ties in their current order; the reasoning names the terms."""
        weights = _term_weights(query.text, tuple(passage.text for passage in candidates))
        matches = [_matches(passage.text, weights) for passage in passages]
        totals = [sum(found.values()) for found in matches]
        order = sorted(range(len(passages)), key=lambda position: -totals[position])
        rarest = ", ".join(sorted(weights, key=lambda term: -weights[term])) or "none"
        lines = [f"Terms of the query, rarest among its {len(candidates)} candidates first: {rarest}."]
        for number, (found, total) in enumerate(zip(matches, totals, strict=True), 1):
            named = ", ".join(sorted(found, key=lambda term: -found[term])) or "no term of the query"
            lines.append(f"Passage [{number}] ({total:.2f}): {named}.")
        return order, "\n".join(lines)


def _matches(text: str, weights: dict[str, float]) -> dict[str, float]:
    """The query terms in a text, each with its weight there."""
    counts = _terms(text)
    return {
        term: weight * counts[term] * (_K1 + 1) / (counts[term] + _K1)
        for term, weight in weights.items()
        if term in counts
    }


@lru_cache(maxsize=1024)
def _term_weights(query: str, candidates: tuple[str, ...]) -> dict[str, float]:
    """Lucene's idf of the query's terms, over the candidates as the collection."""
    containing = Counter(term for text in candidates for term in _terms(text))
    n = len(candidates)
    return {
        term: math.log(1 + (n - containing[term] + 0.5) / (containing[term] + 0.5)) for term in _terms(query)
    }


@lru_cache(maxsize=1 << 16)
def _terms(text: str) -> Counter[str]:
    words = (word for word in _WORD.findall(text.lower()) if word not in _STOP_WORDS)
    return Counter(_singular(word) for word in words)


def _singular(word: str) -> str:
    """Fold the commonest English ending: `bees` and `bee` are one term."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
