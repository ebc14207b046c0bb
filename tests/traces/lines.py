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

HOSTILE = "ends\x1b[31m\x1b]0;owned\x07 \u202e [bold]bees[/bold] :smile:"
SIX = ["d1", "d2", "d3", "d4", "d5", "d6"]
THOUGHT = "Passage [1] is of 1998.\n\nPassage [4] defines the term. It is best. Next are passages 3 and [6]."


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


def two_queries(path: Path) -> Path:
    """Two queries; calls of every status, one of them asked again, one made to finish."""
    return write_traces(
        path,
        attempt(),
        call(["old"], query_id="q1"),
        attempt(options={"window": 6, "step": 3}, sampling={"temperature": 0.6}),
        call(SIX, window=[3, 9], status="failed", finish_reason="error", error=f"the server {HOSTILE}",
             prompt_tokens=None, completion_tokens=None),
        call(SIX, [3, 2, 5, 0, 1, 4], window=[3, 9], try_=1, **thinking(THOUGHT, "[4] > [3] > [6] > ...")),
        call(["e1", "e2", "e3", "d4", "d3", "d6"], [3, 4, 0, 1, 2, 5], window=[0, 6], listed=2,
             status="repaired", **thinking(f"[4] {HOSTILE}", "[4] > [5] > [9]")),
        call(SIX, query_id="q2", window=[6, 12], status="truncated", finish_reason="length",
             completion_tokens=2048, reasoning="so on " * 500, response="<think>\n" + "so on " * 500),
        call(SIX, [1, 0, 2, 3, 4, 5], query_id="q2", window=[6, 12], status="truncated", forced=True,
             response="<answer> [2] > [1] > [3] > [4] > [5] > [6] </answer>"),
        call(SIX, query_id="q2", sample=1, window=None, status="unreadable", response="I cannot.\nSorry."),
    )  # fmt: skip
