"""`rearank trace` as someone runs it who wants to know why."""

import gzip
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
from tests.traces.lines import attempt, call, thinking, write_traces

HOSTILE = "ends\x1b[31m\x1b]0;owned\x07 \u202e [bold]bees[/bold] :smile:"
OF_THE_LOOK = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS")
SIX = ["d1", "d2", "d3", "d4", "d5", "d6"]
THOUGHT = "Passage [1] is of 1998.\n\nPassage [4] defines the term. It is best. Next are passages 3 and [6]."


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Two queries; calls of every status, one of them asked again, one made to finish."""
    return write_traces(
        tmp_path / "why.jsonl",
        attempt(),
        call(["old"], query_id="q1"),
        attempt(options={"window": 6, "step": 3}, sampling={"temperature": 0.6}),
        call(SIX, window=[3, 9], status="failed", finish_reason="error", error=f"the server {HOSTILE}",
             prompt_tokens=None, completion_tokens=None),
        call(SIX, [3, 2, 5, 0, 1, 4], window=[3, 9], try_=1, **thinking(THOUGHT, "[4] > [3] > [6] > ...")),
        call(["e1", "e2", "e3", "d4", "d3", "d6"], [3, 4, 0, 1, 2, 5], window=[0, 6], listed=2,
             status="repaired", **thinking(f"[4] {HOSTILE}", "[4] > [5] > [9]")),
        call(SIX, query_id="q2", window=[6, 12], status="truncated", finish_reason="length",
             completion_tokens=2048, reasoning="so on " * 500, response="<think>\n" + "so on " * 500),
        call(SIX, [1, 0, 2, 3, 4, 5], query_id="q2", window=[6, 12], status="truncated", forced=True,
             response="<answer> [2] > [1] > [3] > [4] > [5] > [6] </answer>"),
        call(SIX, query_id="q2", sample=1, window=None, status="unreadable", response="I cannot.\nSorry."),
    )  # fmt: skip


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


def test_the_overview_tells_of_the_attempts_and_has_a_line_per_query(rearank: Command, traces: Path) -> None:
    done = rearank("trace", traces.name, cwd=traces.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "why.jsonl\n"
        "  attempt 1, 2026-11-21 09:00:00 UTC: run.trec: le723z/Rearank-7B through vllm 0.32.0; "
        "family rearank; sliding, window 20, step 10, depth 100; greedy, at most 2,048 tokens\n"
        "  attempt 2, 2026-11-21 09:00:00 UTC: window 6 (was 20); step 3 (was 10); "
        "temperature 0.6 (was 0.0)\n"
        "\n"
        "run.trec: 2 queries, 4 calls (1 ok, 1 repaired, 1 truncated, 1 unreadable), "
        "500 tokens in, 2,088 out, 3.0 s\n"
        "  1 call of other attempts left out; --attempt N shows them\n"
        "\n"
        "query  calls  status                     tokens in    out  seconds  longest climb\n"
        "q1         2  1 ok, 1 repaired                 200     20      1.5  d4 7 -> 1\n"
        "q2         2  1 truncated, 1 unreadable        300  2,068      1.5  d2 8 -> 7\n"
    )


def test_a_query_is_read_call_by_call(rearank: Command, traces: Path) -> None:
    done = rearank("trace", traces.name, "--query", "q1", cwd=traces.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "query q1\n"
        "run.trec: 2 calls (1 ok, 1 repaired), 200 tokens in, 20 out, 1.5 s\n"
        "1 call of other attempts left out; --attempt N shows them\n"
        "\n"
        "call 1 of 2: ranks 4-9, ok, asked 2 times, 100 tokens in, 10 out, 1.0 s\n"
        "  try 1: failed, finish reason error\n"
        "  error: the server ends\\x1b[31m\\x1b]0;owned\\x07 \\u202e [bold]bees[/bold] :smile:\n"
        "  try 2: ok, finish reason stop\n"
        "    Passage [1] is of 1998.\n"
        "\n"
        "    Passage [4] defines the term. It is best. Next are passages 3 and [6].\n"
        "  answer: [4] > [3] > [6] > ...\n"
        "  4  <- 7  up 3    [4]  d4\n"
        "  5  <- 6  up 1    [3]  d3\n"
        "  6  <- 9  up 3    [6]  d6\n"
        "  7  <- 4  down 3  [1]  d1\n"
        "  8  <- 5  down 3  [2]  d2\n"
        "  9  <- 8  down 1  [5]  d5\n"
        "\n"
        "call 2 of 2: ranks 1-6, repaired, 100 tokens in, 10 out, 0.5 s\n"
        "    [4] ends\\x1b[31m\\x1b]0;owned\\x07 \\u202e [bold]bees[/bold] :smile:\n"
        "  answer: [4] > [5] > [9]\n"
        "  1  <- 4  up 3    [4]  d4\n"
        "  2  <- 5  up 3    [5]  d3\n"
        "  3  <- 1  down 2  [1]  e1  not listed\n"
        "  4  <- 2  down 2  [2]  e2  not listed\n"
        "  5  <- 3  down 2  [3]  e3  not listed\n"
        "  6  <- 6  -       [6]  d6  not listed\n"
        "\n"
        "after all calls, the first 9\n"
        "  1  <- 7  up 6    d4\n"
        "  2  <- 6  up 4    d3\n"
        "  3  <- 1  down 2  e1\n"
        "  4  <- 2  down 2  e2\n"
        "  5  <- 3  down 2  e3\n"
        "  6  <- 9  up 3    d6\n"
        "  7  <- 4  down 3  d1\n"
        "  8  <- 5  down 3  d2\n"
        "  9  <- 8  down 1  d5\n"
    )


def test_a_document_is_followed_with_what_was_said_of_it(rearank: Command, traces: Path) -> None:
    done = rearank("trace", traces.name, "--doc", "d4", "--query", "q1", cwd=traces.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "d4\n"
        "\n"
        "query q1\n"
        "  rank 7 -> 1, up 6\n"
        "\n"
        "  q1 d4 [4]: rank 7 -> 4, up 3; call 1 of 2: ranks 4-9, ok, asked 2 times, "
        "100 tokens in, 10 out, 1.0 s\n"
        "    Passage [4] defines the term.\n"
        "\n"
        "  q1 d4 [4]: rank 4 -> 1, up 3; call 2 of 2: ranks 1-6, repaired, 100 tokens in, 10 out, 0.5 s\n"
        "    [4] ends\\x1b[31m\\x1b]0;owned\\x07 \\u202e [bold]bees[/bold] :smile:\n"
    )
    done = rearank("trace", traces.name, "--doc", "d4", cwd=traces.parent)
    assert "query q1\n" in done.stdout
    assert "q2 d4 [4]: no answer; call 2 of 2: 6 passages, unreadable" in done.stdout
    assert "its reasoning does not name it" in done.stdout


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            "truncated",
            "query q2, call 1 of 2: ranks 7-12, truncated, made to finish, 200 tokens in, 2,058 out, 1.0 s\n"
            "  try 1: ran out of tokens after 2,048 tokens, before its answer was complete\n"
            "  it wrote last:\n"
            "    ...\n"
            "    " + " ".join(["so on"] * 100) + "\n"
            "  forced finish: the end of an answer that had run out of tokens\n"
            "  it wrote:\n"
            "    <answer> [2] > [1] > [3] > [4] > [5] > [6] </answer>\n",
        ),
        (
            "failed",
            "query q1, call 1 of 2: ranks 4-9, ok, asked 2 times, 100 tokens in, 10 out, 1.0 s\n"
            "  try 1: no response: the server "
            "ends\\x1b[31m\\x1b]0;owned\\x07 \\u202e [bold]bees[/bold] :smile:\n",
        ),
        (
            "unreadable",
            "query q2, call 2 of 2: 6 passages, unreadable, sample 1, 100 tokens in, 10 out, 0.5 s\n"
            "  ended after 10 tokens without an answer (finish reason stop)\n"
            "  it wrote:\n"
            "    I cannot.\n"
            "    Sorry.\n",
        ),
    ],
)
def test_calls_that_went_wrong_are_found_with_their_last_words(
    rearank: Command, traces: Path, status: str, expected: str
) -> None:
    done = rearank("trace", traces.name, "--status", status, cwd=traces.parent)
    assert (done.returncode, done.stdout) == (0, expected)


def test_a_repaired_answer_is_told_by_what_it_lacks(rearank: Command, traces: Path) -> None:
    done = rearank("trace", traces.name, "--status", "repaired", "--status", "ok", cwd=traces.parent)
    assert "  listed 2 of 6 passages, not [1] [2] [3] [6]\n  it wrote" in done.stdout
    assert done.stdout.count("query q1, call") == 2


def test_nothing_is_shortened_where_all_is_asked_for(rearank: Command, traces: Path) -> None:
    full = rearank("trace", traces.name, "--status", "truncated", "--full", cwd=traces.parent).stdout
    assert full.count("so on") == 500
    full = rearank("trace", traces.name, "--doc", "d4", "--query", "q1", "--full", cwd=traces.parent).stdout
    assert "Passage [1] is of 1998." in full


def test_a_way_that_no_call_went_is_a_word_and_no_error(rearank: Command, traces: Path) -> None:
    done = rearank("trace", traces.name, "--status", "failed", "--query", "q2", cwd=traces.parent)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "rearank: why.jsonl: no call of query q2 was failed\n"


def test_an_earlier_attempt_can_be_read(rearank: Command, traces: Path) -> None:
    done = rearank("trace", traces.name, "--query", "q1", "--attempt", "1", cwd=traces.parent)
    assert "3 calls of other attempts" not in done.stdout
    assert "2 calls of other attempts left out" in done.stdout
    assert "call 1 of 1: rank 1, ok" in done.stdout
    assert done.stdout.endswith("  old\n")
    assert "d4" not in done.stdout


def test_calls_that_the_last_attempt_may_not_have_used_are_told_of(rearank: Command, tmp_path: Path) -> None:
    write_traces(tmp_path / "t.jsonl", attempt(), call(SIX), attempt(options={"window": 3}), call(SIX[:3]))
    done = rearank("trace", "t.jsonl", "--query", "q1", cwd=tmp_path)
    assert "attempt 1" in done.stdout
    assert done.stderr.startswith("rearank: warning: the attempts arranged their windows differently")


def test_several_runs_stand_under_their_names(rearank: Command, tmp_path: Path) -> None:
    write_traces(
        tmp_path / "t.jsonl",
        attempt(run="a.trec"), call(SIX, run="a.trec"),
        attempt(run="b.trec"), call(SIX, run="b.trec"), call(["x"], run="b.trec", query_id="q9"),
    )  # fmt: skip
    overview = rearank("trace", "t.jsonl", cwd=tmp_path).stdout
    assert "a.trec: 1 query, 1 call (1 ok)" in overview
    assert "b.trec: 2 queries, 2 calls (2 ok)" in overview
    only = rearank("trace", "t.jsonl", "--query", "q1", "--run", "b.trec", cwd=tmp_path).stdout
    assert "b.trec: 1 call" in only
    assert "a.trec" not in only


def test_traces_come_from_a_pipe_compressed(traces: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rearank_cli", "trace", "-", "--query", "q2"],
        input=gzip.compress(traces.read_bytes()), capture_output=True, timeout=60, cwd=traces.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert b"query q2\nrun.trec: 2 calls" in done.stdout


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (["--query", "q11"], 3, "why.jsonl has no query 'q11'; did you mean q1? (it has 2; rearank trace "),
        (
            ["--query", "zzz"],
            3,
            "why.jsonl has no query 'zzz' (it has 2; rearank trace why.jsonl lists them)",
        ),
        (
            ["--doc", "d44"],
            3,
            "why.jsonl: no call shows document 'd44'; did you mean d4? (they show 9 documents)",
        ),
        (["--doc", "d3x", "--query", "q2"], 3, "no call of query q2 shows document 'd3x'; did you mean d3?"),
        (["--status", "truncatd"], 2, "unknown status 'truncatd'; did you mean truncated? (there are ok, "),
        (["--run", "rn.trec"], 3, "why.jsonl has no run 'rn.trec'; did you mean run.trec? (it has run.trec)"),
        (["--attempt", "3"], 3, "why.jsonl has no attempt 3; it has 2"),
        (["--attempt", "0"], 3, "why.jsonl has no attempt 0; it has 2"),
        (["--dataset", "x", "--docs", "y"], 2, "--dataset and --docs name two sources"),
        (["--queries", "none.tsv"], 3, "none.tsv: no such file"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence(
    rearank: Command, traces: Path, options: list[str], status: int, message: str
) -> None:
    done = rearank("trace", traces.name, *options, cwd=traces.parent)
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_answer_with_a_desert_in_it_is_read_in_one_go(rearank: Command, tmp_path: Path) -> None:
    """Were the time that of its square, this would take minutes."""
    response = f"[1]{' ' * 300_000}> [2] </answer> \n <answer> [3]"
    write_traces(tmp_path / "t.jsonl", attempt(), call(response=response))
    done = rearank("trace", "t.jsonl", "--query", "q1", cwd=tmp_path)
    assert f"    [1]{' ' * 300_000}> [2]\n\n    [3]\n" in done.stdout


def test_where_nobody_reasons_no_reasoning_is_missed(rearank: Command, tmp_path: Path) -> None:
    scores = [0.9, 0.2, 0.1]
    write_traces(
        tmp_path / "t.jsonl", attempt(), call(scores=scores), call(query_id="q2", **thinking("so on", "[1]"))
    )
    done = rearank("trace", "t.jsonl", "--doc", "b", cwd=tmp_path)
    assert "q1 b [2]" in done.stdout
    assert done.stdout.count("its reasoning does not name it") == 1
    assert done.stdout.endswith("    its reasoning does not name it\n")


def test_a_last_line_that_was_cut_short_is_told_of(rearank: Command, traces: Path) -> None:
    traces.write_bytes(traces.read_bytes()[:-9])
    done = rearank("trace", traces.name, "--query", "q1", cwd=traces.parent)
    assert done.returncode == 0
    assert done.stdout.startswith("query q1\n")
    assert done.stderr == "rearank: warning: why.jsonl: the last line was cut short, and is left out\n"


def test_a_file_that_is_none_of_traces_is_told_of_with_its_line(rearank: Command, bees: Path) -> None:
    done = rearank("trace", "run.trec", cwd=bees)
    assert done.returncode == 3
    assert done.stderr.startswith("rearank: run.trec:1: not a line of a trace file")


def test_texts_stand_beside_ids_where_someone_says_where_they_are(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", cwd=bees).returncode == 0
    (bees / "rearank.toml").write_text("")
    plain = rearank("trace", "run.rearank.jsonl", "--query", "q12", cwd=bees)
    assert plain.stdout.startswith("query q12\nrun.trec: 1 call (1 ok)")
    (bees / "rearank.toml").write_text('[trace]\ndocs = "docs.jsonl"\nqueries = "queries.tsv"\n')
    done = rearank("trace", "run.rearank.jsonl", "--query", "q12", cwd=bees)
    assert done.stdout.startswith("query q12: fainting soon after a sting, what should be done\n")
    assert (
        "   1  <- 10  up 9    [10]  bee-058  Anaphylaxis After a Sting: In a small share of people"
        in done.stdout
    )
    overview = rearank("trace", "run.rearank.jsonl", cwd=bees).stdout
    assert overview.splitlines()[-1].endswith(
        "bee-058 10 -> 1   fainting soon after a sting, what should be done"
    )


def test_families_that_choose_or_score_are_shown_as_they_answer(rearank: Command, bees: Path) -> None:
    expected = {
        "rank1": "  bee-021  score 0.1583\n",
        "iranker": "  8  <- 7  down 1  [7]  bee-103\n  the other 7 passages in the order they had\n",
        "first": "  answer: A\n  1  <- 1  -       [A]  bee-142\n",
        "rank-k": "  2  <- 3  up 1    [3]  bee-141  score 0.5, tied\n",
    }
    for family, line in expected.items():
        done = rearank(
            "rerank",
            "run.trec",
            "--family",
            family,
            "--query",
            "q8",
            "--depth",
            "8",
            "--overwrite",
            "-q",
            cwd=bees,
        )
        assert done.returncode == 0, done.stderr
        shown = rearank("trace", "run.rearank.jsonl", "--query", "q8", "--config", "/dev/null", cwd=bees)
        assert line in shown.stdout, family


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
