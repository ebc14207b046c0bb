"""What a user can choose about reranking, checked once."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from rearank_cli.engines import ENGINES, Engine, Judge
from rearank_cli.errors import UsageError
from rearank_cli.families import Family, family_for
from rearank_cli.methods import find_method
from rearank_cli.records import Sampling
from rearank_cli.trec.runs import Order

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
    overwrite: bool = False
    missing: Literal["error", "skip"] = "error"
    limit: int | None = None
    query: tuple[str, ...] = ()
    input_order: Order = "trec"
    escape_ids: bool = False


@dataclass(frozen=True)
class Recipe:
    """Options and a family's defaults, put together: how every call of a run is made."""

    family: Family
    method: str
    window: int
    step: int
    depth: int
    sampling: Sampling


def recipe_for(options: RerankOptions) -> Recipe:
    """Choose the family and fill what was left to it. Raises UsageError for what cannot be."""
    if isinstance(options.engine, str) and options.engine not in ENGINES:
        raise UsageError(f"unknown engine '{options.engine}'; it is one of {', '.join(ENGINES)}")
    family = family_for(options.model, str(options.family) if options.family else None, options.settings)
    changed = {
        name: value
        for name in ("temperature", "top_p", "max_tokens")
        if (value := getattr(options, name)) is not None
    }
    recipe = Recipe(
        family=family,
        method=options.method or family.defaults.method,
        window=_given(options.window, family.defaults.window),
        step=_given(options.step, family.defaults.step),
        depth=_given(options.depth, family.defaults.depth),
        sampling=replace(family.sampling, **changed),
    )
    find_method(recipe.method)
    problems = [f"--{name} is {getattr(recipe, name)}, and must be at least 1"
                for name in ("window", "step", "depth") if getattr(recipe, name) < 1]  # fmt: skip
    if recipe.step > recipe.window:
        problems.append(
            f"--step {recipe.step} is larger than --window {recipe.window}: "
            "passages between windows would never be seen"
        )
    if recipe.sampling.temperature < 0:
        problems.append(f"--temperature is {recipe.sampling.temperature}, and must not be negative")
    if not 0 < recipe.sampling.top_p <= 1:
        problems.append(f"--top-p is {recipe.sampling.top_p}, and must be above 0 and at most 1")
    if recipe.sampling.max_tokens < 1:
        problems.append(f"--max-tokens is {recipe.sampling.max_tokens}, and must be at least 1")
    if not 0 <= options.max_failed <= 1:
        problems.append(f"--max-failed is {options.max_failed}, and is a fraction from 0 to 1")
    problems += [f"--{name.replace('_', '-')} is {getattr(options, name)}, and must be at least 1"
                 for name in ("limit", "in_flight") if (getattr(options, name) or 1) < 1]  # fmt: skip
    if problems:
        raise UsageError("; ".join(problems))
    return recipe


def _given(value: int | None, default: int) -> int:
    return default if value is None else value
