"""The rewards as verl calls them: `reward.custom_reward_function.path` is this file, or one that imports it.

`name` is `compute_score`, and `reward_kwargs` has `reward` (rearank, reasonrank) and its options. It needs
nothing but Python: in verl's environment, `pip install --no-deps rearank` is enough.
"""

from collections.abc import Iterable
from typing import Any

from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.scoring import score


def compute_score(
    data_source: str,  # noqa: ARG001  # what verl calls it with
    solution_str: str,
    ground_truth: str,
    extra_info: dict[str, Any] | None = None,  # noqa: ARG001
    **options: Any,
) -> dict[str, float]:
    """The reward of one response to a row of `rearank train data`: `score`, and its parts beside it.

    Called by keywords and from several threads; `extra_info` is verl's own, and not looked at. Source:
    verl 0.9, `verl.experimental.reward_loop.reward_manager`.
    """
    return score(solution_str, GroundTruth.from_json(ground_truth), **options)


def compute_scores(
    data_sources: Iterable[str],
    solution_strs: Iterable[str],
    ground_truths: Iterable[str],
    extra_infos: Iterable[Any] | None = None,  # noqa: ARG001
    **options: Any,
) -> list[dict[str, float]]:
    """The same for a batch, as verl's BatchRewardManager calls it (verl before 0.9; name it so there)."""
    return [
        compute_score(source, solution, truth, **options)
        for source, solution, truth in zip(data_sources, solution_strs, ground_truths, strict=True)
    ]
