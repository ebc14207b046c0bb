"""Where documents came from and where they went: their new ranks against those of the first stage."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby

from rearank_cli.report.canvas import Canvas, drawing
from rearank_cli.report.charts.sheet import WIDTH, nothing
from rearank_cli.report.numbers import counted

_CELLS = 50
_SHADES = 6


def movements(ranks: Sequence[tuple[int, int, bool]], *, depth: int) -> str:
    """Where documents came from: (first-stage rank, new rank, relevant?) of each, ranks from 1.

    Shades count documents, dots the relevant among them. What lies below `depth` is not drawn.
    """
    within = [rank for rank in ranks if rank[0] <= depth and rank[1] <= depth]
    if not within:
        return nothing("no documents")
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
    with drawing(WIDTH, top + side + 34) as canvas:
        axes = canvas.axes(left, top, side, side)
        axes.set_xlim(0.5, depth + 0.5)
        axes.set_ylim(depth + 0.5, 0.5)
        ticks = _rank_ticks(depth)
        axes.set_xticks(ticks, [counted(tick) for tick in ticks])
        axes.set_yticks(ticks, [counted(tick) for tick in ticks])
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
        _key(canvas, left + side + 22, top + 6, width, shades, sizes, cell)
        up = sum(after < before for before, after, _ in within)
        down = sum(after > before for before, after, _ in within)
        found = sum(relevant.values())
        return canvas.svg(
            f"First-stage rank against new rank of {counted(len(within))} documents, {counted(found)} of "
            f"them relevant: {counted(up)} moved up, {counted(down)} moved down"
        )


def _key(
    canvas: Canvas,
    x: float,
    y: float,
    width: int,
    shades: Sequence[tuple[int, int]],
    sizes: Sequence[tuple[int, int]],
    cell: float,
) -> None:
    place = "at one place" if width == 1 else f"in {counted(width)} × {counted(width)} ranks"
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


def _rank_ticks(depth: int) -> list[int]:
    step = next(
        size for power in range(12) for size in (10**power, 2 * 10**power, 5 * 10**power) if depth <= size * 6
    )
    return [1, *range(step, depth + 1, step)] if step > 1 else list(range(1, depth + 1))


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


def _range(low: int, high: int) -> str:
    return counted(low) if low == high else f"{counted(low)}\N{EN DASH}{counted(high)}"
