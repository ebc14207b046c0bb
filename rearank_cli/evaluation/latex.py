"""Evaluations as LaTeX: a table for a paper, with booktabs."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

from rearank_cli.evaluation.comparison import Comparison
from rearank_cli.evaluation.layout import Grid, means, test_name, topics, topics_in_words
from rearank_cli.evaluation.measures import parse_measures
from rearank_cli.evaluation.scoring import Evaluation
from rearank_cli.trec.streams import printable

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedblright{}",
    "`": r"\textasciigrave{}",
    **{character: rf"\{character}" for character in "#$%&_{}"},
    # After the end of a row they would be its options.
    **{character: f"{{{character}}}" for character in "[]*"},
}


def as_latex(
    evaluations: Sequence[Evaluation],
    *,
    per_query: bool = False,
    comparison: Comparison | None = None,
    cutoff: int | None = None,
) -> str:
    r"""A table of means: the best bold, a dagger where a run differs significantly from the first.

    With `per_query` a longtable of the topics stands before it.
    """
    packages = "booktabs and longtable" if per_query else "booktabs"
    lines = [f"% needs the {'packages' if per_query else 'package'} {packages}"]
    if per_query:
        grid = topics(evaluations)
        # Of one run a column for each measure; of several a column for each run.
        head = _title if len(evaluations) == 1 else _escape
        header = [*grid.header[: grid.labels], *map(head, grid.header[grid.labels :])]
        lines += [rf"\begin{{longtable}}{{{_columns(grid)}}}", r"\toprule", _row(header)]
        lines += [r"\midrule", r"\endhead"]
        lines += [r"\bottomrule", r"\endfoot", *_rows(grid), r"\end{longtable}", ""]
    grid = means(evaluations, comparison, _write)
    lines += [
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{{_columns(grid)}}}",
        r"\toprule",
        _row(["Run", *map(_title, grid.header[1:])]),
        r"\midrule",
        *_rows(grid),
        r"\bottomrule",
        r"\end{tabular}",
        rf"\caption{{{_caption(evaluations, comparison, cutoff)}}}",
        r"\label{tab:effectiveness}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _write(digits: str, best: bool, marked: bool) -> str:
    # A mark of no width leaves the digits of a column under each other.
    return (rf"\textbf{{{digits}}}" if best else digits) + (r"\rlap{$^{\dagger}$}" if marked else "")


def _caption(evaluations: Sequence[Evaluation], comparison: Comparison | None, cutoff: int | None) -> str:
    sentences = [f"Effectiveness over {topics_in_words(evaluations)}."]
    if cutoff:
        sentences.append(f"Only the first {cutoff} documents of each topic count.")
    if len(evaluations) > 1:
        sentences.append("The best value of each measure is bold.")
    if comparison:
        count = len(next(iter(evaluations[0].per_query.values())))
        correction = "" if comparison.test == "tukey" else ", Holm's correction"
        sentences.append(
            rf"$^{{\dagger}}$: significantly different from {_escape(evaluations[0].run)} "
            rf"({test_name(comparison, count)}{correction}, $p < {comparison.alpha:g}$)."
        )
    return " ".join(sentences)


def _columns(grid: Grid) -> str:
    return "l" * grid.labels + "r" * (len(grid.header) - grid.labels)


def _row(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _rows(grid: Grid) -> list[str]:
    """The rows; what is in columns of numbers is ours, and written already."""
    rows = []
    for row in grid.rows:
        words = list(map(_escape, row[: grid.labels]))
        if grid.header[grid.labels - 1] == "measure":
            words[-1] = _title(row[grid.labels - 1])
        rows.append(_row([*words, *(re.sub("^-", "$-$", cell) for cell in row[grid.labels :])]))
    return rows


def _title(measure: str) -> str:
    """`map@100-l2` as papers write it."""
    (parsed,) = parse_measures([measure])
    cutoff = f"@{parsed.cutoff}" if parsed.cutoff else ""
    level = rf" ($\geq {parsed.level}$)" if parsed.level != 1 else ""
    return f"{parsed.formula.title}{cutoff}{level}"


def _escape(text: str) -> str:
    # Two hyphens would be a dash.
    return re.sub("-(?=-)", "-{}", "".join(map(_character, printable(text))))


def _character(character: str) -> str:
    """A character as pdflatex takes it; one that its fonts may lack by its number."""
    if character.isascii():
        return _SPECIAL.get(character, character)
    # Letters of Western Europe with an accent LaTeX composes in every font, and a few others it has.
    accented = character <= "\xff" and unicodedata.normalize("NFD", character)[0].isascii()
    if accented or character in "ßæøœłÆØŒŁ":
        return character
    return f"U+{ord(character):04X}"
