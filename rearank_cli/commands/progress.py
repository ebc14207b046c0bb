"""The live display: how far a long job has come, on the last lines of the terminal."""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from rearank_cli.commands.colour import in_colour
from rearank_cli.trec.streams import printable

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from rearank_cli.reranking.progress import Observer, Progress
    from rearank_cli.reranking.tally import Tally

log = logging.getLogger("rearank")

# Several runs have a line each, but no more than this.
_MOST_RUNS = 8
_LONGEST_NAME = 40


@contextlib.contextmanager
def looking_on() -> Iterator["Observer | None"]:
    """The observer of a job: a live display on a terminal that can show one; None, a message a minute, else.

    With --debug other programs' logs go to the terminal, too: there is no display between them.
    """
    wanted = logging.DEBUG < log.getEffectiveLevel() <= logging.INFO
    if not wanted or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield None
        return
    # While vLLM loads, standard error is a file: the display goes where it went before.
    terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors="replace")
    display = Display(terminal)
    handlers = [
        handler
        for handler in log.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
    ]
    for handler in handlers:
        handler.setStream(display)
    try:
        yield display
    finally:
        for handler in handlers:
            handler.setStream(sys.stderr)
        with contextlib.suppress(OSError):
            terminal.close()


class Display:
    """Shows progress on a terminal's last lines; what is written to it appears above them.

    It takes no space before the first look, and none when it is left. In the background, and while the
    library of datasets shows its downloads, it gives way to a message a minute.
    """

    every = 0.2

    def __init__(self, terminal: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        from rearank_cli.reranking.progress import EachMinute

        self._terminal = terminal
        self._console = Console(
            file=terminal,
            force_terminal=True,
            color_system="auto" if in_colour(terminal) else None,
            highlight=False,
        )
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._spinner = Spinner("line" if self._console.options.ascii_only else "dots")
        self._minutes = EachMinute()
        self._spoke = 0.0
        self._is_over = False

    def look(self, progress: "Progress") -> None:
        if self._is_over:
            return
        if _others_write(progress) or not self._is_in_foreground():
            self._hide()
            self._speak(progress)
            return
        with self._unless_gone():
            self._console.size = self._size()
            self._live.start()
            self._live.update(self._rendered(progress), refresh=True)

    def leave(self) -> None:
        self._hide()
        self._is_over = True

    def write(self, text: str) -> None:
        """Write whole lines, above the display."""
        with self._unless_gone():
            self._console.out(text.removesuffix("\n"))

    def flush(self) -> None:
        with self._unless_gone():
            self._terminal.flush()

    def _hide(self) -> None:
        with self._unless_gone():
            self._live.stop()

    def _speak(self, progress: "Progress") -> None:
        if progress.seconds < self._spoke:  # it has begun to ask, and counts anew
            self._spoke = 0.0
        if progress.seconds >= self._spoke + self._minutes.every:
            self._spoke = progress.seconds
            self._minutes.look(progress)

    @contextlib.contextmanager
    def _unless_gone(self) -> Iterator[None]:
        """A terminal that was closed is no reason for a job to end that was told to outlive it."""
        try:
            yield
        except OSError:
            self._is_over = True

    def _is_in_foreground(self) -> bool:
        try:
            return os.tcgetpgrp(self._terminal.fileno()) == os.getpgrp()
        except OSError:  # not the terminal that rules this process: there is no background on it
            return True

    def _size(self) -> tuple[int, int]:
        try:
            columns, lines = os.get_terminal_size(self._terminal.fileno())
        except OSError:
            columns = lines = 0
        # One column less: where the window gets narrower by one, nothing is broken into two lines.
        return (columns or 80) - 1, lines or 24

    def _rendered(self, progress: "Progress") -> "RenderableType":
        from rich.console import Group
        from rich.table import Table

        from rearank_cli.words import duration

        if progress.busy_with:
            self._spinner.update(text=f"{' and '.join(progress.busy_with)}, {duration(progress.seconds)}")
            return self._spinner
        if progress.stopping:
            return _line(_farewell(progress))
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=_LONGEST_NAME)
        table.add_column(ratio=1)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        shown = _unfinished_first(progress)
        for name, tally in shown[:_MOST_RUNS]:
            _add_row(table, printable(name), progress, tally)
        if len(shown) > _MOST_RUNS:
            table.add_row(f"and {len(shown) - _MOST_RUNS} more")
        if len(shown) > 1:
            _add_row(table, f"{len(shown)} runs", progress, progress.total)
        lines = ["   ".join(filter(None, [progress.time, progress.speed])), progress.total.outcomes]
        return Group(table, *map(_line, filter(None, lines)))


def _others_write(progress: "Progress") -> bool:
    """Whether downloads may be shown on the terminal; while a model loads they go to its log."""
    from rearank_cli.reranking.progress import FETCHING, LOADING

    return FETCHING in progress.busy_with and LOADING not in progress.busy_with


def _farewell(progress: "Progress") -> str:
    from rearank_cli.words import counted

    if not progress.in_flight:
        return "stopping"
    return f"stopping: waiting for {counted(progress.in_flight, 'request')} in flight; Ctrl-C ends at once"


def _unfinished_first(progress: "Progress") -> "list[tuple[str, Tally]]":
    """All in their order, where there is room for all; else those that are done give way."""
    if len(progress.runs) <= _MOST_RUNS:
        return list(progress.runs)
    return sorted(progress.runs, key=lambda run: not run[1].queries_left)


def _add_row(table: "Table", name: str, progress: "Progress", tally: "Tally") -> None:
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    queries = f"{tally.queries:,}/{tally.queries + tally.queries_left:,} queries"
    bar = ProgressBar(
        max(tally.calls + tally.calls_left, 1), tally.calls, complete_style="green", finished_style="green"
    )
    table.add_row(Text(name), bar, queries, progress.calls_of(tally))


def _line(text: str) -> "RenderableType":
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ellipsis")
