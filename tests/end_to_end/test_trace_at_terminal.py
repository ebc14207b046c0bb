"""`rearank trace` at a terminal, in colours, and without: nothing that it shows steers it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.end_to_end.conftest import Command
from tests.terminal import sent_to_terminal
from tests.traces.lines import HOSTILE, SIX, attempt, call, two_queries, write_traces

OF_THE_LOOK = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS")


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Two queries; calls of every status, one of them asked again, one made to finish."""
    return two_queries(tmp_path / "why.jsonl")


class Shown(NamedTuple):
    returncode: int
    text: str


@pytest.fixture
def at_terminal(tmp_path: Path) -> Callable[..., Shown]:
    """Run `rearank ARGUMENTS` at a terminal so many columns wide."""

    def run(*arguments: str, columns: int = 60, **environment: str) -> Shown:
        known = {name: value for name, value in os.environ.items() if name not in OF_THE_LOOK}
        look = {**known, "TERM": "xterm-256color", **environment}
        return Shown(*sent_to_terminal(arguments, tmp_path, look, columns=columns))

    return run


def test_a_terminal_gets_colours_and_lines_of_its_width(
    at_terminal: Callable[..., Shown], traces: Path
) -> None:
    shown = at_terminal("trace", "why.jsonl", "--query", "q2", "--status", "truncated", columns=50)
    assert shown.returncode == 0
    assert "\x1b[31mtruncated\x1b[0m" in shown.text
    assert max(len(line) for line in _without_styles(shown.text).splitlines()) <= 50
    read = at_terminal("trace", "why.jsonl", "--query", "q1").text
    assert "Passage \x1b[1;36m[4]\x1b[0m defines the term." in read
    assert "\x1b[32m4  <- 7  up 3    [4]\x1b[0m" in read


@pytest.mark.parametrize("options", [[], ["--query", "q1"], ["--doc", "d4"], ["--status", "truncated"]])
def test_colours_that_are_wanted_in_a_pipe_leave_every_line_whole(
    rearank: Command, traces: Path, options: list[str]
) -> None:
    plain = rearank("trace", traces.name, *options, cwd=traces.parent)
    forced = {"FORCE_COLOR": "1", "NO_COLOR": "", "TERM": "xterm", "COLUMNS": "40"}
    coloured = rearank("trace", traces.name, *options, cwd=traces.parent, environment=forced)
    assert "\x1b[1m" in coloured.stdout
    assert _without_styles(coloured.stdout) == plain.stdout
    none = rearank("trace", traces.name, *options, cwd=traces.parent, environment={**forced, "NO_COLOR": "1"})
    assert none.stdout == plain.stdout


@pytest.mark.parametrize(
    "environment",
    [{"NO_COLOR": "1"}, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, {"CLICOLOR": "0"}, {"TERM": "dumb"}],
)
def test_a_terminal_without_colours_gets_none(
    at_terminal: Callable[..., Shown], traces: Path, environment: dict[str, str]
) -> None:
    shown = at_terminal("trace", "why.jsonl", "--query", "q1", **environment)
    assert "\x1b" not in shown.text
    assert "Passage [4] defines the term." in shown.text


def test_nothing_that_a_model_wrote_steers_the_terminal(
    at_terminal: Callable[..., Shown], traces: Path
) -> None:
    for options in (["--query", "q1"], ["--doc", "d4"], ["--status", "failed"], ["--status", "repaired"], []):
        shown = at_terminal("trace", "why.jsonl", *options, columns=200)
        assert shown.returncode == 0
        left = _without_styles(shown.text)
        assert all(character.isprintable() or character == "\n" for character in left), left
        if options:
            assert "\\x1b[31m\\x1b]0;owned\\x07 \\u202e [bold]bees[/bold] :smile:" in left


def test_no_name_in_a_file_steers_the_terminal(at_terminal: Callable[..., Shown], tmp_path: Path) -> None:
    six = [f"{doc_id}{HOSTILE}" for doc_id in SIX]
    begun = attempt(
        run=HOSTILE, model=HOSTILE, engine=HOSTILE, family=HOSTILE, adapter=HOSTILE, revision=HOSTILE,
        started=HOSTILE, options={"method": HOSTILE, "window": HOSTILE},
    )  # fmt: skip
    asked = call(six, list(range(5, -1, -1)), run=HOSTILE, query_id=HOSTILE, finish_reason=HOSTILE)
    failed = call(SIX, run=HOSTILE, query_id=HOSTILE, finish_reason=HOSTILE, status="failed")
    write_traces(tmp_path / "t.jsonl", begun, {**begun, "engine": "x"}, asked, failed)
    (tmp_path / "texts.tsv").write_text(
        f"{HOSTILE}\tquery {HOSTILE}\nd1{HOSTILE}\tpassage {HOSTILE}\n", newline=""
    )
    texts = ["--docs", "texts.tsv", "--queries", "texts.tsv"]
    for options in (
        [],
        ["--query", HOSTILE],
        ["--doc", six[0]],
        ["--status", "failed"],
        ["--doc", f"x{HOSTILE}"],
    ):
        shown = at_terminal("trace", "t.jsonl", *options, *texts, columns=300)
        assert shown.returncode == (3 if options[1:] == [f"x{HOSTILE}"] else 0), shown.text
        left = _without_styles(shown.text)
        assert all(character.isprintable() or character == "\n" for character in left), left


def _without_styles(text: str) -> str:
    """What is left of a text when the program's own styles are taken away."""
    return re.sub(r"\x1b\[(?:0|1|2|1;3[16]|3[1-3])m", "", text)


@pytest.mark.parametrize("look", [{}, {"FORCE_COLOR": "1", "TERM": "xterm"}])
def test_a_reader_that_leaves_ends_it_quietly(traces: Path, look: dict[str, str]) -> None:
    command = (
        f"{sys.executable} -m rearank_cli trace why.jsonl --query q1 | head -n 1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=traces.parent, capture_output=True, text=True, timeout=60, env={**os.environ, **look},
    )  # fmt: skip
    assert _without_styles(done.stdout).splitlines()[0] == "query q1"
    assert done.stdout.splitlines()[1] in ("0", "141")
    assert done.stderr == ""
