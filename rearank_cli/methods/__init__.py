"""How calls are arranged to order all candidates of a query."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rearank_cli.errors import UsageError
from rearank_cli.methods.asking import Ask, Shuffle, shuffle_for
from rearank_cli.methods.blitz import blitz
from rearank_cli.methods.exclusion import exclusion
from rearank_cli.methods.full import full
from rearank_cli.methods.groupwise import groupwise
from rearank_cli.methods.permutations import consistent
from rearank_cli.methods.pointwise import pointwise
from rearank_cli.methods.setwise_bubblesort import setwise_bubblesort
from rearank_cli.methods.setwise_heapsort import setwise_heapsort
from rearank_cli.methods.sliding import sliding
from rearank_cli.methods.topdown import topdown
from rearank_cli.methods.tourrank import tourrank
from rearank_cli.records import Gives, Ranking
from rearank_cli.words import did_you_mean

__all__ = ["METHODS", "Ask", "Method", "Shuffle", "consistent", "find_method", "shuffle_for"]


@dataclass(frozen=True)
class Method:
    """A coroutine that orders documents by awaiting readings of windows of them.

    It is called with the documents, `ask`, and by keyword what it `takes`: some of window, step, top,
    passes, shuffle. `reads` are the kinds of readings it can work with; `passes` is its own default.
    With `shows_all` a call can show all candidates; `scores` says that rankings have
    scores, `depends_on_answers` that the number of calls does.
    """

    name: str
    run: Callable[..., Awaitable[Ranking]]
    takes: frozenset[str]
    reads: frozenset[Gives]
    passes: int = 1
    least_window: int = 1
    shows_all: bool = False
    scores: bool = False
    depends_on_answers: bool = False


_ORDERS: frozenset[Gives] = frozenset({"order", "scores"})
_CHOICES: frozenset[Gives] = frozenset({"best", "order", "scores"})
_FIND_THE_TOP = frozenset({"window", "top", "shuffle"})
_DRAW_GROUPS = frozenset({"window", "passes", "shuffle"})

METHODS = {
    method.name: method
    for method in (
        Method("sliding", sliding, frozenset({"window", "step", "passes"}), _ORDERS),
        Method("full", full, frozenset(), _ORDERS, shows_all=True),
        Method("topdown", topdown, _FIND_THE_TOP, _ORDERS, least_window=2, depends_on_answers=True),
        Method(
            "blitz", blitz, frozenset({"window", "top"}), _ORDERS, least_window=2, depends_on_answers=True
        ),
        Method("tourrank", tourrank, _DRAW_GROUPS, _ORDERS, least_window=2, scores=True),
        Method(
            "setwise-heapsort",
            setwise_heapsort,
            _FIND_THE_TOP,
            _CHOICES,
            least_window=3,
            depends_on_answers=True,
        ),
        Method("setwise-bubblesort", setwise_bubblesort, _FIND_THE_TOP, _CHOICES, least_window=2),
        Method("pointwise", pointwise, frozenset(), frozenset({"score"}), scores=True),
        Method("groupwise", groupwise, _DRAW_GROUPS, frozenset({"scores"}), passes=2, scores=True),
        Method("exclusion", exclusion, frozenset(), frozenset({"worst", "order"}), shows_all=True),
    )
}


def find_method(name: str) -> Method:
    """The method of that name. Raises UsageError where there is none."""
    if name not in METHODS:
        # Half a name is more like another's whole: setwise like pointwise.
        begun = next((known for known in METHODS if name and known.startswith(name)), name)
        hint = did_you_mean(begun, METHODS) or f"it is one of {', '.join(METHODS)}"
        raise UsageError(f"unknown method '{name}'; {hint}")
    return METHODS[name]
