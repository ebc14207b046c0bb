"""How calls are arranged to order all candidates of a query."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Protocol

from rearank_cli.errors import UsageError
from rearank_cli.methods.asking import Ask
from rearank_cli.methods.sliding import sliding

__all__ = ["Ask", "Method", "find_method"]


class Method(Protocol):
    """A coroutine that orders documents by awaiting readings of windows of them."""

    async def __call__(self, doc_ids: Sequence[str], ask: Ask, *, window: int, step: int) -> list[str]: ...


METHODS: dict[str, Method] = {"sliding": sliding}


def find_method(name: str) -> Method:
    """The method of that name. Raises UsageError where there is none."""
    if name not in METHODS:
        close = get_close_matches(name, METHODS, 1)
        hint = f"did you mean {close[0]}?" if close else f"it is one of {', '.join(METHODS)}"
        raise UsageError(f"unknown method '{name}'; {hint}")
    return METHODS[name]
