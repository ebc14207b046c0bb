"""`rearank_cli.Reranker` with vLLM: one engine for run after run, and nothing that runs on."""

import multiprocessing
from pathlib import Path

import pytest

from rearank_cli import Reranker

pytestmark = pytest.mark.vllm


def test_one_engine_serves_run_after_run(bees: Path, tiny_model: Path) -> None:
    options = {"family": "rearank", "engine": "vllm", "engine_arg": {"enforce_eager": True}, "max_tokens": 24}
    texts = {"docs": str(bees / "docs.jsonl"), "queries": str(bees / "queries.tsv")}
    with Reranker(str(tiny_model), limit=2, **options, **texts) as reranker:
        first = reranker.rerank(bees / "run.trec")
        (process,) = multiprocessing.active_children()
        traces = bees / "again.jsonl"
        assert dict(reranker.rerank(bees / "run.trec", traces=traces)) == dict(first)
        assert len(reranker.rerank(bees / "run.trec", family="rankgpt", limit=3)) == 3
        assert multiprocessing.active_children() == [process]
    assert multiprocessing.active_children() == []
    assert f'"model":"{tiny_model}"' in traces.read_text()
