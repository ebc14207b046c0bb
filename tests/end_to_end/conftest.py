"""The installed command, as a user runs it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import rearank_cli
from rearank_cli import __main__

EXAMPLE = Path(rearank_cli.__file__).parent / "example"


def with_default_signals() -> None:
    """For a process to be started: a script in the background starts others deaf to Ctrl-C."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def rearank() -> Command:
    """Run `rearank ARGUMENTS` in a folder; `environment` is added to the tests' own."""

    def run(
        *arguments: str | Path, cwd: Path, stdin: str | None = None, environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "rearank_cli", *map(str, arguments)],
            cwd=cwd,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=300,
            env={**_without_colours(), **(environment or {})},
        )

    return run


def _without_colours() -> dict[str, str]:
    """The environment of a shell that says nothing of colours."""
    return {name: value for name, value in os.environ.items() if "COLOR" not in name}


@pytest.fixture
def bees(rearank: Command, tmp_path: Path) -> Path:
    """A fresh copy of the example collection, as `rearank example` makes it."""
    folder = tmp_path / "bees"
    done = rearank("example", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's files without its configuration, in the current folder."""
    for file in EXAMPLE.iterdir():
        if file.name != "rearank.toml":
            shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


Refused = Callable[[list[str], int, str], None]


@pytest.fixture
def refused(collection: Path, capfd: pytest.CaptureFixture[str]) -> Refused:
    """Hold a command to be refused with a status and a message, with nothing else said or changed."""

    def check(arguments: list[str], status: int, message: str) -> None:
        before = (collection / "run.trec").read_bytes()
        assert __main__.run(arguments) == status
        printed = capfd.readouterr()
        assert message in printed.err
        assert "Traceback" not in printed.err
        assert printed.out == ""
        assert (collection / "run.trec").read_bytes() == before

    return check


def fails(done: "subprocess.CompletedProcess[str]", status: int, expected: str, folder: Path) -> None:
    """One sentence that names the place; nothing on standard output, no traceback, nothing written."""
    assert done.returncode == status, done.stderr
    assert expected in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert not list(folder.glob("*.rearank.*"))
