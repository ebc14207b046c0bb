"""Reranking a run: topics, prompts, calls, and the new order."""

from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.job import rerank_runs
from rearank_cli.reranking.options import DEFAULT_MODEL, RerankOptions
from rearank_cli.reranking.results import Reranked

__all__ = ["DEFAULT_MODEL", "Destination", "RerankOptions", "Reranked", "rerank_runs"]
