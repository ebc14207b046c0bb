"""Judges whose opinion is known, with and without a model: perfect ones, and ones that err.

Real vLLM answers as they would, for its sampler is held to what they say.
"""

import asyncio
import threading
import zlib
from collections.abc import Coroutine, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Protocol, cast

from rearank_cli.engines import Verdict, Wanted
from rearank_cli.engines.vllm import VllmEngine
from rearank_cli.families import Family
from rearank_cli.families.grades import GradeReader
from rearank_cli.families.letters import LettersReader
from rearank_cli.families.probabilities import ProbabilityReader
from rearank_cli.records import Completion, Passage, Prompt, Qrels, Query, Run, Sampling

TINY = {
    "enforce_eager": "true",
    "max_num_seqs": "128",
    "max_logprobs": "30",
    "logprobs_mode": "processed_logprobs",
}
_HIGHEST_GRADE = 3

# What a prompt's logits are changed by, token -> added to its logit.
_BIAS: ContextVar[Mapping[int, float] | None] = ContextVar("bias", default=None)


class Opinion(Protocol):
    """Who knows what is relevant, or thinks so."""

    def grade(self, query_id: str, doc_id: str) -> int:
        """How relevant a document is, from 0 to 3."""

    def order(self, query_id: str, doc_ids: Sequence[str]) -> list[int]:
        """The positions of documents, best first."""


class Perfection:
    """The judgments of a collection, made a total order: by grade, then by the first stage's rank."""

    def __init__(self, run: Run, qrels: Qrels) -> None:
        self._qrels = qrels
        self._ranks = {
            query_id: {document.doc_id: rank for rank, document in enumerate(ranking)}
            for query_id, ranking in run.items()
        }

    def grade(self, query_id: str, doc_id: str) -> int:
        return max(0, self._qrels.get(query_id, {}).get(doc_id, 0))

    def order(self, query_id: str, doc_ids: Sequence[str]) -> list[int]:
        """The positions of documents, best first."""
        ranks = self._ranks[query_id]
        return sorted(
            range(len(doc_ids)),
            key=lambda position: (-self.grade(query_id, doc_ids[position]), ranks[doc_ids[position]]),
        )


class Fallible:
    """An opinion that errs on a given share of pairs of documents, always the same ones.

    It orders documents by how many of the others it prefers each to, and misjudges the same share of
    single documents.
    """

    def __init__(self, opinion: Perfection, share: float) -> None:
        self._opinion = opinion
        self._share = share

    def _errs(self, *about: str) -> bool:
        return zlib.crc32("\t".join(about).encode()) < self._share * 2**32

    def grade(self, query_id: str, doc_id: str) -> int:
        grade = self._opinion.grade(query_id, doc_id)
        if not self._errs(query_id, doc_id):
            return grade
        return (grade + 1 + zlib.crc32(doc_id.encode()) % _HIGHEST_GRADE) % (_HIGHEST_GRADE + 1)

    def order(self, query_id: str, doc_ids: Sequence[str]) -> list[int]:
        truth = self._opinion.order(query_id, doc_ids)
        wins = [0] * len(doc_ids)
        for better, worse in combinations(truth, 2):
            pair = sorted((doc_ids[better], doc_ids[worse]))
            wins[worse if self._errs(query_id, *pair) else better] += 1
        return sorted(truth, key=lambda position: -wins[position])


class _SteeredEngine(VllmEngine):
    """vLLM with a bias on some tokens of a prompt: its sampler and its log-probabilities are its own."""

    def _sampling_params(self, sampling: Sampling) -> Any:
        params = super()._sampling_params(sampling)
        if bias := _BIAS.get():
            params.logit_bias = dict(bias)
        return params


