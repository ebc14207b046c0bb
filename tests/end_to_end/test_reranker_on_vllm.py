"""`rearank_cli.Reranker` with vLLM: one engine for run after run, and nothing that runs on."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
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


LEFT_OPEN = """
from rearank_cli import Reranker

if __name__ == "__main__":
    reranker = Reranker({model!r}, family="rearank", docs="docs.jsonl", queries="queries.tsv", limit=1,
                        max_tokens=8, engine="vllm", engine_arg=dict(enforce_eager=True))
    print(len(reranker.rerank("run.trec")))
"""


def test_one_that_is_not_closed_ends_with_the_program_without_a_word(bees: Path, tiny_model: Path) -> None:
    (bees / "left_open.py").write_text(LEFT_OPEN.format(model=str(tiny_model)))
    # Its sockets are there, too, and the path of a socket has 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="logs-") as logs:
        done = subprocess.run(
            [sys.executable, "left_open.py"],
            cwd=bees,
            capture_output=True,
            text=True,
            env={**os.environ, "TMPDIR": logs},
            timeout=300,
        )
        left = list(Path(logs).glob("rearank-vllm-*"))
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert "Exception" not in done.stderr
    assert "Traceback" not in done.stderr
    assert not left
