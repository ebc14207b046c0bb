"""`rearank evaluate` as a user runs it."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from rearank_cli.commands.evaluate import evaluate
from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Qrels

SHARED = Path(__file__).resolve().parents[3] / "shared"

QRELS = """\
q2 0 a 1
q1 0 a 2
q1 0 b 1
q3 0 c 1
"""
RUN = """\
q1 Q0 x 1 3 t
q1 Q0 a 2 2 t
q2 Q0 a 1 1 t
q8 Q0 a 1 1 t
"""
BETTER = """\
q1 Q0 a 1 3 t
q1 Q0 b 2 2 t
q2 Q0 a 1 1 t
q3 Q0 c 1 1 t
"""

app = typer.Typer()
app.command()(evaluate)


def run_command(*arguments: str, stdin: str | None = None) -> str:
    """What the command prints; what it raises is raised here, as the main program sees it."""
    result = CliRunner().invoke(app, arguments, input=stdin, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # The main program stops it, if another test ran that in this process.
    monkeypatch.setattr(logging.getLogger("rearank"), "propagate", True)
    for name, text in (("qrels", QRELS), ("bm25.trec", RUN), ("better.trec", BETTER)):
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_the_table_has_a_line_per_run_and_a_column_per_measure() -> None:
    output = run_command("bm25.trec", "better.trec", "--qrels", "qrels", "-m", "RR@10", "-m", "P_1")
    assert output.splitlines() == [
        "run          mrr@10  precision@1",
        "bm25.trec    0.5000       0.3333",
        "better.trec  1.0000       1.0000",
    ]


@pytest.mark.usefixtures("folder")
def test_the_default_measures_are_those_of_the_tracks() -> None:
    header, _ = run_command("bm25.trec", "--qrels", "qrels").splitlines()
    assert header.split() == ["run", "ndcg@10", "map@100", "mrr@10", "recall@100"]


@pytest.mark.usefixtures("folder")
def test_per_query_lists_every_judged_topic_and_the_means_last() -> None:
    output = run_command("better.trec", "--qrels", "qrels", "-m", "mrr", "-m", "recall", "--per-query")
    assert output.splitlines() == [
        "query  run             mrr  recall",
        "q2     better.trec  1.0000  1.0000",
        "q1     better.trec  1.0000  1.0000",
        "q3     better.trec  1.0000  1.0000",
        "all    better.trec  1.0000  1.0000",
    ]


@pytest.mark.usefixtures("folder")
def test_per_query_of_several_runs_lists_gains_and_losses_the_greatest_gain_first() -> None:
    Path("worse.trec").write_text(RUN.replace("q2 Q0 a", "q2 Q0 x"))
    runs = ["bm25.trec", "better.trec", "worse.trec"]
    output = run_command(*runs, "--qrels", "qrels", "-m", "mrr", "-m", "P@2", "--per-query")
    assert output.splitlines() == [
        "query  measure      bm25.trec  better.trec   change  worse.trec   change",
        "q3     mrr             0.0000       1.0000  +1.0000      0.0000   0.0000",
        "q1     mrr             0.5000       1.0000  +0.5000      0.5000   0.0000",
        "q2     mrr             1.0000       1.0000   0.0000      0.0000  -1.0000",
        "all    mrr             0.5000       1.0000  +0.5000      0.1667  -0.3333",
        "q1     precision@2     0.5000       1.0000  +0.5000      0.5000   0.0000",
        "q3     precision@2     0.0000       0.5000  +0.5000      0.0000   0.0000",
        "q2     precision@2     0.5000       0.5000   0.0000      0.0000  -0.5000",
        "all    precision@2     0.3333       0.6667  +0.3333      0.1667  -0.1667",
    ]


@pytest.mark.usefixtures("folder")
def test_json_has_the_same_numbers_unrounded() -> None:
    arguments = ["./bm25.trec", "--qrels", "qrels", "-m", "recall", "-m", "mrr", "--format", "json"]

    assert json.loads(run_command(*arguments)) == {
        "qrels": "qrels",
        "topics": 3,
        "measures": ["recall", "mrr"],
        "runs": [{"run": "bm25.trec", "path": "./bm25.trec", "mean": {"recall": 1.5 / 3, "mrr": 1.5 / 3}}],
    }
    (run,) = json.loads(run_command(*arguments, "--per-query"))["runs"]
    assert run["queries"] == {
        "q2": {"recall": 1.0, "mrr": 1.0},
        "q1": {"recall": 0.5, "mrr": 0.5},
        "q3": {"recall": 0.0, "mrr": 0.0},
    }


@pytest.mark.usefixtures("folder")
def test_topics_that_differ_are_counted_in_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    run_command("bm25.trec", "better.trec", "--qrels", "qrels", "-m", "mrr")
    assert caplog.messages == [
        "bm25.trec lacks 1 of the 3 judged topics (counted as 0) and has 1 unjudged topic (not counted)"
    ]
    assert caplog.records[0].levelno == logging.WARNING
    assert caplog.records[0].name == "rearank"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bm25.trec"], "either --qrels or --dataset"),
        (["bm25.trec", "--qrels", "qrels", "--dataset", "vaswani"], "either --qrels or --dataset"),
        (["-", "-", "--qrels", "qrels"], "only once"),
        (["-", "--qrels", "-"], "only once"),
        (["missing.trec", "--qrels", "missing", "-m", "foo"], "'foo' is unknown"),
        (["missing.trec", "--qrels", "missing", "--cutoff", "0"], "cutoff 0 cannot be"),
        (["missing.trec", "--qrels", "missing", "--level", "0"], "level 0 cannot be"),
        (["missing.trec", "--qrels", "missing", "--track", "dl-2019"], "did you mean dl-2019-"),
        (["missing.trec", "--qrels", "missing", "--compare", "student"], "needs two runs or more"),
        (["a", "b", "--qrels", "missing", "--compare", "student", "--alpha", "1"], "alpha 1 cannot be"),
        (["a", "b", "--qrels", "missing", "--compare", "fisher", "--seed", "-1"], "seed -1 cannot be"),
        (
            ["a", "b", "--qrels", "q", "--compare", "student", "--per-query", "--format", "csv"],
            "give either --compare or --per-query",
        ),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_read(arguments: list[str], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        run_command(*arguments)


@pytest.mark.usefixtures("folder")
def test_runs_of_another_collection_are_an_input_error() -> None:
    Path("other.trec").write_text("q8 Q0 a 1 1 t\n")
    with pytest.raises(InputError, match=r"other\.trec and qrels have no topic in common"):
        run_command("bm25.trec", "other.trec", "--qrels", "qrels")


class Dataset:
    """A dataset whose judgments exclude a document."""

    name = "bright/toy"

    def __init__(self, qrels: Qrels | None) -> None:
        self.judgments = qrels

    def qrels(self) -> Qrels | None:
        return self.judgments

    def excluded(self) -> Mapping[str, Collection[str]]:
        return {"q1": {"x"}}


@pytest.mark.usefixtures("folder")
def test_documents_that_the_dataset_excludes_are_removed_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    judged = {"q1": {"a": 1}, "q2": {"a": 1}, "q8": {"a": 1}}
    monkeypatch.setattr("rearank_cli.corpus.judgments.IrdsCorpus", lambda dataset: Dataset(judged))

    output = run_command("bm25.trec", "--dataset", "bright/toy", "-m", "mrr")

    assert output.splitlines()[1].split() == ["bm25.trec", "1.0000"]
    assert caplog.messages == ["bm25.trec: documents removed because the judgments exclude them: 1"]


@pytest.mark.usefixtures("folder")
def test_a_dataset_without_judgments_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rearank_cli.corpus.judgments.IrdsCorpus", lambda dataset: Dataset(None))
    with pytest.raises(InputError, match="bright/toy has no judgments; give them with --qrels"):
        run_command("bm25.trec", "--dataset", "bright/toy")


@pytest.mark.usefixtures("folder")
def test_runs_are_compared_with_the_first() -> None:
    output = run_command("bm25.trec", "better.trec", "--qrels", "qrels", "-m", "mrr", "--compare", "student")
    assert output.splitlines() == [
        "run             mrr",
        "bm25.trec    0.5000",
        "better.trec  1.0000",
        "",
        "Compared with bm25.trec over 3 topics: paired Student's t-test, two-sided.",
        "p-holm: Holm's correction of p for the one run compared; "
        "low and high: the 95 % confidence interval (paired t).",
        "",
        "measure  run           change      low     high       p  p-holm  gains  losses  unchanged",
        "mrr      better.trec  +0.5000  -0.7421  +1.7421  0.2254  0.2254      2       0          1",
    ]


@pytest.mark.usefixtures("folder")
def test_runs_of_one_name_are_told_apart_by_their_paths() -> None:
    for system, text in (("one", RUN), ("two", BETTER)):
        Path(system).mkdir()
        Path(system, "run.trec").write_text(text)
    arguments = ["one/run.trec", "two/run.trec", "--qrels", "qrels", "-m", "mrr", "--compare", "fisher"]
    output = run_command(*arguments)
    assert "Compared with one/run.trec over 3 topics" in output
    assert output.splitlines()[-1].split()[:3] == ["mrr", "two/run.trec", "+0.5000"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("output_format", ["table", "json", "csv", "markdown", "latex"])
def test_the_same_command_prints_the_same_bytes(output_format: str) -> None:
    arguments = ["bm25.trec", "better.trec", "--qrels", "qrels", "--compare", "fisher", "--seed", "3"]
    first, second = (run_command(*arguments, "--format", output_format) for _ in range(2))
    assert first == second
    assert first.count("recall@100") >= 1 or "Recall@100" in first


@pytest.mark.usefixtures("folder")
def test_a_track_chooses_measures_and_level_and_options_win_over_it() -> None:
    def header(*options: str) -> list[str]:
        return run_command("bm25.trec", "--qrels", "qrels", *options).splitlines()[0].split()[1:]

    passages = ["--track", "dl-2019-passage"]
    assert header(*passages) == ["ndcg@10", "mrr-l2", "map-l2"]
    assert header("--track", "dl-2019-document") == ["ndcg@10", "mrr", "map"]
    assert header(*passages, "--level", "1") == ["ndcg@10", "mrr", "map"]
    assert header(*passages, "-m", "P@5", "-m", "map-l1") == ["precision@5-l2", "map"]
    assert header("-m", "P@5", "-m", "map-l1", "--level", "2") == ["precision@5-l2", "map"]


@pytest.mark.usefixtures("folder")
def test_documents_beyond_the_cutoff_do_not_count() -> None:
    output = run_command("bm25.trec", "--qrels", "qrels", "-m", "mrr", "-m", "recall@100", "--cutoff", "1")
    assert output.splitlines()[1].split() == ["bm25.trec", "0.3333", "0.3333"]


@pytest.mark.usefixtures("folder")
def test_a_comparison_of_one_topic_warns_that_it_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    Path("one.qrels").write_text("q1 0 a 1\n")
    output = run_command("bm25.trec", "better.trec", "--qrels", "one.qrels", "--compare", "tukey")
    assert "nan" not in output
    assert any("only one topic is judged" in message for message in caplog.messages)


PROGRAM = """\
import sys
import typer
from rearank_cli.commands.evaluate import evaluate
heavy = {"ranx", "numba", "ir_datasets"} & set(sys.modules)
assert not heavy, heavy
typer.run(evaluate)
"""


def run_process(
    arguments: list[str], environment: Mapping[str, str], stdin: str = "", program: str = PROGRAM
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        input=stdin,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )


def test_a_run_is_read_from_standard_input_and_the_home_is_left_alone(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IR_DATASETS")}
    result = run_process(
        ["-", "--qrels", "qrels", "-m", "mrr"], environment | {"HOME": str(home)}, stdin=BETTER
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["run     mrr", "-    1.0000"]
    assert list(home.iterdir()) == []


def test_statistics_are_imported_only_where_runs_are_compared(folder: Path) -> None:
    program = """\
