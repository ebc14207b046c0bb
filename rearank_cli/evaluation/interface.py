"""The Python function behind `rearank_cli.evaluate`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rearank_cli.corpus import open_corpus
from rearank_cli.errors import InputError, UsageError
from rearank_cli.evaluation.names import name_runs
from rearank_cli.evaluation.scoring import DEFAULT_MEASURES, Evaluation, evaluate_runs
from rearank_cli.records import Qrels, Run
from rearank_cli.trec import read_qrels, read_run


def evaluate_all(
    runs: Any, qrels: str | Path | Qrels | None, *, dataset: str | None, measures: Sequence[str] | None
) -> list[Evaluation]:
    """Evaluate runs in any of the forms that Python has them in; see `rearank_cli.evaluate`."""
    if (qrels is None) == (dataset is None):
        raise UsageError("give the judgments with either qrels or dataset")
    named = _named(runs)
    excluded: Mapping[str, Any] = {}
    judgments: Qrels | None
    if dataset is not None:
        corpus = open_corpus(dataset=dataset)
        judgments, excluded = corpus.qrels(), corpus.excluded()
        if judgments is None:
            raise InputError(f"{dataset} has no judgments; give them with qrels")
    else:
        judgments = read_qrels(qrels) if isinstance(qrels, str | Path) else qrels
    return evaluate_runs(named, judgments or {}, measures or DEFAULT_MEASURES, excluded=excluded)


def _named(runs: Any) -> dict[str, Run]:
    if isinstance(runs, str | Path):
        return {Path(runs).name: read_run(runs)}
    if isinstance(runs, Run):
        return {runs.tag or "run": runs}
    if isinstance(runs, Mapping):
        if all(isinstance(run, str | Path | Run) for run in runs.values()):
            return {name: run if isinstance(run, Run) else read_run(run) for name, run in runs.items()}
        return {"run": Run(runs)}
    paths = [str(path) for path in runs]
    return {name: read_run(path) for name, path in zip(name_runs(paths), paths, strict=True)}
