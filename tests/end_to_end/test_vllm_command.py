"""`rearank rerank` with a real model through vLLM: what reaches the user when a model does badly."""

import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from rearank_cli.engines.vllm import VllmEngine
from tests.end_to_end.conftest import Command
from tests.terminal import Terminal

pytestmark = pytest.mark.vllm


def test_a_model_that_never_answers_changes_nothing_and_says_so(
    rearank: Command, bees: Path, tiny_model: Path
) -> None:
    """Random weights write noise; long passages are cut to fit, and one query is too long."""
    queries = (bees / "queries.tsv").read_text().splitlines()
    too_long = queries[0].split("\t")[0]
    queries[0] = f"{too_long}\t" + "why do bees swarm " * 1000
    (bees / "queries.tsv").write_text("\n".join(queries) + "\n")
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rearank", "--set", "cut=none"]
    sizes = [
        "--no-forced-finish",
        "--max-tokens",
        "30",
        "--engine-arg",
        "max_model_len=2048",
        "--engine-arg",
        "enforce_eager=true",
    ]
    done = rearank("rerank", "run.trec", *options, *sizes, "-o", "-", "--traces", "out.jsonl", cwd=bees)
    assert done.returncode == 5, done.stderr
    before = [line.split()[:3] for line in (bees / "run.trec").read_text().splitlines()]
    assert [line.split()[:3] for line in done.stdout.splitlines()] == before
    # Neither vLLM's log nor its libraries' warnings reach the user: messages, and a table of three rows.
    assert len([line for line in done.stderr.splitlines() if not line.startswith("rearank: ")]) == 3
    assert "calls ended without an answer" in done.stderr.splitlines()[-1]
    attempt, *calls = [orjson.loads(line) for line in (bees / "out.jsonl").open("rb")]
    assert attempt["model"] == str(tiny_model)
    assert attempt["engine_version"].startswith("vllm 0.")
    failed = [call for call in calls if call["status"] == "failed"]
    assert {call["query_id"] for call in failed} == {too_long}
    assert all("does not fit" in call["error"] for call in failed)
    others = [call for call in calls if call["query_id"] != too_long]
    assert {call["status"] for call in others} <= {"truncated", "unreadable"}
    assert any(call["cut_passages"] for call in others)
    assert all(call["prompt_tokens"] <= 2048 - 30 for call in others)
    assert all(call["completion_tokens"] <= 30 for call in others)


@pytest.mark.parametrize(
    ("argument", "status", "expected"),
    [
        ("tensor_paralel_size=2", 2, "did you mean tensor_parallel_size?"),
        ("load_format=nonsense", 4, "vLLM could not start"),
    ],
)
def test_an_engine_argument_that_is_wrong_is_told(
    rearank: Command, bees: Path, tiny_model: Path, argument: str, status: int, expected: str
) -> None:
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rearank", "--engine-arg", argument]
    done = rearank("rerank", "run.trec", *options, cwd=bees)
    assert done.returncode == status, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(bees.glob("*.rearank.*"))


def test_answers_that_ran_out_of_tokens_are_made_to_finish(
    rearank: Command, bees: Path, tiny_model: Path
) -> None:
    """Forced by a grammar: noise becomes a list of the window's identifiers, once for every call."""
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rearank", "--limit", "4"]
    sizes = ["--max-tokens", "30", "--engine-arg", "enforce_eager=true"]
    done = rearank("rerank", "run.trec", *options, *sizes, cwd=bees)
    assert done.returncode == 0, done.stderr
    assert "12 truncated, of these 12 made to finish" in done.stderr
    lines = [orjson.loads(line) for line in (bees / "run.rearank.jsonl").open("rb")][1:]
    finishes = [line for line in lines if line["forced"]]
    assert len(lines) == 24
    assert len(finishes) == 12
    assert {line["status"] for line in lines} == {"truncated"}
    assert all(line["response"].endswith("] </answer>") for line in finishes)
    # A crash between the two requests of a call loses neither: only the finish is asked for.
    kept = [line for line in (bees / "run.rearank.jsonl").open("rb") if b'"forced":true' not in line]
    (bees / "run.rearank.jsonl").write_bytes(b"".join(kept))
    terminal = Terminal(100)
    command = [sys.executable, "-m", "rearank_cli", "rerank", "run.trec", *options, *sizes, "--resume"]
    assert terminal.read_to_end(terminal.start(list(map(str, command)), bees), 240) == 0, terminal.sent
    # What vLLM prints goes to a file meanwhile; the display does not.
    assert "loading the model" in terminal.sent
    assert not terminal.hides_its_cursor
    assert len(terminal.screen) == 6
    assert "12 truncated, of these 12 made to finish" in terminal.screen[0]
    assert re.search(r"\d+ requests, [\d,]+ tokens in.*, [\d,]+ out, .* a second$", terminal.screen[1])
    terminal.close()
    # The lowest windows do not depend on answers, so they are the same in both attempts.
    lowest = {tuple(line["doc_ids"]) for line in lines if line["window"][1] in (25, 40)}
    added = [orjson.loads(line) for line in (bees / "run.rearank.jsonl").open("rb")][len(kept) + 1 :]
    assert [line["forced"] for line in added if tuple(line["doc_ids"]) in lowest] == [True] * len(lowest)


def test_calls_in_flight_are_those_of_all_replicas_of_vllm_itself() -> None:
    config = SimpleNamespace(
        model_config=SimpleNamespace(max_model_len=4096),
        scheduler_config=SimpleNamespace(max_num_seqs=256),
        parallel_config=SimpleNamespace(data_parallel_size=4),
    )
    assert VllmEngine(SimpleNamespace(vllm_config=config), tokenizer=None).capacity == 1024


@pytest.mark.skipif("REARANK_LONG" not in os.environ, reason="minutes long: set REARANK_LONG=1")
@pytest.mark.parametrize("kind", ["data", "tensor", "pipeline"])
def test_an_engine_in_several_parts_answers_every_call(
    rearank: Command, bees: Path, tiny_model: Path, kind: str
) -> None:
    options = ["--engine", "vllm", "-m", tiny_model, "--family", "rearank", "--no-forced-finish"]
    in_two = ["--engine-arg", f"{kind}_parallel_size=2", "--engine-arg", "enforce_eager=true"]
    cores = "0|1" if (os.cpu_count() or 1) > 1 else "0|0"
    done = rearank(
        "rerank",
        "run.trec",
        *options,
        "--max-tokens",
        "20",
        *in_two,
        cwd=bees,
        environment={"VLLM_CPU_OMP_THREADS_BIND": cores},
    )
    assert done.returncode == 5, done.stderr
    _, *calls = [orjson.loads(line) for line in (bees / "run.rearank.jsonl").open("rb")]
    assert len(calls) == 29
    assert {call["status"] for call in calls} <= {"truncated", "unreadable"}