import sys, typer
from rearank_cli.commands.evaluate import evaluate
app = typer.Typer()
app.command()(evaluate)
app(standalone_mode=False)
print("scipy.stats" in sys.modules)
"""
    runs = ["bm25.trec", "better.trec", "--qrels", "qrels"]
    assert run_process(runs, os.environ, program=program).stdout.splitlines()[-1] == "False"
    compared = run_process([*runs, "--compare", "student"], os.environ, program=program)
    assert compared.stdout.splitlines()[-1] == "True"


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the checkout")
def test_bm25_on_trec_dl_2019_has_ndcg_0_5058() -> None:
    output = run_command(
        str(SHARED / "data/runs/dl19.bm25.trec.gz"),
        "--qrels",
        str(SHARED / "data/ir_datasets/msmarco-passage/trec-dl-2019/qrels"),
    )
    assert output.splitlines()[1].split()[:2] == ["dl19.bm25.trec.gz", "0.5058"]


@pytest.mark.shared
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not beside the checkout")
def test_a_dataset_of_ir_datasets_brings_its_judgments(tmp_path: Path) -> None:
    shutil.copytree(SHARED / "data/ir_datasets/beir", tmp_path / "beir")
    result = run_process(
        [str(SHARED / "data/runs/nfcorpus.bm25.trec.gz"), "--dataset", "beir/nfcorpus/test", "-m", "ndcg@10"],
        os.environ | {"IR_DATASETS_HOME": str(tmp_path), "IR_DATASETS_SKIP_DISK_FREE": "true"},
    )
    assert "lacks 15 of the 323 judged topics (counted as 0)" in result.stderr
    assert result.stdout.splitlines()[1].split() == ["nfcorpus.bm25.trec.gz", "0.3175"]
