"""Real vLLM that answers as a perfect judge would: the engine's sampler is held to one possible text."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rearank_cli.engines.vllm import VllmEngine
from rearank_cli.families import Family
from rearank_cli.records import Completion, Passage, Prompt, Qrels, Query, Sampling

TINY = {"enforce_eager": "true", "max_num_seqs": "128"}


def ideal_order(doc_ids: tuple[str, ...], grades: Mapping[str, int]) -> list[int]:
    """Positions by grade, best first; ties as they are."""
    return sorted(range(len(doc_ids)), key=lambda position: -grades.get(doc_ids[position], 0))


class PerfectVllm:
    """An engine for `rerank(engine=...)`; loads the model when the first prompt comes."""

    name = "vllm"

    def __init__(self, model: Path, family: Family, queries: Mapping[str, str], qrels: Qrels) -> None:
        self._model = model
        self._family = family
        self._grades = {text: qrels.get(query_id, {}) for query_id, text in queries.items()}
        self._started: asyncio.Task[VllmEngine] | None = None
        self.calls = 0

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        self.calls += 1
        # The first text from outside in either prompt is the query.
        query = next(span.text for turn in prompt.turns for span in turn.spans if span.foreign)
        answer = self._family.write(ideal_order(prompt.doc_ids, self._grades[query])).text
        if self._started is None:
            self._started = asyncio.create_task(VllmEngine.start(str(self._model), engine_args=TINY))
        engine = await asyncio.shield(self._started)
        return await engine.complete(prompt, replace(sampling, choice=(answer,)))

    def shutdown(self) -> None:
        """End the engine, whose event loop is gone by now."""
        if self._started:
            self._started.result()._engine.shutdown()


class PerfectJudge:
    """The same judge without a model, for the many arrangements of windows."""

    def __init__(self, qrels: Qrels) -> None:
        self._qrels = qrels

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> tuple[list[int], str]:
        doc_ids = tuple(passage.doc_id for passage in passages)
        return ideal_order(doc_ids, self._qrels.get(query.query_id, {})), "perfect"
