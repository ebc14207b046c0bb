"""What a job leaves when it is stopped, killed, or runs out of disk: traces that it can go on from."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Command, with_default_signals
from tests.jobs import traced_calls, wait_until

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
MANY_WINDOWS = ["--window", "4", "--step", "1", "--in-flight", "4"]


@pytest.fixture
def slow(bees: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start the real command in the example's folder, each of its 342 calls taking a while."""

    def start(*options: str, seconds: float = 0.05, **popen: object) -> "subprocess.Popen[str]":
        program = [sys.executable, str(SCRIPTS / "slow_rearank.py"), "begun.log", str(seconds)]
        return subprocess.Popen(
            [*program, "rerank", "run.trec", *MANY_WINDOWS, *options],
            cwd=bees,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **{"preexec_fn": with_default_signals, **popen},  # type: ignore[call-overload]
        )

    return start


@pytest.fixture
def undisturbed(rearank: Command, bees: Path) -> bytes:
    done = rearank("rerank", "run.trec", *MANY_WINDOWS, "-o", "undisturbed.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    return (bees / "undisturbed.trec").read_bytes()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
def test_a_signal_lets_requests_end_and_says_how_to_go_on(
    slow: Callable[..., "subprocess.Popen[str]"],
    rearank: Command,
    bees: Path,
    undisturbed: bytes,
    number: int,
    status: int,
) -> None:
    process = slow(seconds=0.2)
    _wait_for_calls(bees, 8)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == status, errors
    assert not (bees / "run.rearank.trec").exists()
    # Every request that began has its line.
    assert len((bees / "begun.log").read_text().split()) == len(traced_calls(bees))
    way_on = errors.strip().splitlines()[-1].partition("to go on: ")[2]
    assert way_on == "rearank rerank --resume run.trec --window 4 --step 1 --in-flight 4"
    before = len(traced_calls(bees))
    done = rearank(*way_on.split()[1:], cwd=bees)
    assert done.returncode == 0, done.stderr
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed
    assert f"rearank: {342 - before} requests," in done.stderr
    assert len(traced_calls(bees)) == 342


def test_grace_ends(slow: Callable[..., "subprocess.Popen[str]"], bees: Path) -> None:
    """Requests that take longer than --grace are given up; none of them is a line."""
    process = slow("--grace", "0.2", seconds=60.0)
    wait_until(lambda: (bees / "begun.log").is_file() and len((bees / "begun.log").read_text().split()) == 4)
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 143, errors
    assert traced_calls(bees) == []


def test_a_second_signal_ends_at_once(slow: Callable[..., "subprocess.Popen[str]"], bees: Path) -> None:
    process = slow("--grace", "600", seconds=60.0)
    wait_until(lambda: (bees / "begun.log").is_file() and len((bees / "begun.log").read_text().split()) == 4)
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors


def test_two_processes_do_not_share_a_trace_file(
    slow: Callable[..., "subprocess.Popen[str]"], rearank: Command, bees: Path, undisturbed: bytes
) -> None:
    process = slow()
    _wait_for_calls(bees, 4)
    for option in ("--resume", "--overwrite"):
        second = rearank("rerank", "run.trec", option, cwd=bees)
        assert second.returncode == 6
        assert "another rearank is writing" in second.stderr
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed


@pytest.mark.parametrize("limit", [10_000, 100_001])
def test_a_full_disk_is_told_and_nothing_is_lost(
    slow: Callable[..., "subprocess.Popen[str]"], rearank: Command, bees: Path, undisturbed: bytes, limit: int
) -> None:
    def no_larger_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = slow(seconds=0.0, preexec_fn=no_larger_files)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 6, errors
    assert "run.rearank.jsonl cannot be written" in errors
    assert "--resume" in errors
    assert "Traceback" not in errors
    assert not (bees / "run.rearank.trec").exists()
    answered = len(traced_calls(bees))
    assert answered > 0
    done = rearank("rerank", "run.trec", *MANY_WINDOWS, "--resume", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert f"rearank: {342 - answered} requests," in done.stderr
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed


def test_an_output_that_cannot_be_written_keeps_the_old_one(rearank: Command, bees: Path) -> None:
    first = rearank("rerank", "run.trec", "-o", "out.trec", cwd=bees)
    assert first.returncode == 0
    old = (bees / "out.trec").read_bytes()

    def no_larger_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "rearank_cli",
            "rerank",
            "run.trec",
            "-o",
            "out.trec",
            "--resume",
            "--tag",
            "again",
        ],
        cwd=bees,
        capture_output=True,
        text=True,
        preexec_fn=no_larger_files,
    )
    assert done.returncode == 6, done.stderr
    assert (bees / "out.trec").read_bytes() == old
    assert not list(bees.glob(".*.part"))


