"""Evaluations as GitHub's Markdown."""

import re
from collections.abc import Sequence

from rearank_cli.evaluation.comparison import Comparison
from rearank_cli.evaluation.layout import Grid, differences, in_words, means, topics
from rearank_cli.evaluation.scoring import Evaluation
from rearank_cli.trec.streams import printable

_MARK = "†"


def as_markdown(
    evaluations: Sequence[Evaluation], *, per_query: bool = False, comparison: Comparison | None = None
) -> str:
    """The tables of `as_table`; the best means are bold, and those that differ significantly marked."""
    text = _table(topics(evaluations) if per_query else means(evaluations, comparison, _write))
    if comparison:
        mark = "" if per_query else f" {_MARK}: corrected p < {comparison.alpha:g}."
        sentence = _escape(" ".join(in_words(evaluations, comparison)))
        text += f"\n{sentence}{mark}\n\n{_table(differences(evaluations, comparison))}"
    return text


def _write(digits: str, best: bool, marked: bool) -> str:
    return (f"**{digits}**" if best else digits) + (_MARK if marked else "")


def _table(grid: Grid) -> str:
    lines = [[_escape(cell) for cell in grid.header]]
    lines.append([":--" if column < grid.labels else "--:" for column in range(len(grid.header))])
    # Numbers are ours, and may be bold.
    lines += [[*map(_escape, row[: grid.labels]), *row[grid.labels :]] for row in grid.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _escape(text: str) -> str:
    """A text as it is, whatever Markdown would take it for."""
    return re.sub(r"([\\`*_{}\[\]<>|~#&!$])", r"\\\1", printable(text))
