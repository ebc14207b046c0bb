"""How a quantity is spread over calls: a histogram for each trace file."""

import math
from collections.abc import Sequence

from rearank_cli.report.bins import bin_edges, quantile, shares_of_bins
from rearank_cli.report.canvas import colour, drawing, shorten, width_of
from rearank_cli.report.charts.axes import axis_label, plain_axis
from rearank_cli.report.charts.shades import shade_of
from rearank_cli.report.charts.sheet import WIDTH, nothing
from rearank_cli.report.charts.wording import MINUS, whole
from rearank_cli.report.numbers import counted


def distributions(
    series: Sequence[tuple[str, Sequence[float]]], *, quantity: str, shades: Sequence[str] = ()
) -> str:
    """A histogram for each trace file (label, values), all on one axis: logarithmic where tails are long.

    `shades` are the colours of the files, where they are not those of their places.
    """
    finite = [(label, sorted(value for value in values if math.isfinite(value))) for label, values in series]
    everything = sorted(value for _, values in finite for value in values)
    if not everything:
        return nothing(f"no {quantity}")
    edges, logarithmic = bin_edges(everything)
    left, panel, title = 40, 62, 32
    height = (panel + title) * len(finite)
    with drawing(WIDTH, height + 36) as canvas:
        parts = [shares_of_bins(values, edges) for _, values in finite]
        highest = max(max(part) for part in parts) or 1.0
        for place, ((label, values), heights) in enumerate(zip(finite, parts, strict=True)):
            shade = shades[place] if shades else shade_of(place)
            top = (panel + title) * place
            summary = _summary(values)
            room = WIDTH - width_of(summary, 10) - 20
            canvas.text(0, top + 15, shorten(label, room), bold=True, tip=whole(label, room))
            canvas.text(WIDTH, top + 15, summary, shade="muted", size=10, anchor="right")
            axes = canvas.axes(left, top + title, WIDTH - left - 8, panel)
            if logarithmic:
                axes.set_xscale("log")
            axes.set_xlim(edges[0], edges[-1])
            axes.set_ylim(0, highest * 1.02)
            plain_axis(axes, "y", ticks=2, percent=True)
            axes.set_xticks(*_ticks(edges, logarithmic), minor=False)
            axes.set_xticks([], minor=True)
            axes.grid(axis="x", color=colour("grid"), linewidth=0.8)
            axes.tick_params(labelbottom=place == len(finite) - 1)
            for low, high, part in zip(edges, edges[1:], heights, strict=False):
                if part:
                    tip = canvas.tip(f"{_amount(low)} to {_amount(high)}: {100 * part:.1f} %")
                    axes.bar(low, part, high - low, align="edge", color=colour(shade), gid=tip)[0].set_gid(
                        tip
                    )
            if values:
                middle = quantile(values, 0.5)
                tip = canvas.tip(f"median {_amount(middle)}")
                axes.axvline(max(middle, edges[0]), color=colour("text"), linewidth=1.2, gid=tip)
        axis_label(
            canvas,
            left + (WIDTH - left) / 2,
            height + 29,
            quantity + (", logarithmic" if logarithmic else ""),
        )
        return canvas.svg(
            f"Distribution of {quantity}: "
            + "; ".join(f"{label}: {_summary(values)}" for label, values in finite)
        )


def _ticks(edges: Sequence[float], logarithmic: bool) -> tuple[list[float], list[str]]:
    from matplotlib.ticker import MaxNLocator

    if logarithmic:
        low, high = math.floor(math.log10(edges[0])), math.ceil(math.log10(edges[-1]))
        factors = (1, 2, 5) if high - low <= 3 else (1,)
        found = [factor * 10.0**power for power in range(low, high + 1) for factor in factors]
    else:
        found = [
            float(tick) for tick in MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(edges[0], edges[-1])
        ]
    shown = [tick for tick in found if edges[0] * 0.999 <= tick <= edges[-1] * 1.001]
    return shown, [_amount(tick) for tick in shown]


def _summary(values: Sequence[float]) -> str:
    if not values:
        return "none"
    numbers = f"median {_amount(quantile(values, 0.5))} · 95 % ≤ {_amount(quantile(values, 0.95))}"
    return f"{numbers} · max {_amount(values[-1])} · n = {counted(len(values))}"


def _amount(value: float) -> str:
    if value and abs(value) < 100:
        return f"{value:.3g}".replace("-", MINUS)
    return f"{value:,.0f}".replace("-", MINUS)
