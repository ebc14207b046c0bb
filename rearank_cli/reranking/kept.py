"""An engine that serves one job after another."""

import asyncio
import atexit
import logging
from collections.abc import Coroutine
from contextvars import copy_context
from dataclasses import replace
from typing import Any, TypeVar

from rearank_cli.engines import Engine, Judge, Needs, Wanted, start_engine
from rearank_cli.engines.models import check_model
from rearank_cli.errors import EngineError
from rearank_cli.reranking.options import RerankOptions

log = logging.getLogger("rearank")

Result = TypeVar("Result")


class KeptEngine:
    """The engine of the job before, where it does for the next one; else another in its place.

    An engine lives in the event loop that it was loaded in: all that it serves is run here, in one thread.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._engine: Engine | Judge | None = None
        self._key: object = None
        self._in_use = False

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a job. After an EngineError of the engine the next job has a new one."""
        self._in_use = False
        try:
            # In the context of whoever calls, which can ask it to stop.
            return self._runner.run(work, context=copy_context())
        except EngineError:
            if self._in_use:
                try:
                    self._runner.run(self._end())
                except Exception:  # the dead end badly
                    log.debug("an engine did not end well", exc_info=True)
            raise

    async def engine(self, options: RerankOptions, wanted: Wanted) -> Engine | Judge:
        """An engine that does for these options, ready to answer. Raises EngineError or UsageError."""
        name, replicas = str(options.engine), options.replicas
        if name == "lexical" and replicas == 1:
            # There is nothing to load, and what is loaded may be wanted again.
            return await start_engine(name, wanted)
        if name == "vllm":
            # vLLM can do all that a family may need, and for draws it is prepared at once.
            wanted = replace(wanted, draws=True, needs=Needs(), timeout=None, base_url=None)
        key = (name, wanted, replicas, options.ray_address)
        if not self._engine or key != self._key or getattr(self._engine, "is_worn", False):
            if name == "vllm":
                # Before what there is ends for one that cannot be had.
                await asyncio.to_thread(check_model, wanted.model, wanted.revision)
            await self._end()
            # Not marked as that of these traces: it will outlive the job, which holds them.
            self._engine = await start_engine(
                name, wanted, replicas=replicas, ray_address=options.ray_address
            )
            self._key = key
            # Not before: of such functions the last comes first, and multiprocessing's waits for the engine.
            atexit.register(self.end_now)
        self._in_use = True
        return self._engine

    def close(self) -> None:
        """End the engine, in the thread of the jobs; the next job has a new one."""
        self._runner.run(self._end())
        self._runner.close()
        self._runner = asyncio.Runner()

    def end_now(self) -> None:
        """End the engine where no loop runs any more: at the end of the program."""
        atexit.unregister(self.end_now)
        engine, self._engine = self._engine, None
        if end := getattr(engine, "end", None):
            end()

    async def _end(self) -> None:
        atexit.unregister(self.end_now)
        engine, self._engine = self._engine, None
        if close := getattr(engine, "close", None):
            closing = asyncio.ensure_future(close())
            try:
                await asyncio.shield(closing)
            except asyncio.CancelledError:
                # Whoever comes next needs its memory.
                await closing
                raise
