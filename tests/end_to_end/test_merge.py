"""A job array as a user runs it: shards, then one run and one trace file, as a single job writes them."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

from rearank_cli.__main__ import run
from tests.end_to_end.conftest import Command
from tests.reranking.test_order import register_with_exclusions

POINTWISE = ["--method", "pointwise", "--family", "qwen3-reranker", "--scores", "model"]


def in_shards(rearank: Command, folder: Path, total: int, *options: str | Path) -> list[str]:
    """Rerank the example in so many shards; the files they wrote, as a shell sorts their names."""
    for number in range(1, total + 1):
        done = rearank("rerank", "run.trec", "--shard", f"{number}/{total}", "-q", *options, cwd=folder)
        assert done.returncode == 0, done.stderr
    return sorted(path.name for path in folder.glob(f"run.rearank.*-of-{total}.trec*"))


def bees_in_parts(folder: Path) -> list[str]:
    """The example's run dealt out to two files, without asking any judge."""
    for number in (0, 1):
        lines = [line for line in (folder / "run.trec").open() if int(line.split()[0][1:]) % 2 == number]
        (folder / f"part-{number}.trec").write_text("".join(lines))
    return ["part-0.trec", "part-1.trec"]


@pytest.mark.parametrize(
    ("total", "options"), [(4, []), (3, POINTWISE), (13, ["--tag", "mine"])], ids=["4", "scores", "13"]
)
def test_shards_make_the_run_that_one_job_writes(
    rearank: Command, bees: Path, total: int, options: list[str]
) -> None:
    whole = rearank("rerank", "run.trec", "-o", "whole.trec", "-q", *options, cwd=bees)
    assert whole.returncode == 0, whole.stderr
    parts = in_shards(rearank, bees, total, *options)
    assert len(parts) == total
    done = rearank("merge", *parts, "--run", "run.trec", "-o", "run.rearank.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert done.stderr == f"rearank: wrote run.rearank.trec: 12 queries of {total} parts\n"
    assert (bees / "run.rearank.trec").read_bytes() == (bees / "whole.trec").read_bytes()
    scores = {line.split()[4] for line in (bees / "whole.trec").open()}
    assert any("." in score for score in scores) == ("model" in options)


def test_traces_of_shards_are_one_trace_file_when_put_together(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", "-o", "whole.trec", "-q", cwd=bees).returncode == 0
    in_shards(rearank, bees, 4)
    shards = sorted(bees.glob("run.rearank.*-of-4.jsonl"))
    (bees / "run.rearank.jsonl").write_bytes(b"".join(path.read_bytes() for path in shards))
    replayed = rearank("rerank", "run.trec", "--engine", "replay", "-o", "replayed.trec", cwd=bees)
    assert replayed.returncode == 0, replayed.stderr
    resumed = rearank("rerank", "run.trec", "--resume", cwd=bees)
    assert "rearank: 0 requests, " in resumed.stderr
    whole = (bees / "whole.trec").read_bytes()
    assert (bees / "replayed.trec").read_bytes() == (bees / "run.rearank.trec").read_bytes() == whole


def test_a_shard_is_resumed_replayed_and_planned_by_its_own_name(rearank: Command, bees: Path) -> None:
    shard = ["rerank", "run.trec", "--shard", "2/4"]
    assert rearank(*shard, cwd=bees).returncode == 0
    names = ["run.rearank.2-of-4.jsonl", "run.rearank.2-of-4.trec"]
    assert sorted(path.name for path in bees.glob("run.rearank*")) == names
    first = (bees / names[1]).read_bytes()
    assert {line.split()[0] for line in first.decode().splitlines()} == {"q2", "q6", "q10"}
    again = rearank(*shard, cwd=bees)
    assert again.returncode == 2
    assert "run.rearank.2-of-4.trec exists already" in again.stderr
    assert "rearank: 0 requests, " in rearank(*shard, "--resume", cwd=bees).stderr
    planned = rearank(*shard, "--dry-run", "--resume", cwd=bees)
    assert "in traces  8 of them already" in planned.stdout
    assert "queries    3\n" in planned.stdout
    replayed = rearank(*shard, "--engine", "replay", "-o", "again.trec.gz", cwd=bees)
    assert replayed.returncode == 0, replayed.stderr
    assert gzip.decompress((bees / "again.2-of-4.trec.gz").read_bytes()) == first


def test_evaluation_of_a_shard_is_over_its_queries(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "run.trec", "--shard", "2/4", cwd=bees)
    judged = [line for line in (bees / "qrels.trec").open() if line.split()[0] in {"q2", "q6", "q10"}]
    (bees / "three.qrels").write_text("".join(judged))
    alone = rearank("evaluate", "run.rearank.2-of-4.trec", "--qrels", "three.qrels", cwd=bees)
    assert alone.stdout.splitlines()[-1] == done.stderr.splitlines()[-1]


def test_a_shard_without_queries_says_so_and_has_nothing_to_evaluate(rearank: Command, bees: Path) -> None:
    done = rearank("rerank", "run.trec", "--shard", "13/13", cwd=bees)
    assert done.returncode == 0
    assert "run.trec: shard 13/13 has no queries; its run is empty" in done.stderr
    assert "evaluation" not in done.stderr
    assert (bees / "run.rearank.13-of-13.trec").read_bytes() == b""


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "2", "a/b"])
def test_a_wrong_shard_is_a_sentence(rearank: Command, bees: Path, wrong: str) -> None:
    done = rearank("rerank", "run.trec", "--shard", wrong, "--grace", "-1", cwd=bees)
    assert done.returncode == 2, done.stderr
    assert f"--shard is {wrong}, and must be I/N" in done.stderr
    assert "--grace is -1 seconds" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(bees.glob("run.rearank*"))


