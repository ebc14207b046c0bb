"""Trace files made by hand: lines as the program writes them, but for what a test says."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SAMPLING = {
    "temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0, "max_tokens": 2048, "stop": [], "seed": None,
    "choice": None, "pattern": None, "logprobs": None, "watch": [], "only_watched": False,
}  # fmt: skip
OPTIONS = {
    "method": "sliding", "window": 20, "step": 10, "depth": 100, "top": 10, "passes": 1, "permutations": 1,
    "set": {"cut": "400 characters"}, "seed": 0, "retries": 1, "forced_finish": True, "engine_arg": {},
}  # fmt: skip


def attempt(
    *,
    options: dict[str, Any] | None = None,
    sampling: dict[str, Any] | None = None,
    model: str = "le723z/Rearank-7B",
    **changed: Any,
) -> dict[str, Any]:
    """The first line of an attempt."""
    return {
        "type": "attempt", "schema": 1, "rearank": "0.1.0", "engine": "vllm", "engine_version": "0.32.0",
        "run": "run.trec", "family": "rearank", "run_sha256": "0", "model": model, "revision": None,
        "adapter": None,
        "asker": {
            "family": "608be35ed6c62611", "model": model, "adapter": None, "revision": None,
            "sampling": {**SAMPLING, **(sampling or {})}, "seed": None,
        },
        "options": {**OPTIONS, **(options or {})}, "left_out": {}, "started": "2026-11-21T09:00:00+00:00",
        **changed,
    }  # fmt: skip


def call(
    doc_ids: Sequence[str] = ("a", "b", "c"),
    order: Sequence[int] | None = None,
    *,
    status: str = "ok",
    forced: bool = False,
    **changed: Any,
) -> dict[str, Any]:
    """A request's line; `try_` is its `try`. The key is that of what it asks unless one is given."""
    order = list(range(len(doc_ids))) if order is None else list(order)
    answered = changed.get("answered", status in ("ok", "repaired") or forced)
    told = {
        "type": "call", "key": "", "texts": "t", "run": "run.trec", "query_id": "q1", "sample": 0,
        "try": changed.pop("try_", 0), "forced": forced, "window": [0, len(doc_ids)],
        "doc_ids": list(doc_ids), "order": order, "listed": len(order) if answered else None, "scores": None,
        "status": status, "answered": answered, "reasoning": "", "response": "", "finish_reason": "stop",
        "error": None, "prompt_tokens": 100, "completion_tokens": 10, "cached_tokens": 0, "seconds": 0.5,
        "ended": 1.0, "cut_passages": 0, **changed,
    }  # fmt: skip
    asked = [told["query_id"], told["doc_ids"], told["sample"]]
    return {**told, "key": told["key"] or hashlib.sha256(repr(asked).encode()).hexdigest()[:32]}


def thinking(reasoning: str, answer: str) -> dict[str, str]:
    """The words of a request, as a model of REARANK's family writes them."""
    return {
        "reasoning": reasoning,
        "response": f"<think>\n{reasoning}\n</think>\n\n<answer> {answer} </answer>",
    }


def write_traces(path: Path, *records: dict[str, Any]) -> Path:
    """Write a trace file."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
