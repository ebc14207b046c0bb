"""Completion as it is installed, in real shells: a line is typed, the tab key pressed, and the line read."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rearank_cli.commands import completion
from rearank_cli.corpus.library import ir_datasets
from rearank_cli.evaluation import FUSION_METHODS
from rearank_cli.evaluation.measures import parse_measures
from rearank_cli.evaluation.tracks import MEASURES_OF_TRACKS
from rearank_cli.families import family_names, load_family
from rearank_cli.methods import METHODS
from rearank_cli.trec.tracks import TRACKS

# What is typed, and the line after the tab key.
WORDS = {
    "rearank rer": "rearank rerank ",
    "rearank rerank --meth": "rearank rerank --method ",
    "rearank rerank run.trec --method topd": "rearank rerank run.trec --method topdown ",
    "rearank rerank run.trec --family rearan": "rearank rerank run.trec --family rearank ",
    "rearank rerank run.trec --family my-": "rearank rerank run.trec --family my-model.toml ",
    "rearank rerank run.trec -m le723z/R": "rearank rerank run.trec -m le723z/Rearank-7B ",
    "rearank rerank run.trec --dataset vas": "rearank rerank run.trec --dataset vaswani ",
    "rearank evaluate run.trec -m hits@100": "rearank evaluate run.trec -m hits@100 ",
    "rearank check run.trec --track rag": "rearank check run.trec --track rag-2025 ",
    "rearank evaluate --track dl-2019-p": "rearank evaluate --track dl-2019-passage ",
    "rearank fuse --by rr": "rearank fuse --by rrf ",
    "rearank fuse --norm z": "rearank fuse --norm zscore ",
    "rearank retrieve --dataset vas": "rearank retrieve --dataset vaswani ",
    "rearank trace run.jsonl --status unr": "rearank trace run.jsonl --status unreadable ",
    "rearank families setw": "rearank families setwise-sft ",
}
FILES = {
    "rearank rerank ru": "rearank rerank run.trec ",
    "rearank rerank run.trec --docs do": "rearank rerank run.trec --docs docs.jsonl ",
    "rearank rerank run.trec -o fol": "rearank rerank run.trec -o folder/",
    "rearank rerank folder/i": "rearank rerank folder/inner.trec ",
    "rearank families ./my": "rearank families ./my-model.toml ",
}


# What is typed, and what is listed, where several words begin so.
LISTED = {
    "rearank re": {"rerank", "report", "retrieve"},
    "rearank --version f": {"families", "fuse"},
    "rearank rerank --engine ": {"vllm", "openai", "lexical", "replay"},
    "rearank check --track dl-2020": {"dl-2020-passage", "dl-2020-document"},
    "rearank rerank --family reason": {"reasonrank", "reasonrank-qwen3"},
    "rearank evaluate --measure recall": {"recall@10", "recall@100"},
}


def environment(home: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"HOME": str(home), "PATH": path, "TERM": "dumb", "PS1": "", "LANG": "C.UTF-8"}


class Terminal:
    """An interactive shell in a terminal of its own."""

    def __init__(self, command: list[str], folder: Path, home: Path) -> None:
        self._terminal, inner = pty.openpty()
        self._process = subprocess.Popen(
            command, cwd=folder, env=environment(home), stdin=inner, stdout=inner, stderr=inner,
            start_new_session=True,
        )  # fmt: skip
        os.close(inner)
        self._type("stty cols 200; echo read''y\n")
        self._until(r"ready\r")

    def run(self, command: str) -> str:
        """What a command prints."""
        self._type(f"{command}; echo en''d\n")
        return self._until(r"end\r")

    def completed(self, line: str) -> str:
        """The line as the tab key leaves it: it is then made an argument of printf, which prints it."""
        self._type(f"{line}\t\x01printf '[%s]\\n' '\x05'\n")
        return re.findall(r"\n\[(.*)\]\r", self._until(r"\n\[.*\]\r"))[-1]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def _type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def _until(self, pattern: str) -> str:
        shown = ""
        deadline = time.monotonic() + 60
        while not re.search(pattern, shown):
            ready, _, _ = select.select([self._terminal], [], [], max(deadline - time.monotonic(), 0))
            assert ready, f"nothing like {pattern!r} in {shown!r}"
            shown += os.read(self._terminal, 65536).decode(errors="replace")
        return shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some files to be named; the configuration has an error, which is for the commands to tell."""
    place = tmp_path_factory.mktemp("experiments")
    for name in ("run.trec", "docs.jsonl", "queries.tsv", "my-model.toml", "folder/inner.trec"):
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text("")
    (place / "rearank.toml").write_text("[rerank]\nno such thing\n")
    return place


