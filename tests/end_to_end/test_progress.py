"""How far a long job has come, at a real terminal and elsewhere, and what is left there in the end."""

import logging
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rearank_cli.commands.progress import Display, looking_on
from rearank_cli.commands.shared import VERBOSE
from rearank_cli.reranking.progress import CLOSING, FETCHING, LOADING, Progress
from rearank_cli.reranking.tally import Tally
from tests.end_to_end.conftest import Command
from tests.jobs import traced_calls, wait_until
from tests.terminal import MOVES, Terminal

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
# 342 calls, four at once.
MANY_WINDOWS = ["--window", "4", "--step", "1", "--in-flight", "4"]
SUMMARY = [
    "rearank: run.trec: 12 queries, 342 calls (342 ok)",
    r"rearank: 342 requests, \d+\.\d s",
    "rearank: wrote run.rearank.trec and run.rearank.jsonl",
]

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@pytest.fixture
def rerank(bees: Path, terminal: Terminal) -> Start:
    """Start the real command at the terminal, each of its calls taking a while."""

    def start(*options: str, seconds: float = 0.01, **environment: str) -> "subprocess.Popen[bytes]":
        program = [sys.executable, str(SCRIPTS / "slow_rearank.py"), "begun.log", str(seconds)]
        return terminal.start([*program, "rerank", "run.trec", *MANY_WINDOWS, *options], bees, environment)

    return start


def test_a_terminal_shows_how_far_it_is_and_in_the_end_only_the_summary(
    rerank: Start, terminal: Terminal
) -> None:
    process = rerank()
    terminal.read_until(lambda: any("of 342 calls" in line for line in terminal.screen))
    run, time, statuses = terminal.screen
    assert re.fullmatch(r"run\.trec  \S+ *0/12 queries  \d+ of 342 calls", run)
    assert re.fullmatch(r"\d s gone, about \d+ s left|\d s gone, time left not known yet", time)
    assert re.fullmatch(r"\d+ ok", statuses)
    assert len(run) < 80
    assert terminal.hides_its_cursor
    assert terminal.read_to_end(process) == 0
    assert not terminal.hides_its_cursor
    assert "\x1b[32m" in terminal.sent
    assert len(terminal.screen) == 6
    for line, expected in zip(terminal.screen, [*SUMMARY, "run +ndcg@10.*"], strict=False):
        assert re.fullmatch(re.escape(expected) if "(" in expected else expected, line)


def test_what_is_written_meanwhile_stands_above_it(rerank: Start, terminal: Terminal, bees: Path) -> None:
    """A message, wider than the terminal, that comes when the display is there already."""
    (bees / "sitecustomize.py").write_text(
        "import asyncio, logging, rearank_cli.reranking.requests as requests\n"
        "ask = requests.Requester.ask\n"
        "asked = []\n"
        "async def tell(self, call, attempt):\n"
        "    asked.append(call)\n"
        "    if len(asked) == 150: logging.getLogger('rearank').warning('something %s', 'long ' * 30)\n"
        "    return await ask(self, call, attempt)\n"
        "requests.Requester.ask = tell\n"
    )
    process = rerank(PYTHONPATH=f"{bees}{os.pathsep}{SCRIPTS.parent}")
    assert terminal.read_to_end(process) == 0
    message, *rest = terminal.screen
    assert message == f"rearank: warning: something {'long ' * 30}".rstrip()
    assert len(rest) == 6


def test_several_runs_have_a_line_each_and_one_together(
    rerank: Start, terminal: Terminal, bees: Path
) -> None:
    (bees / "other.trec").write_bytes((bees / "run.trec").read_bytes())
    process = rerank("other.trec", seconds=0.005)
    terminal.read_until(lambda: any("of 684 calls" in line for line in terminal.screen))
    assert [line.split("  ")[0] for line in terminal.screen[:3]] == ["run.trec", "other.trec", "2 runs"]
    process.kill()
    process.wait()


def test_no_color_leaves_only_the_moves_of_the_cursor(rerank: Start, terminal: Terminal) -> None:
    assert terminal.read_to_end(rerank(NO_COLOR="1")) == 0
    assert "of 342 calls" in terminal.sent
    assert "\x1b" not in MOVES.sub("", terminal.sent)


@pytest.mark.parametrize(
    ("options", "environment", "lines"), [((), {"TERM": "dumb"}, 6), (("--quiet",), {}, 0)]
)
def test_where_there_is_no_display_nothing_moves(
    rerank: Start, terminal: Terminal, options: tuple[str, ...], environment: dict[str, str], lines: int
) -> None:
    assert terminal.read_to_end(rerank(*options, **environment)) == 0
    assert "\x1b" not in terminal.sent
    assert len(terminal.screen) == lines


@pytest.mark.parametrize(
    ("term", "level", "is_shown"),
    [
        ("xterm", logging.INFO, True),
        ("xterm", VERBOSE, True),
        # A message a minute there: None stands for it.
        ("dumb", logging.INFO, False),
        # Other programs' logs would come between.
        ("xterm", logging.DEBUG, False),
        ("xterm", logging.ERROR, False),
    ],
)
def test_who_looks_on_at_a_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, term: str, level: int, is_shown: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    logging.getLogger("rearank").setLevel(level)
    with open(terminal.its, "w", closefd=False) as stream:
        monkeypatch.setattr("sys.stderr", stream)
        with looking_on() as observer:
            assert (observer is not None) == is_shown


