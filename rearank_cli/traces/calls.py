"""What makes two calls the same, and the record of one call."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from rearank_cli.records import Completion, Reading, Sampling, Window


@dataclass(frozen=True, slots=True)
class Asker:
    """What all calls of a run have in common; with a window it makes a call.

    `family` is the digest of the family file with its settings; `sampling` is without a seed.
    """

    family: str
    engine: str
    model: str
    adapter: str | None
    revision: str | None
    sampling: Sampling
    seed: int

    def key(self, query_id: str, window: Window) -> str:
        """The identity of a call: the same in every attempt that asks the same thing the same way."""
        parts = [asdict(self), query_id, window.doc_ids, window.sample]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def seed_for(key: str) -> int:
    """The seed of a call's sampling: a function of the call, never of when it was made."""
    return int(key[:8], 16)


def call_record(
    *,
    key: str,
    run: str,
    query_id: str,
    window: Window,
    reading: Reading,
    completion: Completion,
    seconds: float,
    cut_passages: int,
) -> dict[str, Any]:
    """One line of a trace file."""
    return {
        "type": "call",
        "key": key,
        "run": run,
        "query_id": query_id,
        "sample": window.sample,
        "try": 0,
        "forced": False,
        "window": None if window.start is None else [window.start, window.end],
        "doc_ids": window.doc_ids,
        "order": reading.order,
        "scores": reading.scores,
        "status": reading.status,
        "reasoning": reading.reasoning,
        "response": completion.text,
        "finish_reason": completion.finish_reason,
        "error": completion.error,
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "cached_tokens": completion.cached_tokens,
        "seconds": round(seconds, 3),
        "cut_passages": cut_passages,
    }
