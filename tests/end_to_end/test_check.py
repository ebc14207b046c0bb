"""`rearank check` as someone who is about to submit runs it."""

import gzip
import shutil
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Command

RUN = "q1 Q0 bee-001 1 3 bm25\nq1 Q0 bee-002 2 2 bm25\nq2 Q0 bee-001 1 1 bm25\n"
TOPICS = "q1\twhere do bees sleep\nq2\thow far do bees fly\n"
ACCEPTED = "rearank: run.trec: accepted: 2 topics, 3 documents, tag bm25\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "topics.tsv").write_text(TOPICS)
    (tmp_path / "docs.tsv").write_text("bee-001\tBees sleep.\nbee-002\tBees fly.\n")
    return tmp_path


@pytest.mark.parametrize(
    ("run", "options", "status", "found", "summary"),
    [
        pytest.param(RUN, [], 0, "", ACCEPTED, id="sound"),
        pytest.param(RUN, ["--queries", "topics.tsv"], 0, "", ACCEPTED, id="every topic"),
        pytest.param(RUN, ["--queries", "topics.tsv", "--docs", "docs.tsv"], 0, "", ACCEPTED, id="all known"),
        pytest.param(RUN, ["--track", "trec-covid"], 0, "", ACCEPTED, id="a track"),
        pytest.param(RUN, ["--quiet"], 0, "", "", id="quiet"),
        pytest.param(
            RUN.replace("bm25", "my.own.bm25.run"),
            [],
            0,
            "run.trec:1: warning: the tag 'my.own.bm25.run' does not match [A-Za-z0-9_-]{1,12}: "
            "some tracks refuse it\n",
            "rearank: run.trec: accepted with 1 warning: 2 topics, 3 documents, tag my.own.bm25.run\n",
            id="a warning",
        ),
        pytest.param(
            RUN.replace("bm25", "my.own.bm25.run"),
            ["--track", "dl-2022-passage", "--quiet"],
            3,
            "run.trec:1: the tag 'my.own.bm25.run' does not match [A-Za-z0-9_-]{1,25} "
            "(the check script of TREC 2022 Deep Learning, passages)\n"
            "run.trec:1: the document id 'bee-001' does not match msmarco_passage_[0-9]{2}_[0-9]+ "
            "(the check script of TREC 2022 Deep Learning, passages)\n"
            "run.trec:2: the document id 'bee-002' does not match msmarco_passage_[0-9]{2}_[0-9]+ "
            "(the check script of TREC 2022 Deep Learning, passages)\n"
            "run.trec:3: the document id 'bee-001' does not match msmarco_passage_[0-9]{2}_[0-9]+ "
            "(the check script of TREC 2022 Deep Learning, passages)\n",
            "",
            id="a track refuses",
        ),
        pytest.param(
            RUN.replace("q2", "q7").replace("bee-002", "wasp").replace(" 3 ", " three ") + "q7\n",
            ["--queries", "topics.tsv", "--docs", "docs.tsv"],
            3,
            "run.trec:1: the score 'three' is not a finite number\n"
            "run.trec:2: document wasp is not in docs.tsv\n"
            "run.trec:3: topic q7 is unknown\n"
            "run.trec:4: found 1 fields, expected six: query Q0 document rank score tag\n"
            "run.trec: 1 of 2 topics have no documents: q2\n",
            "rearank: run.trec: 5 problems; it would be refused\n",
            id="all problems at once",
        ),
    ],
)
def test_a_run_is_judged(
    rearank: Command, folder: Path, run: str, options: list[str], status: int, found: str, summary: str
) -> None:
    (folder / "run.trec").write_text(run)
    done = rearank("check", "run.trec", *options, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (status, found, summary)


def test_what_rerank_writes_is_accepted(rearank: Command, bees: Path) -> None:
    assert rearank("rerank", "run.trec", "-o", "new.trec.gz", cwd=bees).returncode == 0
    options = ["--docs", "docs.jsonl", "--queries", "queries.tsv"]
    done = rearank("check", "new.trec.gz", *options, cwd=bees)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout
    assert "new.trec.gz: accepted: " in done.stderr
    assert "tag rearank" in done.stderr


def test_every_run_is_judged_though_another_cannot_be_read(rearank: Command, folder: Path) -> None:
    (folder / "run.trec").write_text(RUN)
    (folder / "bad.trec").write_text("q1\n")
    (folder / "cut.trec.gz").write_bytes(gzip.compress(RUN.encode() * 99)[:-9])
    done = rearank("check", "none.trec", "cut.trec.gz", "bad.trec", "run.trec", cwd=folder)
    assert done.returncode == 3
    assert done.stdout == "bad.trec:1: found 1 fields, expected six: query Q0 document rank score tag\n"
    bad, sound, unreadable = done.stderr.splitlines()
    assert bad == "rearank: bad.trec: 1 problem; it would be refused"
    assert sound == ACCEPTED.strip()
    assert unreadable.startswith("rearank: none.trec: no such file; cut.trec.gz: its compression is damaged")


def test_a_run_comes_from_standard_input(rearank: Command, folder: Path) -> None:
    done = rearank("check", "-", cwd=folder, stdin="q1 Q0 bee-001 1 nan bm25\n")
    assert done.returncode == 3
    assert done.stdout == "standard input:1: the score 'nan' is not a finite number\n"


def test_a_run_of_nothing_but_errors_is_a_page_and_not_a_book(rearank: Command, folder: Path) -> None:
    (folder / "bad.trec").write_bytes(b"q1 0 \x1b[31mbee\t-1.5 nan \xe9\r\n" * 100_000)
    done = rearank("check", "bad.trec", cwd=folder)
    assert done.returncode == 3
    assert len(done.stdout.splitlines()) < 40
    assert "and 99,997 more lines like this" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\\x1b[31mbee" in done.stdout


@pytest.mark.parametrize(
    ("options", "status", "expected"),
    [
        (["--track", "dl-2020"], 2, "unknown track 'dl-2020'; did you mean dl-2020-"),
        (["-"], 2, "standard input (-) can be read only once"),
        (["--queries", "none.tsv"], 3, "none.tsv: no such file"),
        (["--docs", "docs.tsv"], 2, "--docs with a file needs --queries too"),
        (["--docs", "none.tsv", "--queries", "topics.tsv"], 3, "none.tsv: no such file"),
        (["--dataset", "vaswani", "--docs", "docs.tsv"], 2, "--dataset and --docs name two sources"),
        (["--dataset", "msmarco-passage"], 3, "msmarco-passage has no queries"),
        (["--dataset", "msmarco-pasage"], 3, "unknown dataset 'msmarco-pasage'"),
    ],
)
def test_a_bad_option_is_told_in_a_sentence(
    rearank: Command, folder: Path, options: list[str], status: int, expected: str
) -> None:
    done = rearank("check", "-", *options, cwd=folder, stdin=RUN)
    assert done.returncode == status, done.stderr
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""


def test_the_help_lists_the_tracks(rearank: Command, tmp_path: Path) -> None:
    done = rearank("check", "--help", cwd=tmp_path, environment={"COLUMNS": "200"})
    assert "default, trec-covid, dl-2020-passage" in done.stdout


@pytest.mark.shared
def test_a_run_is_judged_by_its_dataset(
    rearank: Command, shared: Path, irds_home: Path, tmp_path: Path
) -> None:
    runs = shared / "data" / "runs"
    done = rearank(
        "check", runs / "dl19.bm25.trec.gz", "--dataset", "msmarco-passage/trec-dl-2019/judged", cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "accepted: 43 topics, 4,300 documents, tag rank" in done.stderr

    # BM25 finds nothing for 15 of its topics.
    done = rearank("check", runs / "nfcorpus.bm25.trec.gz", "--dataset", "beir/nfcorpus/test", cwd=tmp_path)
    assert done.returncode == 3
    assert "trec.gz: 15 of 323 topics have no documents: PLAIN-551, " in done.stdout
    assert "it would be refused" in done.stderr

    done = rearank("check", runs / "nfcorpus.bm25.trec.gz", cwd=tmp_path)
    assert done.returncode == 0


@pytest.mark.shared
def test_ids_of_a_collection_that_cannot_be_had_are_a_warning(
    rearank: Command, shared: Path, tmp_path: Path
) -> None:
    topics = tmp_path / "irds" / "msmarco-passage" / "trec-dl-2019"
    topics.mkdir(parents=True)
    for name in ("queries.tsv", "qrels"):
        shutil.copyfile(
            shared / "data" / "ir_datasets" / "msmarco-passage" / "trec-dl-2019" / name, topics / name
        )
    done = rearank(
        "check",
        shared / "data" / "runs" / "dl19.bm25.trec.gz",
        "--dataset",
        "msmarco-passage/trec-dl-2019/judged",
        cwd=tmp_path,
        environment={"IR_DATASETS_HOME": str(tmp_path / "irds")},
    )
    assert done.returncode == 0, done.stderr
    warning, summary = done.stderr.splitlines()
    assert warning.startswith("rearank: warning: document ids were not checked: ")
    assert "accepted: 43 topics" in summary
