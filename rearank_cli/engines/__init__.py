"""What answers a prompt, or orders a window without one."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rearank_cli.engines.engine import Engine, Judge, Verdict
from rearank_cli.engines.lexical import LexicalJudge
from rearank_cli.engines.models import Needs, Wanted
from rearank_cli.engines.processes import end_orphans, marked
from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.errors import UsageError
from rearank_cli.words import counted

log = logging.getLogger("rearank")

__all__ = [
    "ENGINES",
    "Engine",
    "Judge",
    "LexicalJudge",
    "Needs",
    "Verdict",
    "Wanted",
    "check_engine",
    "model_card",
    "start_engine",
]

ENGINES = ("vllm", "openai", "lexical", "replay")

_LOADING = threading.Lock()
_LOOK_AGAIN = 0.1
"""Seconds."""


def model_card(wanted: Wanted) -> tuple[Tokenizer, int | None]:
    """A model's tokenizer and the length of its context in tokens, without its weights or a GPU.

    Raises EngineError where they cannot be had.
    """
    from rearank_cli.engines.models import load_card

    check_engine("vllm", wanted)
    return load_card(wanted)


def check_engine(name: str, wanted: Wanted, *, replicas: int = 1) -> None:
    """Raise EngineError at once where an engine could never start, before inputs are read."""
    if name == "vllm":
        from rearank_cli.engines.installation import check_installed
        from rearank_cli.engines.models import adapter_of

        check_installed()
        adapter_of(wanted)
    if name == "openai":
        from rearank_cli.engines.openai import check_client

        check_client(wanted)
    if replicas > 1:
        from rearank_cli.engines.replicas import check_ray

        check_ray()


async def start_engine(
    name: str,
    wanted: Wanted,
    *,
    traces: Sequence[Path] = (),
    replicas: int = 1,
    ray_address: str | None = None,
) -> Engine | Judge:
    """The engine of that name, ready to answer. Raises EngineError or UsageError.

    `traces` are the trace files of this attempt, locked: processes that a killed attempt on them left
    running are ended first, and those of all attempts that are no more. Several `replicas` are several
    such engines that answer as one, each an actor of the Ray cluster at `ray_address`, or of one that is
    started on this machine.
    """
    if (name == "vllm" or replicas > 1) and (ended := end_orphans(traces)):
        processes = counted(ended, "process", "processes")
        log.warning("ended %s that a killed attempt had left running", processes)
    if replicas > 1:
        from rearank_cli.engines.replicas import start_replicas

        async with _alone():
            with marked(traces) as mark:
                return await start_replicas(name, wanted, replicas, ray_address, mark)
    if name == "lexical":
        return LexicalJudge()
    if name == "openai":
        from rearank_cli.engines.openai import Server

        return await Server.start(wanted)
    if name == "vllm":
        from rearank_cli.engines.models import adapter_of
        from rearank_cli.engines.vllm import VllmEngine

        adapter = adapter_of(wanted)
        async with _alone():
            with marked(traces) as mark:
                return await VllmEngine.start(wanted, adapter, mark)
    raise UsageError(f"unknown engine '{name}'; it is one of {', '.join(ENGINES)}")


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Wait until no other thread loads: environment and descriptors are those of the whole process."""
    while not _LOADING.acquire(blocking=False):  # noqa: ASYNC110  # an event is of one loop, and so of one thread
        await asyncio.sleep(_LOOK_AGAIN)
    try:
        yield
    finally:
        _LOADING.release()
