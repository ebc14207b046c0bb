"""The change of each query as a bar: with its name where queries are few, at a glance where they are many."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import fmean

from rearank_cli.report.canvas import Canvas, drawing, shorten, width_of
from rearank_cli.report.charts.axes import axis_label, plain_axis
from rearank_cli.report.charts.sheet import WIDTH, nothing
from rearank_cli.report.charts.wording import with_sign
from rearank_cli.report.numbers import counted

_NAMED_QUERIES = 30
_LINKED_QUERIES = 1500


def changes(values: Sequence[tuple[str, float]], *, measure: str, href: Callable[[str], str]) -> str:
    """The change of each query (query_id, change), gains first; each bar leads to `href(query_id)`.

    Raises ValueError where `href` leads out of the page: a link begins with `#`.
    """
    # What a sum leaves in the last digits is no change.
    known = [(query_id, round(change, 9)) for query_id, change in values if math.isfinite(change)]
    if not known:
        return nothing("no judged queries")
    ordered = sorted(known, key=lambda value: (-value[1], value[0]))
    gains = sum(change > 0 for _, change in ordered)
    losses = sum(change < 0 for _, change in ordered)
    label = (
        f"Change of {measure} per query: {counted(gains)} gained, {counted(losses)} lost, "
        f"{counted(len(ordered) - gains - losses)} unchanged; from {with_sign(ordered[-1][1])} "
        f"to {with_sign(ordered[0][1])}"
    )
    if len(ordered) <= _NAMED_QUERIES:
        return _by_name(ordered, label, measure, href)
    return _at_a_glance(ordered, label, measure, href, gains, losses)


def _by_name(
    ordered: Sequence[tuple[str, float]], label: str, measure: str, href: Callable[[str], str]
) -> str:
    names = {query_id: shorten(query_id, 130) for query_id, _ in ordered}
    left = max(width_of(name) for name in names.values()) + 12
    line, top, room = 18, 4, 46
    height = top + line * len(ordered)
    lowest, highest = _extent(change for _, change in ordered)
    # Beside the longest bars there must be room for their numbers.
    first = left + (room if lowest < 0 else 0)
    last = WIDTH - (room if highest > 0 else 10)
    with drawing(WIDTH, height + 34) as canvas:
        axes = canvas.axes(first, top, last - first, height - top)
        axes.set_xlim(lowest, highest)
        plain_axis(axes, "x", ticks=6, signed=True)

        def across(value: float) -> float:
            return first + (value - lowest) / (highest - lowest) * (last - first)

        for place, (query_id, change) in enumerate(ordered):
            y = top + line * (place + 0.5)
            said, target = f"{query_id}: {with_sign(change)}", href(query_id)
            link, words = canvas.tip(said, target, by_key=False), canvas.tip(said, target)
            canvas.rectangle(0, y - line / 2, WIDTH, line, "hit", gid=link)
            start, end = sorted((across(0), across(change)))
            canvas.rectangle(start, y - 6, max(end - start, 0.5), 12, _direction(change), gid=link)
            canvas.text(left - 10, y, names[query_id], anchor="right", gid=words)
            side, anchor = (4, "left") if change >= 0 else (-4, "right")
            canvas.text(across(change) + side, y, with_sign(change), size=10, anchor=anchor, gid=words)
        canvas.line((across(0), across(0)), (top, height), "zero")
        axis_label(canvas, (first + last) / 2, height + 27, f"change of {measure}")
        return canvas.svg(label)


def _at_a_glance(
    ordered: Sequence[tuple[str, float]],
    label: str,
    measure: str,
    href: Callable[[str], str],
    gains: int,
    losses: int,
) -> str:
    # Where no bar goes up, the word on those that go down stands above them all.
    left, top, bottom = 44, 24 if gains else 40, 230
    lowest, highest = _extent(change for _, change in ordered)
    below = bottom + (18 if losses else 32)
    with drawing(WIDTH, below + 34) as canvas:
        axes = canvas.axes(left, top, WIDTH - left, bottom - top)
        axes.set_ylim(lowest, highest)
        plain_axis(axes, "y", ticks=6, signed=True)

        def up(value: float) -> float:
            return bottom - (value - lowest) / (highest - lowest) * (bottom - top)

        step = (WIDTH - left) / len(ordered)
        if len(ordered) > _LINKED_QUERIES:
            # Bars too thin to be hit, or seen one by one: all of them are one shape, of one bar a pixel.
            columns = WIDTH - left
            starts = [round(column * len(ordered) / columns) for column in range(columns + 1)]
            bars = [
                ("", fmean(change for _, change in ordered[start:end])) for start, end in pairwise(starts)
            ]
            step = 1
        else:
            bars = list(ordered)
        for place, (query_id, change) in enumerate(bars):
            x = left + step * place
            link = None
            if query_id:
                # The extremes below are enough for the keyboard.
                link = canvas.tip(f"{query_id}: {with_sign(change)}", href(query_id), by_key=False)
                canvas.rectangle(x, top, step, bottom - top, "hit", gid=link)
            start, end = sorted((up(0), up(change)))
            if change:
                # A gap between bars, where there is room for one.
                width = step * 0.86 if step > 3 else step
                canvas.rectangle(x, start, width, max(end - start, 0.4), _direction(change), gid=link)
        canvas.line((left, WIDTH), (up(0), up(0)), "zero")
        canvas.text(0, 9, f"change of {measure}, query by query", shade="muted", size=10)
        mean = fmean(change for _, change in ordered)
        canvas.text(
            WIDTH,
            9,
            f"mean of these {counted(len(ordered))}: {with_sign(mean)}",
            anchor="right",
            shade="muted",
            size=10,
        )
        # Each word stands where its bars are not.
        if gains:
            canvas.text(left + 4, up(0) + 11, f"▲ {counted(gains)} gained", shade="gain", bold=True)
        if losses:
            where = up(0) - 11
            canvas.text(
                WIDTH - 4, where, f"▼ {counted(losses)} lost", shade="loss", bold=True, anchor="right"
            )
        if unchanged := len(ordered) - gains - losses:
            middle = left + (WIDTH - left) * (gains + unchanged / 2) / len(ordered)
            middle = min(max(middle, left + 140), WIDTH - 140)
            canvas.text(
                middle, up(0) + 11, f"{counted(unchanged)} unchanged", shade="muted", size=10, anchor="center"
            )
        _extremes(canvas, below, "most gained", ordered[: min(gains, 4)], href)
        _extremes(canvas, below + (18 if gains else 0), "most lost", ordered[::-1][: min(losses, 4)], href)
        return canvas.svg(label)


def _extremes(
    canvas: Canvas, y: float, title: str, best: Sequence[tuple[str, float]], href: Callable[[str], str]
) -> None:
    if not best:
        return
    canvas.text(0, y, title, shade="muted", size=10)
    for place, (query_id, change) in enumerate(best):
        number = with_sign(change)
        x = 74 + place * 132
        said = f"{shorten(query_id, 120 - width_of(number + ' '))} {number}"
        canvas.text(x, y, said, gid=canvas.tip(f"{query_id}: {number}", href(query_id)))


def _extent(values: Iterable[float]) -> tuple[float, float]:
    known = [0.0, *values]
    lowest, highest = min(known), max(known)
    if lowest == highest:
        return -0.1, 0.1
    return lowest * 1.04, highest * 1.04


def _direction(change: float) -> str:
    return "gain" if change >= 0 else "loss"
