"""`rearank train`, in this process, and the example collection."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rearank_cli import rerank
from rearank_cli.__main__ import run
from rearank_cli.commands import app
from rearank_cli.commands.train import train as training


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


Train = Callable[..., Done]


@pytest.fixture
def train(bees: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Train:
    """Run `rearank train ARGUMENTS` in the folder of the example."""
    if not any(group.typer_instance is training for group in app.registered_groups):
        app.add_typer(training)
    monkeypatch.chdir(bees)

    def ran(*arguments: str | Path) -> Done:
        capsys.readouterr()
        status = run(["train", *map(str, arguments)])
        return Done(status, *capsys.readouterr())

    return ran


@pytest.fixture
def bees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A copy of the example collection, without its configuration."""
    folder = tmp_path / "bees"
    assert run(["example", str(folder)]) == 0
    (folder / "rearank.toml").unlink()
    return folder


@pytest.fixture
def rerank_bees(bees: Path) -> Callable[..., Path]:
    """Rerank the example's run with any engine; the path of the traces."""

    def reranked(engine: Any = "lexical", **options: Any) -> Path:
        place = bees / "answers.jsonl"
        texts = {"docs": bees / "docs.jsonl", "queries": bees / "queries.tsv"}
        rerank(bees / "run.trec", **texts, engine=engine, traces=place, **options)
        return place

    return reranked


# What every command about the example is told.
TEXTS = ("--docs", "docs.jsonl", "--queries", "queries.tsv", "--qrels", "qrels.trec")
