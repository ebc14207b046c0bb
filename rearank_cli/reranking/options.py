"""What a user can choose about reranking, checked once."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from rearank_cli.corpus import Texts
from rearank_cli.engines import ENGINES, Engine, Judge, Needs, Wanted
from rearank_cli.errors import UsageError
from rearank_cli.families import Family, UnlistedError, family_for, known_model
from rearank_cli.methods import METHODS, find_method
from rearank_cli.records import Sampling
from rearank_cli.reranking.shards import parse_shard
from rearank_cli.trec.runs import Order

Missing = Literal["error", "skip"]
Scores = Literal["rank", "model"]

log = logging.getLogger("rearank")

DEFAULT_MODEL = "le723z/Rearank-7B"


@dataclass(frozen=True, kw_only=True)
class RerankOptions:
    """The options of `rearank rerank`, in its words; None means the family's default."""

    dataset: str | None = None
    docs: Path | Texts | None = None
    queries: Path | Texts | None = None
    output: Path | None = None
    traces: Path | None = None
    tag: str = "rearank"
    model: str = DEFAULT_MODEL
    family: str | Path | None = None
    engine: str | Engine | Judge = "vllm"
    adapter: str | None = None
    revision: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    method: str | None = None
    window: int | None = None
    step: int | None = None
    depth: int | None = None
    top: int | None = None
    passes: int | None = None
    permutations: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    seed: int = 0
    in_flight: int | None = None
    base_url: str | None = None
    replicas: int = 1
    ray_address: str | None = None
    shard: str | None = None
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
    scores: Scores = "rank"

    def arrangement_given(self) -> dict[str, Any]:
        """What the user chose of an arrangement."""
        names = [field.name for field in fields(Arrangement)]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


@dataclass(frozen=True)
class Arrangement:
    """How the calls of a query are arranged; `window`, `step`, `depth` and `top` count passages.

    `top` is how many of the best a method is asked to find, where it can stop there.
    """

    method: str
    window: int
    step: int
    depth: int
    top: int = 10
    passes: int = 1
    permutations: int = 1

    @property
    def largest_window(self) -> int:
        """The most passages that a call can show."""
        method = find_method(self.method)
        if "window" in method.takes:
            return min(self.window, self.depth)
        return self.depth if method.shows_all else 1


@dataclass(frozen=True)
class Recipe:
    """Options and a family's defaults, put together: how every call of a run is made.

    `model` and `adapter` are what is loaded: of a model that its family knows to be an adapter, its base.
    """

    family: Family
    arrangement: Arrangement
    sampling: Sampling
    model: str
    revision: str | None
    adapter: str | None
    adapter_revision: str | None

    def wanted(self, options: RerankOptions) -> Wanted:
        """The model as an engine is to serve it."""
        return Wanted(
            self.model,
            revision=self.revision,
            adapter=self.adapter,
            adapter_revision=self.adapter_revision,
            draws=self.sampling.temperature > 0,
            engine_args=options.engine_args,
            family_args=self.family.engine,
            needs=self._needs(options),
            base_url=options.base_url,
            timeout=options.timeout,
        )

    def _needs(self, options: RerankOptions) -> Needs:
        template = self.family.template
        return Needs(
            raw=template.text is not None,
            prefill=bool(template.append),
            logprobs=self.sampling.logprobs,
            thinking_switch=bool(template.chat_args),
            forced_finish=options.forced_finish,
        )


def recipe_for(options: RerankOptions) -> Recipe:
    """Choose the family and fill what was left to it. Raises UsageError for what cannot be."""
    if isinstance(options.engine, str) and options.engine not in ENGINES:
        raise UsageError(f"unknown engine '{options.engine}'; it is one of {', '.join(ENGINES)}")
    if not isinstance(options.engine, str | Engine | Judge):
        raise UsageError(
            "the engine has neither an engine's method complete(prompt, sampling) "
            "nor a judge's method judge(query, passages, candidates)"
        )
    listed = known_model(options.model)
    if listed and listed.adapter and options.adapter:
        raise UsageError(
            f"{options.model} is an adapter itself: give -m {listed.base} with --adapter {options.adapter}"
        )
    family = _family(options)
    listed = family.model(options.model) or listed
    model, revision, adapter = options.model, options.revision, options.adapter
    adapter_revision = None
    if listed and listed.adapter and listed.base:
        # A revision is that of the model that was named.
        model, adapter = listed.base, options.model
        revision, adapter_revision = None, options.revision
    changed = {
        name: value
        for name in ("temperature", "top_p", "max_tokens")
        if (value := getattr(options, name)) is not None
    }
    arrangement = _arrangement(family, options)
    sampling = replace(family.sampling, **changed)
    _check_method(family, arrangement, options)
    check_options(options, arrangement, sampling)
    if sampling.logprobs and options.temperature:
        log.warning("--temperature changes the probabilities that family %s is read from", family.name)
    if told := {key: value for key, value in family.for_dataset.items() if key not in options.settings}:
        chosen = ", ".join(f"{key}={value}" for key, value in told.items())
        log.info("family %s, as its authors ran it on %s: %s", family.name, options.dataset, chosen)
    return Recipe(family, arrangement, sampling, model, revision, adapter, adapter_revision)