def test_what_is_done_before_and_after_all_requests_is_shown_unless_downloads_may_be(
    terminal: Terminal,
) -> None:
    with open(terminal.its, "w", closefd=False) as stream:
        display = Display(stream)
        display.look(Progress((LOADING, FETCHING), seconds=65))
        terminal.read()
        assert terminal.screen[0].endswith(" loading the model and fetching texts, 1 min 05 s")
        display.look(Progress((FETCHING,), seconds=66))
        terminal.read()
        assert terminal.screen == []
        display.look(Progress((CLOSING,), seconds=2))
        terminal.read()
        assert terminal.screen[0].endswith(" closing the engine, 2 s")
        display.leave()
        terminal.read()
        assert terminal.screen == []
        assert not terminal.hides_its_cursor


@pytest.mark.parametrize("columns", [20, 60, 200])
def test_the_display_fits_into_its_window(columns: int) -> None:
    terminal = Terminal(columns, 12)
    runs = tuple((f"\x1b[31m{'bm25-' * 20}{number}", Tally(number, 20 - number, 70)) for number in range(20))
    with open(terminal.its, "w", closefd=False) as stream:
        display = Display(stream)
        display.look(Progress((), runs, seconds=5))
        terminal.read()
        display.leave()
    terminal.close()
    assert len(terminal.screen) <= 11
    assert all(len(line) < columns for line in terminal.screen)
    assert "\x1b[31m" not in terminal.sent


def test_a_pipe_gets_plain_lines(bees: Path, rearank: Command) -> None:
    done = rearank("rerank", "run.trec", "-o", "-", cwd=bees, environment={"FORCE_COLOR": "1"})
    assert done.returncode == 0
    assert done.stdout.count("\n") == len((bees / "run.trec").read_text().splitlines())
    assert "\x1b" not in done.stdout + done.stderr
    assert done.stderr.splitlines()[0] == "rearank: run.trec: 12 queries, 29 calls (29 ok)"
    assert re.fullmatch(r"rearank: 29 requests, \d\.\d s", done.stderr.splitlines()[1])


@pytest.mark.parametrize(
    ("key", "status", "said"), [(b"\x03", 130, "interrupted"), (None, 143, "terminated")]
)
def test_a_signal_leaves_a_clean_terminal_and_the_way_on(
    rerank: Start, terminal: Terminal, bees: Path, key: bytes | None, status: int, said: str
) -> None:
    process = rerank(seconds=1.0)
    terminal.read_until(lambda: "of 342 calls" in terminal.sent)
    if key:
        terminal.press(key)
    else:
        process.send_signal(signal.SIGTERM)
    terminal.read_until(lambda: "waiting for 4 requests in flight" in terminal.sent)
    assert terminal.read_to_end(process) == status
    assert not terminal.hides_its_cursor
    # As wide as it is: what is copied from the terminal is one command.
    assert terminal.screen == [
        f"rearank: {said}; what was answered is in the traces, to go on: "
        "rearank rerank --resume run.trec --window 4 --step 1 --in-flight 4"
    ]


def test_calls_taken_from_traces_are_done_and_are_told_of(
    rerank: Start, terminal: Terminal, rearank: Command, bees: Path
) -> None:
    assert rearank("rerank", "run.trec", *MANY_WINDOWS, cwd=bees).returncode == 0
    traces = bees / "run.rearank.jsonl"
    lines = traces.read_bytes().splitlines(keepends=True)
    traces.write_bytes(b"".join(lines[:-20]))
    assert terminal.read_to_end(rerank("--resume", seconds=0.1)) == 0
    assert re.search(r"3[234]\d of 342 calls", terminal.sent)
    summary = terminal.screen[:2]
    assert summary[0] == "rearank: run.trec: 12 queries, 342 calls (342 ok), 322 from the traces"
    assert summary[1].startswith("rearank: 20 requests, ")
    again = rearank("rerank", "run.trec", *MANY_WINDOWS, "--resume", cwd=bees)
    assert "rearank: run.trec: 12 queries, 342 calls (342 ok), all from the traces\n" in again.stderr


def test_an_error_takes_the_display_away(rerank: Start, terminal: Terminal, bees: Path) -> None:
    """The place of the output is lost while the job runs."""
    process = rerank("-o", "there/out.trec", "--traces", "traces.jsonl")
    assert terminal.read_to_end(process) == 6
    (bees / "there").mkdir()
    process = rerank("-o", "there/out.trec", "--traces", "traces.jsonl")
    terminal.read_until(lambda: "of 342 calls" in terminal.sent)
    (bees / "there").rename(bees / "gone")
    assert terminal.read_to_end(process) == 6
    assert not terminal.hides_its_cursor
    assert "cannot be written" in terminal.screen[-1]


def test_a_job_in_the_background_does_not_draw(bees: Path, terminal: Terminal) -> None:
    """`rearank rerank run.trec &` in a shell: what the user types stays where it is."""
    program = f"{sys.executable} {SCRIPTS / 'slow_rearank.py'} begun.log 0.01"
    script = f"set -m; {program} rerank run.trec {' '.join(MANY_WINDOWS)} & wait $!; echo the end"
    assert terminal.read_to_end(terminal.start(["bash", "-c", script], bees)) == 0
    assert "\x1b" not in terminal.sent
    assert any("342 requests" in line for line in terminal.screen)
    assert "the end" in terminal.screen


def test_a_terminal_that_goes_away_does_not_end_a_job_that_ignores_it(bees: Path) -> None:
    terminal = Terminal()
    program = f"{sys.executable} {SCRIPTS / 'slow_rearank.py'} begun.log 0.02"
    script = f"trap '' HUP; exec {program} rerank run.trec {' '.join(MANY_WINDOWS)}"
    process = terminal.start(["bash", "-c", script], bees)
    terminal.read_until(lambda: "of 342 calls" in terminal.sent)
    terminal.close()
    wait_until(lambda: process.poll() is not None)
    assert process.returncode == 0
    assert len(traced_calls(bees)) == 342
    assert (bees / "run.rearank.trec").is_file()
