"""The rewards as TRL calls them: `GRPOTrainer(reward_funcs=[rearank], ...)`.

It needs nothing but Python: in TRL's environment, `pip install --no-deps rearank` is enough.
"""

from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.scoring import score

RewardFunction = Callable[..., list[float]]


def reward_function(reward: str, **options: Any) -> RewardFunction:
    """One of the rewards, with its options, as a function for TRL's `reward_funcs`.

    It takes what TRL hands over by keywords: `completions`, plain or as conversations, and the columns of
    the data, of which it reads `ground_truth`, or `reward_model` in rows that were written for verl. It
    returns a number for each; the means of the parts go to TRL's log as `reward_parts/...`. Source: TRL
    1.16, `GRPOTrainer`.
    """

    def rewarded(
        completions: Sequence[Any],
        ground_truth: Sequence[str] | None = None,
        reward_model: Sequence[Mapping[str, Any]] | None = None,
        log_metric: Callable[[str, float], None] | None = None,
        **_: Any,
    ) -> list[float]:
        if ground_truth is None:
            if reward_model is None:
                raise ValueError("the data has no column ground_truth; make it with: rearank train data")
            ground_truth = [row["ground_truth"] for row in reward_model]
        scored = [
            score(_text(completion), GroundTruth.from_json(truth), reward, **options)
            for completion, truth in zip(completions, ground_truth, strict=True)
        ]
        if log_metric is not None and scored:
            for part in scored[0]:
                log_metric(f"reward_parts/{part}", fmean(parts[part] for parts in scored))
        return [parts["score"] for parts in scored]

    # What TRL calls it in its log.
    rewarded.__name__ = reward
    return rewarded


rearank = reward_function("rearank")
"""REARANK's reward, as published."""

reasonrank = reward_function("reasonrank")
"""ReasonRank's reward, as published."""


def _text(completion: Any) -> str:
    """What the model said: the completion, or the turns of it where it is a conversation."""
    if isinstance(completion, str):
        return completion
    return "".join(turn["content"] or "" for turn in completion)
