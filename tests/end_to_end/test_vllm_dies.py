"""The engine's death, and the job's: what is told, what is kept, and that nothing runs on."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.crash_test import engine_cores, engine_processes
from tests.jobs import begun, traced_calls

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"

pytestmark = pytest.mark.vllm


@pytest.fixture
def started(bees: Path, tiny_model: Path) -> Iterator["subprocess.Popen[str]"]:
    """A job on real vLLM that has answered some calls and has many to go."""
    program = [sys.executable, str(SCRIPTS / "slow_rearank.py"), "begun.log", "0", "rerank", "run.trec"]
    options = ["--engine", "vllm", "-m", str(tiny_model), "--family", "rearank", "--in-flight", "2"]
    windows = ["--window", "4", "--step", "1", "--engine-arg", "enforce_eager=true"]
    try:
        with begun([*program, *options, *windows], bees, calls=5, seconds=240) as process:
            yield process
    finally:
        for child in engine_processes(bees):
            os.kill(child, signal.SIGKILL)


def test_a_dead_engine_is_told_with_the_way_on(started: "subprocess.Popen[str]", bees: Path) -> None:
    (core,) = engine_cores(bees)
    os.kill(core, signal.SIGKILL)
    _, errors = started.communicate(timeout=120)
    assert started.returncode == 4, errors
    last = errors.strip().splitlines()[-1]
    told = re.search(r"vLLM died: .* \(its log is (\S+)\)", last)
    assert told, last
    assert Path(told[1]).stat().st_size > 0
    Path(told[1]).unlink()
    assert "to go on: rearank rerank --resume run.trec" in last
    assert "Traceback" not in errors
    _is_left_in_order(bees)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_leaves_no_process_behind(
    started: "subprocess.Popen[str]", bees: Path, number: int, status: int
) -> None:
    started.send_signal(number)
    _, errors = started.communicate(timeout=120)
    assert started.returncode == status, errors
    assert "to go on: rearank rerank --resume run.trec" in errors.strip().splitlines()[-1]
    assert "Traceback" not in errors
    # What was in flight was waited for.
    assert len((bees / "begun.log").read_text().split()) == len(traced_calls(bees))
    _is_left_in_order(bees)


def test_the_next_attempt_ends_what_a_killed_one_left_running(
    started: "subprocess.Popen[str]", bees: Path, tiny_model: Path
) -> None:
    started.kill()
    started.communicate(timeout=60)
    orphans = engine_processes(bees)
    assert orphans, "a killed parent used to leave the engine's processes running"
    answered = len(traced_calls(bees))
    command = [sys.executable, "-m", "rearank_cli", "rerank", "run.trec", "--engine", "vllm", "--resume"]
    options = ["-m", str(tiny_model), "--family", "rearank", "--engine-arg", "enforce_eager=true"]
    few = ["--window", "4", "--step", "1", "--limit", "1", "--max-tokens", "8", "--max-failed", "1"]
    done = subprocess.run([*command, *options, *few], cwd=bees, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"ended \d+ process(es)? that a killed attempt had left running", done.stderr)
    assert not set(orphans) & set(engine_processes(bees))
    assert len(traced_calls(bees)) > answered
    assert not engine_processes(bees)


def _is_left_in_order(folder: Path) -> None:
    assert not engine_processes(folder)
    assert not (folder / "run.rearank.trec").exists()
    assert not list(folder.glob(".*.part"))
    # Every line is whole, and no answer that was cut off by the end counts as one.
    assert {call["status"] for call in traced_calls(folder)} <= {"ok", "failed"}
