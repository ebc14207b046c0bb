"""The means of each run, measure by measure, with their intervals."""

import math
from collections.abc import Sequence

from rearank_cli.report.canvas import clean, drawing, shorten, width_of
from rearank_cli.report.charts.axes import plain_axis
from rearank_cli.report.charts.shades import shade_of
from rearank_cli.report.charts.sheet import WIDTH, nothing
from rearank_cli.report.charts.wording import MINUS, whole


def measures(
    rows: Sequence[tuple[str, Sequence[tuple[str, float, float, float]]]], *, shades: Sequence[str] = ()
) -> str:
    """Means with their intervals: for each measure (run label, mean, low, high) of each run.

    `shades` are the colours of the runs, where they are not those of their places. A bound that is not
    a number is not drawn; an interval ends at 0 and 1 where no mean is beyond.
    """
    runs = [run for _, entries in rows for run in entries]
    if not runs:
        return nothing("no measures")
    names_width = min(140.0, max(width_of(name) for name, _ in rows) + 14)
    labels = {label: shorten(label, 170) for label, *_ in runs}
    left = names_width + max(width_of(label) for label in labels.values()) + 14
    right = WIDTH - 152
    line, gap, top = 19, 11, 6
    height = top + line * len(runs) + gap * (len(rows) - 1) + 4
    means = [mean for _, mean, *_ in runs if math.isfinite(mean)]
    ends = [value for _, *values in runs for value in values if math.isfinite(value)]
    # Of few queries an interval goes far beyond what a measure can be: there it is cut, and in words whole.
    highest = min(max([0.0, *ends]), max([1.0, *means]))
    lowest = min([0.0, *means]) * 1.05
    upper = next((step for step in (0.2, 0.4, 0.6, 0.8, 1.0) if highest <= step), highest * 1.05)
    with drawing(WIDTH, height + 20) as canvas:
        axes = canvas.axes(left, top, right - left, height - top)
        axes.set_xlim(lowest, upper)
        plain_axis(axes, "x", ticks=5)

        def across(value: float) -> float:
            return left + min(max((value - lowest) / (upper - lowest), 0.0), 1.0) * (right - left)

        canvas.line((across(0), across(0)), (top, height), "zero")
        y = top + line / 2
        for name, entries in rows:
            canvas.text(0, y, shorten(name, 130), bold=True, tip=whole(name, 130))
            for place, (label, mean, low, high) in enumerate(entries):
                shade = shades[place] if shades else shade_of(place)
                said = f"{clean(label)}: {name} {_decimal(mean)}"
                bounds = ""
                if math.isfinite(low) and math.isfinite(high):
                    bounds = f"{_decimal(low)}\N{EN DASH}{_decimal(high)}"
                    said += f", 95 % interval {bounds}"
                tip = canvas.tip(said)
                canvas.text(left - 10, y, labels[label], anchor="right", tip=said)
                if bounds:
                    canvas.line((across(low), across(high)), (y, y), shade, width=2, gid=tip)
                if math.isfinite(mean):
                    canvas.dot(across(mean), y, 4.2, shade, hollow=place == 0, gid=tip)
                canvas.text(right + 14, y, _decimal(mean), bold=True)
                canvas.text(WIDTH, y, bounds, anchor="right", shade="muted", size=10)
                y += line
            y += gap
        return canvas.svg(
            "Measures with 95 % intervals: "
            + "; ".join(
                f"{name}: " + ", ".join(f"{label} {_decimal(mean)}" for label, mean, *_ in entries)
                for name, entries in rows
            )
        )


def _decimal(value: float) -> str:
    return f"{value:.4f}".replace("-", MINUS) if math.isfinite(value) else "\N{EN DASH}"
