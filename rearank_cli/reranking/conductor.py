"""The conductor: every query a coroutine, every call in the journal, nothing waiting for a batch."""

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from rearank_cli.engines import Engine, Judge
from rearank_cli.errors import EngineError, RearankError
from rearank_cli.methods import find_method
from rearank_cli.records import Completion, Passage, Prompt, Query, Reading, Sampling, Status, Window
from rearank_cli.reranking.options import Recipe
from rearank_cli.reranking.prompting import DoesNotFitError, Prompter
from rearank_cli.reranking.topics import Topic
from rearank_cli.traces import Asker, call_record, seed_for

log = logging.getLogger("rearank")

# In flight, where an engine does not say how many calls it can run at once.
_IN_FLIGHT = 64


@dataclass
class Tally:
    """What the calls of a run came to."""

    statuses: Counter[Status] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cut_passages: int = 0

    @property
    def calls(self) -> int:
        return self.statuses.total()

    @property
    def unanswered(self) -> int:
        """Calls whose window kept its order because the model gave none."""
        return sum(count for status, count in self.statuses.items() if not status.answered)

    def add(self, reading: Reading, completion: Completion, cut_passages: int) -> None:
        self.statuses[reading.status] += 1
        self.prompt_tokens += completion.prompt_tokens or 0
        self.completion_tokens += completion.completion_tokens or 0
        self.cut_passages += cut_passages


class Conductor:
    """Reranks topics with one engine; lives as long as the engine, for one run after another."""

    def __init__(
        self, recipe: Recipe, engine: Engine | Judge, asker: Asker, *, in_flight: int | None
    ) -> None:
        self._recipe = recipe
        self._engine = engine
        self._asker = asker
        tokenizer = getattr(engine, "tokenizer", None)
        context: int | None = getattr(engine, "context", None)
        self._context = context
        self._prompter = Prompter(recipe.family, tokenizer, _room(context, recipe.sampling.max_tokens))
        self._slots = asyncio.Semaphore(in_flight or getattr(engine, "capacity", None) or _IN_FLIGHT)
        self._workers = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="prompts")

    async def rerank(
        self, topics: Sequence[Topic], *, run: str, record: Callable[[Mapping[str, Any]], None]
    ) -> tuple[dict[str, list[str]], Tally]:
        """Order the candidates of every topic: query_id -> document ids, best first.

        `record` is given every call the moment it ends. Raises EngineError when the engine is dead.
        """
        tally = Tally()
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    topic.query_id: group.create_task(self._order(topic, run, record, tally))
                    for topic in topics
                }
        except BaseExceptionGroup as problems:
            # When the engine dies every query fails of the same cause: it is told once.
            known, unknown = problems.split(RearankError)
            raise (unknown or known or problems).exceptions[0] from None
        return {query_id: task.result() for query_id, task in tasks.items()}, tally

    def close(self) -> None:
        """Give the worker threads back."""
        self._workers.shutdown(cancel_futures=True)

    async def _order(
        self, topic: Topic, run: str, record: Callable[[Mapping[str, Any]], None], tally: Tally
    ) -> list[str]:
        doc_ids = [passage.doc_id for passage in topic.candidates]
        if topic.query is None:
            return doc_ids
        query = topic.query
        passages = {passage.doc_id: passage for passage in topic.candidates}

        async def ask(window: Window) -> Reading:
            key = self._asker.key(query.query_id, window)
            shown = [passages[doc_id] for doc_id in window.doc_ids]
            async with self._slots:
                started = time.monotonic()
                completion, cut_passages = await self._answer(query, shown, topic.candidates, key)
                seconds = time.monotonic() - started
            reading = self._recipe.family.read(completion, len(shown))
            tally.add(reading, completion, cut_passages)
            record(
                call_record(
                    key=key,
                    run=run,
                    query_id=query.query_id,
                    window=window,
                    reading=reading,
                    completion=completion,
                    seconds=seconds,
                    cut_passages=cut_passages,
                )
            )
            return reading

        method = find_method(self._recipe.method)
        return await method(doc_ids, ask, window=self._recipe.window, step=self._recipe.step)

    async def _answer(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage], key: str
    ) -> tuple[Completion, int]:
        """The engine's or judge's answer about a window; what goes wrong is told in the completion."""
        try:
            if isinstance(self._engine, Judge):
                order, reasoning = await self._engine.judge(query, passages, candidates)
                return self._recipe.family.write(order, reasoning), 0
            loop = asyncio.get_running_loop()
            ready = await loop.run_in_executor(self._workers, partial(self._prompter.prompt, query, passages))
            completion = await self._engine.complete(ready.prompt, self._sampling(ready.prompt, key))
        except EngineError:
            raise
        except DoesNotFitError as error:
            return Completion("", finish_reason="error", error=str(error)), 0
        except Exception as error:  # one bad call harms one window, whatever it was
            log.debug("a call about query %s failed", query.query_id, exc_info=True)
            return Completion("", finish_reason="error", error=f"{type(error).__name__}: {error}"), 0
        return completion, ready.cut_passages

    def _sampling(self, prompt: Prompt, key: str) -> Sampling:
        """The family's sampling, with the call's own seed, and no more tokens than there is room for."""
        sampling = self._recipe.sampling
        if sampling.temperature > 0:
            sampling = replace(sampling, seed=seed_for(key))
        if self._context is not None and prompt.token_ids is not None:
            sampling = replace(
                sampling, max_tokens=min(sampling.max_tokens, self._context - len(prompt.token_ids))
            )
        return sampling


def _room(context: int | None, max_tokens: int) -> int | None:
    """How long a prompt may be: what a whole answer leaves, but never less than half of the context."""
    if context is None:
        return None
    if max_tokens > context // 2:
        log.warning(
            "the model's context of %d tokens is short for answers of %d: prompts get %d of it, answers the rest",
            context,
            max_tokens,
            context - context // 2,
        )
    return context - min(max_tokens, context // 2)
