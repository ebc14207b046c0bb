"""The charts of the report: each is one `<svg>` element, drawn to stand in the page, 500 to 800 pixels wide.

They take the page's font, and its colours from CSS variables; without these, they look as on light paper:

    variable                                    light      dark
    --chart-text      words                     inherited  inherited
    --chart-muted     numbers on axes, notes    #6b6b6b    #a0a0a0
    --chart-grid      thin lines                #dddddd    #3a3a3a
    --chart-zero      the line of no change     #555555    #b0b0b0
    --chart-surface   what is behind a chart    #ffffff    #1a1a1a
    --chart-hit       behind a link             transparent, and what it turns to on a:hover
    --chart-1         first run or trace file   #0072b2    #56b4e9
    --chart-2         second ...                #d55e00    #f08a4b
    --chart-3                                   #009e73    #3fc19a
    --chart-4                                   #b45c92    #dd9cc3
    --chart-5                                   #8c6d00    #d9bd4a
    --chart-6                                   #3d9bd4    #9cc8f5
    --chart-7                                   #6a3fc0    #8f7bf0
    --chart-8                                   #7f1d1d    #d94a5a
    --chart-gain      a query that gained       #0072b2    #56b4e9
    --chart-loss      a query that lost         #d55e00    #f08a4b
    --chart-heat      many documents            #0072b2    #56b4e9
    --chart-mark      relevant documents        #d55e00    #ffa057
    --chart-ok        calls by status           #9dbdd2    #4a6c85
    --chart-repaired                            #3d9bd4    #56b4e9
    --chart-truncated                           #e69f00    #e6a93a
    --chart-unreadable                          #d55e00    #f0763a
    --chart-failed                              #97144d    #e0569a
    --chart-other                               #999999    #888888

The colours are Okabe and Ito's, darkened or lightened for thin lines; no chart says anything by colour alone.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, pairwise
from statistics import fmean
from typing import Any

from rearank_cli.records import Status
from rearank_cli.report.bins import bin_edges, quantile, shares_of_bins
from rearank_cli.report.canvas import Canvas, clean, colour, drawing, shorten, width_of

_WIDTH = 600
_SERIES = 8
_NAMED_QUERIES = 30
_LINKED_QUERIES = 1500
_CELLS = 50
_SHADES = 6
_MINUS = "\N{MINUS SIGN}"


def shade_of(place: int) -> str:
    """The colour of the run or trace file at this place, from 0; they begin again where there are no more."""
    return str(place % _SERIES + 1)


def measures(
    rows: Sequence[tuple[str, Sequence[tuple[str, float, float, float]]]], *, shades: Sequence[str] = ()
) -> str:
    """Means with their intervals: for each measure (run label, mean, low, high) of each run.

    `shades` are the colours of the runs, where they are not those of their places. A bound that is not
    a number is not drawn.
    """
    runs = [run for _, entries in rows for run in entries]
    if not runs:
        return _nothing("no measures")
    names_width = min(140.0, max(width_of(name) for name, _ in rows) + 14)
    labels = {label: shorten(label, 170) for label, *_ in runs}
    left = names_width + max(width_of(label) for label in labels.values()) + 14
    right = _WIDTH - 152
    line, gap, top = 19, 11, 6
    height = top + line * len(runs) + gap * (len(rows) - 1) + 4
    ends = [value for _, *values in runs for value in values if math.isfinite(value)]
    highest, lowest = max([0.0, *ends]), min([0.0, *ends])
    upper = next((step for step in (0.2, 0.4, 0.6, 0.8, 1.0) if highest <= step), highest * 1.05)
    with drawing(_WIDTH, height + 20) as canvas:
        axes = canvas.axes(left, top, right - left, height - top)
        axes.set_xlim(lowest * 1.05, upper)
        _plain_axis(axes, "x", ticks=5)

        def across(value: float) -> float:
            return left + (value - lowest * 1.05) / (upper - lowest * 1.05) * (right - left)

        canvas.line((across(0), across(0)), (top, height), "zero")
        y = top + line / 2
        for name, entries in rows:
            canvas.text(0, y, shorten(name, 130), bold=True, tip=_whole(name, 130))
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
                canvas.text(_WIDTH, y, bounds, anchor="right", shade="muted", size=10)
                y += line
            y += gap
        return canvas.svg(
            "Measures with 95 % intervals: "
            + "; ".join(
                f"{name}: " + ", ".join(f"{label} {_decimal(mean)}" for label, mean, *_ in entries)
                for name, entries in rows
            )
        )


def changes(values: Sequence[tuple[str, float]], *, measure: str, href: Callable[[str], str]) -> str:
    """The change of each query (query_id, change), gains first; each bar leads to `href(query_id)`.

    Raises ValueError where `href` leads out of the page: a link begins with `#`.
    """
    # What a sum leaves in the last digits is no change.
    known = [(query_id, round(change, 9)) for query_id, change in values if math.isfinite(change)]
    if not known:
        return _nothing("no judged queries")
    ordered = sorted(known, key=lambda value: (-value[1], value[0]))
    gains = sum(change > 0 for _, change in ordered)
    losses = sum(change < 0 for _, change in ordered)
    label = (
        f"Change of {measure} per query: {_count(gains)} gained, {_count(losses)} lost, "
        f"{_count(len(ordered) - gains - losses)} unchanged; from {_signed(ordered[-1][1])} "
        f"to {_signed(ordered[0][1])}"
    )
    if len(ordered) <= _NAMED_QUERIES:
        return _changes_by_name(ordered, label, measure, href)
    return _changes_at_a_glance(ordered, label, measure, href, gains, losses)


def _changes_by_name(
    ordered: Sequence[tuple[str, float]], label: str, measure: str, href: Callable[[str], str]
) -> str:
    names = {query_id: shorten(query_id, 130) for query_id, _ in ordered}
    left = max(width_of(name) for name in names.values()) + 12
    line, top, room = 18, 4, 46
    height = top + line * len(ordered)
    lowest, highest = _extent(change for _, change in ordered)
    # Beside the longest bars there must be room for their numbers.
    first = left + (room if lowest < 0 else 0)
    last = _WIDTH - (room if highest > 0 else 10)
    with drawing(_WIDTH, height + 34) as canvas:
        axes = canvas.axes(first, top, last - first, height - top)
        axes.set_xlim(lowest, highest)
        _plain_axis(axes, "x", ticks=6, signed=True)

        def across(value: float) -> float:
            return first + (value - lowest) / (highest - lowest) * (last - first)

        for place, (query_id, change) in enumerate(ordered):
            y = top + line * (place + 0.5)
            said, target = f"{query_id}: {_signed(change)}", href(query_id)
            link, words = canvas.tip(said, target, by_key=False), canvas.tip(said, target)
            canvas.rectangle(0, y - line / 2, _WIDTH, line, "hit", gid=link)
            start, end = sorted((across(0), across(change)))
            canvas.rectangle(start, y - 6, max(end - start, 0.5), 12, _direction(change), gid=link)
            canvas.text(left - 10, y, names[query_id], anchor="right", gid=words)
            side, anchor = (4, "left") if change >= 0 else (-4, "right")
            canvas.text(across(change) + side, y, _signed(change), size=10, anchor=anchor, gid=words)
        canvas.line((across(0), across(0)), (top, height), "zero")
        _axis_label(canvas, (first + last) / 2, height + 27, f"change of {measure}")
        return canvas.svg(label)


def _changes_at_a_glance(
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
    with drawing(_WIDTH, below + 34) as canvas:
        axes = canvas.axes(left, top, _WIDTH - left, bottom - top)
        axes.set_ylim(lowest, highest)
        _plain_axis(axes, "y", ticks=6, signed=True)

        def up(value: float) -> float:
            return bottom - (value - lowest) / (highest - lowest) * (bottom - top)

        step = (_WIDTH - left) / len(ordered)
        if len(ordered) > _LINKED_QUERIES:
            # Bars too thin to be hit, or seen one by one: all of them are one shape, of one bar a pixel.
            columns = _WIDTH - left
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
                link = canvas.tip(f"{query_id}: {_signed(change)}", href(query_id), by_key=False)
                canvas.rectangle(x, top, step, bottom - top, "hit", gid=link)
            start, end = sorted((up(0), up(change)))
            if change:
                # A gap between bars, where there is room for one.
                width = step * 0.86 if step > 3 else step
                canvas.rectangle(x, start, width, max(end - start, 0.4), _direction(change), gid=link)
        canvas.line((left, _WIDTH), (up(0), up(0)), "zero")
        canvas.text(0, 9, f"change of {measure}, query by query", shade="muted", size=10)
        mean = fmean(change for _, change in ordered)
        canvas.text(
            _WIDTH,
            9,
            f"mean of these {_count(len(ordered))}: {_signed(mean)}",
            anchor="right",
            shade="muted",
            size=10,
        )
        # Each word stands where its bars are not.
        if gains:
            canvas.text(left + 4, up(0) + 11, f"▲ {_count(gains)} gained", shade="gain", bold=True)
        if losses:
            where = up(0) - 11
            canvas.text(
                _WIDTH - 4, where, f"▼ {_count(losses)} lost", shade="loss", bold=True, anchor="right"
            )
        if unchanged := len(ordered) - gains - losses:
            middle = left + (_WIDTH - left) * (gains + unchanged / 2) / len(ordered)
            middle = min(max(middle, left + 140), _WIDTH - 140)
            canvas.text(
                middle, up(0) + 11, f"{_count(unchanged)} unchanged", shade="muted", size=10, anchor="center"
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
        number = _signed(change)
        x = 74 + place * 132
        said = f"{shorten(query_id, 120 - width_of(number + ' '))} {number}"
        canvas.text(x, y, said, gid=canvas.tip(f"{query_id}: {number}", href(query_id)))


def movements(ranks: Sequence[tuple[int, int, bool]], *, depth: int) -> str:
    """Where documents came from: (first-stage rank, new rank, relevant?) of each, ranks from 1.

    Shades count documents, dots the relevant among them. What lies below `depth` is not drawn.
    """
    within = [rank for rank in ranks if rank[0] <= depth and rank[1] <= depth]
    if not within:
        return _nothing("no documents")
    width = next(
        size
        for power in range(12)
        for size in (10**power, 2 * 10**power, 5 * 10**power)
        if depth <= size * _CELLS
    )
    documents = Counter(((before - 1) // width, (after - 1) // width) for before, after, _ in within)
    relevant = Counter(
        ((before - 1) // width, (after - 1) // width) for before, after, found in within if found
    )
    left, top, side = 52, 22, 400
    cell = side / (depth / width)
    with drawing(_WIDTH, top + side + 34) as canvas:
        axes = canvas.axes(left, top, side, side)
        axes.set_xlim(0.5, depth + 0.5)
        axes.set_ylim(depth + 0.5, 0.5)
        ticks = _rank_ticks(depth)
        axes.set_xticks(ticks, [_count(tick) for tick in ticks])
        axes.set_yticks(ticks, [_count(tick) for tick in ticks])
        shades = _levels(documents.values(), _SHADES)
        for place, (low, high) in enumerate(shades):
            chosen = {where for where, count in documents.items() if low <= count <= high}
            boxes = []
            for row, columns in groupby(
                sorted((after, before) for before, after in chosen), lambda at: at[0]
            ):
                for start, length in _stretches([column for _, column in columns]):
                    x, y = left + start * cell, top + row * cell
                    boxes.append((x, y, min(length * cell, left + side - x), min(cell, top + side - y)))
            canvas.rectangles(boxes, "heat", opacity=_opacity(place, len(shades)))
        canvas.line((left, left + side), (top, top + side), "zero", width=0.8)
        canvas.line(
            (left, left + side, left + side, left, left), (top, top, top + side, top + side, top), "grid"
        )
        sizes = _levels(relevant.values(), 4)
        for place, (low, high) in enumerate(sizes):
            dots = [
                (left + min((before + 0.5) * cell, side - 2), top + min((after + 0.5) * cell, side - 2))
                for (before, after), count in sorted(relevant.items())
                if low <= count <= high
            ]
            canvas.dots(dots, _radius(place, len(sizes), cell), "mark")
        canvas.text(left + side, top + side + 28, "first-stage rank", shade="muted", size=10, anchor="right")
        canvas.text(0, 8, "new rank", shade="muted", size=10)
        canvas.text(left + side, 8, "above the line: moved up", shade="muted", size=10, anchor="right")
        canvas.text(left, top + side + 28, "below the line: moved down", shade="muted", size=10)
        _movement_key(canvas, left + side + 22, top + 6, width, shades, sizes, cell)
        up = sum(after < before for before, after, _ in within)
        down = sum(after > before for before, after, _ in within)
        found = sum(relevant.values())
        return canvas.svg(
            f"First-stage rank against new rank of {_count(len(within))} documents, {_count(found)} of them "
            f"relevant: {_count(up)} moved up, {_count(down)} moved down"
        )


def _movement_key(
    canvas: Canvas,
    x: float,
    y: float,
    width: int,
    shades: Sequence[tuple[int, int]],
    sizes: Sequence[tuple[int, int]],
    cell: float,
) -> None:
    place = "at one place" if width == 1 else f"in {_count(width)} × {_count(width)} ranks"
    canvas.text(x, y, "documents", shade="muted", size=10)
    canvas.text(x, y + 14, place, shade="muted", size=10)
    y += 33
    for level, (low, high) in enumerate(shades):
        canvas.rectangle(x, y - 6, 14, 12, "heat", opacity=_opacity(level, len(shades)))
        canvas.text(x + 22, y, _range(low, high), size=10)
        y += 16
    if sizes:
        y += 14
        canvas.text(x, y, "relevant", shade="muted", size=10)
        canvas.text(x, y + 14, "among them", shade="muted", size=10)
        y += 33
        for level, (low, high) in enumerate(sizes):
            canvas.dots([(x + 7, y)], _radius(level, len(sizes), cell), "mark")
            canvas.text(x + 22, y, _range(low, high), size=10)
            y += 16


def distributions(
    series: Sequence[tuple[str, Sequence[float]]], *, quantity: str, shades: Sequence[str] = ()
) -> str:
    """A histogram for each trace file (label, values), all on one axis: logarithmic where tails are long.

    `shades` are the colours of the files, where they are not those of their places.
    """
    finite = [(label, sorted(value for value in values if math.isfinite(value))) for label, values in series]
    everything = sorted(value for _, values in finite for value in values)
    if not everything:
        return _nothing(f"no {quantity}")
    edges, logarithmic = bin_edges(everything)
    left, panel, title = 40, 62, 32
    height = (panel + title) * len(finite)
    with drawing(_WIDTH, height + 36) as canvas:
        parts = [shares_of_bins(values, edges) for _, values in finite]
        highest = max(max(part) for part in parts) or 1.0
        for place, ((label, values), heights) in enumerate(zip(finite, parts, strict=True)):
            shade = shades[place] if shades else shade_of(place)
            top = (panel + title) * place
            summary = _summary(values)
            room = _WIDTH - width_of(summary, 10) - 20
            canvas.text(0, top + 15, shorten(label, room), bold=True, tip=_whole(label, room))
            canvas.text(_WIDTH, top + 15, summary, shade="muted", size=10, anchor="right")
            axes = canvas.axes(left, top + title, _WIDTH - left - 8, panel)
            if logarithmic:
                axes.set_xscale("log")
            axes.set_xlim(edges[0], edges[-1])
            axes.set_ylim(0, highest * 1.02)
            _plain_axis(axes, "y", ticks=2, percent=True)
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
        _axis_label(
            canvas,
            left + (_WIDTH - left) / 2,
            height + 29,
            quantity + (", logarithmic" if logarithmic else ""),
        )
        return canvas.svg(
            f"Distribution of {quantity}: "
            + "; ".join(f"{label}: {_summary(values)}" for label, values in finite)
        )


def statuses(series: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """How the calls of each trace file (label, status -> calls) ended: a bar, with the counts below it."""
    if not series:
        return _nothing("no calls")
    known = [str(status) for status in Status]
    tall = 58
    with drawing(_WIDTH, tall * len(series) - 6) as canvas:
        said = []
        for place, (label, counts) in enumerate(series):
            top = tall * place
            names = [name for name in known if counts.get(name)]
            names += sorted(name for name in counts if name not in known and counts[name])
            total = sum(counts[name] for name in names)
            calls = f"{_count(total)} call{'' if total == 1 else 's'}"
            canvas.text(0, top + 8, shorten(label, 480), bold=True, tip=_whole(label, 480))
            canvas.text(_WIDTH, top + 8, calls, shade="muted", size=10, anchor="right")
            said.append(f"{label}: " + (", ".join(f"{counts[name]} {name}" for name in names) or "no calls"))
            if not total:
                canvas.rectangle(0, top + 18, _WIDTH, 14, "grid")
                continue
            x = below = 0.0
            # However few, they are to be seen: what a sliver takes is taken from the rest.
            percents = [_percent(counts[name], total) for name in names]
            notes = [f"{shorten(name, 90)} {_count(counts[name])}" for name in names]
            with_shares = [f"{note} ({share})" for note, share in zip(notes, percents, strict=True)]
            if sum(width_of(note, 10) + 22 for note in with_shares) <= _WIDTH:
                notes = with_shares
            slivers = [max(counts[name] / total * _WIDTH, 3.0) for name in names]
            for name, share, note, sliver in zip(names, percents, notes, slivers, strict=True):
                width = sliver * _WIDTH / sum(slivers)
                shade = name if name in known else "other"
                tip = canvas.tip(f"{name}: {_count(counts[name])} of {calls}, {share}")
                canvas.rectangle(x, top + 18, width - (1 if width > 2 else 0), 14, shade, gid=tip)
                x += width
                canvas.rectangle(below, top + 38, 9, 9, shade, gid=tip)
                canvas.text(below + 13, top + 42.5, note, size=10, gid=tip)
                below += width_of(note, 10) + 22
        return canvas.svg("Calls by status: " + "; ".join(said))


def _nothing(sentence: str) -> str:
    with drawing(_WIDTH, 40) as canvas:
        canvas.text(_WIDTH / 2, 20, sentence, shade="muted", anchor="center")
        return canvas.svg(sentence)


def _plain_axis(axes: Any, which: str, *, ticks: int, signed: bool = False, percent: bool = False) -> None:
    """Thin lines at a few round numbers along one axis, and nothing along the other."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis, other = (axes.xaxis, axes.yaxis) if which == "x" else (axes.yaxis, axes.xaxis)
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))

    def name(value: float, _: int) -> str:
        if percent:
            return f"{100 * value:g} %"
        return _signed(value, short=True) if signed else f"{value:g}".replace("-", _MINUS)

    axis.set_major_formatter(FuncFormatter(name))
    other.set_ticks([])
    axes.grid(axis=which, color=colour("grid"), linewidth=0.8)


