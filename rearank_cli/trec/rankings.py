"""Runs as Python programs have them: rankings by query."""

import math
import numbers
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Run, ScoredDoc

_NO_RUN = "a run is a file, a Run, or rankings by query: {query_id: [(doc_id, score), ...]}"
_NO_RANKING = "its ranking is a list of (doc_id, score), the best first"


def as_run(given: object) -> str | Path | Run:
    """A run: the path of its file, or its rankings.

    Raises UsageError for what is neither, InputError for rankings that cannot be.
    """
    if isinstance(given, str | Run):
        return given
    if isinstance(given, os.PathLike):
        return Path(given)
    if not isinstance(given, Mapping):
        hint = "; for frames there is rearank_cli.pyterrier" if type(given).__name__ == "DataFrame" else ""
        raise UsageError(f"{_NO_RUN}; this is of type {type(given).__name__}{hint}")
    return Run({_id("query", query_id): _ranking(query_id, ranking) for query_id, ranking in given.items()})


def _ranking(query_id: str, given: object) -> list[ScoredDoc]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise InputError(f"query '{query_id}': {_NO_RANKING}, and not of type {type(given).__name__}")
    ranking: dict[str, ScoredDoc] = {}
    for item in given:
        if not isinstance(item, Sequence) or isinstance(item, str) or len(item) != 2:
            raise InputError(f"query '{query_id}': {_NO_RANKING}, and {item!r:.60} is none")
        doc_id, score = _id("document", item[0]), item[1]
        if not isinstance(score, numbers.Real) or not math.isfinite(score):
            raise InputError(
                f"query '{query_id}': the score of '{doc_id}' is {score!r:.40}, no finite number"
            )
        if doc_id in ranking:
            raise InputError(f"query '{query_id}': document '{doc_id}' is in its ranking twice")
        ranking[doc_id] = ScoredDoc(doc_id, float(score))
    return list(ranking.values())


def _id(kind: str, given: object) -> str:
    if not isinstance(given, str):
        raise InputError(f"the {kind} id {given!r:.40} is of type {type(given).__name__}; ids are always str")
    return given
