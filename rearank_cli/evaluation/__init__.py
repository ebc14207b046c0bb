"""How good runs are: trec_eval's numbers, computed by ranx."""

from rearank_cli.evaluation.comparison import Comparison, Difference, Test, compare_runs, mean_interval
from rearank_cli.evaluation.fusion import fuse_runs
from rearank_cli.evaluation.fusion_methods import FUSION_METHODS, Fusion, FusionMethod, plan_fusion
from rearank_cli.evaluation.latex import as_latex
from rearank_cli.evaluation.markdown import as_markdown
from rearank_cli.evaluation.measures import Measure, parse_measures
from rearank_cli.evaluation.names import name_runs
from rearank_cli.evaluation.objects import as_json
from rearank_cli.evaluation.scoring import DEFAULT_MEASURES, Evaluation, check_options, evaluate_runs
from rearank_cli.evaluation.tables import as_table
from rearank_cli.evaluation.tidy import as_csv
from rearank_cli.evaluation.tracks import MEASURES_OF_TRACKS, choose_measures
from rearank_cli.evaluation.tuning import Tuning, tune_fusion

__all__ = [
    "DEFAULT_MEASURES",
    "FUSION_METHODS",
    "MEASURES_OF_TRACKS",
    "Comparison",
    "Difference",
    "Evaluation",
    "Fusion",
    "FusionMethod",
    "Measure",
    "Test",
    "Tuning",
    "as_csv",
    "as_json",
    "as_latex",
    "as_markdown",
    "as_table",
    "check_options",
    "choose_measures",
    "compare_runs",
    "evaluate_runs",
    "fuse_runs",
    "mean_interval",
    "name_runs",
    "parse_measures",
    "plan_fusion",
    "tune_fusion",
]
