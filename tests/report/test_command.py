"""`rearank report` as a user runs it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.report.conftest import Reranked

Command = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def report(bees: Reranked) -> Command:
    """Run `rearank report ARGUMENTS` in the folder of the example, whose run was reranked."""
    bees.rerank()

    def run(
        *arguments: str, stdin: bytes | None = None, cwd: Path = bees.folder
    ) -> "subprocess.CompletedProcess[bytes]":
        command = [sys.executable, "-m", "rearank_cli", "report", *arguments]
        return subprocess.run(command, cwd=cwd, input=stdin, capture_output=True, timeout=120, env=os.environ)

    return run


def test_in_the_example_the_traces_are_all_it_takes(report: Command, bees: Reranked) -> None:
    done = report("run.rearank.jsonl")
    assert (done.returncode, done.stdout) == (0, b""), done.stderr
    assert done.stderr.startswith(b"rearank: wrote run.rearank.html: 12 queries, 29 calls")
    page = (bees.folder / "run.rearank.html").read_text("utf-8")
    assert "0.5011" in page
    assert page.startswith("<!doctype html>")


def test_a_page_that_exists_is_replaced_only_when_asked_to(report: Command, bees: Reranked) -> None:
    (bees.folder / "why.html").write_text("mine")
    done = report("run.rearank.jsonl", "-o", "why.html")
    assert done.returncode == 2
    assert b"why.html exists already; give --overwrite" in done.stderr
    assert (bees.folder / "why.html").read_text() == "mine"
    assert report("run.rearank.jsonl", "-o", "why.html", "--overwrite").returncode == 0
    assert (bees.folder / "why.html").read_text() != "mine"


def test_traces_from_a_pipe_make_a_page_for_a_pipe(report: Command, bees: Reranked) -> None:
    traces = (bees.folder / "run.rearank.jsonl").read_bytes()
    done = report("-", "-o", "-", stdin=traces)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"<!doctype html>")
    assert b"0.5011" in done.stdout
    assert done.stderr == b""


def test_what_is_not_at_hand_is_said(report: Command, bees: Reranked, tmp_path: Path) -> None:
    done = report(str(bees.folder / "run.rearank.jsonl"), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"No texts" in done.stderr
    assert b"No judgments" in done.stderr
    assert (tmp_path / "run.rearank.html").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["-"], 2, b"have no name to call the page after; give one with -o"),
        (["a", "a"], 2, b"a is given twice"),
        (["nothing.jsonl"], 3, b"nothing.jsonl: no such file"),
        (["run.trec"], 3, b"run.trec:1: not a line of a trace file"),
        (["run.rearank.jsonl", "--run", "nothing.trec"], 3, b"nothing.trec cannot be read"),
        (["run.rearank.jsonl", "--dataset", "x", "--docs", "docs.jsonl"], 2, b"two sources of texts"),
        (["run.rearank.jsonl", "-m", "ndgc@10"], 2, b"ndgc@10"),
        (["run.rearank.jsonl", "-o", "no/where.html"], 6, b"does not exist"),
    ],
)
def test_what_cannot_be_is_a_sentence(
    report: Command, arguments: list[str], status: int, message: bytes
) -> None:
    done = report(*arguments, stdin=b"")
    assert message in done.stderr
    assert done.returncode == status
    assert done.stderr.count(b"\n") == 1
