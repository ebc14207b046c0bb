"""How the calls of each trace file ended, as parts of a bar."""

from collections.abc import Mapping, Sequence

from rearank_cli.records import Status
from rearank_cli.report.canvas import drawing, shorten, width_of
from rearank_cli.report.charts.sheet import WIDTH, nothing
from rearank_cli.report.charts.wording import whole
from rearank_cli.report.numbers import counted


def statuses(series: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """How the calls of each trace file (label, status -> calls) ended: a bar, with the counts below it."""
    if not series:
        return nothing("no calls")
    known = [str(status) for status in Status]
    tall = 58
    with drawing(WIDTH, tall * len(series) - 6) as canvas:
        said = []
        for place, (label, counts) in enumerate(series):
            top = tall * place
            names = [name for name in known if counts.get(name)]
            names += sorted(name for name in counts if name not in known and counts[name])
            total = sum(counts[name] for name in names)
            calls = f"{counted(total)} call{'' if total == 1 else 's'}"
            canvas.text(0, top + 8, shorten(label, 480), bold=True, tip=whole(label, 480))
            canvas.text(WIDTH, top + 8, calls, shade="muted", size=10, anchor="right")
            said.append(f"{label}: " + (", ".join(f"{counts[name]} {name}" for name in names) or "no calls"))
            if not total:
                canvas.rectangle(0, top + 18, WIDTH, 14, "grid")
                continue
            x = below = 0.0
            # However few, they are to be seen: what a sliver takes is taken from the rest.
            percents = [_percent(counts[name], total) for name in names]
            notes = [f"{shorten(name, 90)} {counted(counts[name])}" for name in names]
            with_shares = [f"{note} ({share})" for note, share in zip(notes, percents, strict=True)]
            if sum(width_of(note, 10) + 22 for note in with_shares) <= WIDTH:
                notes = with_shares
            slivers = [max(counts[name] / total * WIDTH, 3.0) for name in names]
            for name, share, note, sliver in zip(names, percents, notes, slivers, strict=True):
                width = sliver * WIDTH / sum(slivers)
                shade = name if name in known else "other"
                tip = canvas.tip(f"{name}: {counted(counts[name])} of {calls}, {share}")
                canvas.rectangle(x, top + 18, width - (1 if width > 2 else 0), 14, shade, gid=tip)
                x += width
                canvas.rectangle(below, top + 38, 9, 9, shade, gid=tip)
                canvas.text(below + 13, top + 42.5, note, size=10, gid=tip)
                below += width_of(note, 10) + 22
        return canvas.svg("Calls by status: " + "; ".join(said))


def _percent(part: int, total: int) -> str:
    share = 100 * part / total
    if 0 < share < 0.1:
        return "< 0.1 %"
    # Not 100 % where one is missing.
    return f"{min(share, 99.9):.1f} %" if part < total else "100 %"
