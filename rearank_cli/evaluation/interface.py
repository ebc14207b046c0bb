"""The Python function behind `rearank_cli.evaluate`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rearank_cli.corpus.judgments import read_judgments
from rearank_cli.evaluation.comparison import Comparison, Test
from rearank_cli.evaluation.names import name_runs
from rearank_cli.evaluation.scoring import Evaluation, evaluate_runs
from rearank_cli.evaluation.tracks import choose_measures
from rearank_cli.records import Qrels, Run
from rearank_cli.trec import read_run
from rearank_cli.trec.rankings import as_run


def evaluate_all(
    runs: Any,
    qrels: str | Path | Qrels | None,
    *,
    dataset: str | None,
    measures: str | Sequence[str] | None,
    compare: Test | None,
    cutoff: int | None,
    level: int | None,
    track: str | None,
    alpha: float,
    seed: int,
) -> list[Evaluation]:
    """Evaluate runs in any of the forms that Python has them in; see `rearank_cli.evaluate`."""
    comparison = Comparison(compare, seed=seed, alpha=alpha) if compare else None
    chosen, least = choose_measures([measures] if isinstance(measures, str) else measures, level, track)
    named = _named(runs)
    judgments = read_judgments(qrels, dataset)
    evaluations = evaluate_runs(
        named, judgments.grades, chosen, excluded=judgments.excluded, cutoff=cutoff, level=least
    )
    return comparison.apply(evaluations) if comparison else evaluations


def _named(runs: Any) -> dict[str, Run]:
    if isinstance(runs, str | Path | Run):
        runs = [runs]
    if isinstance(runs, Mapping):
        # By name: files, runs, or rankings by query; else the rankings of one run.
        if all(isinstance(run, str | Path | Mapping) for run in runs.values()):
            return {str(name): _read(run) for name, run in runs.items()}
        return {"run": _read(runs)}
    runs = list(runs)
    # A run in memory goes by its tag; many runs have the same.
    names = name_runs([(run.tag or "run") if isinstance(run, Run) else str(run) for run in runs])
    return {name: _read(run) for name, run in zip(names, runs, strict=True)}


def _read(run: Any) -> Run:
    given = as_run(run)
    return given if isinstance(given, Run) else read_run(given)