def test_a_line_cut_short_is_dropped_with_a_word(rearank: Command, bees: Path, undisturbed: bytes) -> None:
    assert rearank("rerank", "run.trec", *MANY_WINDOWS, cwd=bees).returncode == 0
    traces = bees / "run.rearank.jsonl"
    traces.write_bytes(traces.read_bytes()[:-100])
    done = rearank("rerank", "run.trec", *MANY_WINDOWS, "--resume", cwd=bees)
    assert done.returncode == 0
    assert "the last line was cut short, and is dropped" in done.stderr
    assert "rearank: 1 request," in done.stderr
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed


def test_a_changed_option_asks_only_what_it_changed(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    # A smaller depth shares no window but those of lists that are shorter than it.
    done = rearank("rerank", "run.trec", "--resume", "--depth", "39", "--limit", "4", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert "4 queries, 12 calls" in done.stderr
    assert "rearank: 0 requests," not in done.stderr
    again = rearank("rerank", "run.trec", "--resume", "--tag", "other", "--query", "q8", cwd=bees)
    assert "1 query, 1 call" in again.stderr
    assert "rearank: 0 requests," in again.stderr


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (["--family", "rankgpt"], "the family was rearank and is rankgpt"),
        (
            ["--engine", "replay", "--traces", "run.rearank.jsonl", "-o", "new.trec"],
            "the run (by its SHA-256) was",
        ),
        ([], "the run (by its SHA-256) was"),
    ],
)
def test_traces_of_something_else_are_refused(
    rearank: Command, bees: Path, change: list[str], named: str
) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    if "--family" not in change:
        run = (bees / "run.trec").read_text().splitlines()
        (bees / "run.trec").write_text("\n".join(run[:-1]) + "\n")
    traces = (bees / "run.rearank.jsonl").read_bytes()
    done = rearank("rerank", "run.trec", "--resume", *change, cwd=bees)
    assert done.returncode == 2, done.stderr
    assert named in done.stderr
    assert (bees / "run.rearank.jsonl").read_bytes() == traces


