"""Foreign text of every kind, in the thousands; `scripts/fuzz.py` tries it in the millions."""

import subprocess
import sys
import time
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from rearank_cli.families import answers, grades, letters, lists, scores
from rearank_cli.families.answers import Found
from rearank_cli.families.thought import Thought
from rearank_cli.trec import runs

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "fuzz.py"
KINDS = ["answers", "runs", "inputs", "commands"]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPT.parent)
        return import_module("fuzz")


def test_every_kind_is_tried(script):
    assert list(script.KINDS) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_read_leads_to_more_than_an_error_of_ours(script, kind):
    count = script.KINDS[kind].short
    outcome = script.fuzz(kind, 0, count)
    assert not outcome.failures
    assert outcome.results.total() == count


def test_inputs_can_be_read_before_they_are_mutated(script, tmp_path):
    files = import_module("scripts.fuzzing.files")
    for number, (_, content, suffix, read) in enumerate(files.well_formed_inputs()):
        path = tmp_path / f"{number}{suffix}"
        path.write_bytes(content)
        read(path)
    run = tmp_path / "run.trec"
    run.write_bytes(files.run_file())
    assert len(runs.read_run(run)) == 3


def test_cases_are_the_same_every_time(script):
    assert script.fuzz("answers", 100, 200) == script.fuzz("answers", 100, 200)


# From here on: the fuzzer notices what it is there for.


def problems(script: ModuleType, kind: str, count: int) -> str:
    return "\n".join(failure.problem for failure in script.fuzz(kind, 0, count).failures)


def test_a_ranking_out_of_unfinished_thought_is_noticed(script, monkeypatch):
    monkeypatch.setattr(Thought, "split", lambda self, text: ("", text, len(text)))
    assert "an order that no one gave: r" in problems(script, "answers", 2000)


def test_a_ranking_out_of_a_list_that_was_cut_off_is_noticed(script, monkeypatch):
    def find(completion, *arguments):
        whole = completion.finish_reason == "length"
        return answers.find_answer(
            replace(completion, finish_reason="stop") if whole else completion, *arguments
        )

    monkeypatch.setattr(lists, "find_answer", find)
    assert "an order that no one gave: r" in problems(script, "answers", 2000)


def test_an_order_that_is_no_permutation_is_noticed(script, monkeypatch):
    monkeypatch.setattr(lists, "_identifiers", lambda answer: [1.5])
    assert "no permutation" in problems(script, "answers", 500)


def test_scores_out_of_prose_are_noticed(script, monkeypatch):
    monkeypatch.setattr(scores, "_whole", lambda text: text)
    assert "an order that no one gave: grouprank" in problems(script, "answers", 10_000)


def test_the_probability_of_another_token_is_noticed(script, monkeypatch):
    monkeypatch.setattr(Found, "spelled", lambda found, tokens: list(tokens[:1]))
    assert "not the score in the answer: rank1" in problems(script, "answers", 2000)


def test_a_grade_without_its_probability_is_noticed(script, monkeypatch):
    for module in (answers, grades):
        monkeypatch.setattr(module, "tokens_between", lambda tokens, from_end, length: [])
    found = problems(script, "answers", 2000)
    assert "not the score in the answer: erank" in found
    assert "not the score in the answer: tfrank" in found


def test_letters_taken_for_one_another_are_noticed(script, monkeypatch):
    monkeypatch.setattr(letters, "ascii_uppercase", "BACDEFGHIJKLMNOPQRSTUVWXYZ")
    assert "not the order in the answer: first" in problems(script, "answers", 2000)


def test_an_exception_that_is_not_ours_is_noticed(script, monkeypatch):
    monkeypatch.setattr(runs, "_score", lambda field, where: float(field))
    assert "ValueError: could not convert string to float" in problems(script, "runs", 500)


def test_a_hang_is_noticed(script, monkeypatch):
    monkeypatch.setitem(script.KINDS, "runs", script.Kind(lambda case: time.sleep(5), 1, 1, seconds=0.01))
    assert "HangError: not done after 0.01 seconds" in problems(script, "runs", 1)


def test_a_command_that_ends_with_an_unknown_status_is_noticed(script, monkeypatch):
    monkeypatch.setattr("scripts.fuzzing.commands.STATUSES", {0})
    assert "exit status 3" in problems(script, "commands", 1)


def test_the_script_says_what_it_tried_and_fails_where_something_failed():
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)

    done = run("answers", "--count", "50", "--jobs", "2")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[:2] == ["answers", "50"]
    assert run("nothing").returncode == 2
