"""The real command at a terminal, and what that terminal shows in the end."""

import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.end_to_end.conftest import with_default_signals

_PIECE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|(\n|\r|[^\x1b])")

# Moves of the cursor and erased lines: what a display needs even where there are no colours.
MOVES = re.compile(r"\x1b\[(?:\d*A|2K|\?25[lh])|\r")


class Terminal:
    """A terminal of so many columns and lines, and all that was sent to it."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self._ours, self.its = os.openpty()
        fcntl.ioctl(self.its, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self._sent = b""

    @property
    def sent(self) -> str:
        return self._sent.decode(errors="replace").replace("\r\n", "\n")

    @property
    def screen(self) -> list[str]:
        """The lines that can be read now, without those that are empty."""
        return [line for line in shown(self.sent) if line]

    @property
    def hides_its_cursor(self) -> bool:
        return self.sent.rfind("\x1b[?25l") > self.sent.rfind("\x1b[?25h")

    def start(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[bytes]":
        """Start a command that rules this terminal: the keys pressed here are its signals."""

        def rule() -> None:
            with_default_signals()
            os.setsid()
            fcntl.ioctl(2, termios.TIOCSCTTY, 0)

        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=self.its,
            stdout=self.its,
            stderr=self.its,
            preexec_fn=rule,  # noqa: PLW1509  # no threads here
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
        )

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def read_until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Read what is sent until something is true; fail where it takes longer."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.sent
            self._read()

    def read_to_end(self, process: "subprocess.Popen[bytes]", seconds: float = 60) -> int:
        """Read what is sent until the process has ended; its exit status."""
        self.read_until(lambda: process.poll() is not None, seconds)
        self.read()
        return process.returncode

    def read(self) -> None:
        """Read what has been sent."""
        while self._read():
            pass

    def close(self) -> None:
        """Hang up."""
        for end in (self._ours, self.its):
            os.close(end)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 0.05)[0]:
            return False
        self._sent += os.read(self._ours, 65536)
        return True


def sent_to_terminal(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, columns: int = 80
) -> tuple[int, str]:
    """Run `rearank ARGUMENTS` at a terminal to its end: its exit status, and all that it sent there."""
    ours, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [sys.executable, "-m", "rearank_cli", *arguments]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=environment
    ) as process:
        os.close(its)
        sent = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return process.returncode, sent.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that no one is at the other end any more
        return b""


def shown(sent: str) -> list[str]:
    """The lines of a screen to which this was sent, as far as programs of this project move the cursor."""
    lines: list[list[str]] = [[]]
    row = column = 0
    for argument, order, character in _PIECE.findall(sent):
        if order == "A":
            row = max(0, row - int(argument or 1))
        elif order == "K":
            lines[row].clear()
        elif character == "\r":
            column = 0
        elif character == "\n":
            row, column = row + 1, 0
            lines.extend([] for _ in range(row + 1 - len(lines)))
        elif character:
            lines[row].extend(" " * (column + 1 - len(lines[row])))
            lines[row][column] = character
            column += 1
    return ["".join(line).rstrip() for line in lines]