def _axis_label(canvas: Canvas, x: float, y: float, text: str) -> None:
    canvas.text(
        x,
        y,
        shorten(text, _WIDTH - 60, 10),
        shade="muted",
        size=10,
        anchor="center",
        tip=_whole(text, _WIDTH - 60),
    )


def _extent(values: Iterable[float]) -> tuple[float, float]:
    known = [0.0, *values]
    lowest, highest = min(known), max(known)
    if lowest == highest:
        return -0.1, 0.1
    return lowest * 1.04, highest * 1.04


def _levels(counts: Iterable[int], most: int) -> list[tuple[int, int]]:
    """Ranges of counts, from 1 to the greatest, each about as many times the one before."""
    greatest = max(counts, default=0)
    if greatest <= most:
        return [(count, count) for count in range(1, greatest + 1)]
    starts = sorted({max(round(greatest ** (level / most)), level + 1) for level in range(most)})
    return [(start, after - 1) for start, after in zip(starts, [*starts[1:], greatest + 1], strict=True)]


def _opacity(level: int, levels: int) -> float:
    return 0.18 + 0.74 * (level / (levels - 1) if levels > 1 else 0.4)


def _radius(level: int, levels: int, cell: float) -> float:
    largest = min(max(cell * 0.42, 2.0), 5.0)
    return largest * (1 - 0.4 * (levels - 1 - level) / max(levels - 1, 3))


