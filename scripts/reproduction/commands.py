"""`rearank` as other processes: what they say passes through, and signals reach them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

REARANK = (sys.executable, "-m", "rearank_cli")


class Stopped(BaseException):
    """A signal that ends the script; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and the last thing that it said."""

    status: int
    message: str


@contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP raise Stopped."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, _stop) for number in kinds}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(words: Sequence[str], label: str | None = None) -> Outcome:
    """Run `rearank WORDS`; what it says goes to stderr, after `label`, or nowhere without.

    A signal is passed on, and the command may end what it is at, before Stopped is raised again.
    """
    with subprocess.Popen(
        # No configuration of the current folder: settings are the paper's, or those given.
        [*REARANK, *words, "--config", os.devnull],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        # Ctrl-C on a terminal reaches a whole group: from here it is passed on, once.
        process_group=0,
    ) as process:
        stopped: Stopped | None = None
        message = ""
        while True:
            try:
                message = _listen(process, label, message)
                process.wait()
                break
            except Stopped as signalled:
                stopped = signalled
                process.send_signal(signalled.number)
    if stopped is not None:
        raise stopped
    return Outcome(process.returncode, message)


def _listen(process: "subprocess.Popen[str]", label: str | None, message: str) -> str:
    """Pass on what a command says until it ends; the last sentence of its own."""
    assert process.stderr is not None
    for line in process.stderr:
        said = line.rstrip().removeprefix("rearank: ")
        if line.startswith("rearank: "):
            message = said
        if label is not None:
            print(f"{label}: {said}", file=sys.stderr, flush=True)
    return message


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped(number)
