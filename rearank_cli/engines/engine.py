"""What answers: an engine answers prompts, a judge orders windows without one."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from rearank_cli.records import Completion, Passage, Prompt, Query, Sampling


@runtime_checkable
class Engine(Protocol):
    """Answers prompts, many at a time.

    An engine that fails for one prompt returns a completion whose finish_reason is `error`; one
    that can answer nothing any more raises EngineError.
    """

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion: ...


@runtime_checkable
class Judge(Protocol):
    """Orders the passages of a window: their 0-based positions, best first, and why.

    `candidates` are all passages of the query that are being reranked, the window's among them.
    """

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> tuple[list[int], str]: ...
