"""Numbers for a terminal, a spreadsheet, a page on GitHub, a paper."""

import csv
import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import orjson
import pandas as pd
import pytest

from rearank_cli.evaluation import (
    Comparison,
    Evaluation,
    as_csv,
    as_json,
    as_latex,
    as_markdown,
    as_table,
    evaluate_runs,
)
from rearank_cli.records import Run, ScoredDoc

HOSTILE = [
    r"a_b%c&d#e$f~g^h\i{j}k",
    "[wide] *star* --dash-- <b>|`tick` 'q' \"q\" @x !",
    "*\n\t\x1b[31mred",
    '=cmd, "quoted", é ß 漢字 𝕏 \u202e',
    r"\input{/etc/passwd} % \end{tabular}",
]

# Topics of which `better` ranks the relevant document first, `bm25` second, `worse` nowhere.
QRELS = {f"q{number}": {"a": 1 + number % 2} for number in range(1, 9)}


def ranked(order: str) -> Run:
    return Run({query_id: [ScoredDoc(doc_id, 0.0) for doc_id in order] for query_id in QRELS}, tag="same")


def evaluations(*names: str, measures: tuple[str, ...] = ("mrr", "map@5-l2")) -> list[Evaluation]:
    orders = ("ba", "ab", "bc", "ba", "ab")
    runs = {name: ranked(order) for name, order in zip(names, orders, strict=False)}
    return evaluate_runs(runs, QRELS, measures)


def compared(*names: str, test: str = "student", **options: float) -> tuple[list[Evaluation], Comparison]:
    comparison = Comparison(test, **options)
    # One topic is lost and others gain, or else nothing would vary.
    first, second, *others = evaluations(*names)
    per_query = {m: {**values, "q1": 0.0} for m, values in second.per_query.items()}
    means = {m: sum(values.values()) / len(values) for m, values in per_query.items()}
    return comparison.apply([first, replace(second, means=means, per_query=per_query), *others]), comparison


def test_the_table_says_what_was_compared_and_how() -> None:
    runs, comparison = compared("bm25.trec", "better.trec", "worse.trec")
    assert as_table(runs, comparison=comparison).splitlines() == [
        "run             mrr  map@5-l2",
        "bm25.trec    0.5000    0.2500",
        "better.trec  0.8750    0.3750",
        "worse.trec   0.0000    0.0000",
        "",
        "Compared with bm25.trec over 8 topics: paired Student's t-test, two-sided.",
        "p-holm: Holm's correction of p for 2 runs; low and high: the 95 % confidence interval (paired t).",
        "",
        "measure   run           change      low     high       p  p-holm  gains  losses  unchanged",
        "mrr       better.trec  +0.3750  +0.0794  +0.6706  0.0199  0.0199      7       1          0",
        "mrr       worse.trec   -0.5000  -0.5000  -0.5000  <0.001  <0.001      0       8          0",
        "map@5-l2  better.trec  +0.1250  -0.1706  +0.4206  0.3506  0.3506      3       1          4",
        "map@5-l2  worse.trec   -0.2500  -0.4734  -0.0266  0.0331  0.0663      0       4          4",
    ]


@pytest.mark.parametrize(
    ("test", "options", "words"),
    [
        ("fisher", {}, "Fisher's randomization test, two-sided, all permutations."),
        (
            "tukey",
            {},
            "p and the 95 % confidence interval (low, high) are corrected for the one pair of runs.",
        ),
        ("student", {"alpha": 0.01}, "for the one run compared; low and high: the 99 % confidence interval"),
        ("student", {"alpha": 0.001}, "the 99.9 % confidence interval"),
    ],
)
def test_each_test_is_described(test: str, options: dict[str, float], words: str) -> None:
    runs, comparison = compared("bm25.trec", "better.trec", test=test, **options)
    assert words in as_table(runs, comparison=comparison)
    assert ("p-holm" in as_table(runs, comparison=comparison)) == (test != "tukey")


def test_drawn_permutations_are_described_with_their_seed() -> None:
    qrels = {f"q{number}": {"a": 1} for number in range(20)}
    runs = {name: Run({q: [ScoredDoc(d, 0.0) for d in name] for q in qrels}) for name in ("ba", "ab")}
    comparison = Comparison("fisher", seed=7)
    text = as_table(comparison.apply(evaluate_runs(runs, qrels, ["mrr"])), comparison=comparison)
    assert "over 20 topics: Fisher's randomization test, two-sided, 100,000 permutations, seed 7." in text


