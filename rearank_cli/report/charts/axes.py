"""Axes of few words and thin lines."""

from typing import Any

from rearank_cli.report.canvas import Canvas, colour, shorten
from rearank_cli.report.charts.sheet import WIDTH
from rearank_cli.report.charts.wording import MINUS, whole, with_sign


def plain_axis(axes: Any, which: str, *, ticks: int, signed: bool = False, percent: bool = False) -> None:
    """Thin lines at a few round numbers along one axis, and nothing along the other."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis, other = (axes.xaxis, axes.yaxis) if which == "x" else (axes.yaxis, axes.xaxis)
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))

    def name(value: float, _: int) -> str:
        if percent:
            return f"{100 * value:g} %"
        return with_sign(value, short=True) if signed else f"{value:g}".replace("-", MINUS)

    axis.set_major_formatter(FuncFormatter(name))
    other.set_ticks([])
    axes.grid(axis=which, color=colour("grid"), linewidth=0.8)


def axis_label(canvas: Canvas, x: float, y: float, text: str) -> None:
    """Write what an axis shows, its middle at `x`."""
    canvas.text(
        x,
        y,
        shorten(text, WIDTH - 60, 10),
        shade="muted",
        size=10,
        anchor="center",
        tip=whole(text, WIDTH - 60),
    )
