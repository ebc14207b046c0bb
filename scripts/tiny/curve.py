"""The learning curve, drawn: what the held-out tasks say, and what the reward said meanwhile."""

from collections.abc import Mapping, Sequence
from pathlib import Path

# A step's reward is that of a few prompts: the line is the mean of so many logged ones.
_SMOOTHED = 5


def draw(
    measured: Mapping[int, float],
    levels: Mapping[str, float],
    rewards: Sequence[tuple[int, float]],
    path: Path,
) -> None:
    """Draw nDCG@10 by steps of GRPO, with the levels of others, and the mean reward by steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), dpi=150, layout="constrained")
    quality, reward = figure.subplots(1, 2)
    quality.plot(list(measured), list(measured.values()), "o-", color="#0072b2")
    for name, level in levels.items():
        quality.axhline(level, color="#6b6b6b", linewidth=0.8, linestyle="--")
        quality.annotate(name, (0, level), (0, 2), textcoords="offset points", fontsize=8)
    quality.set(xlabel="steps of GRPO", ylabel="nDCG@10", title="Held-out tasks, by rearank evaluate")
    steps = [step for step, _ in rewards]
    values = [value for _, value in rewards]
    reward.plot(steps, values, ".", color="#9dbdd2", markersize=3)
    reward.plot(steps[_SMOOTHED - 1 :], smoothed(values, _SMOOTHED), color="#d55e00")
    reward.set(xlabel="steps of GRPO", ylabel="mean reward", title="REARANK's reward in training")
    for axes in (quality, reward):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def smoothed(values: Sequence[float], over: int) -> list[float]:
    """The mean of each `over` neighbours in a row: `over` - 1 fewer values."""
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    return [(sums[end] - sums[end - over]) / over for end in range(over, len(sums))]
