"""Rerank TREC runs with reasoning LLMs: the two commands as functions, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rearank_cli.evaluation import Evaluation
    from rearank_cli.records import Qrels, Run, ScoredDoc

__all__ = ["__version__", "evaluate", "rerank"]

__version__ = "0.1.0"


def rerank(run: str | Path | Mapping[str, Sequence[ScoredDoc]], **options: Any) -> Run:
    """Rerank a run, given as a file or as rankings by query, and return the new run.

    The options are those of `rearank rerank --help`, in the same words: `dataset`, `docs`,
    `queries`, `model`, `family`, `engine`, `window`, `depth` and so on; `set` and `engine_arg` are
    mappings, `query` is a list of ids. `engine` can also be any object with an engine's method
    `async complete(prompt, sampling) -> Completion`, or a judge's
    `async judge(query, passages, candidates) -> (order, reasoning[, scores])`. Nothing is written but what
    `output` and `traces` name. Can be called where an event loop is running, as in a notebook.

    Raises the errors of `rearank_cli.errors`.
    """
    from rearank_cli.reranking.interface import rerank_run

    return rerank_run(run, options)


def evaluate(
    runs: str | Path | Run | Sequence[str | Path] | Mapping[str, str | Path | Run | Sequence[ScoredDoc]],
    qrels: str | Path | Qrels | None = None,
    *,
    dataset: str | None = None,
    measures: Sequence[str] | None = None,
) -> list[Evaluation]:
    """Evaluate one run or several: the numbers of `trec_eval -c`.

    `runs` is a file, a run, a list of files, a mapping of names to files or runs, or rankings by
    query. Judgments are a file or a mapping `query_id -> doc_id -> grade`, or those of a `dataset`.
    Raises the errors of `rearank_cli.errors`.
    """
    from rearank_cli.evaluation.interface import evaluate_all

    return evaluate_all(runs, qrels, dataset=dataset, measures=measures)
