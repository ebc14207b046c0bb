"""How a run was reranked, in the words of its last attempt."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rearank_cli.methods import METHODS
from rearank_cli.report.contents import Reranking
from rearank_cli.report.numbers import moment


def facts(reranking: Reranking) -> Iterator[tuple[str, str]]:
    """How a run was reranked, in the words of its last attempt."""
    attempt: Mapping[str, Any] = reranking.attempt
    options, sampling = attempt["options"], attempt["asker"]["sampling"]
    yield "Run", f"{reranking.run} (SHA-256 {attempt['run_sha256'][:12]}…)"
    yield "Model", _joined([attempt["model"], attempt["revision"], attempt["adapter"]])
    yield "Family", _joined([attempt["family"], *_pairs(options.get("set", {}))])
    engine = [attempt["engine"], attempt.get("engine_version")]
    yield (
        "Engine",
        _joined([" ".join(str(word) for word in engine if word), *_pairs(options.get("engine_arg", {}))]),
    )
    yield "Method", _joined([options["method"], *_arranged(options)])
    drawn = ("temperature", "top_p", "top_k", "min_p", "max_tokens")
    yield (
        "Sampling",
        _joined(
            [
                *(f"{name} {sampling[name]}" for name in drawn if sampling.get(name)),
                f"seed {options.get('seed', 0)}",
            ]
        ),
    )
    if reranking.attempts > 1:
        yield "Attempts", f"{reranking.attempts}; the calls shown are those that made the last one's ranking"
    yield "Started", moment(attempt["started"])
    yield "Written by", f"rearank {attempt['rearank']}"


def _arranged(options: Mapping[str, Any]) -> Iterator[str]:
    """What a method goes by, as far as it does, and what is not as it mostly is."""
    takes = METHODS[options["method"]].takes if options["method"] in METHODS else frozenset()
    for name in ("window", "step", "top", "passes"):
        if name in takes and not (name == "passes" and options.get(name) == 1):
            yield f"{name} {options.get(name)}"
    yield f"depth {options['depth']}"
    if options.get("permutations", 1) > 1:
        yield f"permutations {options['permutations']}"


def _pairs(settings: Mapping[str, Any]) -> list[str]:
    return [f"{key}={value}" for key, value in settings.items()]


def _joined(parts: Sequence[Any]) -> str:
    return ", ".join(str(part) for part in parts if part not in (None, ""))