def test_changed_texts_are_asked_about_again(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    queries = (bees / "queries.tsv").read_text().splitlines()
    changed = [queries[0] + " exactly", *queries[1:]]
    (bees / "queries.tsv").write_text("\n".join(changed) + "\n")
    done = rearank("rerank", "run.trec", "--resume", cwd=bees)
    assert "rearank: 3 requests," in done.stderr


def test_replay_needs_nothing_but_the_run_and_its_traces(
    rearank: Command, bees: Path, tmp_path: Path
) -> None:
    (bees / "docs.jsonl").write_text(
        "".join(line for line in (bees / "docs.jsonl").open() if '"bee-073"' not in line)
    )
    done = rearank("rerank", "run.trec", "--missing", "skip", "--window", "7", "--step", "3", cwd=bees)
    assert done.returncode == 0, done.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("run.trec", "run.rearank.jsonl"):
        (elsewhere / name).write_bytes((bees / name).read_bytes())
    traces = (elsewhere / "run.rearank.jsonl").read_bytes()
    replayed = rearank("rerank", "run.trec", "--engine", "replay", cwd=elsewhere)
    assert replayed.returncode == 0, replayed.stderr
    assert (elsewhere / "run.rearank.trec").read_bytes() == (bees / "run.rearank.trec").read_bytes()
    assert (elsewhere / "run.rearank.jsonl").read_bytes() == traces


def test_calls_that_are_not_in_the_traces_count_as_failed_in_a_replay(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    lines = (bees / "run.rearank.jsonl").read_bytes().splitlines(keepends=True)
    (bees / "part.jsonl").write_bytes(b"".join(lines[:10]))
    done = rearank(
        "rerank", "run.trec", "--engine", "replay", "--traces", "part.jsonl", "-o", "new.trec", cwd=bees
    )
    assert done.returncode == 5
    assert "20 failed" in done.stderr


def test_a_closed_standard_output_is_no_traceback(bees: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [
        sys.executable,
        "-m",
        "rearank_cli",
        "rerank",
        "run.trec",
        "-o",
        "-",
        "--traces",
        "t.jsonl",
        "-q",
    ]
    done = subprocess.run(command, cwd=bees, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""
    assert len(traced_calls(bees, "t.jsonl")) == 29


def test_nohup_is_respected(
    slow: Callable[..., "subprocess.Popen[str]"], bees: Path, undisturbed: bytes
) -> None:
    process = slow(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    _wait_for_calls(bees, 4)
    process.send_signal(signal.SIGHUP)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed


def test_an_attempt_that_cannot_start_leaves_the_traces_it_was_to_replace(
    rearank: Command, bees: Path
) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    traces = (bees / "run.rearank.jsonl").read_bytes()
    done = rearank("rerank", "run.trec", "--overwrite", "--engine", "vllm", cwd=bees)
    assert done.returncode == 4
    assert (bees / "run.rearank.jsonl").read_bytes() == traces


def test_a_second_run_with_foreign_traces_is_refused_before_the_first_is_asked(
    rearank: Command, bees: Path
) -> None:
    (bees / "other.trec").write_text((bees / "run.trec").read_text())
    assert rearank("rerank", "other.trec", cwd=bees).returncode == 0
    (bees / "other.trec").write_text((bees / "run.trec").read_text().replace("bm25", "tf"))
    done = rearank("rerank", "run.trec", "other.trec", "--resume", cwd=bees)
    assert done.returncode == 2
    assert not (bees / "run.rearank.jsonl").exists()


def test_what_is_no_trace_file_is_not_touched(rearank: Command, bees: Path) -> None:
    (bees / "notes.txt").write_text("precious")
    done = rearank("rerank", "run.trec", "--resume", "--traces", "notes.txt", cwd=bees)
    assert done.returncode == 3
    assert (bees / "notes.txt").read_text() == "precious"


@pytest.mark.parametrize("options", [["--step", "0"], ["--window", "0"], ["--depth", "-5"], ["--limit", "0"]])
def test_a_replay_refuses_what_cannot_be(rearank: Command, bees: Path, options: list[str]) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    done = rearank("rerank", "run.trec", "--engine", "replay", *options, "-o", "new.trec", cwd=bees)
    assert done.returncode == 2, done.stderr
    assert not (bees / "new.trec").exists()


def test_a_replay_goes_by_the_last_answer(rearank: Command, bees: Path) -> None:
    """Texts that were changed between two attempts: the newer answers are the run."""
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    queries = (bees / "queries.tsv").read_text().replace("q2\t", "q2\tswarm queen varroa winter ")
    (bees / "queries.tsv").write_text(queries)
    assert rearank("rerank", "run.trec", "--resume", cwd=bees).returncode == 0
    done = rearank("rerank", "run.trec", "--engine", "replay", "-o", "new.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert (bees / "new.trec").read_bytes() == (bees / "run.rearank.trec").read_bytes()


def test_a_configured_overwrite_gives_way_to_resume(rearank: Command, bees: Path) -> None:
    with (bees / "rearank.toml").open("a") as file:
        file.write("\n")
    text = (bees / "rearank.toml").read_text().replace("[rerank]", "[rerank]\noverwrite = true")
    (bees / "rearank.toml").write_text(text)
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    done = rearank("rerank", "run.trec", "--resume", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert "rearank: 0 requests," in done.stderr


def test_a_configured_resume_gives_way_to_overwrite(rearank: Command, bees: Path) -> None:
    text = (bees / "rearank.toml").read_text().replace("[rerank]", "[rerank]\nresume = true")
    (bees / "rearank.toml").write_text(text)
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    done = rearank("rerank", "run.trec", "--overwrite", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert "rearank: 29 requests," in done.stderr


def test_killed_at_random_moments_and_resumed(tmp_path: Path) -> None:
    """The short form of scripts/crash_test.py."""
    command = [sys.executable, str(SCRIPTS / "crash_test.py"), "--kills", "6", "--seed", str(os.getpid())]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "6 kills" in done.stdout


def _wait_for_calls(folder: Path, count: int) -> None:
    wait_until(
        lambda: (
            (folder / "run.rearank.jsonl").is_file()
            and (folder / "run.rearank.jsonl").read_bytes().count(b"\n") > count
        )
    )
