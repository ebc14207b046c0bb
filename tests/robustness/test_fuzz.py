"""Foreign text of every kind, in the thousands; `scripts/fuzz.py` tries it in the millions."""

import importlib.util
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from rearank_cli.families import lists
from rearank_cli.trec import runs

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz.py"
KINDS = ["answers", "runs", "inputs", "commands"]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_kind_is_tried(script):
    assert list(script.KINDS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_read_leads_to_more_than_an_error_of_ours(script, kind):
    count = script.KINDS[kind].short
    outcome = script.fuzz(kind, 0, count)
    assert not outcome.failures
    assert outcome.results.total() == count


def test_inputs_can_be_read_before_they_are_mutated(script, tmp_path):
    for number, (_, content, suffix, read) in enumerate(script._inputs()):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        read(path)
    run = tmp_path / "run.trec"
    run.write_bytes(script._run_file())
    assert len(runs.read_run(run)) == 3


def test_cases_are_the_same_every_time(script):
    assert script.fuzz("answers", 100, 200) == script.fuzz("answers", 100, 200)


# From here on: the fuzzer notices what it is there for.


def problems(script: ModuleType, kind: str, count: int) -> str:
    return "\n".join(failure.problem for failure in script.fuzz(kind, 0, count).failures)


def test_a_ranking_out_of_unfinished_thought_is_noticed(script, monkeypatch):
    monkeypatch.setattr(lists, "split_thought", lambda text: ("", text))
    assert "an order that no one gave" in problems(script, "answers", 500)


def test_a_ranking_out_of_a_list_that_was_cut_off_is_noticed(script, monkeypatch):
    monkeypatch.setattr(lists, "_answer", lambda text, complete: text)
    assert "an order that no one gave" in problems(script, "answers", 500)


def test_an_order_that_is_no_permutation_is_noticed(script, monkeypatch):
    monkeypatch.setattr(lists, "_identifiers", lambda answer: [1.5])
    assert "no permutation" in problems(script, "answers", 500)


def test_an_exception_that_is_not_ours_is_noticed(script, monkeypatch):
    monkeypatch.setattr(runs, "_score", lambda field, where: float(field))
    assert "ValueError: could not convert string to float" in problems(script, "runs", 500)


def test_a_hang_is_noticed(script, monkeypatch):
    monkeypatch.setattr(script, "_SECONDS_PER_CASE", 0.01)
    monkeypatch.setitem(script.KINDS, "runs", script.Kind(lambda case: time.sleep(5), 1, 1))
    assert "HangError: not done after 0.01 seconds" in problems(script, "runs", 1)


def test_a_command_that_ends_with_an_unknown_status_is_noticed(script, monkeypatch):
    monkeypatch.setattr(script, "STATUSES", {0})
    assert "exit status 3" in problems(script, "commands", 1)


def test_the_script_says_what_it_tried_and_fails_where_something_failed():
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)

    done = run("answers", "--count", "50", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["answers", "50"]
    assert run("nothing").returncode == 2
