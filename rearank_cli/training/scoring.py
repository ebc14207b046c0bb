"""A reward by its name, of a response to a row of training data."""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.rewards import Weights, rearank_reward, reasonrank_parts

Reward = Literal["rearank", "reasonrank"]

REARANK_OPTIONS = ("gain", "clip", "complete", "weights")
REASONRANK_OPTIONS = ("recall_weight", "overlap_weight")


def score(response: str, truth: GroundTruth, reward: str = "rearank", **options: Any) -> dict[str, float]:
    """A response's reward as `score`, beside its parts; the same keys for every response.

    The options are those of `rearank_reward` and of `reasonrank_parts`; what belongs to neither, or
    to the other one, changes nothing: trainers hand over more than they were told. `weights` can be a
    mapping. Raises ValueError for another reward.
    """
    if reward == "rearank":
        chosen = {name: options[name] for name in REARANK_OPTIONS if name in options}
        if isinstance(weights := chosen.get("weights"), Mapping):
            chosen["weights"] = Weights(**{str(part): float(weight) for part, weight in weights.items()})
        return rearank_reward(response, truth.doc_ids, truth.qrels, **chosen)
    if reward == "reasonrank":
        chosen = {name: options[name] for name in REASONRANK_OPTIONS if name in options}
        return reasonrank_parts(response, truth.doc_ids, truth.teacher, truth.relevant, **chosen)
    raise ValueError(f"unknown reward '{reward}'; it is one of {', '.join(get_args(Reward))}")
