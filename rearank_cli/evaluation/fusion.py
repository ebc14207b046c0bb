"""Several runs as one: ranx's fusion, with what it leaves open settled."""

import itertools
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from rearank_cli.errors import InputError, UsageError
from rearank_cli.evaluation.engine import import_ranx
from rearank_cli.evaluation.fusion_methods import Fusion, Norm
from rearank_cli.records import RankedDocs, Run
from rearank_cli.trec.own_scores import strictly_falling

Scores = dict[str, float]
"""The documents that one run has for one query, best first, and their scores."""

_RANX_NORMS: Mapping[Norm, str | None] = {
    "minmax": "min-max",
    "zscore": "zmuv",
    "sum": "sum",
    "max": "max",
    "rank": "rank",
    "none": None,
}
# As many queries at a time: in ranx's dictionaries a run takes ten times the memory.
_BATCH = 100


def fuse_runs(
    runs: Mapping[str, Run], fusion: Fusion, *, depth: int | None = None, tag: str = "fused"
) -> Run:
    """Fuse runs by name, and keep the first `depth` documents of each query.

    The queries are those of the first run in its order, then what others have more; a query that a
    run lacks is fused from the others. Equal scores (as 32-bit floats) are ordered by document id,
    descending, as trec_eval orders them, and then set a hair apart. Raises UsageError for scores
    that the normalisation or the method cannot take, InputError where nothing is left.

    What ranx does differently, and why not here: a document that a run lacks gets 0, which among
    z-scores is an average document, where here it counts as that run's last one at best; a list
    whose scores are all the same is 0 by min-max, as if it had not been retrieved, where here it is
    1, as the best of every list; and it breaks ties in arbitrary ways, in and out.
    """
    query_ids = list(dict.fromkeys(query_id for run in runs.values() for query_id in run))
    rankings = {}
    for start in range(0, len(query_ids), _BATCH):
        normed = NormedRuns(runs, query_ids[start : start + _BATCH], fusion)
        for query_id, scores in normed.fused(fusion).items():
            if scores:
                ranked = in_order(scores)[:depth]
                rankings[query_id] = RankedDocs(ranked, strictly_falling(scores[each] for each in ranked))
    if not rankings:
        raise InputError("no documents in any of the runs")
    return Run(rankings, tag)


class NormedRuns:
    """The scores of some queries of all runs, normalised: what every candidate of a tuning begins with."""

    def __init__(self, runs: Mapping[str, Run], query_ids: Sequence[str], fusion: Fusion) -> None:
        self._ranx = import_ranx()
        self._query_ids = query_ids
        self._lists = [
            {
                query_id: _normalise(self._ranx, _list_of(run, query_id), fusion.norm, f"{name}, {query_id}")
                for query_id in query_ids
            }
            for name, run in runs.items()
        ]
        if fusion.method.multiplies:
            self._check_positive(fusion)
        if fusion.method.sums:
            self._fill()

    def fused(self, fusion: Fusion) -> dict[str, Scores]:
        """query_id -> doc_id -> fused score, in no order."""
        parameters: dict[str, Any] = {}
        if fusion.weights:
            parameters["weights"] = list(fusion.weights)
        if fusion.parameter is not None:
            parameters[str(fusion.method.parameter)] = fusion.parameter
        # ranx leaves the runs of some methods as they are and sorts those of others: it gets its own.
        runs = [_ranx_run(self._ranx, lists) for lists in self._lists]
        fused = self._ranx.fuse(runs, norm=None, method=fusion.method.ranx, params=parameters)
        return {query_id: dict(fused.run[query_id]) for query_id in self._query_ids}

    def _check_positive(self, fusion: Fusion) -> None:
        if any(score < 0 for lists in self._lists for scores in lists.values() for score in scores.values()):
            raise UsageError(
                f"{fusion.method.name} multiplies scores, and with --norm {fusion.norm} some are below 0, "
                "where more would be less; give --norm minmax"
            )

    def _fill(self) -> None:
        """Where some scores are below 0, give what a run lacks its lowest one: 0 would be too good."""
        for query_id in self._query_ids:
            lists = [scores[query_id] for scores in self._lists]
            for scores in lists:
                lowest = min(scores.values(), default=0.0)
                if lowest < 0:
                    for doc_id in itertools.chain(*lists):
                        scores.setdefault(doc_id, lowest)


def _list_of(run: Run, query_id: str) -> Scores:
    if query_id not in run:
        return {}
    ranked = run.ranked(query_id)
    return dict(zip(ranked.doc_ids(), ranked.scores(), strict=True))


def _normalise(ranx: Any, scores: Scores, norm: Norm, where: str) -> Scores:
    """One list normalised by ranx; `where` names it in errors."""
    name = _RANX_NORMS[norm]
    if name is None or not scores:
        return scores
    values = scores.values()
    low, high = min(values), max(values)
    if norm == "max" and high <= 0:
        raise UsageError(
            f"{where}: its best score is {high:g}, and --norm max divides by it; give --norm minmax"
        )
    if norm in ("minmax", "zscore", "sum"):
        if low == high:
            constant = {"minmax": 1.0, "zscore": 0.0, "sum": 1 / len(scores)}[norm]
            return dict.fromkeys(scores, constant)
        # None of these three changes by it, and ranx takes a width below 1e-9 for 1e-9.
        scores = {doc_id: (score - low) / (high - low) for doc_id, score in scores.items()}
    run = ranx.normalization.norm_switch(name)(_ranx_run(ranx, {"": scores}))
    return dict(run.run[""])


def _ranx_run(ranx: Any, lists: Mapping[str, Scores]) -> Any:
    """A run for ranx, its documents in our order: its own constructor would sort them anew."""
    from numba import types
    from numba.typed import Dict

    run = ranx.Run()
    for query_id, scores in lists.items():
        # Where numba does not compile, this is a plain dictionary.
        run.run[query_id] = Dict.empty(types.unicode_type, types.float64)
        run.run[query_id].update(scores)
    return run


def in_order(scores: Scores) -> list[str]:
    """The documents of one query by score as a 32-bit float, then by id, both descending."""
    singles = array("f", scores.values())
    return [doc_id for _, doc_id in sorted(zip(singles, scores, strict=True), reverse=True)]
