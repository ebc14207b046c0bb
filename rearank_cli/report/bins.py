"""Histograms: where bins begin and end, and how much falls into each."""

import math
from collections.abc import Sequence


def bin_edges(values: Sequence[float]) -> tuple[list[float], bool]:
    """Edges of bins for sorted values, and whether they are evenly spaced by their logarithms."""
    low, high = values[0], values[-1]
    positive = [value for value in values if value > 0]
    if low >= 0 and positive and high > 20 * quantile(positive, 0.5):
        # Six decades are enough for any picture: what is less counts in the first bin.
        first = 10 ** (math.floor(math.log10(max(positive[0], high / 1e6)) * 5) / 5)
        bins = max(1, math.ceil(math.log10(high / first) * 10 + 1e-9))
        return [first * 10 ** (edge / 10) for edge in range(bins + 1)], True
    if high - low <= max(1e-9 * max(abs(low), abs(high)), 1e-9):
        # All values are one: it stands in the middle, or at the left where it is 0.
        margin = abs(low) * 0.5 if abs(low) > 1e-6 else 1.0
        start = low - margin if low < 0 else max(low - margin, 0.0)
        return [start + margin * 2 * edge / 21 for edge in range(22)], False
    whole = all(value == int(value) for value in values)
    start = 0.0 if 0 <= low < high / 3 else low
    step = (high - start) / 40
    power = 10 ** math.floor(math.log10(step))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= step * 0.999)
    if whole:
        step = max(step, 1.0)
    first = math.floor(start / step)
    return [edge * step for edge in range(first, math.floor(high / step) + 2)], False


def shares_of_bins(values: Sequence[float], edges: Sequence[float]) -> list[float]:
    """Which part of the values is in each bin, from 0 to 1; what is outside of all counts in the nearest."""
    import numpy as np

    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)
    return [float(count) / max(len(values), 1) for count in counts]


def quantile(values: Sequence[float], part: float) -> float:
    """The value at this part of the sorted values: one of them, the lower of two."""
    return values[max(math.ceil(part * len(values)) - 1, 0)]
