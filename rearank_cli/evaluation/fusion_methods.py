"""The ways to fuse runs: what each does, and what it takes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rearank_cli.errors import UsageError

Norm = Literal["minmax", "zscore", "sum", "max", "rank", "none"]


@dataclass(frozen=True, slots=True)
class FusionMethod:
    """A way to fuse: `ranx` is its name there.

    `by_rank` methods look at the order of a run alone. `sums` says that a run without a document
    counts as nothing, `multiplies` that scores below 0 would turn it around. `parameter` is the name of
    its only number, from 0 to `most`, with its `default` and what tuning tries.
    """

    name: str
    ranx: str
    sentence: str
    by_rank: bool = False
    sums: bool = False
    multiplies: bool = False
    weighted: bool = False
    parameter: str | None = None
    default: float = 0.0
    most: float = math.inf
    grid: tuple[float, ...] = ()


# Not here: ranx's condorcet and w_condorcet, whose result depends on the order of a Python set, which is
# another in each process; log_isr, where all documents that only one run has tie at 0; w_bordafuse; and
# what learns a probability for each rank from judgments: bayesfuse, mapfuse, posfuse, probfuse, segfuse and
# slidefuse.
FUSION_METHODS = (
    FusionMethod(
        name="rrf",
        ranx="rrf",
        sentence="reciprocal rank fusion: the sum of 1 / (k + rank), k is 60 (Cormack et al. 2009)",
        by_rank=True,
        parameter="k",
        default=60,
        grid=(1, 2, 5, 10, 20, 40, 60, 80, 100, 200, 500),
    ),
    FusionMethod(
        name="isr",
        ranx="isr",
        sentence="the sum of 1 / rank^2, times the number of runs that have the document",
        by_rank=True,
    ),
    FusionMethod(
        name="logn_isr",
        ranx="logn_isr",
        sentence="the sum of 1 / rank^2, times log(runs that have the document + sigma), sigma is 0.01",
        by_rank=True,
        parameter="sigma",
        default=0.01,
        most=1,
        grid=(0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0),
    ),
    FusionMethod(
        name="rbc",
        ranx="rbc",
        sentence="the sum of (1 - phi) phi^(rank - 1), phi is 0.8 (Bailey et al. 2017)",
        by_rank=True,
        parameter="phi",
        default=0.8,
        most=1,
        grid=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99),
    ),
    FusionMethod(
        name="borda",
        ranx="bordafuse",
        sentence="each run gives points, the most to its first document (Aslam and Montague 2001)",
        by_rank=True,
    ),
    FusionMethod(name="combsum", ranx="sum", sentence="the sum of scores (Fox and Shaw 1993)", sums=True),
    FusionMethod(
        name="combmnz",
        ranx="mnz",
        sentence="combsum times the number of runs that have the document",
        multiplies=True,
    ),
    FusionMethod(
        name="combgmnz",
        ranx="gmnz",
        sentence="combsum times that number to the power of gamma, gamma is 0.5 (Lee 1997)",
        multiplies=True,
        parameter="gamma",
        default=0.5,
        grid=(0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0),
    ),
    FusionMethod(name="combmax", ranx="max", sentence="the highest score"),
    FusionMethod(name="combmin", ranx="min", sentence="the lowest score of the runs that have the document"),
    FusionMethod(name="combmed", ranx="med", sentence="the median score of the runs that have the document"),
    FusionMethod(name="combanz", ranx="anz", sentence="the mean score of the runs that have the document"),
    FusionMethod(
        name="wsum",
        ranx="wsum",
        sentence="the weighted sum of scores; without weights they are all equal",
        sums=True,
        weighted=True,
    ),
    FusionMethod(
        name="wmnz",
        ranx="wmnz",
        sentence="combsum times the weights of the runs that have the document (Wu and Crestani 2002)",
        multiplies=True,
        weighted=True,
    ),
    FusionMethod(
        name="mixed",
        ranx="mixed",
        sentence="the weighted sum of scores, times the root of the number of runs that have the document",
        multiplies=True,
        weighted=True,
    ),
)
_BY_NAME = {method.name: method for method in FUSION_METHODS}


@dataclass(frozen=True, slots=True)
class Fusion:
    """How runs are fused. `weights` has one for each run, `parameter` is the method's only number."""

    method: FusionMethod
    norm: Norm = "minmax"
    weights: tuple[float, ...] = ()
    parameter: float | None = None


def plan_fusion(
    method: str,
    runs: int,
    *,
    norm: Norm | None = None,
    weights: Sequence[float] = (),
    parameter: float | None = None,
) -> Fusion:
    """How to fuse so many runs. Raises UsageError for what does not go together."""
    if runs < 2:
        raise UsageError("to fuse takes two runs or more")
    how = _BY_NAME.get(method)
    if how is None:
        raise UsageError(f"fusion method '{method}' is unknown (known are {', '.join(_BY_NAME)})")
    if how.by_rank and norm not in (None, "none"):
        raise UsageError(f"{method} looks at ranks alone, so --norm {norm} does nothing; leave it out")
    if weights and not how.weighted:
        weighted = [each.name for each in FUSION_METHODS if each.weighted]
        raise UsageError(f"{method} takes no weights; methods that do are {', '.join(weighted)}")
    if weights and len(weights) != runs:
        raise UsageError(f"there are {runs} runs and {len(weights)} weights; give --weight once for each run")
    if any(not math.isfinite(weight) or weight < 0 for weight in weights) or (weights and not any(weights)):
        raise UsageError("weights are numbers from 0 up, and not all 0")
    if parameter is not None and how.parameter is None:
        raise UsageError(f"{method} has no parameter")
    if how.weighted and not weights:
        weights = [1 / runs] * runs
    given = how.default if parameter is None else parameter
    if how.parameter:
        _check_parameter(how, given)
    return Fusion(
        how,
        "none" if how.by_rank else norm or "minmax",
        tuple(weights),
        given if how.parameter else None,
    )


def _check_parameter(method: FusionMethod, value: float) -> None:
    if not 0 <= value <= method.most or math.isinf(value):
        upto = "up" if math.isinf(method.most) else f"to {method.most:g}"
        raise UsageError(f"{method.parameter} of {method.name} is a number from 0 {upto}, not {value:g}")
