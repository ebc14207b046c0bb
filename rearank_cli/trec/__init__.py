"""Runs and judgments as files."""

from rearank_cli.trec.qrels import read_qrels, write_qrels
from rearank_cli.trec.runs import read_run, write_run

__all__ = ["read_qrels", "read_run", "write_qrels", "write_run"]
