"""`rearank rerank --dry-run`: what would happen, without a GPU, and with nothing written."""

from pathlib import Path

import pytest

from tests.end_to_end.conftest import Command


def facts(text: str) -> dict[str, str]:
    return {line[:11].strip(): line[11:] for line in text.splitlines()}


def test_it_counts_what_the_job_will_do(rearank: Command, bees: Path) -> None:
    before = sorted(path.name for path in bees.iterdir())
    done = rearank("rerank", "run.trec", "--dry-run", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in bees.iterdir()) == before
    planned = facts(done.stdout)
    assert planned["queries"] == "12"
    real = rearank("rerank", "run.trec", cwd=bees)
    assert f"{planned['calls'].split(',')[0]} calls" in real.stderr
    assert planned["calls"] == "29, at most 3 of a query one after another"


def test_it_knows_what_the_traces_hold(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    lines = (bees / "run.rearank.jsonl").read_bytes().splitlines(keepends=True)
    (bees / "run.rearank.jsonl").write_bytes(b"".join(lines[:14]))
    planned = facts(rearank("rerank", "run.trec", "--dry-run", "--resume", cwd=bees).stdout)
    assert planned["in traces"] == "13 of them already"
    assert planned["time"].startswith("about ")


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        (["--query", "q77"], 3, "has no query q77"),
        (["--docs", "none.jsonl"], 3, "none.jsonl: no such file"),
        (["--window", "0"], 2, "--window is 0"),
    ],
)
def test_it_fails_as_the_job_would(
    rearank: Command, bees: Path, options: list[str], status: int, expected: str
) -> None:
    done = rearank("rerank", "run.trec", "--dry-run", *options, cwd=bees)
    assert done.returncode == status
    assert expected in done.stderr


def test_missing_texts_are_counted_where_they_are_allowed(rearank: Command, bees: Path) -> None:
    text = (bees / "docs.jsonl").read_text().splitlines(keepends=True)
    (bees / "docs.jsonl").write_text("".join(line for line in text if '"bee-073"' not in line))
    assert rearank("rerank", "run.trec", "--dry-run", cwd=bees).returncode == 3
    done = rearank("rerank", "run.trec", "--dry-run", "--missing", "skip", cwd=bees)
    assert facts(done.stdout)["missing"] == "0 queries and 1 documents without text"


@pytest.mark.vllm
def test_tokens_are_the_models_own(rearank: Command, bees: Path, tiny_model: Path) -> None:
    """Only a tokenizer is read: no engine starts, and what does not fit is known before."""
    queries = (bees / "queries.tsv").read_text().splitlines()
    queries[0] = queries[0].split("\t")[0] + "\t" + "why do bees swarm " * 1000
    (bees / "queries.tsv").write_text("\n".join(queries) + "\n")
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rearank"]
    sizes = ["--max-tokens", "100", "--engine-arg", "max_model_len=1500"]
    done = rearank("rerank", "run.trec", "--dry-run", *options, *sizes, cwd=bees)
    assert done.returncode == 0, done.stderr
    planned = facts(done.stdout)
    longest = int(planned["tokens"].rpartition(" ")[2].replace(",", ""))
    assert 1300 < longest <= 1400
    assert int(planned["cut"].split()[0]) > 0
    assert planned["no room"].startswith("for the prompts of queries q1:")
    assert not list(bees.glob("*.rearank.*"))
