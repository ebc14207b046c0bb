"""`rearank trace` as someone runs it who wants to know why."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Command
from tests.traces.lines import SIX, attempt, call, thinking, two_queries, write_traces


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """Two queries; calls of every status, one of them asked again, one made to finish."""
    return two_queries(tmp_path / "why.jsonl")


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
