import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from tests.reranking.collection import Collection, numbered, write_collection


@pytest.fixture
def collect(tmp_path: Path) -> Callable[..., Collection]:
    """Write a collection: its run from rankings, its texts without those of some ids."""

    def collect(rankings: Mapping[str, Sequence[str]], without: Sequence[str] = ()) -> Collection:
        return write_collection(tmp_path, rankings, without)

    return collect


@pytest.fixture
def two_queries(collect) -> Collection:
    """Two queries of seven documents: with window 4 and step 2, three windows each."""
    return collect({"q1": numbered(7), "q2": numbered(7)})


@pytest.fixture
def warned(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The warnings so far, whatever a command run before has done to the logger."""
    monkeypatch.setattr(logging.getLogger("rearank"), "propagate", True)
    caplog.set_level(logging.WARNING, "rearank")
    return lambda: [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