@pytest.mark.parametrize("test", ["student", "fisher", "tukey"])
@pytest.mark.parametrize("per_query", [False, True])
def test_no_format_ever_shows_nan(test: str, per_query: bool) -> None:
    comparison = Comparison(test)
    runs = comparison.apply(evaluations("one", "two", "three", "four"))
    options = {"per_query": per_query, "comparison": comparison}
    texts = [
        as_table(runs, **options),
        as_markdown(runs, **options),
        as_latex(runs, **options),
        as_csv(runs, comparison=comparison),
        as_json(runs, ["p"] * 4, "qrels", **options).decode(),
    ]
    assert not any(re.search(r"\bnan\b|\binf", text, re.IGNORECASE) for text in texts)


def test_no_format_lets_a_name_steer_a_terminal() -> None:
    runs, comparison = compared(*HOSTILE)
    texts = [
        as_table(runs, per_query=True, comparison=comparison),
        as_markdown(runs, per_query=True, comparison=comparison),
        as_latex(runs, per_query=True, comparison=comparison),
        as_csv(runs, comparison=comparison).replace("\r\n", "\n"),
        as_csv(runs, per_query=True).replace("\r\n", "\n"),
        as_json(runs, HOSTILE, HOSTILE[2], per_query=True, comparison=comparison).decode(),
    ]
    for text in texts:
        assert all(line.isprintable() for line in text.split("\n"))


def test_csv_is_what_pandas_expects() -> None:
    runs, comparison = compared(*HOSTILE)
    frame = pd.read_csv(io.StringIO(as_csv(runs, comparison=comparison)))

    assert list(frame.columns) == [
        *("run", "measure", "mean", "baseline", "difference", "low", "high"),
        *("p", "corrected", "gains", "losses", "unchanged"),
    ]
    assert len(frame) == len(HOSTILE) * 2
    assert frame[frame.run == HOSTILE[0]].p.isna().all()
    row = frame[frame.measure == "mrr"].iloc[1]
    difference = runs[1].differences[0]
    assert (row.baseline, row.run) == (HOSTILE[0], HOSTILE[1])
    assert (row["mean"], row.difference) == (runs[1].means["mrr"], difference.mean)
    assert (row.low, row.high, row.p, row.corrected) == (
        difference.low,
        difference.high,
        difference.p,
        difference.corrected,
    )
    assert (row.gains, row.losses, row.unchanged) == (7, 1, 0)


def test_csv_ends_its_lines_as_rfc_4180_asks() -> None:
    text = as_csv(evaluations("one", 'a "name", with\nlines'))
    assert text.count("\r\n") == 5 == len(text.split("\r\n")) - 1
    assert "\n" not in text.replace("\r\n", "")
    assert {len(row) for row in csv.reader(io.StringIO(text))} == {3}


def test_csv_of_topics_has_a_row_for_each_and_the_greatest_gain_first() -> None:
    runs, _ = compared("bm25.trec", "better.trec")
    frame = pd.read_csv(io.StringIO(as_csv(runs, per_query=True)))
    assert list(frame.columns) == ["run", "measure", "query", "value", "change"]
    assert len(frame) == 2 * 2 * 8
    gains = frame[(frame.run == "better.trec") & (frame.measure == "mrr")]
    assert list(gains["query"]) == [*(f"q{number}" for number in range(2, 9)), "q1"]
    assert list(gains.change) == [0.5] * 7 + [-0.5]
    assert frame[frame.run == "bm25.trec"].change.isna().all()
    (alone,) = evaluations("bm25.trec", measures=("mrr",))
    assert as_csv([alone], per_query=True).splitlines()[:2] == [
        "run,measure,query,value",
        "bm25.trec,mrr,q1,0.5",
    ]


def test_markdown_has_bold_best_values_and_marks() -> None:
    runs, comparison = compared("bm25.trec", "better_run.trec", "worse.trec")
    lines = as_markdown(runs, comparison=comparison).splitlines()
    assert lines[:5] == [
        "| run | mrr | map@5-l2 |",
        "| :-- | --: | --: |",
        "| bm25.trec | 0.5000 | 0.2500 |",
        r"| better\_run.trec | **0.8750**† | **0.3750** |",
        "| worse.trec | 0.0000† | 0.0000 |",
    ]
    assert lines[6].startswith("Compared with bm25.trec over 8 topics: paired Student's t-test, two-sided.")
    assert lines[6].endswith("†: corrected p < 0.05.")
    assert (
        lines[10] == r"| mrr | better\_run.trec | +0.3750 | +0.0794 | +0.6706 | 0.0199 | 0.0199 | 7 | 1 | 0 |"
    )


def test_markdown_of_any_name_is_a_table_of_as_many_columns() -> None:
    runs, comparison = compared(*HOSTILE)
    for line in as_markdown(runs, comparison=comparison, per_query=True).splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in {2 + 3 + 2 * 4 - 1, 11}
            assert not re.search(r"(?<!\\)[<`*_]", line.replace("<0.001", ""))


