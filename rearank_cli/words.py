"""Counts, stretches of time and guesses, in words."""

from collections.abc import Iterable
from difflib import get_close_matches


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 query`, `12 queries`; `many` is `one` with an s where it is not given."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """`45 s`, `4 min 10 s`, `3 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600:,} h {whole % 3600 // 60:02} min"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean rearank?`; empty where nothing that is known is like the word."""
    close = get_close_matches(word, list(known), 1)
    return f"did you mean {close[0]}?" if close else ""
