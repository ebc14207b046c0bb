"""An engine that serves one job after another."""

import asyncio
from collections.abc import Coroutine
from contextvars import copy_context
from dataclasses import replace
from typing import Any, TypeVar

from rearank_cli.engines import Engine, Judge, Wanted, start_engine
from rearank_cli.errors import EngineError
from rearank_cli.reranking.options import RerankOptions

Result = TypeVar("Result")

_Key = tuple[object, Wanted, int, str | None]


class KeptEngine:
    """The engine of the job before, where it does for the next one; else another in its place.

    An engine lives in the event loop that it was loaded in: all that it serves is run here, in one thread.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._engine: Engine | Judge | None = None
        self._key: _Key | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run a job. After an EngineError the next one has a new engine."""
        try:
            # In the context of whoever calls, which can ask it to stop.
            return self._runner.run(work, context=copy_context())
        except EngineError:
            self._runner.run(self._end())
            raise

    async def engine(self, options: RerankOptions, wanted: Wanted) -> Engine | Judge:
        """An engine that does for these options, ready to answer. Raises EngineError or UsageError."""
        key = (options.engine, wanted, options.replicas, options.ray_address)
        if self._engine and self._key and _does(self._key, key):
            return self._engine
        await self._end()
        # Not marked as that of these traces: it will outlive the job, which holds them.
        self._engine = await start_engine(
            str(options.engine), wanted, replicas=options.replicas, ray_address=options.ray_address
        )
        self._key = key
        return self._engine

    def close(self) -> None:
        """End the engine; the next job has a new one."""
        self._runner.run(self._end())

    async def _end(self) -> None:
        engine, self._engine = self._engine, None
        if close := getattr(engine, "close", None):
            await close()


def _does(kept: _Key, key: _Key) -> bool:
    """Whether an engine that was loaded for one key is what another asks for."""
    name, loaded, *where = kept
    other, wanted, *elsewhere = key
    if name == "vllm":
        # It can do all that a family may need, and one that is prepared for draws does without.
        wanted = replace(wanted, needs=loaded.needs, timeout=loaded.timeout, base_url=loaded.base_url)
        wanted = replace(wanted, draws=loaded.draws) if loaded.draws else wanted
    return (name, loaded, where) == (other, wanted, elsewhere)
