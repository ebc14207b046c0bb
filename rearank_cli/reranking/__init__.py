"""Reranking a run: topics, prompts, calls, and the new order."""

from rearank_cli.reranking.destinations import Destination, destinations
from rearank_cli.reranking.job import plan_rerank, rerank_runs
from rearank_cli.reranking.options import DEFAULT_MODEL, RerankOptions
from rearank_cli.reranking.plan import Plan
from rearank_cli.reranking.results import Reranked, check_answers

__all__ = [
    "DEFAULT_MODEL",
    "Destination",
    "Plan",
    "RerankOptions",
    "Reranked",
    "check_answers",
    "destinations",
    "plan_rerank",
    "rerank_runs",
]
