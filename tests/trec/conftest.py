import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from rearank_cli.records import Run
from rearank_cli.trec import read_run


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Run]:
    """Read a run from a file of this content."""

    def read(content: str | bytes, order: str = "trec", name: str = "run.trec") -> Run:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_run(path, order)

    return read


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The warnings so far, whatever a command run before has done to the logger."""
    log = logging.getLogger("rearank")
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level(logging.WARNING, "rearank")
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the examples of a property share."""
    return tmp_path_factory.mktemp("examples")
