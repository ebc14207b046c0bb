"""Rerank TREC runs with reasoning LLMs: two of the commands as functions, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rearank_cli.evaluation import Evaluation, Test
    from rearank_cli.records import Qrels, Run, ScoredDoc
    from rearank_cli.reranking.interface import Reranker

__all__ = ["Reranker", "__version__", "evaluate", "rerank"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # Not before it is asked for: the command line imports this file for all that it does.
    if name == "Reranker":
        from rearank_cli.reranking.interface import Reranker

        return Reranker
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def rerank(run: str | Path | Mapping[str, Sequence[ScoredDoc | tuple[str, float]]], **options: Any) -> Run:
    """Rerank a run, given as a file or as rankings by query, and return the new run.

    Rankings are `query_id -> [(doc_id, score), ...]`, the best first. The options are those of
    `rearank rerank --help`, in the same words (`top_p` for `--top-p`): `dataset`, `model`, `family`,
    `window`, `depth` and so on; `set` and `engine_arg` are mappings, `query` is a list of ids. Texts can
    be files, or in memory: `docs={doc_id: text}`, where a `rearank_cli.records.Passage` has a title too,
    and `queries={query_id: text}`. `engine` can also be any object with an engine's method
    `async complete(prompt, sampling) -> Completion`, or a judge's
    `async judge(query, passages, candidates) -> (order, reasoning[, scores])`.

    The model is loaded for this call; for several, `Reranker` keeps it.
    Nothing is written but what `output` and `traces` name; with `shard` too, these names are taken
    as they are. Can be called where an event loop is running, as in a notebook; Ctrl-C stops it
    there too, and with `traces` the same call goes on with `resume=True`. Calls without an answer are
    a warning, unless `max_failed` is given: then more than that are an UnansweredError, raised when what
    is to be written is written. Raises the errors of `rearank_cli.errors`.
    """
    from rearank_cli.reranking.interface import rerank_run

    return rerank_run(run, options)


def evaluate(
    runs: str
    | Path
    | Run
    | Sequence[str | Path | Run]
    | Mapping[str, str | Path | Run | Sequence[ScoredDoc]],
    qrels: str | Path | Qrels | None = None,
    *,
    dataset: str | None = None,
    measures: str | Sequence[str] | None = None,
    compare: Test | None = None,
    cutoff: int | None = None,
    level: int | None = None,
    track: str | None = None,
    alpha: float = 0.05,
    seed: int = 0,
) -> list[Evaluation]:
    """Evaluate one run or several: the numbers of `trec_eval -c`.

    `runs` is a file, a run, a list of these, a mapping of names to files or runs, or rankings by
    query. Judgments are a file or a mapping `query_id -> doc_id -> grade`, or those of a `dataset`.
    `compare` is `student`, `fisher` or `tukey`: then every evaluation has its `differences` from the
    first run, with p-values and intervals. The other options are those of `rearank evaluate --help`.
    Raises the errors of `rearank_cli.errors`.
    """
    from rearank_cli.evaluation.interface import evaluate_all

    return evaluate_all(
        runs,
        qrels,
        dataset=dataset,
        measures=measures,
        compare=compare,
        cutoff=cutoff,
        level=level,
        track=track,
        alpha=alpha,
        seed=seed,
    )