def _stretches(columns: Sequence[int]) -> list[tuple[int, int]]:
    """Neighbouring columns as (first, how many)."""
    found: list[tuple[int, int]] = []
    for column in columns:
        if found and sum(found[-1]) == column:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((column, 1))
    return found


def _rank_ticks(depth: int) -> list[int]:
    step = next(
        size for power in range(12) for size in (10**power, 2 * 10**power, 5 * 10**power) if depth <= size * 6
    )
    return [1, *range(step, depth + 1, step)] if step > 1 else list(range(1, depth + 1))


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
    return f"{numbers} · max {_amount(values[-1])} · n = {_count(len(values))}"


def _direction(change: float) -> str:
    return "gain" if change >= 0 else "loss"


def _whole(text: str, room: float) -> str | None:
    """The tooltip of a text that is shortened."""
    return text if shorten(text, room) != text else None


def _decimal(value: float) -> str:
    return f"{value:.4f}".replace("-", _MINUS) if math.isfinite(value) else "\N{EN DASH}"


def _signed(value: float, *, short: bool = False) -> str:
    number = f"{abs(value):g}" if short else f"{abs(value):.4f}"
    if not float(number):
        return "0"
    return ("+" if value > 0 else _MINUS) + number


def _count(number: int) -> str:
    return f"{number:,}"


def _percent(part: int, total: int) -> str:
    share = 100 * part / total
    if 0 < share < 0.1:
        return "< 0.1 %"
    # Not 100 % where one is missing.
    return f"{min(share, 99.9):.1f} %" if part < total else "100 %"


def _amount(value: float) -> str:
    if value and abs(value) < 100:
        return f"{value:.3g}".replace("-", _MINUS)
    return f"{value:,.0f}".replace("-", _MINUS)


def _range(low: int, high: int) -> str:
    return _count(low) if low == high else f"{_count(low)}\N{EN DASH}{_count(high)}"
