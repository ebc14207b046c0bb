"""What makes two calls the same, and the line that tells of one request."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import orjson

from rearank_cli.records import Completion, Passage, Query, Reading, Sampling, Status, Window

_WATCHING = ("logprobs", "watch", "only_watched")


@dataclass(frozen=True, slots=True)
class Asker:
    """What all calls of a run have in common; with a window it makes a call.

    `family` is the digest of the family file with its settings; `sampling` has no seed, and `seed`
    is None where answers are greedy, for then it changes nothing.
    """

    family: str
    model: str
    adapter: str | None
    revision: str | None
    sampling: Sampling
    seed: int | None

    def key(self, query_id: str, window: Window) -> str:
        """The identity of a call: the same in every attempt that asks the same thing the same way."""
        parts = [_told(self), query_id, window.doc_ids, window.sample]
        return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


@lru_cache
def _told(asker: Asker) -> dict[str, Any]:
    told = asdict(asker)
    # Not there before answers could be read from probabilities: keys are those of older traces.
    told["sampling"] = {
        name: value for name, value in told["sampling"].items() if value or name not in _WATCHING
    }
    return told


def digest(*texts: str | None) -> str:
    """What tells texts from others."""
    return hashlib.sha256(orjson.dumps(texts)).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Call:
    """A window of a query to be judged; it may take several requests to the engine.

    `texts` is a digest of what the key only names, the texts of the query and of the passages.
    `candidates` are all passages of the query that are being reranked, the window's among them.
    `calls_left` is about how many calls of the query are still to come, this one among them.
    """

    key: str
    texts: str
    query: Query
    window: Window
    passages: tuple[Passage, ...]
    candidates: Sequence[Passage]
    calls_left: int = 1

    @property
    def judged(self) -> tuple[Query, Sequence[Passage], Sequence[Passage]]:
        """What a judge is told."""
        return self.query, self.passages, self.candidates

    def seed(self, attempt: int) -> int:
        """The seed of a request's sampling: a function of the call, never of when it is made."""
        return int(hashlib.sha256(f"{self.key} {attempt}".encode()).hexdigest()[:8], 16)


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a call, answered: a line of a trace file.

    `attempt` counts the requests that asked the same again; `forced` marks the finish of an answer
    that had run out of tokens. `ended` is in seconds since 1970.
    """

    call: Call
    attempt: int
    forced: bool
    reading: Reading
    completion: Completion
    cut_passages: int
    seconds: float
    ended: float

    def line(self, run: str) -> dict[str, Any]:
        """The line, as JSON has it."""
        window, completion, reading = self.call.window, self.completion, self.reading
        return {
            "type": "call",
            "key": self.call.key,
            "texts": self.call.texts,
            "run": run,
            "query_id": self.call.query.query_id,
            "sample": window.sample,
            "try": self.attempt,
            "forced": self.forced,
            "window": None if window.start is None else [window.start, window.end],
            "doc_ids": window.doc_ids,
            "order": reading.order,
            "listed": reading.listed,
            "scores": reading.scores,
            "status": reading.status,
            "answered": reading.answered,
            "reasoning": reading.reasoning,
            "response": completion.text,
            "finish_reason": completion.finish_reason,
            "error": completion.error,
            "prompt_tokens": completion.prompt_tokens,
            "completion_tokens": completion.completion_tokens,
            "cached_tokens": completion.cached_tokens,
            "seconds": round(self.seconds, 3),
            "ended": round(self.ended, 3),
            "cut_passages": self.cut_passages,
        }


@dataclass(frozen=True, slots=True)
class PastRequest:
    """What an earlier attempt left of a request: as much as it takes to go on from there."""

    texts: str
    attempt: int
    forced: bool
    reading: Reading
    response: str

    @classmethod
    def of(cls, line: dict[str, Any]) -> "PastRequest":
        """Read a line of a trace file back. Raises KeyError, TypeError or ValueError for another line."""
        status = Status(line["status"])
        forced = line["forced"] and line["answered"]
        listed = line.get("listed")
        reading = Reading(status, list(line["order"]), line["scores"], forced=forced, listed=listed)
        if sorted(reading.order) != list(range(len(line["doc_ids"]))):
            raise ValueError("its order is no permutation of its documents")
        # The answer itself is needed only where it may have to be finished.
        may_be_finished = status in (Status.TRUNCATED, Status.UNREADABLE)
        response = line["response"] if may_be_finished else ""
        return cls(line["texts"], line["try"], line["forced"], reading, response)
