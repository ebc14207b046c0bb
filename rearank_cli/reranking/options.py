"""What a user can choose about reranking, checked once."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rearank_cli.engines import ENGINES, Engine, Judge
from rearank_cli.errors import UsageError
from rearank_cli.families import Family, family_for
from rearank_cli.methods import find_method
from rearank_cli.records import Sampling
from rearank_cli.trec.runs import Order

Missing = Literal["error", "skip"]

DEFAULT_MODEL = "le723z/Rearank-7B"


@dataclass(frozen=True, kw_only=True)
class RerankOptions:
    """The options of `rearank rerank`, in its words; None means the family's default."""

    dataset: str | None = None
    docs: Path | None = None
    queries: Path | None = None
    output: Path | None = None
    traces: Path | None = None
    tag: str = "rearank"
    model: str = DEFAULT_MODEL
    family: str | Path | None = None
    engine: str | Engine | Judge = "vllm"
    revision: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    method: str | None = None
    window: int | None = None
    step: int | None = None
    depth: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int = 0
    in_flight: int | None = None
    engine_args: Mapping[str, str] = field(default_factory=dict)
    max_failed: float = 0.05
    resume: bool = False
    overwrite: bool = False
    retries: int = 1
    timeout: float | None = None
    forced_finish: bool = True
    grace: float = 30.0
    missing: Missing = "error"
    limit: int | None = None
    query: tuple[str, ...] = ()
    input_order: Order = "trec"
    escape_ids: bool = False

    def arrangement_given(self) -> dict[str, Any]:
        """What the user chose of an arrangement."""
        names = [field.name for field in fields(Arrangement)]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True)
class Arrangement:
    """How the calls of a query are arranged; `window`, `step` and `depth` count passages."""

    method: str
    window: int
    step: int
    depth: int


@dataclass(frozen=True)
class Recipe:
    """Options and a family's defaults, put together: how every call of a run is made."""

    family: Family
    arrangement: Arrangement
    sampling: Sampling


def recipe_for(options: RerankOptions) -> Recipe:
    """Choose the family and fill what was left to it. Raises UsageError for what cannot be."""
    if isinstance(options.engine, str) and options.engine not in ENGINES:
        raise UsageError(f"unknown engine '{options.engine}'; it is one of {', '.join(ENGINES)}")
    if not isinstance(options.engine, str | Engine | Judge):
        raise UsageError(
            "the engine has neither an engine's method complete(prompt, sampling) "
            "nor a judge's method judge(query, passages, candidates)"
        )
    family = family_for(options.model, str(options.family) if options.family else None, options.settings)
    changed = {
        name: value
        for name in ("temperature", "top_p", "max_tokens")
        if (value := getattr(options, name)) is not None
    }
    arrangement = Arrangement(**{**asdict(family.defaults), **options.arrangement_given()})
    sampling = replace(family.sampling, **changed)
    check_options(options, arrangement, sampling)
    return Recipe(family, arrangement, sampling)


def check_options(options: RerankOptions, arrangement: Arrangement, sampling: Sampling | None = None) -> None:
    """Raise UsageError for what cannot be, all of it at once."""
    find_method(arrangement.method)
    problems = [
        f"--{name} is {value}, and must be at least 1"
        for name in ("window", "step", "depth")
        if (value := getattr(arrangement, name)) < 1
    ]
    if arrangement.step > arrangement.window >= 1:
        problems.append(
            f"--step {arrangement.step} is larger than --window {arrangement.window}: "
            "passages between windows would never be seen"
        )
    if sampling:
        problems += _sampling_problems(sampling)
    if not 0 <= options.max_failed <= 1:
        problems.append(f"--max-failed is {options.max_failed}, and is a fraction from 0 to 1")
    if options.resume and options.overwrite:
        problems.append("--resume goes on with what is there and --overwrite discards it: give one of them")
    if options.retries < 0:
        problems.append(f"--retries is {options.retries}, and must not be negative")
    if options.timeout is not None and not options.timeout > 0:
        problems.append(f"--timeout is {options.timeout:g} seconds, and must be above 0")
    if not options.grace >= 0:
        problems.append(f"--grace is {options.grace:g} seconds, and must not be negative")
    problems += [
        f"--{name.replace('_', '-')} is {value}, and must be at least 1"
        for name in ("limit", "in_flight")
        if (value := getattr(options, name)) is not None and value < 1
    ]
    problems += [
        f"--{name.replace('_', '-')} is {value}, and is one of {', '.join(choices)}"
        for name, choices in (("missing", get_args(Missing)), ("input_order", get_args(Order)))
        if (value := getattr(options, name)) not in choices
    ]
    if problems:
        raise UsageError("; ".join(problems))


def _sampling_problems(sampling: Sampling) -> Iterator[str]:
    # Written so that nan, which compares with nothing, is a problem too.
    if not sampling.temperature >= 0:
        yield f"--temperature is {sampling.temperature}, and must not be negative"
    if not 0 < sampling.top_p <= 1:
        yield f"--top-p is {sampling.top_p}, and must be above 0 and at most 1"
    if sampling.max_tokens < 1:
        yield f"--max-tokens is {sampling.max_tokens}, and must be at least 1"
