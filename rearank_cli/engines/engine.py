"""What answers: an engine answers prompts, a judge orders windows without one."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from rearank_cli.records import Completion, Passage, Prompt, Query, Sampling


@runtime_checkable
class Engine(Protocol):
    """Answers prompts, many at a time.

    An engine that fails for one prompt returns a completion whose finish_reason is `error`; one
    that can answer nothing any more raises EngineError.
    """

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion: ...


class Verdict(NamedTuple):
    """The 0-based positions of a window's passages, best first, why, and how relevant each is, from 0 to 1.

    A judge that knows no such scores leaves them out: then it cannot serve families that score.
    """

    order: list[int]
    reasoning: str = ""
    scores: Sequence[float] | None = None


@runtime_checkable
class Judge(Protocol):
    """Orders the passages of a window: a Verdict, or a plain tuple of the same.

    `candidates` are all passages of the query that are being reranked, the window's among them.
    """

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> Verdict | tuple[list[int], str]: ...
