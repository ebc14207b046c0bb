"""ranx, and how it is fed: the only place that knows it."""

import os
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

from rearank_cli.evaluation.measures import Measure
from rearank_cli.records import Qrels

# ranx imports these at once, and scoring uses none of them. To import ir_datasets or matplotlib is to create
# folders in the user's home and to look through all fonts, and a third of the time that ranx takes.
_UNUSED = ("ir_datasets", "matplotlib", "matplotlib.pyplot", "seaborn")

# Its tests of significance, which are not ours (see comparison.py), take half the time.
_UNUSED_FUNCTIONS = ("scipy.stats",)

_UNJUDGED = -1


class Scorer:
    """Judgments, against which rankings are measured.

    `ranx.metrics` take an array of (document, grade) rows for each topic, best first, and look each
    ranked document up in it. ranx's own Qrels and Run identify a document by a hash rounded to 53
    bits; here it is its place among the judged documents of the topic, which is exact, and found at
    once.
    """

    def __init__(self, qrels: Qrels) -> None:
        self._metrics = import_ranx().metrics
        self._places: dict[str, dict[str, int]] = {}
        judged = []
        for query_id, grades in qrels.items():
            best_first = sorted(grades.items(), key=lambda item: item[1], reverse=True)
            self._places[query_id] = {doc_id: place for place, (doc_id, _) in enumerate(best_first)}
            judged.append([(place, grade) for place, (_, grade) in enumerate(best_first)])
        self._judged = _arrays(judged)

    def score(
        self, rankings: Mapping[str, Sequence[str]], measures: Sequence[Measure]
    ) -> dict[str, dict[str, float]]:
        """Measure the rankings (query_id -> doc_ids, best first): measure -> query_id -> value.

        Every judged topic has a value, in the order of the judgments: 0 where there is no ranking.
        """
        ranked = []
        for query_id, places in self._places.items():
            ranking = rankings.get(query_id, ())
            # The scores N-rank+1 say what the order says: there are no ties for ranx to break.
            ranked.append(
                [(places.get(doc_id, _UNJUDGED), len(ranking) - i) for i, doc_id in enumerate(ranking)]
            )
        arrays = _arrays(ranked)
        values = {}
        for measure in measures:
            function = getattr(self._metrics, measure.formula.function)
            per_topic = function(self._judged, arrays, measure.cutoff, measure.level).tolist()
            values[measure.name] = dict(zip(self._places, per_topic, strict=True))
        return values


def _arrays(topics: Iterable[Sequence[tuple[int, int]]]) -> Any:
    import numpy as np
    from numba.typed import List

    # This list is a plain one where numba does not compile, and the only kind it takes where it does.
    return List([np.array(rows, dtype=np.float64).reshape(-1, 2) for rows in topics])


class _StandIn(ModuleType):
    """A module that is imported only when something in it is used."""

    def __getattr__(self, name: str) -> Any:
        module = import_module(self.__name__)
        if module is self:
            raise AttributeError(name)
        return getattr(module, name)


class _StandInFunctions(ModuleType):
    """A module of functions that is imported only when one of them is called."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*values: Any, **options: Any) -> Any:
            return getattr(import_module(self.__name__), name)(*values, **options)

        return call


def import_ranx() -> Any:
    """Import ranx without compiling it, which would take half a minute, much of it again in each process.

    Where numba was imported before, its own setting holds: slower, perhaps, with the same numbers.
    """
    if "numba" not in sys.modules:
        os.environ.setdefault("NUMBA_DISABLE_JIT", "1")
    stand_ins: dict[str, ModuleType] = {
        **{name: _StandIn(name) for name in _UNUSED},
        **{name: _StandInFunctions(name) for name in _UNUSED_FUNCTIONS},
    }
    stand_ins = {name: module for name, module in stand_ins.items() if name not in sys.modules}
    sys.modules.update(stand_ins)
    try:
        with warnings.catch_warnings():
            # Of invalid escapes in its strings, when Python 3.12 or later first reads it.
            warnings.simplefilter("ignore", SyntaxWarning)
            import ranx
    finally:
        for name in stand_ins:
            del sys.modules[name]
    return ranx
