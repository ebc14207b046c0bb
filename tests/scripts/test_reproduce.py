"""scripts/reproduce.py, as a user runs it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from rearank_cli import evaluate
from scripts.reproduction import words
from tests.end_to_end.conftest import with_default_signals
from tests.jobs import traced_calls, wait_until

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "reproduce.py"
EXAMPLE = Path(__file__).resolve().parents[2] / "rearank_cli" / "example"
KEPT = ("first.trec", "reranked.trec", "traces.jsonl", "result.json", "settings.json")

Reproduce = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def reproduce(tmp_path: Path) -> Reproduce:
    """Run `reproduce.py ARGUMENTS` in an empty folder."""

    def run(*arguments: str | Path, status: int = 0) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(command(*arguments), cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == status, done.stderr
        return done

    return run


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, str(SCRIPT), *map(str, arguments)]


def beir_folder(folder: Path, rename: Callable[[str], str] = str) -> Path:
    """The example collection in BEIR's layout, its documents renamed."""
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w") as corpus:
        for line in (EXAMPLE / "docs.jsonl").read_text().splitlines():
            document = json.loads(line)
            identity = next(key for key in ("_id", "id", "doc_id", "docid") if key in document)
            corpus.write(json.dumps({**document, identity: rename(document[identity])}) + "\n")
    queries = [line.split("\t") for line in (EXAMPLE / "queries.tsv").read_text().splitlines()]
    (folder / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": query_id, "text": text}) + "\n" for query_id, text in queries)
    )
    judged = [line.split() for line in (EXAMPLE / "qrels.trec").read_text().splitlines()]
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n"
        + "".join(f"{query}\t{rename(document)}\t{grade}\n" for query, _, document, grade in judged)
    )
    return folder


