"""Requests: one question to an engine or a judge, whose answer is recorded the moment it is there."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, NamedTuple

from rearank_cli.engines import Engine, Judge, Verdict
from rearank_cli.errors import EngineError
from rearank_cli.families import Family
from rearank_cli.families.thought import THINK
from rearank_cli.records import Completion, Prompt, Reading, Sampling, Status
from rearank_cli.reranking.prompting import DoesNotFitError, Prompter, answer_tokens, room_for_prompts
from rearank_cli.reranking.slots import Slots
from rearank_cli.reranking.stopping import Stop
from rearank_cli.traces import Call, Request

log = logging.getLogger("rearank")

# Prompts are made with few threads: a part of the work needs Python's lock, for which the event loop waits.
_WORKERS = 4


class _Answer(NamedTuple):
    """A completion, how many passages were cut for it, and what of an answer its prompt ended with.

    The latter is None where that is the family's own.
    """

    completion: Completion
    cut_passages: int
    begun: str | None


class Requester:
    """Asks an engine or a judge, as many requests at once as there are `slots`, and tells `record` of each.

    When a stop is asked for, requests in flight go on and none begins. `timeout` is in seconds;
    `largest_window` is the most passages that a call shows. Where requests of several runs wait for one
    place, that of the run with the lowest `number` goes first.
    """

    def __init__(
        self,
        engine: Engine | Judge,
        family: Family,
        sampling: Sampling,
        *,
        record: Callable[[Request], None],
        stop: Stop,
        largest_window: int,
        slots: Slots,
        number: int = 0,
        timeout: float | None = None,
    ) -> None:
        self._engine: Any = engine
        self._asks_a_judge = isinstance(engine, Judge)
        self._family = family
        self._sampling = sampling
        self._record = record
        self._stop = stop
        self._timeout = timeout
        self._context: int | None = getattr(engine, "context", None)
        self._tokenizer = getattr(engine, "tokenizer", None)
        longest = sampling.max_tokens or answer_tokens(family, self._tokenizer, largest_window)
        self._prompter = Prompter(family, self._tokenizer, room_for_prompts(self._context, longest))
        workers = min(len(os.sched_getaffinity(0)), _WORKERS)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="prompts")
        self._slots = slots
        self._number = number

    @property
    def repeats_itself(self) -> bool:
        """Whether asking the same again would be answered the same."""
        return self._asks_a_judge or self._sampling.temperature == 0

    @property
    def can_finish(self) -> bool:
        """Whether an answer that ran out of tokens can be brought to its end."""
        return not self._asks_a_judge and bool(getattr(self._engine, "can_finish", True))

    def close(self) -> None:
        """Give the worker threads back."""
        self._workers.shutdown(cancel_futures=True)

    @property
    def finishes_unreadable(self) -> bool:
        """Whether an answer that could not be read is brought to an end, too."""
        return self._family.finishes_unreadable

    async def ask(self, call: Call, attempt: int) -> Request:
        """Ask about a call's window. Raises EngineError once the engine can answer nothing."""
        async with self._slot(call):
            started = time.monotonic()
            answer = await self._guarded(call, self._answer(call, attempt))
            completion, cut_passages, begun = answer
            reading = self._family.read(completion, len(call.passages), begun)
            return self._recorded(call, attempt, reading, completion, cut_passages, started)

    async def finish(self, call: Call, status: Status, response: str, attempt: int) -> Request:
        """Close the thought of a response without an answer, and have the model give its answer.

        The status stays that of the response, unless this request fails; the reading is marked as
        forced where there is an answer in it.
        """
        async with self._slot(call):
            started = time.monotonic()
            answer = await self._guarded(call, self._rest_of_answer(call, response, attempt))
            completion, cut_passages, begun = answer
            reading = self._family.read(completion, len(call.passages), begun)
            if reading.status is not Status.FAILED:
                reading = replace(reading, status=status, forced=reading.answered)
            return self._recorded(call, attempt, reading, completion, cut_passages, started, forced=True)

    @asynccontextmanager
    async def _slot(self, call: Call) -> AsyncIterator[None]:
        """A place in flight. Once a stop is asked for none is given: who waits is cancelled in the end."""
        async with self._slots.place((self._number, -call.calls_left)):
            if not self._stop.asked:
                yield
                return
        await asyncio.get_running_loop().create_future()
        yield

    async def _answer(self, call: Call, attempt: int) -> _Answer:
        if self._asks_a_judge:
            # A judge need not wait for anything; signals are heard all the same.
            await asyncio.sleep(0)
            return _Answer(self._verdict(await self._engine.judge(*call.judged)), 0, None)
        prompt, cut_passages = await self._prompt(call)
        n = len(call.passages)
        sampling = self._family.sampling_for(self._sampling, n)
        longest = sampling.max_tokens or answer_tokens(self._family, self._tokenizer, n)
        longest = self._within_context(prompt, longest)
        sampling = replace(sampling, max_tokens=longest, seed=self._seed(call, attempt))
        return _Answer(await self._engine.complete(prompt, sampling), cut_passages, prompt.begun)

    def _verdict(self, verdict: Verdict | tuple[list[int], str]) -> Completion:
        """What a judge says, as a model of this family would write it."""
        order, reasoning, scores = Verdict(*verdict)
        if scores is None and self._family.gives == "score":
            raise EngineError(
                f"family {self._family.name} scores passages one by one, and this judge gives no scores"
            )
        shares = None if scores is None else [score * self._family.highest_score for score in scores]
        return self._family.write(order, reasoning, scores=shares)

    async def _rest_of_answer(self, call: Call, response: str, attempt: int) -> _Answer:
        """The answer that a model is made to give after its thought so far."""
        prompt, cut_passages = await self._prompt(call)
        n = len(call.passages)
        loop = asyncio.get_running_loop()
        prompt, begun, needed = await loop.run_in_executor(
            self._workers, self._begin_answer, prompt, response, n
        )
        sampling = self._family.finish_for(self._sampling, n)
        longest = self._within_context(prompt, sampling.max_tokens or needed)
        sampling = replace(sampling, max_tokens=longest, seed=self._seed(call, attempt))
        return _Answer(await self._engine.complete(prompt, sampling), cut_passages, begun)

    def _begin_answer(self, prompt: Prompt, response: str, n: int) -> tuple[Prompt, str, int]:
        """The prompt with the thought so far, closed.

        Also what of the answer stands in the prompt by then, and how many tokens the rest may have.
        """
        # A whole answer with no thought in it takes more tokens than the list that is still to come.
        needed = 2 * answer_tokens(self._family, self._tokenizer, n)
        if self._tokenizer is None or prompt.token_ids is None:
            rest = self._family.begin_answer(response, prompt.begun)
            return replace(prompt, append=prompt.append + rest), prompt.begun + rest, needed
        # What the model quoted from a passage is as foreign now as it was there.
        response = self._tokenizer.neutralise(response, keep=(THINK.open, THINK.close))
        if self._context is not None:
            # Where the context was full, the end of the thought gives way to the answer.
            response = self._tokenizer.cut(response, max(0, self._context - len(prompt.token_ids) - needed))
        rest = self._family.begin_answer(response, prompt.begun)
        token_ids = (*prompt.token_ids, *self._tokenizer.encode(rest))
        prompt = replace(prompt, append=prompt.append + rest, token_ids=token_ids)
        return prompt, prompt.begun + rest, needed

    def _within_context(self, prompt: Prompt, tokens: int) -> int:
        if self._context is None or prompt.token_ids is None:
            return tokens
        return min(tokens, self._context - len(prompt.token_ids))

    def _seed(self, call: Call, attempt: int) -> int | None:
        return call.seed(attempt) if self._sampling.temperature > 0 else None

    async def _prompt(self, call: Call) -> tuple[Prompt, int]:
        loop = asyncio.get_running_loop()
        ready = await loop.run_in_executor(self._workers, self._prompter.prompt, call.query, call.passages)
        return ready.prompt, ready.cut_passages

    async def _guarded(self, call: Call, answer: Awaitable[_Answer]) -> _Answer:
        """One bad request harms one window, whatever went wrong; only a dead engine ends the job."""
        try:
            answered = await asyncio.wait_for(answer, self._timeout)
            return answered._replace(completion=_fit_to_keep(answered.completion))
        except EngineError:
            raise
        except asyncio.CancelledError:
            # Either this job ends, or the engine gave up one of its own tasks.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            problem = "the engine cancelled the request"
        except TimeoutError:
            problem = f"no answer within {self._timeout:g} seconds" if self._timeout else "timed out"
        except DoesNotFitError as error:
            problem = str(error)
        except Exception as error:
            log.debug("a request about query %s failed", call.query.query_id, exc_info=True)
            problem = f"{type(error).__name__}: {error}"
        return _Answer(Completion("", finish_reason="error", error=problem), 0, None)

    def _recorded(
        self,
        call: Call,
        attempt: int,
        reading: Reading,
        completion: Completion,
        cut_passages: int,
        started: float,
        *,
        forced: bool = False,
    ) -> Request:
        seconds = time.monotonic() - started
        request = Request(call, attempt, forced, reading, completion, cut_passages, seconds, time.time())
        self._record(request)
        return request


def _fit_to_keep(completion: Completion) -> Completion:
    """A completion that can be read and written. Raises TypeError for an answer that is none.

    A server's JSON can hold halves of characters, which no file can.
    """
    if not isinstance(completion, Completion):
        raise TypeError(f"the engine answered with {type(completion).__name__}, not with a Completion")
    return replace(
        completion,
        text=completion.text.encode("utf-8", "replace").decode(),
        reasoning=completion.reasoning and completion.reasoning.encode("utf-8", "replace").decode(),
    )
