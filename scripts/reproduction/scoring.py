"""Runs in, nDCG@10 out: as the papers average, and as trec_eval -c does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import unquote

from rearank_cli import evaluate
from rearank_cli.errors import InputError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec import read_run
from scripts.reproduction.asking import Asking
from scripts.reproduction.published import Collection

_MEASURE = "ndcg@10"


@dataclass(frozen=True)
class Score:
    """nDCG@10 x 100 of a run.

    `mean` is over the `queries` that it has, as the papers average; `complete` over all that are `judged`,
    those without documents as 0, as `trec_eval -c` does. The run has `found` of the judged queries itself;
    a first stage counts only with those that were reranked.
    """

    mean: float
    complete: float
    queries: int
    judged: int
    found: int


def scores(collection: Collection, asking: Asking, names: Sequence[str]) -> list[Score]:
    """The runs' scores, all over the queries of the last one: with --limit it has fewer than the first."""
    place = asking.place(collection)
    runs = {name: read_run(place / name) for name in names}
    if "reranked.trec" in runs and asking.escapes(collection):
        runs["reranked.trec"] = _unquoted(runs["reranked.trec"])
    folder = asking.folders.get(collection.name)
    source: dict[str, Any] = {"dataset": collection.dataset} if folder is None else {"qrels": _qrels(folder)}
    evaluations = evaluate(runs, **source, measures=[_MEASURE])
    answered = runs[names[-1]].keys()
    found = []
    for evaluation, run in zip(evaluations, runs.values(), strict=True):
        values = evaluation.per_query[_MEASURE]
        present = [value for query_id, value in values.items() if query_id in answered]
        found.append(
            Score(
                mean=100 * fmean(present),
                complete=100 * sum(present) / len(values),
                queries=len(present),
                judged=len(values),
                found=len(values.keys() & run.keys()),
            )
        )
    return found


def _unquoted(run: Run) -> Run:
    return Run(
        {
            unquote(query_id): [
                ScoredDoc(unquote(document.doc_id), document.score) for document in run[query_id]
            ]
            for query_id in run
        },
        run.tag,
    )


def _qrels(folder: Path) -> Path:
    found = sorted((folder / "qrels").glob("test.tsv*"))
    if not found:
        raise InputError(f"{folder} has no judgments in qrels/test.tsv")
    return found[0]


def unquote_ids(line: bytes) -> bytes:
    """A line of a run with its document's id as it was before --escape-ids."""
    query_id, iteration, doc_id, rest = line.split(b" ", 3)
    return b" ".join((query_id, iteration, unquote(doc_id.decode()).encode(), rest))