@pytest.fixture(scope="module", params=["bash", "zsh"])
def terminal(request, tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Terminal]:
    """A shell that was started after `rearank --install-completion` had been run in another."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp("home")
    bare = Terminal([shell, {"bash": "--norc", "zsh": "-f"}[request.param], "-i"], folder, home)
    assert f"{request.param} completion installed" in bare.run("rearank --install-completion")
    bare.close()
    started = Terminal([shell, "-i"], folder, home)
    yield started
    started.close()


def test_the_tab_key_completes_the_line(terminal: Terminal) -> None:
    completed = {line: terminal.completed(line).rstrip(" /") for line in WORDS | FILES}
    assert completed == {line: whole.rstrip(" /") for line, whole in (WORDS | FILES).items()}


def test_fish_completes_the_line(tmp_path: Path, folder: Path) -> None:
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("fish is not installed")

    def run(script: str) -> str:
        # A command follows, so that the shell stays to be found.
        command = [fish, "-c", f"{script}; true"]
        done = subprocess.run(command, cwd=folder, env=environment(tmp_path), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "fish completion installed" in run("rearank --install-completion")
    # What is offered for words is the same in every shell.
    some = {line: {whole.split()[-1]} for line, whole in (*[*WORDS.items()][:4], *FILES.items())}
    some |= {line: LISTED[line] for line in [*LISTED][:3]}
    shown = run("; ".join(f"complete -C '{line}'; echo ==" for line in some))
    blocks = [{offer.partition("\t")[0] for offer in block.splitlines()} for block in shown.split("==\n")]
    assert dict(zip(some, blocks, strict=False)) == some


@pytest.mark.parametrize("line", LISTED)
def test_what_cannot_be_decided_is_listed(rearank, folder: Path, line: str) -> None:
    assert offered(rearank, line, folder) == LISTED[line]


def offered(rearank, line: str, folder: Path) -> set[str]:
    asked = {
        "_REARANK_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split(" ")) - 1),
    }
    done = rearank(cwd=folder, environment=asked)
    assert done.returncode == 0
    assert done.stderr == ""
    return set(done.stdout.split())


def test_completion_imports_nothing_heavy(folder: Path) -> None:
    for line in ("rearank rerank --dataset bei", "rearank evaluate -m nd", "rearank rerank -m le7"):
        asked = {"_REARANK_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "3"}
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "rearank_cli"],
            cwd=folder, env=os.environ | asked, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stdout, line
        imported = {row.rpartition("|")[2].strip().partition(".")[0] for row in done.stderr.splitlines()}
        assert not imported & {"vllm", "ranx", "numpy", "pandas", "ir_datasets", "jinja2"}, line


def test_the_families_and_models_that_are_offered_are_those_that_there_are(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert dict(completion.families("")) == {name: load_family(name).title for name in family_names()}
    for model, family in completion.models(""):
        assert load_family(family).model(model)
    assert len(completion.models("")) == sum(len(load_family(name).models) for name in family_names())


def test_the_ways_to_fuse_and_the_tracks_that_are_offered_are_those_that_there_are() -> None:
    assert completion.fusions("") == [method.name for method in FUSION_METHODS]
    assert completion.measured_tracks("") == list(MEASURES_OF_TRACKS)
    assert completion.methods("") == list(METHODS)
    assert completion.tracks("") == list(TRACKS)


def test_every_measure_that_is_offered_is_one() -> None:
    offers = [name for name, _ in completion.measures("")]
    assert [measure.name for measure in parse_measures(offers)] == offers


def test_the_datasets_that_are_offered_are_those_of_the_library(irds_home: Path) -> None:
    library = ir_datasets()
    # Described in the library, and not to be had from it: TREC CAsT 2021 and 2022, version 2.1 of MS MARCO.
    offers = [*completion.datasets(""), *completion.judged_datasets("")]
    missing = {name for name in offers if name not in library.registry}
    assert {name.partition("/")[0] for name in missing} <= {
        "trec-cast",
        "msmarco-document-v2.1",
        "msmarco-segment-v2.1",
    }
    loadable = {name: library.load(name) for name in set(offers) - missing}
    assert all(loadable[name].has_queries() for name in {*completion.datasets("")} - missing)
    assert all(loadable[name].has_qrels() for name in {*completion.judged_datasets("")} - missing)
    assert {"beir/nfcorpus/test", "msmarco-passage/trec-dl-2019/judged", "vaswani"} <= set(offers)