def test_parts_may_be_compressed_and_piped(rearank: Command, bees: Path) -> None:
    even, odd = bees_in_parts(bees)
    subprocess.run(["gzip", odd], cwd=bees, check=True)
    command = ["merge", "-", f"{odd}.gz", "--run", "run.trec", "-o", "-"]
    done = rearank(*command, cwd=bees, stdin=(bees / even).read_text())
    assert done.returncode == 0, done.stderr
    assert rearank("merge", even, f"{odd}.gz", "--run", "run.trec", "-o", "out.gz", cwd=bees).returncode == 0
    assert gzip.decompress((bees / "out.gz").read_bytes()).decode() == done.stdout
    order = [line.split()[0] for line in (bees / "run.trec").open()]
    assert [line.split()[0] for line in done.stdout.splitlines()] == order


@pytest.mark.parametrize(
    ("arguments", "status", "expected"),
    [
        (["part-0.trec", "-o", "new.trec"], 3,
         "no part has queries q1, q3, q5 and 3 more of run.trec (6 of 12)"),
        (["part-0.trec", "part-1.trec", "run.rearank.trec", "-o", "new.trec"], 3,
         "part-1.trec and run.rearank.trec both have"),
        (["none.trec", "-o", "new.trec"], 3, "none.trec: no such file"),
        (["part-0.trec", "./part-0.trec", "-o", "new.trec"], 2, "./part-0.trec is given twice"),
        (["run.trec", "-o", "new.trec"], 2, "run.trec is given twice"),
        (["part-0.trec", "part-1.trec", "-o", "run.rearank.trec"], 2,
         "run.rearank.trec exists already; give --overwrite to replace it"),
        (["part-0.trec", "part-1.trec", "-o", "part-1.trec", "--overwrite"], 2,
         "part-1.trec is one of the inputs"),
        (["part-0.trec", "part-1.trec", "-o", "no/new.trec"], 6, "the folder no for new.trec does not exist"),
        (["-", "-", "-o", "new.trec"], 2, "standard input (-) can be read only once"),
        (["part-0.trec", "part-1.trec", "-o", "new.trec", "--tag", "my run"], 2, "the run tag 'my run'"),
        (["part-0.trec", "part-1.trec"], 2, "'--output'"),
    ],
)  # fmt: skip
def test_what_cannot_be_merged_is_told_in_a_sentence(
    rearank: Command, bees: Path, arguments: list[str], status: int, expected: str
) -> None:
    bees_in_parts(bees)
    (bees / "run.rearank.trec").write_bytes((bees / "run.trec").read_bytes())
    before = {path: path.read_bytes() for path in bees.iterdir()}
    done = rearank("merge", *arguments, "--run", "run.trec", cwd=bees)
    assert done.returncode == status, done.stderr
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert {path: path.read_bytes() for path in bees.iterdir()} == before


def test_an_existing_run_is_overwritten_only_when_asked_to(rearank: Command, bees: Path) -> None:
    (bees / "new.trec").write_text("old\n")
    command = ["merge", *bees_in_parts(bees), "--run", "run.trec", "-o", "new.trec", "--overwrite", "--quiet"]
    done = rearank(*command, cwd=bees)
    assert (done.returncode, done.stderr) == (0, "")
    assert len((bees / "new.trec").read_text().splitlines()) == len(
        (bees / "run.trec").read_text().splitlines()
    )


def test_documents_that_a_dataset_excludes_may_be_missing(tmp_path: Path, monkeypatch, capsys) -> None:
    dataset = register_with_exclusions(tmp_path, excluded={"q1": ["d001", "d002"]})
    monkeypatch.chdir(tmp_path)
    Path("run.trec").write_text("".join(f"{q} Q0 d00{n} 1 {n} t\n" for q in ("q1", "q2") for n in range(4)))
    Path("1.trec").write_text("q1 Q0 d000 1 2 new\nq1 Q0 d003 2 1 new\n")
    Path("2.trec").write_text("".join(f"q2 Q0 d00{n} {n + 1} {4 - n} new\n" for n in range(4)))
    command = ["merge", "1.trec", "2.trec", "--run", "run.trec", "-o", "new.trec"]
    assert run(command) == 3
    assert (
        "run.trec are lost: d001 of query q1 in 1.trec, d002 of query q1 in 1.trec" in capsys.readouterr().err
    )
    assert run([*command, "--dataset", dataset]) == 0
    assert Path("new.trec").read_text() == Path("1.trec").read_text() + Path("2.trec").read_text()


def test_options_can_stand_in_the_configuration(rearank: Command, bees: Path) -> None:
    (bees / "rearank.toml").write_text('[merge]\nrun = "run.trec"\noutput = "new.trec"\ntag = "file"\n')
    inner = bees / "inner"
    inner.mkdir()
    done = rearank("merge", *[Path("..", part) for part in bees_in_parts(bees)], cwd=inner)
    assert done.returncode == 0, done.stderr
    assert (bees / "new.trec").read_text().splitlines()[0].endswith(" file")


def test_help_and_merging_import_nothing_heavy(bees: Path) -> None:
    merging = [*bees_in_parts(bees), "--run", "run.trec", "-o", "new.trec"]
    for arguments in (["--help"], merging):
        command = [sys.executable, "-X", "importtime", "-m", "rearank_cli", "merge", *arguments]
        done = subprocess.run(command, cwd=bees, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
        assert not imported & {"vllm", "torch", "ranx", "numba", "numpy", "pandas", "ir_datasets"}
