"""Every benchmark runs, at its smallest: what a figure is from must not rot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "rearank_cli" / "example"


def bench(*words: str) -> list[dict[str, object]]:
    """The rows of a benchmark."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "bench.py"), *words, "--json"],
        capture_output=True,
        text=True,
        env={**os.environ, "VLLM_CPU_KVCACHE_SPACE": "1"},
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["machine"]
    rows: list[dict[str, object]] = told["rows"]
    assert rows
    return rows


@pytest.mark.parametrize(
    "words",
    [
        ["startup", "--rounds", "1"],
        ["evaluate", "--run", str(EXAMPLE / "run.trec"), "--qrels", str(EXAMPLE / "qrels.trec")],
        ["journal"],
        ["rewards"],
        ["runs", "--lines", "1000", "--rounds", "1", "--no-jit"],
    ],
    ids=lambda words: words[0],
)
def test_a_benchmark_without_an_engine_runs(words: list[str]) -> None:
    bench(*words)


def test_what_a_window_costs_the_host_is_measured() -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    (row, *_) = bench("host", "--queries", "1", "--rounds", "1", "--family", "rearank")
    assert row["family"] == "rearank"


@pytest.mark.vllm
@pytest.mark.parametrize("name", ["inprocess", "gpu"])
def test_a_benchmark_of_whole_jobs_runs(name: str) -> None:
    # `schedule` is `inprocess` with more to compare, through the same doors.
    rows = bench(name, "--queries", "2", "--rounds", "1", *(["--tokens", "8"] if name == "gpu" else []))
    assert len(rows) > 1