@pytest.fixture(scope="module")
def bees(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options that put the example collection in the place of Signal-1M, and name no model."""
    folder = beir_folder(tmp_path_factory.mktemp("collections") / "bees")
    return ["rearank", "--only", "signal", "--collection", f"signal={folder}", "--engine", "lexical"]


@pytest.fixture(scope="module")
def attempt(bees: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of an attempt that finished, and what it printed."""
    folder = tmp_path_factory.mktemp("attempt")
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}
    done = subprocess.run(
        command(*bees, "--json"), cwd=folder, capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 0, done.stderr
    return folder / "reproduction", done.stdout


@pytest.fixture
def finished(attempt: tuple[Path, str], tmp_path: Path) -> Path:
    """Where the collection of a finished attempt is: a copy, in the folder of the test."""
    shutil.copytree(attempt[0], tmp_path / "reproduction")
    return tmp_path / "reproduction" / "rearank" / "signal"


def rows_of(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    return {row["collection"]: row for row in json.loads(done.stdout)["rows"]}


def times(folder: Path, names: Iterable[str] = KEPT) -> dict[str, int]:
    return {name: (folder / name).stat().st_mtime_ns for name in names}


@pytest.mark.shared
def test_real_collections_stand_beside_what_was_published(
    reproduce: Reproduce, shared: Path, irds_home: Path, tmp_path: Path
) -> None:
    runs = shared / "data" / "runs"
    asked = ["rearank", "--only", "dl19,nfcorpus,scifact,news", "--engine", "lexical"]
    for name in ("dl19", "nfcorpus"):
        asked += ["--first-stage", f"{name}={runs / f'{name}.bm25.trec.gz'}"]
    rows = rows_of(reproduce(*asked, "--json"))
    dl19, nfcorpus = rows["dl19"], rows["nfcorpus"]

    assert dl19["first_stage"]["published"] == 50.58
    assert dl19["first_stage"]["ours"]["mean"] == pytest.approx(50.58, abs=0.01)
    assert dl19["reranked"]["published"] == 74.16
    assert dl19["difference"] == pytest.approx(dl19["reranked"]["ours"]["mean"] - 74.16)
    assert dl19["remarks"] == ["no model: the lexical judge"]
    ours = nfcorpus["first_stage"]["ours"]
    assert (ours["queries"], ours["judged"]) == (308, 323)
    assert ours["complete"] == pytest.approx(ours["mean"] * 308 / 323)
    assert nfcorpus["elsewhere"] == 38.83

    assert (rows["scifact"]["status"], rows["news"]["status"]) == ("unavailable", "unavailable")
    assert "cannot be reached" in rows["scifact"]["remarks"][0]
    assert "licensed" in rows["news"]["remarks"][0]
    assert rows["scifact"]["reranked"] == {"ours": None, "published": 75.02}

    places = [tmp_path / "reproduction" / "rearank" / name for name in ("dl19", "nfcorpus")]
    before = [times(place) for place in places]
    again = reproduce(*asked)
    assert [times(place) for place in places] == before
    assert "dl19: kept" in again.stderr
    assert "50.58  50.58" in next(line for line in again.stdout.splitlines() if line.startswith("dl19"))
    assert "308 of 323" in again.stdout
    assert "38.83 for the same model" in " ".join(again.stdout.split())


def test_first_stage_is_retrieved_reranked_and_evaluated(attempt: tuple[Path, str], finished: Path) -> None:
    (row,) = json.loads(attempt[1])["rows"]
    assert row["status"] == "done"
    assert sorted(path.name for path in finished.iterdir()) == sorted(KEPT)
    runs = [finished / "first.trec", finished / "reranked.trec"]
    evaluations = evaluate(runs, EXAMPLE / "qrels.trec", measures=["ndcg@10"])
    for evaluation, name in zip(evaluations, ("first_stage", "reranked"), strict=True):
        assert row[name]["ours"]["complete"] == pytest.approx(100 * evaluation.means["ndcg@10"])
    assert f"first stage {row['first_stage']['ours']['mean'] - 33.05:+.2f}: not the paper's" in row["remarks"]


def test_an_attempt_that_was_killed_goes_on_and_asks_nothing_twice(
    reproduce: Reproduce, bees: list[str], finished: Path
) -> None:
    undisturbed = (finished / "reranked.trec").read_bytes()
    calls = traced_calls(finished, "traces.jsonl")
    # As a kill -9 leaves it: half the traces, the last line cut short.
    lines = (finished / "traces.jsonl").read_bytes().splitlines(keepends=True)
    half = b"".join(lines[: len(lines) // 2])
    (finished / "traces.jsonl").write_bytes(half + lines[len(lines) // 2][:40])
    (finished / "result.json").unlink()
    (finished / "reranked.trec").unlink()
    first = times(finished, ["first.trec"])

    assert "done" in reproduce(*bees).stderr
    assert (finished / "reranked.trec").read_bytes() == undisturbed
    assert (finished / "traces.jsonl").read_bytes().startswith(half)
    keys = [call["key"] for call in traced_calls(finished, "traces.jsonl")]
    assert sorted(keys) == sorted(call["key"] for call in calls)
    assert times(finished, ["first.trec"]) == first


@pytest.mark.shared
def test_signals_reach_the_command_and_the_next_attempt_goes_on(
    reproduce: Reproduce, shared: Path, irds_home: Path, tmp_path: Path
) -> None:
    run = shared / "data" / "runs" / "nfcorpus.bm25.trec.gz"
    asked = [
        "rearank",
        "--only",
        "nfc",
        "--engine",
        "lexical",
        "--limit",
        "200",
        "--first-stage",
        f"nfc={run}",
    ]
    place = tmp_path / "reproduction" / "rearank" / "nfcorpus"
    for number in (signal.SIGTERM, signal.SIGINT):
        told = stopped_in_the_middle([*asked, "--in-flight", "1"], place, number)
        assert "the same command goes on from here" in told
        assert not (place / "result.json").exists()

    reproduce(*asked, "--in-flight", "8")  # which changes no answer, and is not held against it
    keys = [call["key"] for call in traced_calls(place, "traces.jsonl")]
    assert len(keys) == len(set(keys))
    assert (place / "result.json").exists()


def stopped_in_the_middle(arguments: list[str], place: Path, number: int) -> str:
    """What an attempt says that gets a signal after its first calls."""
    before = len(traced_calls(place, "traces.jsonl"))
    with subprocess.Popen(
        command(*arguments),
        cwd=place.parents[2],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=with_default_signals,  # noqa: PLW1509  # no threads here
    ) as process:
        wait_until(lambda: process.poll() is not None or len(traced_calls(place, "traces.jsonl")) > before)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 128 + number, told
    return told


def test_other_settings_are_refused_until_it_is_to_be_done_again(
    reproduce: Reproduce, bees: list[str], finished: Path
) -> None:
    before = times(finished)
    refused = reproduce(*bees, "--window", "10", "--step", "5", status=2)
    assert "--window 20 then" in refused.stderr
    assert "--window 10 now" in refused.stderr
    assert "--overwrite" in refused.stderr
    given = reproduce(*bees, "--first-stage", f"signal={EXAMPLE / 'run.trec'}", status=2)
    assert "another first stage" in given.stderr
    assert times(finished) == before

    again = reproduce(*bees, "--window", "10", "--step", "5", "--overwrite")
    assert "--window 10 --step 5" in again.stdout
    assert {max(call["window"]) - min(call["window"]) for call in traced_calls(finished, "traces.jsonl")} == {
        10
    }


def test_files_of_someone_else_are_refused(reproduce: Reproduce, bees: list[str], tmp_path: Path) -> None:
    place = tmp_path / "reproduction" / "rearank" / "signal"
    place.mkdir(parents=True)
    shutil.copy(EXAMPLE / "run.trec", place / "first.trec")
    assert "first.trec is not of this script" in reproduce(*bees, status=2).stderr
    assert (place / "first.trec").read_bytes() == (EXAMPLE / "run.trec").read_bytes()


def test_ids_with_spaces_come_through_both_first_stages(reproduce: Reproduce, tmp_path: Path) -> None:
    folder = beir_folder(tmp_path / "spaced", lambda name: name.replace("-", " 100%-"))
    means = []
    asked = ["rearank", "--only", "stackoverflow", "--collection", f"stackoverflow={folder}"]
    given = ["--first-stage", "stackoverflow=bm25/rearank/stackoverflow/first.trec"]
    for name, first_stage in {"bm25": [], "given": given}.items():
        done = reproduce(*asked, *first_stage, "--engine", "lexical", "-o", name, "--json")
        row = rows_of(done)["stackoverflow"]
        means.append((row["first_stage"]["ours"], row["reranked"]["ours"]))
    assert means[0] == means[1]
    assert all(score["mean"] > 10 for score in means[0])  # 0 where judgments go by other ids


def test_without_an_engine_first_stages_have_their_numbers(
    reproduce: Reproduce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = beir_folder(tmp_path / "bees")
    rows = rows_of(
        reproduce(
            *("rearank", "--only", "signal,news", "-m", "no-such/model", "--json"),
            *("--collection", f"signal={folder}", "--collection", f"news={folder}"),
        )
    )
    assert [row["status"] for row in rows.values()] == ["unavailable", "unavailable"]
    assert all(row["first_stage"]["ours"]["mean"] > 10 for row in rows.values())
    assert rows["news"]["remarks"][0] == "no engine: see signal"
    assert not (tmp_path / "reproduction" / "rearank" / "news" / "traces.jsonl").exists()


def test_some_queries_are_compared_with_themselves(reproduce: Reproduce, bees: list[str]) -> None:
    row = rows_of(reproduce(*bees, "--limit", "5", "--json"))["signal"]
    assert "only 5 of the first stage's 12 queries" in row["remarks"]
    assert row["first_stage"]["ours"]["queries"] == row["reranked"]["ours"]["queries"] == 5


def test_a_list_does_nothing(reproduce: Reproduce, tmp_path: Path) -> None:
    done = reproduce("reasonrank", "--bright", "--list")
    assert not (tmp_path / "reproduction").exists()
    assert done.stdout.count("to do") == 12
    assert "bright/theoremqa-questions" in done.stdout
    assert "56.70" in done.stdout
    assert "TREC disks 4 and 5" in reproduce("rearank", "--standard", "--dry-run").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["rearnk"], 2, "did you mean rearank?"),
        (["rearank", "--only", "dl18"], 2, "dl18 is no collection of the papers' tables; did you mean dl19?"),
        (["rearank", "--only", "zzz"], 2, "there are dl19, dl20"),
        (["rearank", "--bright", "--only", "dl19"], 2, "dl19: not among what --bright stands for"),
        (["rearank", "reasonrank"], 2, "one paper at a time"),
        (["rearank", "--shard", "1/2"], 2, "--shard cannot be passed on: give some collections with --only"),
        (["rearank", "--config=mine.toml"], 2, "--config cannot be passed on"),
        (["rearank", "--first-stage", "run.trec"], 2, "not of the form --first-stage NAME=RUN"),
        (["rearank", "--first-stage", "dl19=no.trec"], 3, "no.trec, given for dl19, does not exist"),
        (["rearank", "--engine", "lexical", "--windw", "3"], 2, "No such option: --windw"),
        (["rearank", "--engine", "lexical", "--step", "30"], 2, "--step 30 is larger than --window 20"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence_before_anything_is_done(
    arguments: list[str], status: int, told: str, reproduce: Reproduce, tmp_path: Path
) -> None:
    done = reproduce(*arguments, status=status)
    assert told in done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "reproduction").exists()


PAPERS_OWN = {"method": "sliding", "window": 20, "set": "cut=400 characters", "escape-ids": True}


@pytest.mark.parametrize(
    ("passed_on", "expected"),
    [
        ([], "--method sliding --window 20 --set cut=400 characters --escape-ids"),
        (["--window", "10"], "--method sliding --set cut=400 characters --escape-ids"),
        (["--window=10", "--method", "full"], "--set cut=400 characters --escape-ids"),
        (["--set", "cut=300"], "--method sliding --window 20 --escape-ids"),
        (["--set", "thinking=off"], "--method sliding --window 20 --set cut=400 characters --escape-ids"),
    ],
)
def test_options_that_are_given_take_the_place_of_the_papers(passed_on: list[str], expected: str) -> None:
    assert " ".join(words.as_words(PAPERS_OWN, passed_on)) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["--window", "10"], ["--window=10"], True),
        (["--window", "10", "--seed", "1"], ["--seed", "1", "--window", "10"], True),
        (["--in-flight", "4", "--no-forced-finish"], ["--no-forced-finish", "--replicas=2"], True),
        (["--base-url", "http://a/v1"], ["--base-url", "http://b/v1", "--timeout", "9"], True),
        (["--window", "10"], ["--window", "20"], False),
        (["--no-forced-finish"], [], False),
        (["--engine-arg", "quantization=fp8"], [], False),
    ],
)
def test_only_options_that_can_change_a_result_tell_results_apart(
    one: list[str], other: list[str], same: bool
) -> None:
    assert (words.that_matter(one) == words.that_matter(other)) is same
