"""Evaluations as a terminal shows them: aligned columns, easily cut by awk."""

from collections.abc import Sequence

from rearank_cli.evaluation.comparison import Comparison
from rearank_cli.evaluation.layout import Grid, differences, in_words, means, topics
from rearank_cli.evaluation.scoring import Evaluation
from rearank_cli.trec.streams import printable


def as_table(
    evaluations: Sequence[Evaluation], *, per_query: bool = False, comparison: Comparison | None = None
) -> str:
    """A line for each run; with `per_query` for each judged topic, and the means last.

    With a comparison a sentence follows that says what was compared, and a line for each difference.
    """
    text = _align(topics(evaluations) if per_query else means(evaluations))
    if comparison:
        words = "\n".join(map(printable, in_words(evaluations, comparison)))
        text += f"\n{words}\n\n{_align(differences(evaluations, comparison))}"
    return text


def _align(grid: Grid) -> str:
    """Pad words on the right, numbers on the left."""
    rows = [[printable(cell) for cell in row] for row in [grid.header, *grid.rows]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if column < grid.labels else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells) + "\n")
    return "".join(lines)
