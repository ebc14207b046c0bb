"""A first stage as a user gets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import rearank_cli
from rearank_cli.__main__ import run
from rearank_cli.trec import read_run
from tests.end_to_end.conftest import Command, Refused

NFCORPUS = ["--dataset", "beir/nfcorpus/test"]
EXAMPLE = Path(rearank_cli.__file__).parent / "example"
BEES = ["--docs", "docs.jsonl", "--queries", "queries.tsv"]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.shared
def test_nfcorpus_is_retrieved_as_well_as_by_lucene(
    rearank: Command, tmp_path: Path, irds_home: Path, shared: Path
) -> None:
    done = rearank("retrieve", *NFCORPUS, "-o", "bm25.trec", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"indexing beir/nfcorpus/test into {tmp_path}/cache/rearank/bm25/" in done.stderr
    assert "indexed 3,633 documents in " in done.stderr
    assert done.stderr.endswith(
        "rearank: warning: 15 of 323 queries share no word with any document: they are not in the run\n"
        "rearank: wrote bm25.trec: 308 queries, 21,998 documents\n"
    )
    evaluated = rearank("evaluate", "bm25.trec", *NFCORPUS, "--format", "json", cwd=tmp_path)
    result = json.loads(evaluated.stdout)
    assert result["topics"] == 323
    assert result["runs"][0]["mean"]["ndcg@10"] == pytest.approx(0.32, abs=0.01)

    # A run of Lucene's: nearly the same documents.
    lucene = read_run(shared / "data" / "runs" / "nfcorpus.bm25.trec.gz")
    ours = read_run(tmp_path / "bm25.trec")
    assert list(ours) == list(lucene)
    for depth, least in ((10, 0.95), (100, 0.97)):
        same = [
            len({each.doc_id for each in ours.ranked(query_id).head(depth)}.intersection(expected))
            / len(expected)
            for query_id in lucene
            if (expected := lucene.ranked(query_id).doc_ids()[:depth])
        ]
        assert sum(same) / len(same) > least

    again = rearank("retrieve", *NFCORPUS, "-o", "again.trec", cwd=tmp_path)
    assert "index" not in again.stderr
    assert (tmp_path / "again.trec").read_bytes() == (tmp_path / "bm25.trec").read_bytes()


def test_the_example_collection_can_be_searched(rearank: Command, bees: Path) -> None:
    done = rearank("retrieve", *BEES, "-k", "5", "--tag", "mine", cwd=bees)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert len(lines) == 12 * 5
    assert lines[0][:4] == ["q1", "Q0", "bee-098", "1"]
    assert {line[5] for line in lines} == {"mine"}
    assert done.stderr.endswith("rearank: 12 queries, 60 documents\n")
    assert rearank("evaluate", "-", stdin=done.stdout, cwd=bees).returncode == 0


@pytest.mark.parametrize(
    ("choice", "queries"),
    [(["--limit", "2"], ["q1", "q2"]), (["--query", "q7", "--query", "q3"], ["q3", "q7"])],
)
def test_queries_can_be_chosen(collection: Path, choice: list[str], queries: list[str]) -> None:
    assert run(["retrieve", *BEES, *choice, "-o", "some.trec"]) == 0
    assert list(read_run(collection / "some.trec")) == queries


def test_k1_and_b_change_the_scores(collection: Path) -> None:
    for number, options in enumerate([[], ["--k1", "2"], ["--b", "1"]]):
        assert run(["retrieve", *BEES, *options, "-o", f"{number}.trec"]) == 0
    assert len({(collection / f"{number}.trec").read_text() for number in range(3)}) == 3


def test_quiet_says_nothing(collection: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["retrieve", *BEES, "-o", "run.trec", "--overwrite", "-q"]) == 0
    assert capfd.readouterr() == ("", "")


def test_options_can_stand_in_the_configuration(rearank: Command, bees: Path) -> None:
    with (bees / "rearank.toml").open("a") as file:
        file.write('[retrieve]\ndocs = "docs.jsonl"\nqueries = "queries.tsv"\ndepth = 3\n')
    done = rearank("retrieve", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 36


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ([], 2, "no texts to rank; give --dataset ID, or --docs PATH with --queries PATH"),
        (["--dataset", "beir/nfcorpus/tset"], 3, "unknown dataset 'beir/nfcorpus/tset'"),
        ([*BEES, "-o", "run.trec"], 2, "run.trec exists already; give --overwrite"),
        ([*BEES, "-o", "no/run.trec"], 6, "the folder no for run.trec does not exist"),
        ([*BEES, "--query", "q99"], 3, "docs.jsonl has no query q99"),
        ([*BEES, "--tag", "two words"], 2, "the run tag 'two words'"),
        ([*BEES, "--index", "."], 2, "is the current folder, which cannot be replaced; name a folder in it"),
        ([*BEES, "--index", "run.trec"], 2, "run.trec is no whole index of rearank"),
        (["--docs", "-", "--queries", "-"], 2, "standard input (-) can be read only once"),
        (
            ["--docs", "-", "--queries", "queries.tsv", "--index", "new"],
            2,
            "the index of standard input cannot be kept in new, as only documents in a file",
        ),
        ([*BEES, "--b", "1.5"], 2, "--b"),
        ([*BEES, "-k", "0"], 2, "-k"),
        (["--docs", "run.trec", "--queries", "queries.tsv"], 3, "run.trec:1: found 1 tab-separated fields"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    refused: Refused, options: list[str], status: int, message: str
) -> None:
    refused(["retrieve", *options], status, message)


def test_a_reader_that_leaves_ends_it_quietly(bees: Path) -> None:
    command = (
        f"{sys.executable} -m rearank_cli retrieve {' '.join(BEES)} -q | head -1; echo ${{PIPESTATUS[0]}}"
    )
    done = subprocess.run(["bash", "-c", command], cwd=bees, capture_output=True, text=True, check=True)
    first, status = done.stdout.splitlines()
    assert first.startswith("q1 Q0 bee-098 1 ")
    assert status in ("0", "141")  # 0 where all of it went into the pipe before the reader left
    assert done.stderr == ""
