"""A survey of rewards as text: tables, and histograms of plain characters."""

from collections.abc import Iterator, Sequence

from rearank_cli.training.survey import Part, Survey

_WIDTH = 40


def as_text(survey: Survey) -> str:
    """The survey for a terminal of 80 columns."""
    return "\n".join(_lines(survey)) + "\n"


def _lines(survey: Survey) -> Iterator[str]:
    if not survey.answers:
        return
    yield from _table(
        ["part", "mean", "sd", "least", "most"],
        [
            [name, *_numbers(part.mean, part.deviation, part.least, part.most)]
            for name, part in survey.parts.items()
        ],
    )
    yield ""
    yield from _table(
        ["status", "answers", "score"],
        [
            [status, f"{count:,}", *_numbers(mean)]
            for status, (count, mean) in sorted(survey.by_status.items(), key=lambda entry: -entry[1][0])
        ],
    )
    for name, part in survey.parts.items():
        if len(part.histogram) > 1:
            yield from ("", name)
            yield from _bars(part)


def _bars(part: Part) -> Iterator[str]:
    most = max(each.count for each in part.histogram)
    for each in part.histogram:
        # A value that is there is seen.
        length = max(round(each.count / most * _WIDTH), 1 if each.count else 0)
        below = f"{each.low + 0.0:5.1f} to" if each.low is not None else "up to".rjust(8)
        yield f"{below} {each.high:4.1f} {each.count:9,}  {'#' * length}".rstrip()


def _numbers(*values: float) -> list[str]:
    # Adding 0 makes a 0 of a -0.
    return [f"{round(value, 4) + 0:.4f}" for value in values]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for cells in (header, *rows):
        first, *others = cells
        aligned = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        yield "  ".join([first.ljust(widths[0]), *aligned])
