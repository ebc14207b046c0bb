"""How good runs are: trec_eval's numbers, computed by ranx."""

from rearank_cli.evaluation.measures import Measure, parse_measures
from rearank_cli.evaluation.names import name_runs
from rearank_cli.evaluation.scoring import DEFAULT_MEASURES, Evaluation, evaluate_runs
from rearank_cli.evaluation.tables import as_json, as_table

__all__ = [
    "DEFAULT_MEASURES",
    "Evaluation",
    "Measure",
    "as_json",
    "as_table",
    "evaluate_runs",
    "name_runs",
    "parse_measures",
]
