"""Trace files read with all their words."""

import gzip
import json

import pytest

from rearank_cli.errors import InputError
from rearank_cli.traces import TraceFile
from tests.reranking.collection import numbered, write_collection
from tests.reranking.engines import Scripted
from tests.traces.lines import attempt, call, thinking, write_traces


def test_the_lines_of_these_tests_are_those_that_the_program_writes(tmp_path):
    collection = write_collection(tmp_path, {"q1": numbered(3)})
    collection.rerank(Scripted(), traces=collection.traces)
    begun, asked = collection.records()
    assert begun.keys() == attempt().keys()
    assert begun["options"].keys() == attempt()["options"].keys()
    assert begun["asker"]["sampling"].keys() == attempt()["asker"]["sampling"].keys()
    assert asked.keys() == call().keys()


def test_a_call_is_what_its_requests_made_of_it(tmp_path):
    path = write_traces(
        tmp_path / "t.jsonl",
        attempt(),
        call(status="failed", error="it died"),
        call(status="truncated", try_=1, finish_reason="length"),
        call(["d"]),
        call(order=[2, 1, 0], status="truncated", forced=True),
    )
    whole, other = TraceFile(path).calls("q1")
    assert [request.status for request in whole.requests] == ["failed", "truncated", "truncated"]
    assert whole.settled.order == (2, 1, 0)
    assert other.settled.doc_ids == ("d",)


def test_what_was_said_of_texts_that_have_changed_does_not_count(tmp_path):
    path = write_traces(
        tmp_path / "t.jsonl",
        attempt(),
        call(status="truncated"),
        call(order=[1, 0, 2], status="truncated", forced=True),
        call(order=[2, 1, 0], texts="changed"),
    )
    [traced] = TraceFile(path).calls("q1")
    assert traced.settled.order == (2, 1, 0)


@pytest.mark.parametrize(
    ("reasoning", "response", "answer"),
    [
        ("why", "<think>why</think> <answer>[1]</answer>", "<answer>[1]</answer>"),
        ("why [1]", "<think>\nwhy [1]\n</think>\n\n[1] > [2]", "[1] > [2]"),
        ("why", "<reason>why</reason><answer>{}</answer>", "<answer>{}</answer>"),
        ("a\nwhy", "<think>a</think><reason>why</reason>[2]", "[2]"),
        ("[1]", "[1]", "[1]"),
        ("so\n[2]", "<think>so\n[2]</think> so [2] > [1]", "so [2] > [1]"),
        ("", " [2] > [1]\n", "[2] > [1]"),
        ("thought that a server kept apart", "<answer>[1]</answer>", "<answer>[1]</answer>"),
        ("x" * 5000, "<think>" + "x" * 5000 + "</think>[1]", "[1]"),
    ],
)
def test_the_answer_is_what_follows_the_reasoning(tmp_path, reasoning, response, answer):
    path = write_traces(tmp_path / "t.jsonl", attempt(), call(reasoning=reasoning, response=response))
    assert TraceFile(path).calls("q1")[0].settled.answer == answer


@pytest.mark.parametrize("response", ["<think>why", "why\n"])
def test_a_thought_that_was_cut_off_has_no_answer(tmp_path, response):
    cut = call(reasoning="why", response=response, status="truncated", finish_reason="length")
    path = write_traces(tmp_path / "t.jsonl", attempt(), cut)
    assert TraceFile(path).calls("q1")[0].settled.answer == ""


def test_a_call_that_the_last_attempt_would_ask_otherwise_is_none_of_its_own(tmp_path):
    path = write_traces(
        tmp_path / "t.jsonl",
        attempt(),
        call(["a"], key="greedy"),
        attempt(sampling={"temperature": 0.6}),
        call(["a"], key="drawn"),
        attempt(run="other.trec"),
        call(["a"], key="of another run", run="other.trec"),
    )
    file = TraceFile(path)
    greedy, drawn, other = file.calls("q1")
    assert [file.is_current(traced) for traced in (greedy, drawn, other)] == [False, True, True]
    assert [file.is_current(traced, 1) for traced in (greedy, drawn, other)] == [True, False, False]


def test_a_call_that_a_later_attempt_used_again_is_its_own(tmp_path):
    collection = write_collection(tmp_path, {"q1": numbered(9), "q2": numbered(9)})
    for temperature in (0.5, 0.0, 0.5):
        collection.rerank(
            Scripted(), traces=collection.traces, resume=collection.traces.exists(), window=4, step=2,
            temperature=temperature,
        )  # fmt: skip
    file = TraceFile(collection.traces)
    assert len(file.attempts) == 3
    asked_by = {traced.settled.asked_by: file.is_current(traced) for traced in file.calls("q1")}
    assert asked_by == {0: True, 1: False}


def test_words_are_kept_only_where_they_are_asked_for(tmp_path):
    path = write_traces(
        tmp_path / "t.jsonl",
        attempt(),
        call(query_id="q1", **thinking("why", "[1]")),
        call(query_id="q2", **thinking("why", "[1]")),
    )
    file = TraceFile(path, words=lambda request: request.query_id == "q2")
    assert [file.calls(query_id)[0].settled.reasoning for query_id in ("q1", "q2")] == ["", "why"]
    only = TraceFile(path, query_ids=["q2"])
    assert only.query_ids() == ["q1", "q2"]
    assert [len(only.calls(query_id)) for query_id in ("q1", "q2")] == [0, 1]


def test_a_compressed_file_is_read_but_for_a_last_line_that_was_cut_short(tmp_path, caplog):
    lines = [json.dumps(record) + "\n" for record in (attempt(), call(["a"]), call(["b"]))]
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress("".join(lines).encode()[:-9]))
    assert [traced.settled.doc_ids for traced in TraceFile(path).calls("q1")] == [("a",)]
    assert caplog.messages == [f"{path}: the last line was cut short, and is left out"]
    path.write_bytes(gzip.compress("".join(lines).encode()))
    caplog.clear()
    assert len(TraceFile(path).calls("q1")) == 2
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([], "t.jsonl is no trace file: it has no attempt in it"),
        ([call()], "t.jsonl:1: not a line of a trace file (ValueError: no attempt stands before it)"),
        ([attempt(), {"type": "call"}], "t.jsonl:2: not a line of a trace file (KeyError: 'status')"),
        ([attempt(), call(order=[0, 0, 1])], "t.jsonl:2: not a line of a trace file (ValueError: its order"),
        ([attempt(schema=2)], "t.jsonl:1: written by a newer rearank"),
        ([attempt(asker={})], "t.jsonl:1: not a line of a trace file (KeyError: 'sampling')"),
        ([[1]], "t.jsonl:1: not a line of a trace file (TypeError"),
    ],
)
def test_another_file_is_refused_with_its_line(tmp_path, records, message):
    path = write_traces(tmp_path / "t.jsonl", *records)
    with pytest.raises(InputError) as refused:
        TraceFile(path)
    assert message in str(refused.value)