def _family(options: RerankOptions) -> Family:
    """The family that was named, or else the one that lists the adapter, or without one the model."""
    named = str(options.family) if options.family else None
    try:
        return family_for(options.adapter or options.model, named, options.settings, options.dataset)
    except UnlistedError:
        if options.adapter is None:
            raise
        raise UsageError(
            f"no family lists the adapter '{options.adapter}'; say what it was trained to read with --family"
        ) from None


def _arrangement(family: Family, options: RerankOptions) -> Arrangement:
    defaults = {name: value for name, value in asdict(family.defaults).items() if value is not None}
    given = options.arrangement_given()
    method = find_method(given.get("method", family.defaults.method))
    if method.name != family.defaults.method:
        # How often the family's own method goes over a list says nothing about another.
        defaults.pop("passes", None)
    return Arrangement(**{"passes": method.passes, **defaults, **given})


def _check_method(family: Family, arrangement: Arrangement, options: RerankOptions) -> None:
    """Raise UsageError where a method cannot work with what a family's answers say."""
    method = find_method(arrangement.method)
    if family.gives not in method.reads:
        fitting = ", ".join(each.name for each in METHODS.values() if family.gives in each.reads)
        raise UsageError(
            f"--method {method.name} cannot work with family {family.name}, whose answers give "
            f"{_GIVES[family.gives]}; with it go: {fitting}"
        )
    most = family.most_passages
    if most and arrangement.largest_window > most:
        option = "--depth" if method.shows_all else "--window"
        raise UsageError(
            f"{option} is {arrangement.largest_window}, and family {family.name} can name "
            f"at most {most} passages in a call: give {option} {most}"
        )
    if arrangement.permutations > 1 and family.gives in ("worst", "score"):
        raise UsageError(
            f"--permutations: family {family.name} gives {_GIVES[family.gives]}, "
            "of which other orders of a window say nothing"
        )
    if "step" in method.takes and 1 < arrangement.window == arrangement.step:
        log.warning("--step is as large as --window: no passage can rise out of its window")
    for name in sorted({"window", "step", "top", "passes"} - method.takes):
        if getattr(options, name) is not None:
            log.warning("--%s means nothing to method %s", name, method.name)


_GIVES = {
    "order": "an order of several passages",
    "best": "the best of several passages",
    "worst": "the worst of several passages",
    "score": "the score of a single passage",
    "scores": "scores of several passages",
}


def check_options(options: RerankOptions, arrangement: Arrangement, sampling: Sampling | None = None) -> None:
    """Raise UsageError for what cannot be, all of it at once."""
    method = find_method(arrangement.method)
    problems = [
        f"--{name} is {value}, and must be at least 1"
        for name in ("window", "step", "depth", "top", "passes", "permutations")
        if (value := getattr(arrangement, name)) < 1
    ]
    if "window" in method.takes and 1 <= arrangement.window < method.least_window:
        problems.append(
            f"--window is {arrangement.window}, and method {method.name} compares at least "
            f"{method.least_window} passages at once"
        )
    if "step" in method.takes and arrangement.step > arrangement.window >= 1:
        problems.append(
            f"--step {arrangement.step} is larger than "
            f"--window {arrangement.window}: passages between windows would never be seen"
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
        for name in ("limit", "in_flight", "replicas")
        if (value := getattr(options, name)) is not None and value < 1
    ]
    if options.shard is not None and parse_shard(options.shard) is None:
        problems.append(f"--shard is {options.shard}, and must be I/N, a shard I from 1 to N of N shards")
    problems += [
        f"--{name.replace('_', '-')} is {value}, and is one of {', '.join(choices)}"
        for name, choices in (
            ("missing", get_args(Missing)),
            ("input_order", get_args(Order)),
            ("scores", get_args(Scores)),
        )
        if (value := getattr(options, name)) not in choices
    ]
    problems += _engine_problems(options)
    if options.scores == "model" and not method.scores:
        scoring = ", ".join(each.name for each in METHODS.values() if each.scores)
        problems.append(
            f"--scores model: method {method.name} orders without scores; those that score are: {scoring}"
        )
    if problems:
        raise UsageError("; ".join(problems))


def _engine_problems(options: RerankOptions) -> Iterator[str]:
    if options.replicas > 1 and options.engine not in ("vllm", "lexical"):
        yield "--replicas loads a model several times: it goes with --engine vllm (or lexical)"
    if options.ray_address is not None and options.replicas <= 1:
        yield "--ray-address says where replicas are: give their number with --replicas"
    if options.base_url is not None and options.engine != "openai":
        yield "--base-url is the server of --engine openai: give that too"
    if options.adapter is not None and options.engine == "openai":
        yield "--adapter: a server loads its adapters itself; give the name it has there with -m"


def _sampling_problems(sampling: Sampling) -> Iterator[str]:
    # Written so that nan, which compares with nothing, is a problem too.
    if not sampling.temperature >= 0:
        yield f"--temperature is {sampling.temperature}, and must not be negative"
    if not 0 < sampling.top_p <= 1:
        yield f"--top-p is {sampling.top_p}, and must be above 0 and at most 1"
    if sampling.max_tokens is not None and sampling.max_tokens < 1:
        yield f"--max-tokens is {sampling.max_tokens}, and must be at least 1"
