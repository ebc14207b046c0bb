"""What the help says, how it looks, and what is said of a word that is nearly right."""

import os
import pty
import re
import select
import subprocess
import sys
from importlib.resources import files

import pytest

from rearank_cli.__main__ import run
from rearank_cli.commands import app, check, evaluate, rerank
from rearank_cli.evaluation import DEFAULT_MEASURES
from rearank_cli.methods import METHODS
from rearank_cli.trec.tracks import TRACKS

EXAMPLE = files("rearank_cli") / "example"
COMMANDS = [command.callback.__name__ for command in app.registered_commands] + [
    f"{group.typer_instance.info.name} {command.name}"
    for group in app.registered_groups
    for command in group.typer_instance.registered_commands
]


def test_all_methods_are_listed():
    assert rerank.__globals__["METHODS"] == ", ".join(METHODS)


def test_all_tracks_are_listed():
    assert check.__globals__["TRACKS"] == ", ".join(TRACKS)


def test_the_default_measures_are_listed():
    assert evaluate.__globals__["DEFAULTS"].split() == list(DEFAULT_MEASURES)


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("columns", [80, 100])
def test_help_has_an_example_that_can_be_copied(command, columns, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run([*command.split(), "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    begins = lines.index("Example:") + 1
    example = lines[begins]
    while example.endswith("\\"):
        begins += 1
        example = example.removesuffix("\\") + lines[begins]
    assert example.startswith("$ rearank ")
    # What is a word of the help is one of the command line too: its options are this command's.
    assert command in example
    [part, *_] = [part for part in re.split(r"[|&]+", example) if f"rearank {command}".strip() in part]
    assert [option for option in re.findall(r" (--?[a-z-]+)", part) if option not in " ".join(lines)] == []
    assert max(map(len, lines)) <= columns


@pytest.mark.parametrize(
    ("environment", "on_a_terminal", "in_a_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR": "0"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"GITHUB_ACTIONS": "true"}, True, False),
    ],
)
def test_help_is_in_colour_where_it_is_wanted(environment, on_a_terminal, in_a_pipe):
    names = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "PY_COLORS")
    clean = {name: value for name, value in os.environ.items() if name not in names}
    given = {**clean, "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "rearank_cli", "check", "--help"]
    piped = subprocess.run(command, env=given, capture_output=True, text=True).stdout
    assert "Usage:" in piped
    assert ("\x1b" in piped) is in_a_pipe
    assert (b"\x1b" in _on_a_terminal(command, given)) is on_a_terminal


def _on_a_terminal(command, environment):
    outer, inner = pty.openpty()
    process = subprocess.Popen(command, env=environment, stdin=inner, stdout=inner, stderr=inner)
    os.close(inner)
    shown = b""
    while select.select([outer], [], [], 20)[0]:
        try:
            shown += os.read(outer, 65536)
        except OSError:  # how Linux says that the other end is closed
            break
    os.close(outer)
    process.wait()
    assert b"Usage:" in re.sub(rb"\x1b\[[0-9;]*m", b"", shown)
    return shown


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("rernk run.trec", "Did you mean 'rerank'?"),
        ("evalute run.trec", "Did you mean 'evaluate'?"),
        ("rerank run.trec --datset x", "--dataset"),
        ("rerank run.trec --windw 5", "--window"),
        ("rerank run.trec --family rearnk", "did you mean rearank?"),
        ("families reasonrnk", "did you mean reasonrank?"),
        ("rerank run.trec -m le723z/rearank-7b", "did you mean le723z/Rearank-7B?"),
        ("rerank run.trec -m liuwenhan/reasonrank7B", "did you mean liuwenhan/reasonrank-7B?"),
        ("rerank run.trec -m Rearank-7B", "did you mean le723z/Rearank-7B?"),
        ("rerank run.trec --method slidng", "did you mean sliding?"),
        ("rerank run.trec --method setwise", "did you mean setwise-heapsort?"),
        ("rerank run.trec --engine vlm", "'vllm'"),
        ("check run.trec --track dl2020-passage", "did you mean dl-2020-passage?"),
        ("check run.trec --track web", "; known are default, "),
        ("evaluate run.trec --qrels qrels.trec -m ncdg@10", "did you mean ndcg@10?"),
        (
            "rerank run.trec --config /dev/null --engine lexical --dataset scifact",
            "did you mean 'beir/scifact'?",
        ),
        (
            "rerank run.trec --config /dev/null --engine lexical --dataset trec-dl-2019",
            "did you mean 'msmarco-passage/trec-dl-2019'?",
        ),
        (
            "rerank run.trec --config /dev/null --engine lexical --dataset beir/nfcorpus/tset",
            "did you mean 'beir/nfcorpus/test'?",
        ),
    ],
)
def test_a_word_that_is_nearly_right_is_told_what_was_meant(words, meant, monkeypatch, capsys):
    monkeypatch.chdir(EXAMPLE)
    assert run(words.split()) in (2, 3)
    said = capsys.readouterr()
    assert meant in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
