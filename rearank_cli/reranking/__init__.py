"""Reranking a run: topics, prompts, calls, and the new order."""

from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.job import Reranked, rerank_runs
from rearank_cli.reranking.options import DEFAULT_MODEL, RerankOptions

__all__ = ["DEFAULT_MODEL", "Destination", "RerankOptions", "Reranked", "rerank_runs"]
