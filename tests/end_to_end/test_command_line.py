"""The command as a new user meets it: the example, and what is said when something is wrong."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.end_to_end.conftest import Command, fails

RUN = "q1 Q0 bee-001 1 3.0 bm25\nq1 Q0 bee-002 2 2.0 bm25\nq1 Q0 bee-003 3 1.0 bm25\n"


def test_the_example_is_complete(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "run.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "ndcg@10" in done.stderr
    before = [line.split() for line in (bees / "run.trec").read_text().splitlines()]
    after = [line.split() for line in (bees / "run.rearank.trec").read_text().splitlines()]
    assert sorted(line[:1] + line[2:3] for line in after) == sorted(line[:1] + line[2:3] for line in before)
    assert [line[2] for line in after] != [line[2] for line in before]
    assert {line[5] for line in after} == {"rearank"}
    kinds = [orjson.loads(line)["type"] for line in (bees / "run.rearank.jsonl").open("rb")]
    assert kinds[0] == "attempt"
    assert set(kinds[1:]) == {"call"}


def test_the_same_command_gives_the_same_bytes(rearank: Command, bees: Path) -> None:
    first = rearank("rerank", "run.trec", "-o", "first.trec", cwd=bees)
    second = rearank("rerank", "run.trec", "-o", "second.trec.gz", "--in-flight", "1", cwd=bees)
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    unzipped = subprocess.run(["gzip", "-dc", bees / "second.trec.gz"], capture_output=True).stdout
    assert unzipped == (bees / "first.trec").read_bytes()
    assert (bees / "second.jsonl").is_file()


def test_standard_input_to_standard_output(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "-", cwd=bees, stdin=RUN)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert sorted(line.split()[2] for line in done.stdout.splitlines()) == ["bee-001", "bee-002", "bee-003"]
    assert [path.name for path in bees.glob("*.jsonl")] == ["docs.jsonl"]
    assert "wrote" not in done.stderr


@pytest.mark.parametrize(("run", "output"), [("-", "-"), ("run.trec", "other/run.trec")])
def test_what_has_one_name_before_and_after_is_measured_twice(
    rearank: Command, bees: Path, run: str, output: str
) -> None:
    (bees / "other").mkdir()
    done = rearank("rerank", run, "-o", output, cwd=bees, stdin=(bees / "run.trec").read_text())
    assert done.returncode == 0, done.stderr
    before, after = (line.split() for line in done.stderr.splitlines()[-2:])
    assert (before[:2], after[:2]) == (["before", "0.5011"], ["after", "0.4959"])


def test_what_lies_in_the_folder_does_not_disturb_the_evaluation(bees: Path) -> None:
    (bees / "statistics.py").write_text("raise SystemExit('imported')")
    (bees / "run.trec").rename(bees / "qrels")
    # As the installed command: without the current folder among the modules.
    command = [sys.executable, "-P", "-m", "rearank_cli", "rerank", "qrels"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=bees, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-2].split()[:2] == ["qrels", "0.5011"]


def test_an_evaluation_that_cannot_be_run_is_a_warning(rearank: Command, bees: Path) -> None:
    full = {"TMPDIR": "/dev/null", "TMP": "/dev/null", "TEMP": "/dev/null", "PYTHONPATH": str(bees / "path")}
    (bees / "path").mkdir()
    # Wherever temporary folders are made: there is no room.
    (bees / "path" / "sitecustomize.py").write_text(
        "import tempfile\n"
        "def mkdtemp(*_, **__): raise OSError(28, 'No space left on device')\n"
        "tempfile.mkdtemp = mkdtemp\n"
    )
    done = rearank("rerank", "run.trec", cwd=bees, environment=full)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "rearank: warning: no evaluation: the evaluation cannot be run: No space left on device"
    )


@pytest.mark.parametrize("redirected", [">/dev/full", ">&-"])
@pytest.mark.parametrize(
    "command", ["evaluate run.trec", "families", "--version", "--help", "retrieve -q", "rerank run.trec -o -"]
)
def test_an_output_that_cannot_be_written_is_told(bees: Path, command: str, redirected: str) -> None:
    script = f"{sys.executable} -m rearank_cli {command} {redirected}"
    done = subprocess.run(script, shell=True, cwd=bees, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 6
    assert done.stderr.splitlines()[-1].startswith("rearank: standard output cannot be written: ")


def test_several_runs_go_to_a_folder(rearank: Command, bees: Path) -> None:
    (bees / "other.trec").write_text(RUN)
    done = rearank("rerank", "run.trec", "other.trec", "-o", "out", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (bees / "out").iterdir()) == [
        "other.rearank.jsonl",
        "other.rearank.trec",
        "run.rearank.jsonl",
        "run.rearank.trec",
    ]


def test_evaluation_of_some_queries_is_over_those(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "run.trec", "--query", "q3", "--query", "q5", cwd=bees)
    assert done.returncode == 0, done.stderr
    qrels = [
        line for line in (bees / "qrels.trec").read_text().splitlines() if line.split()[0] in {"q3", "q5"}
    ]
    (bees / "two.qrels").write_text("\n".join(qrels) + "\n")
    alone = rearank("evaluate", "run.rearank.trec", "--qrels", "two.qrels", cwd=bees)
    assert alone.stdout.splitlines()[-1].split()[1:] == done.stderr.splitlines()[-1].split()[1:]


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (RUN.replace("2.0", "nan"), "bad.trec:2: the score 'nan' is not a finite number"),
        (
            RUN.replace("bee-002", "bee-001"),
            "bad.trec:2: document bee-001 is in the ranking of query q1 already",
        ),
        (RUN.replace(" 2.0", ""), "bad.trec:2: found 5 fields, expected six"),
        (None, "bad.trec: no such file"),
        ("", "bad.trec: no run in it"),
        (RUN.replace("bee-002", "wasp-7"), "documents: wasp-7 of the run is not in"),
        (RUN.replace("q1", "q99"), "q99 of the run is not in"),
    ],
)
def test_a_bad_run_is_told_in_a_sentence(
    rearank: Command, bees: Path, run: str | None, expected: str
) -> None:
    if run is not None:
        (bees / "bad.trec").write_text(run)
    fails(rearank("rerank", "bad.trec", cwd=bees), 3, expected, bees)


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        (["--engine", "vllm", "-m", "my/model"], 2, "no family lists the model 'my/model'"),
        (["--family", "rerank"], 2, "unknown family 'rerank'; did you mean rearank?"),
        (["--method", "sliding-windows"], 2, "unknown method"),
        (["--engine", "lexicon"], 2, "lexicon"),
        (["--window", "0"], 2, "--window is 0"),
        (["--window", "5"], 2, "--step 10 is larger than --window 5"),
        (["--window", "many"], 2, "--window"),
        (["--set", "cut"], 2, "--set cut: give it as KEY=VALUE"),
        (["--set", "cut=long"], 2, "setting cut"),
        (["--set", "length=3"], 2, "family rearank has no setting length"),
        (["--max-failed", "2"], 2, "--max-failed is 2.0, and is a fraction"),
        (["--query", "q77"], 3, "run.trec has no query q77"),
        (["--tag", "my run"], 2, "the run tag 'my run'"),
        (["-o", "nowhere/run.trec"], 6, "nowhere"),
        (["--dataset", "beir/nfcorpus/test", "--docs", "docs.jsonl"], 2, "--dataset and --docs"),
        (["--nonsense"], 2, "--nonsense"),
    ],
)
def test_a_bad_option_is_told_in_a_sentence(
    rearank: Command, bees: Path, options: list[str], status: int, expected: str
) -> None:
    fails(rearank("rerank", "run.trec", *options, cwd=bees), status, expected, bees)


def test_an_unknown_dataset_is_told_in_a_sentence(rearank: Command, bees: Path) -> None:
    options = [
        "--dataset",
        "msmarco-passage/trec-dl-2019/judge",
        "--config",
        "/dev/null",
        "--engine",
        "lexical",
    ]
    expected = "trec-dl-2019/judge'; did you mean 'msmarco-passage/trec-dl-2019/judged'"
    fails(rearank("rerank", "run.trec", *options, cwd=bees), 3, expected, bees)


def test_files_that_need_a_network_are_told_in_a_sentence(rearank: Command, bees: Path) -> None:
    options = ["--dataset", "vaswani", "--config", "/dev/null", "--engine", "lexical"]
    fails(rearank("rerank", "run.trec", *options, cwd=bees), 3, "vaswani: its queries cannot be had", bees)


@pytest.mark.parametrize("existing", ["run.rearank.trec", "run.rearank.jsonl"])
def test_existing_outputs_are_not_overwritten_unasked(rearank: Command, bees: Path, existing: str) -> None:
    (bees / existing).write_text("precious")
    done = rearank("rerank", "run.trec", cwd=bees)
    assert done.returncode == 2
    assert f"{existing} exists already; give --resume" in done.stderr
    assert (bees / existing).read_text() == "precious"
    assert len(list(bees.glob("run.rearank.*"))) == 1
    assert rearank("rerank", "run.trec", "--overwrite", cwd=bees).returncode == 0


def test_a_model_without_weights_is_told_in_a_sentence(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "run.trec", "--engine", "vllm", cwd=bees)
    fails(done, 4, "--engine lexical", bees)
    assert "--engine openai" in done.stderr
    assert "rearank[vllm]" in done.stderr


def test_judgments_that_cannot_be_had_are_a_warning(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "run.trec", "--qrels", "none.qrels", cwd=bees)
    assert done.returncode == 0
    assert "warning: no evaluation: none.qrels: no such file" in done.stderr
    assert (bees / "run.rearank.trec").is_file()


def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "rearank_cli", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "rerank" in done.stdout
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"vllm", "torch", "transformers", "ranx", "numba", "numpy", "pandas", "ir_datasets"}


def test_reranking_without_a_model_imports_neither_vllm_nor_ranx(bees: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "rearank_cli", "rerank", "run.trec"],
        cwd=bees,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert not imported & {"vllm", "torch", "ranx", "numba", "ir_datasets"}


def test_a_closed_pipe_is_no_error_message(bees: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "rearank_cli", "families", "rearank"]
    done = subprocess.run(command, cwd=bees, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_family_shows_what_it_sends(rearank: Command, tmp_path: Path) -> None:
    listed = rearank("families", cwd=tmp_path)
    named = [line.split()[0] for line in listed.stdout.splitlines()]
    assert named == sorted(named)
    assert {"rankgpt", "rearank", "reasonrank", "rank1"} <= {*named}
    shown = rearank("families", "rearank", cwd=tmp_path)
    assert "You are DeepRerank" in shown.stdout
    assert "le723z/Rearank-7B" in shown.stdout


def test_the_example_is_not_written_over_a_folder_in_use(rearank: Command, bees: Path) -> None:
    done = rearank("example", bees, cwd=bees)
    assert done.returncode == 6
    assert "is not empty" in done.stderr
