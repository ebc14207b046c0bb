"""Jobs that run while a test looks on: waiting for them, and what they have written so far."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.end_to_end.conftest import with_default_signals


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Look again and again; fail where it takes longer than so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"nothing happened for {seconds} seconds"
        time.sleep(0.01)


def traced_calls(folder: Path, name: str = "run.rearank.jsonl") -> list[dict[str, Any]]:
    """The lines of calls in a trace file that may still be written; none where there is no file."""
    if not (folder / name).is_file():
        return []
    whole = [line for line in (folder / name).read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [line for line in map(orjson.loads, whole) if line["type"] == "call"]


@contextmanager
def begun(
    command: Sequence[str], folder: Path, *, calls: int, seconds: float = 60
) -> Iterator["subprocess.Popen[str]"]:
    """A job that has answered so many calls and goes on; killed in the end, its children are the test's."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=with_default_signals,  # noqa: PLW1509  # no threads here
    )
    try:
        wait_until(lambda: process.poll() is not None or len(traced_calls(folder)) >= calls, seconds)
        assert process.poll() is None, process.communicate()
        yield process
    finally:
        process.kill()
