"""From a text to the terms that BM25 counts, as Anserini's default analysis of English has them."""

import re

# Lucene's EnglishAnalyzer.ENGLISH_STOP_WORDS_SET.
STOP_WORDS = frozenset(
    [
        *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it"),
        *("no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these"),
        *("they", "this", "to", "was", "will", "with"),
    ]
)
VERSION = "english-1"
"""Changes whenever the same text would give other terms: indexes of another version are of no use."""

# Kana and Chinese characters are words of their own.
_SINGLE = "\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff"
_WORD = rf"(?:[^\W{_SINGLE}]|[\u0300-\u036f])+"
_TOKEN = re.compile(
    rf"[{_SINGLE}]"
    # Unicode's word boundaries: e.g. and can't are words, and so is 3,000.
    rf"|{_WORD}(?:(?:(?<=[^\W\d_])[.:'’·](?=[^\W\d_])|(?<=\d)[.,;'](?=\d)){_WORD})*"
)
_POSSESSIVE = ("'s", "’s", "＇s")


class Analyzer:
    """Lower case, no possessive 's, no stop words, Porter's stems: Lucene's chain for English.

    Tokens follow Unicode's word boundaries (UAX 29) for what English texts hold, and for Chinese and
    Japanese characters. Two things are not Lucene's: its stemmer departs from Porter's paper in two
    rules (`logi` -> `log`, `bli` -> `ble`), Snowball's does not; and Lucene splits words of more than
    255 characters.
    """

    def __init__(self) -> None:
        import Stemmer

        self._stem = Stemmer.Stemmer("porter").stemWord
        # Most words of a text came before.
        self._terms: dict[str, str | None] = {}

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in its order."""
        known = self._terms
        terms = []
        for token in _TOKEN.findall(text.lower()):
            if token not in known:
                known[token] = self._term(token)
            if term := known[token]:
                terms.append(term)
        return terms

    def _term(self, token: str) -> str | None:
        """The term a token stands for; None for a stop word and for what is no word."""
        if token.endswith(_POSSESSIVE):
            token = token[:-2]
        if token in STOP_WORDS or not token.strip("_"):
            return None
        # Lucene leaves words of two letters; Snowball would make `u` of `us`.
        return self._stem(token) if len(token) > 2 else token