def test_latex_is_a_booktabs_table_whose_caption_says_what_the_marks_mean() -> None:
    runs, comparison = compared("bm25.trec", "better_run.trec", "worse.trec")
    assert as_latex(runs, comparison=comparison, cutoff=100).splitlines() == [
        "% needs the package booktabs",
        r"\begin{table}",
        r"\centering",
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"Run & MRR & MAP@5 ($\geq 2$) \\",
        r"\midrule",
        r"bm25.trec & 0.5000 & 0.2500 \\",
        r"better\_run.trec & \textbf{0.8750}\rlap{$^{\dagger}$} & \textbf{0.3750} \\",
        r"worse.trec & 0.0000\rlap{$^{\dagger}$} & 0.0000 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\caption{Effectiveness over 8 topics. Only the first 100 documents of each topic count. "
        r"The best value of each measure is bold. $^{\dagger}$: significantly different from bm25.trec "
        r"(paired Student's t-test, two-sided, Holm's correction, $p < 0.05$).}",
        r"\label{tab:effectiveness}",
        r"\end{table}",
    ]


def test_latex_of_topics_is_a_longtable_before_it() -> None:
    runs, _ = compared("bm25.trec", "better.trec")
    lines = as_latex(runs, per_query=True).splitlines()
    assert lines[:4] == [
        "% needs the packages booktabs and longtable",
        r"\begin{longtable}{llrrr}",
        r"\toprule",
        r"query & measure & bm25.trec & better.trec & change \\",
    ]
    assert r"q1 & MAP@5 ($\geq 2$) & 0.5000 & 0.0000 & $-$0.5000 \\" in lines
    assert lines.index(r"\end{longtable}") < lines.index(r"\begin{table}")
    assert r"query & run & MRR & MAP@5 ($\geq 2$) \\" in as_latex(runs[:1], per_query=True).splitlines()


def test_a_single_run_is_not_the_best() -> None:
    assert "textbf" not in as_latex(evaluations("bm25.trec"))
    assert "**" not in as_markdown(evaluations("bm25.trec"))


def test_what_latex_would_take_for_something_else_is_spelled_out() -> None:
    text = as_latex(evaluations(*HOSTILE))
    for name in (
        r"a\_b\%c\&d\#e\$f\textasciitilde{}g\textasciicircum{}h\textbackslash{}i\{j\}k &",
        r"{[}wide{]} {*}star{*} -{}-dash-{}- \textless{}b\textgreater{}\textbar{}\textasciigrave{}tick",
        r"{*}\textbackslash{}n\textbackslash{}t\textbackslash{}x1b{[}31mred &",
        "é ß U+6F22U+5B57 U+1D54F \\textbackslash{}u202e &",
    ):
        assert name in text


def test_a_change_that_rounds_to_nothing_has_no_sign() -> None:
    one, two = (
        Evaluation(name, {"mrr": value}, {"mrr": {"q1": value}})
        for name, value in (("one", 0.5), ("two", 0.49999))
    )
    assert as_table([one, two], per_query=True).splitlines()[1].split() == [
        "q1",
        "mrr",
        "0.5000",
        "0.5000",
        "0.0000",
    ]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("test", ["student", "fisher", "tukey"])
def test_latex_of_any_name_compiles(tmp_path: Path, test: str) -> None:
    runs, comparison = compared(*HOSTILE, test=test)
    letters = "".join(map(chr, range(0xA0, 0x180))) + "".join(map(chr, range(0x20, 0x7F)))
    runs.append(replace(runs[-1], run=letters[:150]))
    runs.append(replace(runs[-1], run=letters[150:]))
    table = as_latex(runs, comparison=comparison, per_query=True, cutoff=3)
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage{longtable}\n"
        f"\\begin{{document}}\n{table}\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "paper.pdf").stat().st_size > 10_000


def test_json_has_all_differences() -> None:
    runs, comparison = compared("bm25.trec", "better.trec", test="fisher", seed=3)
    paths = ["a/bm25.trec", "better.trec"]
    result = orjson.loads(as_json(runs, paths, "qrels", comparison=comparison, cutoff=100))
    assert result["cutoff"] == 100
    assert result["comparison"] == {
        "test": "fisher",
        "baseline": "bm25.trec",
        "correction": "holm",
        "alpha": 0.05,
        "seed": 3,
    }
    first, second = result["runs"]
    assert first["differences"] == []
    for shown, difference in zip(second["differences"], runs[1].differences, strict=True):
        assert shown == {key: getattr(difference, key) for key in shown}
        assert set(shown) == {
            *("measure", "mean", "low", "high", "p", "corrected", "gains", "losses", "unchanged")
        }
