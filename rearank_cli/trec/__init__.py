"""Runs and judgments as files."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rearank_cli.trec.qrels import read_qrels, write_qrels
    from rearank_cli.trec.runs import read_run, write_run

__all__ = ["read_qrels", "read_run", "write_qrels", "write_run"]


def __getattr__(name: str) -> Any:
    # Every command prints through a file of this room: `--help` need not wait for what reads runs.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "qrels" if name.endswith("qrels") else "runs"
    return getattr(import_module(f"{__name__}.{room}"), name)
