"""vLLM with a tiny model whose answers are as long as they are told to be, for benchmarks on any machine."""

import contextlib
import os
import tempfile
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, cast

from rearank_cli.engines import Wanted
from rearank_cli.engines.vllm import VllmEngine
from rearank_cli.records import Completion, Prompt, Sampling

LONGEST = 1024

_LENGTH: ContextVar[int] = ContextVar("length")


class MeasuredEngine(VllmEngine):
    """Every answer has the length that a function of its prompt says, in tokens."""

    length_of: Callable[[Prompt], int]

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        _LENGTH.set(self.length_of(prompt))
        return await super().complete(prompt, replace(sampling, temperature=0.0, seed=None))

    async def forget(self) -> None:
        """Forget what is cached of earlier prompts."""
        await self._engine.reset_prefix_cache()

    def _sampling_params(self, sampling: Sampling) -> Any:
        params = super()._sampling_params(sampling)
        params.max_tokens = _LENGTH.get()
        params.ignore_eos = True
        return params


def log_normal(mean: float, longest: int = LONGEST) -> Callable[[Prompt], int]:
    """Lengths as reasoning has them: most are short and a few very long; a function of query and window."""

    def length(prompt: Prompt) -> int:
        draw = Random(zlib.crc32(repr((prompt.query_id, prompt.doc_ids)).encode()))
        return max(1, min(longest, round(draw.lognormvariate(0, 0.8) * mean / 1.377)))

    return length


def constant(tokens: int) -> Callable[[Prompt], int]:
    """One length for all."""
    return lambda prompt: tokens


@contextlib.asynccontextmanager
async def running(
    model: Path, args: dict[str, str], kind: type[MeasuredEngine] = MeasuredEngine
) -> AsyncIterator[MeasuredEngine]:
    """The engine with a model, in this event loop."""
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    engine = cast("MeasuredEngine", await kind.start(Wanted(str(model), engine_args=args)))
    try:
        yield engine
    finally:
        await engine.close()


@contextlib.asynccontextmanager
async def tiny_engine(args: dict[str, str] | None = None) -> AsyncIterator[MeasuredEngine]:
    """The engine with a model made on the spot."""
    from tests.tiny_model import make_tiny_model

    with tempfile.TemporaryDirectory() as folder:
        given = {"enforce_eager": "true", "max_num_seqs": "256", "max_model_len": "4096", **(args or {})}
        async with running(make_tiny_model(Path(folder)), given) as engine:
            yield engine


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]
