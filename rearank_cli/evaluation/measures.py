"""The measures a run can be evaluated by, and the names they go by."""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rearank_cli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Formula:
    """One of ranx's measures, before a cut-off and a relevance level are chosen.

    `spellings` are the lower-case names it goes by in ranx, ir_measures and trec_eval wherever they
    mean exactly this; a `k` after `@` or `_` stands for a cut-off. `title` is what papers call it,
    `function` its name in `ranx.metrics`. `graded` says that grades are its gains, not merely relevant
    or not.
    """

    name: str
    title: str
    function: str
    sentence: str
    spellings: tuple[str, ...]
    graded: bool = False


# Not here: trec_eval's num_rel_ret, which it sums over topics where every other measure is averaged;
# and its ndcg_cut, P ... without a number, each of which is nine measures.
FORMULAS = (
    Formula(
        name="ndcg",
        title="nDCG",
        function="ndcg",
        sentence="discounted cumulative gain, over that of the ideal ranking (Järvelin and Kekäläinen 2002)",
        spellings=("ndcg", "ndcg@k", "ndcg_cut_k"),
        graded=True,
    ),
    Formula(
        name="ndcg_burges",
        title="nDCG (exp.)",
        function="ndcg_burges",
        sentence="ndcg with the gain 2^grade - 1 (Burges et al. 2005)",
        spellings=("ndcg_burges", "ndcg_burges@k"),
        graded=True,
    ),
    Formula(
        name="dcg",
        title="DCG",
        function="dcg",
        sentence="discounted cumulative gain: grade / log2(rank + 1), summed",
        spellings=("dcg", "dcg@k"),
        graded=True,
    ),
    Formula(
        name="dcg_burges",
        title="DCG (exp.)",
        function="dcg_burges",
        sentence="dcg with the gain 2^grade - 1",
        spellings=("dcg_burges", "dcg_burges@k"),
        graded=True,
    ),
    Formula(
        name="map",
        title="MAP",
        function="average_precision",
        sentence="the precision at each relevant document, averaged over all that are relevant",
        spellings=("map", "map@k", "ap", "ap@k", "map_cut_k"),
    ),
    Formula(
        name="mrr",
        title="MRR",
        function="reciprocal_rank",
        sentence="one over the rank of the first relevant document",
        spellings=("mrr", "mrr@k", "rr", "rr@k", "recip_rank"),
    ),
    Formula(
        name="precision",
        title="P",
        function="precision",
        sentence="the part of the ranking that is relevant",
        spellings=("precision", "precision@k", "p@k", "p_k", "set_p", "setp"),
    ),
    Formula(
        name="recall",
        title="Recall",
        function="recall",
        sentence="the part of the relevant documents that is in the ranking",
        spellings=("recall", "recall@k", "r@k", "recall_k", "set_recall", "setr"),
    ),
    Formula(
        name="f1",
        title="F1",
        function="f1",
        sentence="the harmonic mean of precision and recall",
        spellings=("f1", "f1@k", "set_f", "setf"),
    ),
    Formula(
        name="r-precision",
        title="R-Prec",
        function="r_precision",
        sentence="the precision at as many documents as are relevant",
        spellings=("r-precision", "r-prec", "rprec"),
    ),
    Formula(
        name="hit_rate",
        title="Success",
        function="hit_rate",
        sentence="1 where any document of the ranking is relevant, else 0",
        spellings=("hit_rate", "hit_rate@k", "success@k", "success_k"),
    ),
    Formula(
        name="hits",
        title="Hits",
        function="hits",
        sentence="the number of relevant documents in the ranking",
        spellings=("hits", "hits@k"),
    ),
)
_BY_SPELLING = {spelling: formula for formula in FORMULAS for spelling in formula.spellings}

