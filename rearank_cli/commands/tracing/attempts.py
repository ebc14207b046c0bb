"""The attempts in a trace file, in words: what they were, and what changed between them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rearank_cli.commands.tracing.paper import Paper
from rearank_cli.commands.tracing.selection import Selected
from rearank_cli.methods import METHODS
from rearank_cli.traces import TraceFile

# The rest of them changes how a job goes, and not what comes of it.
_ARRANGEMENT = ("window", "step", "depth", "top", "passes", "permutations")
_OPTIONS = (*_ARRANGEMENT, "seed", "retries", "forced_finish")
_USUAL = {"top": 10, "passes": 1, "permutations": 1, "seed": 0, "retries": 1, "forced_finish": True}
_SAMPLING_USUAL = {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0}


def write_attempts(paper: Paper, attempts: Sequence[Mapping[str, Any]]) -> None:
    """Write a line per attempt; those that repeat the one before are counted."""
    earlier: Mapping[str, Any] | None = None
    for number, attempt in enumerate(attempts, 1):
        facts = _facts(attempt)
        began = str(attempt["started"]).replace("T", " ").replace("+00:00", " UTC")
        if earlier is None or earlier["run"] != facts["run"]:
            told = "; ".join(_portrait(attempt))
        else:
            told = "; ".join(_changes(earlier, facts)) or "the same"
        paper.write((f"attempt {number}", "bold"), f", {began}: {told}", indent=2)
        earlier = facts


def left_behind(file: TraceFile, selected: Selected) -> bool:
    """Whether calls may be none of the last attempt's, as they were asked with another window or method."""
    last = [attempt for attempt in file.attempts if attempt["run"] == selected.run][-1]
    asked_by = {call.settled.asked_by for call in selected.calls}
    return any(_arrangement(file.attempts[number]) != _arrangement(last) for number in asked_by)


def _arrangement(attempt: Mapping[str, Any]) -> list[Any]:
    return [attempt["options"].get(name) for name in ("method", *_ARRANGEMENT)]


def _portrait(attempt: Mapping[str, Any]) -> Iterator[str]:
    """What an attempt was, less what is usual."""
    options, sampling = attempt["options"], attempt["asker"]["sampling"]
    facts = _facts(attempt)
    model = "" if facts["model"] == attempt["engine"] else f"{facts['model']} through "
    yield f"{facts['run']}: {model}{facts['engine']}"
    for name in ("revision", "adapter"):
        if facts[name]:
            yield f"{name} {facts[name]}"
    yield f"family {facts['family']}"
    method = METHODS.get(options["method"])
    applies = {"depth", "permutations", "seed", "retries", "forced_finish"} | (
        method.takes if method else set(_OPTIONS)
    )
    told = [
        f"{_name(name)} {_value(options[name])}"
        for name in _OPTIONS
        if name in options and name in applies and options[name] != _USUAL.get(name)
    ]
    yield ", ".join([str(options["method"]), *told])
    drawn = [
        f"{name} {sampling[name]}"
        for name, usual in _SAMPLING_USUAL.items()
        if name in sampling and sampling[name] != usual
    ]
    longest = sampling.get("max_tokens")
    if attempt["engine"] != "lexical":
        yield ", ".join([*(drawn or ["greedy"]), *([f"at most {longest:,} tokens"] if longest else [])])


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """What is another in a later attempt: `window 10 (was 20)`."""
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield f"{_name(name)} {_value(new)} (was {_value(old)})"


def _facts(attempt: Mapping[str, Any]) -> dict[str, Any]:
    """All that can be another in a later attempt, by name."""
    options = dict(attempt["options"])
    version = attempt.get("engine_version")
    facts = {
        "run": attempt["run"],
        "rearank": attempt.get("rearank"),
        "engine": f"{attempt['engine']} {version}" if version else attempt["engine"],
        **{name: attempt.get(name) for name in ("model", "revision", "adapter", "family")},
        **{f"set {name}": value for name, value in options.pop("set", {}).items()},
        **{f"engine-arg {name}": value for name, value in options.pop("engine_arg", {}).items()},
        **options,
        **{name: value for name, value in attempt["asker"]["sampling"].items() if name != "seed"},
    }
    # The same family with another digest is another text.
    return {**facts, "digest of the family": attempt["asker"]["family"]}


def _name(name: str) -> str:
    return name.replace("_", "-")


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
