"""The real `rearank` command, slowed down so that there is time to disturb it; for crash tests.

    python scripts/slow_rearank.py LOG SECONDS rerank run.trec ...

Every request that begins is a line in LOG: the digest of what is asked. With the lexical engine each
takes SECONDS. With vLLM the model is held to one answer, a fixed order of the documents: greedy
answers are not the same to the bit in every batch.
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from rearank_cli.__main__ import main
from rearank_cli.engines import Verdict
from rearank_cli.engines.lexical import LexicalJudge
from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Prompt, Query, Sampling


def slow_down(log: str, seconds: float) -> None:
    begun = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def tell(*asked: object) -> None:
        os.write(begun, hashlib.sha256(repr(asked).encode()).hexdigest()[:16].encode() + b"\n")

    judge = LexicalJudge.judge

    async def slow_judge(
        self: LexicalJudge, query: Query, passages: Sequence[Passage], candidates: Sequence[Passage]
    ) -> Verdict:
        tell(query.query_id, [passage.doc_id for passage in passages])
        await asyncio.sleep(seconds)
        return await judge(self, query, passages, candidates)

    LexicalJudge.judge = slow_judge  # type: ignore[method-assign]
    if "vllm" not in sys.argv:
        return
    from rearank_cli.engines.vllm import VllmEngine

    complete = VllmEngine.complete
    family = load_family("rearank")

    async def held_to_one_answer(self: VllmEngine, prompt: Prompt, sampling: Sampling) -> Completion:
        tell(prompt.turns[1].content, prompt.doc_ids)
        order = sorted(range(len(prompt.doc_ids)), key=lambda position: prompt.doc_ids[position][::-1])
        answer = family.write(order, reasoning="because " * 100).text
        return await complete(self, prompt, replace(sampling, choice=(answer,)))

    VllmEngine.complete = held_to_one_answer  # type: ignore[method-assign]


if __name__ == "__main__":
    log, seconds = sys.argv[1], float(sys.argv[2])
    del sys.argv[1:3]
    slow_down(log, seconds)
    main()