_REFUSED = {
    "bpref": "ranx computes it differently from trec_eval",
    "rbp": "ranx takes grades for gains in it, and it can exceed 1",
}
_NOTATION = re.compile(
    r"""
    (?P<formula> [a-z][a-z0-9_-]*? )
    (?: \( rel=(?P<rel>\d+) \) )?           # ir_measures: AP(rel=2)@100
    (?: (?P<mark>[@_]) (?P<cutoff>\d+) )?   # trec_eval: ndcg_cut_10
    (?: -l(?P<level>\d+) )?                 # ranx: map@100-l2
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Measure:
    """A formula, over the first `cutoff` documents (0: all), with grades from `level` up relevant."""

    formula: Formula
    cutoff: int = 0
    level: int = 1

    @property
    def name(self) -> str:
        """As ranx writes it: `map@100-l2`."""
        cutoff = f"@{self.cutoff}" if self.cutoff else ""
        level = f"-l{self.level}" if self.level != 1 else ""
        return f"{self.formula.name}{cutoff}{level}"


def parse_measures(names: Sequence[str], *, level: int = 1) -> list[Measure]:
    """Understand names of measures as ranx, ir_measures and trec_eval write them, in any case.

    A measure named twice is there once. `level` is the least grade that is relevant, in measures that do
    not name their own and do not take grades for gains. Raises one UsageError for all names that cannot
    be used, or for a level below 1.
    """
    if level < 1:
        raise UsageError(f"level {level} cannot be: relevance levels begin with 1")
    measures: dict[Measure, None] = {}
    problems = []
    for name in names:
        try:
            measures[_parse(name, level)] = None
        except UsageError as problem:
            problems.append(str(problem))
    if problems:
        raise UsageError("; ".join(problems))
    return list(measures)


def _parse(name: str, default_level: int) -> Measure:
    lowered = name.strip().lower()
    word = re.match("[a-z]*", lowered)
    if word and word[0] in _REFUSED:
        raise UsageError(f"measure '{name}' is not offered: {_REFUSED[word[0]]}")

    match = _NOTATION.fullmatch(lowered)
    if match is None:
        raise _unknown(name, lowered)
    spelling = match["formula"] + (f"{match['mark']}k" if match["mark"] else "")
    formula = _BY_SPELLING.get(spelling)
    if formula is None:
        raise _unknown(name, spelling, match["cutoff"])

    level = match["rel"] or match["level"]
    if level and formula.graded:
        raise UsageError(
            f"measure '{name}' is not offered: ranx would drop the gains of lower grades, "
            "and trec_eval would not; use it without a relevance level"
        )
    numbers = [int(number) for number in (level, match["cutoff"]) if number]
    if 0 in numbers:
        raise UsageError(f"measure '{name}' cannot be: cut-offs and relevance levels begin with 1")
    if not level and not formula.graded:
        level = str(default_level)
    return Measure(formula, cutoff=int(match["cutoff"] or 0), level=int(level or 1))


def _unknown(name: str, spelling: str, cutoff: str | None = None) -> UsageError:
    if cutoff is None and (forgotten := re.fullmatch(r"([a-z_-]+?)[._]?(?:cut[._])?(\d+)", spelling)):
        spelling, cutoff = forgotten.groups()  # ndcg10, map_cut.100
    without_cutoff = [f"{spelling}{mark}k" for mark in "@_" if f"{spelling}{mark}k" in _BY_SPELLING]
    close = without_cutoff or difflib.get_close_matches(spelling, _BY_SPELLING, n=1)
    if not close:
        known = ", ".join(formula.name for formula in FORMULAS)
        return UsageError(f"measure '{name}' is unknown (known are {known}, most with a cut-off: ndcg@10)")
    formula = _BY_SPELLING[close[0]]
    if f"{formula.name}@k" not in formula.spellings:
        cutoff = None
    elif close[0].endswith(("@k", "_k")):
        cutoff = cutoff or "10"
    suggestion = Measure(formula, cutoff=int(cutoff or 0))
    return UsageError(f"measure '{name}' is unknown (did you mean {suggestion.name}?)")
