"""Nothing that a file says reaches the terminal as an order to it: no title, no colour, no bell."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.terminal import sent_to_terminal


class Done(NamedTuple):
    """What a command ended with, and all that it sent to its terminal."""

    returncode: int
    sent: str


Command = Callable[..., Done]

# Sets the window's title; turns red; the same with an 8-bit CSI; rings; goes back; turns the direction.
ESCAPES = ["\x1b]0;owned\x07", "\x1b[31m", "\x9b31m", "\x07", "\x08", "\x7f", "\u202e", "\u2066"]
HOSTILE = [f"e{escape}vil" for escape in ESCAPES]
ALL = "".join(HOSTILE)


@pytest.fixture
def rearank(tmp_path: Path) -> Command:
    """Run `rearank ARGUMENTS` in the folder of the test, at a terminal: to a pipe, less may be sent."""

    def run(*arguments: str) -> Done:
        # Where a job takes longer, its display moves the cursor: that is no order of a file's.
        return Done(*sent_to_terminal(arguments, tmp_path, {**os.environ, "TERM": "dumb"}))

    return run


@pytest.fixture(autouse=True)
def collection(tmp_path: Path) -> None:
    """Ids, texts and a query that all are orders to a terminal."""
    write_run(tmp_path / "run.trec")
    (tmp_path / "docs.tsv").write_text(
        "".join(f"{doc_id}\tbees {number} {doc_id}\n" for number, doc_id in enumerate(HOSTILE)), newline=""
    )
    (tmp_path / "queries.tsv").write_text(f"{ALL}\tbees {ALL}\n", newline="")
    (tmp_path / "qrels").write_text("".join(f"{ALL} 0 {doc_id} 1\n" for doc_id in HOSTILE), newline="")


def write_run(path: Path, *, query: str = ALL, tag: str = "bm25") -> None:
    lines = [f"{query} Q0 {doc_id} {rank} {9 - rank} {tag}\n" for rank, doc_id in enumerate(HOSTILE, 1)]
    path.write_text("".join(lines), newline="")


def obeys_nothing(done: Done) -> None:
    """Only lines, tabs, and characters that can be seen were sent; and no bug was met."""
    assert "Traceback" not in done.sent
    assert "this is a bug" not in done.sent
    orders = {character for character in done.sent if not character.isprintable() and character not in "\n\t"}
    assert not orders, done.sent


TEXTS = ["--docs", "docs.tsv", "--queries", "queries.tsv", "--engine", "lexical"]


def test_reranking_documents_with_hostile_ids_and_texts(rearank: Command, tmp_path: Path):
    done = rearank("rerank", "run.trec", *TEXTS, "--qrels", "qrels", "--verbose")
    assert done.returncode == 0, done.sent
    obeys_nothing(done)
    # The run has the ids as they are: what a file holds is not for a terminal.
    reranked = (tmp_path / "run.rearank.trec").read_bytes().decode()
    assert sorted(line.split(" ")[2] for line in reranked.split("\n") if line) == sorted(HOSTILE)


def test_a_query_without_a_text(rearank: Command, tmp_path: Path):
    write_run(tmp_path / "run.trec", query=f"q{ALL}")
    done = rearank("rerank", "run.trec", *TEXTS)
    assert done.returncode == 3
    obeys_nothing(done)


def test_documents_without_a_text(rearank: Command, tmp_path: Path):
    (tmp_path / "docs.tsv").write_text("other\ttext\n")
    for missing, status in (("error", 3), ("skip", 0)):
        done = rearank("rerank", "run.trec", *TEXTS, "--missing", missing, "--verbose")
        assert done.returncode == status, done.sent
        obeys_nothing(done)


@pytest.mark.parametrize(
    "line",
    [
        f"q Q0 d 1 {ALL} bm25",
        f"q Q0 {ALL} 1 2 bm25\nq Q0 {ALL} 2 1 bm25",
        f"q Q0 d {ALL} 2 bm25",
        f"{ALL}\x0b Q0 d 1 2 bm25",
    ],
)
def test_a_malformed_run(rearank: Command, tmp_path: Path, line: str):
    (tmp_path / "run.trec").write_text(f"{line}\n", newline="")
    obeys_nothing(rearank("rerank", "run.trec", *TEXTS, "--missing", "skip", "--input-order", "rank"))
    obeys_nothing(rearank("check", "run.trec"))


def test_a_run_that_is_checked(rearank: Command, tmp_path: Path):
    write_run(tmp_path / "run.trec", tag=ALL)
    obeys_nothing(rearank("check", "run.trec", "--queries", "queries.tsv", "--docs", "docs.tsv"))
    (tmp_path / "queries.tsv").write_text(f"other{ALL}\tbees\n", newline="")
    (tmp_path / "docs.tsv").write_text("other\tbees\n", newline="")
    done = rearank("check", "run.trec", "--queries", "queries.tsv", "--docs", "docs.tsv")
    obeys_nothing(done)
    assert "is unknown" in done.sent
    assert "is not in docs.tsv" in done.sent


@pytest.mark.parametrize("output_format", ["table", "json"])
def test_a_run_that_is_evaluated(rearank: Command, output_format: str):
    done = rearank("evaluate", "run.trec", "--qrels", "qrels", "--per-query", "--format", output_format)
    assert done.returncode == 0, done.sent
    obeys_nothing(done)


def test_a_run_whose_name_is_an_order(rearank: Command, tmp_path: Path):
    name = f"run{ESCAPES[1]}.trec"
    (tmp_path / "run.trec").rename(tmp_path / name)
    for done in (
        rearank("rerank", name, *TEXTS),
        rearank("check", name),
        rearank("check", f"no{name}"),
        rearank("evaluate", name, "--qrels", "qrels"),
    ):
        obeys_nothing(done)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("qrels", f"{ALL} 0 d {ALL}\n"),
        ("qrels", f"{ALL} 0 {ALL} 1\n{ALL} 0 {ALL} 2\n"),
        ("docs.tsv", f"{HOSTILE[0]}\tone\n{HOSTILE[0]}\ttwo\n"),
        ("docs.tsv", f'{{"id": "{HOSTILE[-1]}", "{HOSTILE[-1]}": 1}}\n{{{ALL}\n'),
        ("queries.tsv", f"{ALL}\tone\n{ALL}\ttwo\n"),
        ("rearank.toml", f'[rerank]\n"{HOSTILE[-1]}" = 1\n'),
        ("rearank.toml", f"{ALL}\n"),
        ("run.rearank.jsonl", f"{ALL}\n"),
        ("run.rearank.jsonl", f'{{"type": "attempt", "schema": 1, "started": "{HOSTILE[-1]}"}}\n'),
    ],
)
def test_any_other_malformed_input(rearank: Command, tmp_path: Path, name: str, content: str):
    (tmp_path / name).write_text(content, newline="")
    done = rearank("rerank", "run.trec", *TEXTS, "--qrels", "qrels", "--resume")
    # Judgments that cannot be read are a warning: the run is written.
    assert done.returncode == (0 if name == "qrels" else 2 if "no option" in done.sent else 3)
    obeys_nothing(done)


def test_a_family_file(rearank: Command, tmp_path: Path):
    toml = r"""
name = "mine"
title = "\u001b[31m"
defaults = { method = "sliding", window = 2, step = 1 }
sampling = { max_tokens = 5 }
answer = { reader = "list" }
text = "\u001b]0;owned\u0007 \u009b31m {{ query }}"
"""
    (tmp_path / "mine.toml").write_text(toml)
    done = rearank("families", "mine.toml")
    assert done.returncode in (0, 3)
    obeys_nothing(done)
