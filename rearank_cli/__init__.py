"""Rerank TREC runs with reasoning LLMs."""

__version__ = "0.1.0"