class PerfectVllm:
    """An engine for `rerank(engine=...)` that answers as `family` should; the model is loaded once.

    Families that are read from log-probabilities get them from the engine itself, biased towards
    what is right. The engine lives in an event loop of its own, so it serves any number of runs.
    """

    name = "vllm"

    def __init__(self, model: Path, args: Mapping[str, str] | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="engine", daemon=True).start()
        wanted = Wanted(str(model), engine_args={**TINY, **(args or {})})
        self._engine = cast("_SteeredEngine", self._await(_SteeredEngine.start(wanted)))
        self.tokenizer, self.context = self._engine.tokenizer, self._engine.context
        self.capacity, self.version = self._engine.capacity, self._engine.version
        self.family: Family
        self.judge_by: Opinion
        self.calls = 0
        self.documents = 0

    def serve(self, family: Family, opinion: Opinion) -> None:
        """Answer from now on as this family should, by this opinion; counts begin anew."""
        self.family, self.judge_by = family, opinion
        self.calls = self.documents = 0

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        self.calls += 1
        self.documents += len(prompt.doc_ids)
        work = asyncio.run_coroutine_threadsafe(self._complete(prompt, sampling), self._loop)
        return await asyncio.wrap_future(work)

    def answer(self, prompt: Prompt, sampling: Sampling, towards: str) -> Completion:
        """One answer of the bare model, biased towards a text, by no one's opinion."""
        _BIAS.set(dict.fromkeys(self.tokenizer.ids_of(towards), 90.0))
        return cast("Completion", self._await(self._engine.complete(prompt, sampling)))

    async def _complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        # There is nothing to draw: one answer is possible, or one is by far the likeliest.
        held, bias = self._held(self._engine, prompt, replace(sampling, temperature=0.0, seed=None))
        _BIAS.set(bias)
        return await self._engine.complete(prompt, held)

    def shutdown(self) -> None:
        """End the engine and its loop."""
        self._await(self._engine.close())
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _await(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _held(
        self, engine: VllmEngine, prompt: Prompt, sampling: Sampling
    ) -> tuple[Sampling, dict[int, float]]:
        """How the sampler is held to the right answer, and which tokens it is biased towards."""
        order = self.judge_by.order(prompt.query_id, prompt.doc_ids)
        grades = [self.judge_by.grade(prompt.query_id, doc_id) for doc_id in prompt.doc_ids]
        if not sampling.logprobs:
            return _only(self._write(order, grades), sampling), {}

        def bias(texts: Mapping[str, float]) -> dict[int, float]:
            return {token: value for text, value in texts.items() for token in engine.tokenizer.ids_of(text)}

        reader = self.family.reader
        if isinstance(reader, LettersReader):
            letters = {ascii_uppercase[position]: 90.0 - 4 * rank for rank, position in enumerate(order)}
            return sampling, bias(letters)
        certainty = 8.0 * (grades[0] - 1)
        if isinstance(reader, ProbabilityReader):
            yes, no = sampling.watch
            words = bias({yes: 50 + certainty, no: 50 - certainty})
            if not reader.thought:
                return sampling, words
            pattern = rf"It may be\.\n</think>({yes}|{no})"
            return replace(sampling, pattern=pattern), words
        if isinstance(reader, GradeReader):
            grade = grades[0] + 1 if grades[0] else 0
            digits = {str(number): 60.0 - 6 * abs(number - grade) for number in range(5)}
            words = bias({"yes": 50 + certainty, "no": 50 - certainty, **digits})
            return replace(sampling, pattern=r"(yes|no)\([0-4]\)"), words
        return _only(self._write(order, grades), sampling), {}

    def _write(self, order: Sequence[int], grades: Sequence[int]) -> str:
        highest = self.family.highest_score
        scores = [highest * grade / _HIGHEST_GRADE for grade in grades]
        if self.family.gives in ("score", "scores"):
            return self.family.write(order, "because", scores=scores).text
        return self.family.write(order, "because").text


def _only(answer: str, sampling: Sampling) -> Sampling:
    # A model of random weights spells it in more tokens than its tokenizer would.
    return replace(sampling, choice=(answer,), max_tokens=max(sampling.max_tokens or 0, 2 * len(answer)))


class PerfectJudge:
    """A judge of that opinion, without a model."""

    def __init__(self, opinion: Opinion) -> None:
        self._opinion = opinion

    async def judge(
        self, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> Verdict:
        doc_ids = [passage.doc_id for passage in passages]
        grades = [self._opinion.grade(query.query_id, doc_id) for doc_id in doc_ids]
        return Verdict(
            self._opinion.order(query.query_id, doc_ids),
            "perfect",
            [grade / _HIGHEST_GRADE for grade in grades],
        )
