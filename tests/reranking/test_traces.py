"""The record of every call, as `design.md` fixes it."""

import datetime
import hashlib
import json

import pytest

from rearank_cli import __version__, rerank
from rearank_cli.errors import UsageError
from rearank_cli.records import Completion, Prompt, ScoredDoc
from tests.reranking.collection import numbered
from tests.reranking.engines import BestLast, Scripted, best_last

CALL = {
    "type", "key", "run", "query_id", "sample", "try", "forced", "window", "doc_ids", "order", "scores",
    "status", "reasoning", "response", "finish_reason", "prompt_tokens", "completion_tokens", "cached_tokens",
    "seconds", "cut_passages",
}  # fmt: skip


def test_a_call_is_recorded_with_what_was_asked_answered_and_read(collect):
    def answer(prompt: Prompt) -> Completion:
        text = "<think>d001 fits</think> <answer>[2] > [3]</answer>"
        return Completion(text, prompt_tokens=30, completion_tokens=20, cached_tokens=10)

    collection = collect({"q1": numbered(5)})
    collection.rerank(Scripted(answer), traces=collection.traces, window=3, step=2)
    [call, _] = collection.calls()
    assert set(call) >= CALL
    assert isinstance(call.pop("seconds"), float)
    assert len(call.pop("key")) == 32
    assert {name: call[name] for name in CALL - {"seconds", "key"}} == {
        "type": "call",
        "run": "bm25.trec",
        "query_id": "q1",
        "sample": 0,
        "try": 0,
        "forced": False,
        "window": [2, 5],
        "doc_ids": ["d002", "d003", "d004"],
        "order": [1, 2, 0],
        "scores": None,
        "status": "repaired",
        "reasoning": "d001 fits",
        "response": "<think>d001 fits</think> <answer>[2] > [3]</answer>",
        "finish_reason": "stop",
        "prompt_tokens": 30,
        "completion_tokens": 20,
        "cached_tokens": 10,
        "cut_passages": 0,
    }


def test_the_first_line_says_what_everything_after_it_was_asked_with(two_queries):
    two_queries.rerank(Scripted(), traces=two_queries.traces, window=4, step=2, depth=6, set={"cut": "10"})
    attempt, *calls = two_queries.records()
    assert {call["type"] for call in calls} == {"call"}
    assert len(calls) == 4
    assert datetime.datetime.fromisoformat(attempt["started"]).tzinfo is not None
    arrangement = {"method": "sliding", "window": 4, "step": 2, "depth": 6, "set": {"cut": "10"}}
    expected = {
        "type": "attempt",
        "schema": 1,
        "rearank": __version__,
        "engine": "scripted",
        "engine_version": None,
        "revision": None,
        "adapter": None,
        "family": "rearank",
        "options": attempt["options"] | arrangement,
        "run": "bm25.trec",
        "run_sha256": hashlib.sha256(two_queries.run.read_bytes()).hexdigest(),
    }
    # Keys may be added, and never taken away.
    assert attempt | expected == attempt


def test_every_call_is_in_the_file_before_the_next_is_asked(collect):
    collection = collect({"q1": numbered(9)})
    recorded = []

    def answer(prompt: Prompt) -> Completion:
        recorded.append(len(collection.calls()))
        return best_last(prompt)

    collection.rerank(Scripted(answer), traces=collection.traces, window=3, step=2)
    assert recorded == [0, 1, 2, 3]


def keys(collection, **options) -> set[str]:
    collection.rerank(options.pop("engine", Scripted()), traces=collection.traces, overwrite=True, **options)
    return {call["key"] for call in collection.calls()}


@pytest.mark.parametrize("changed", [{"in_flight": 1}, {"tag": "other"}, {"limit": 5}, {"seed": 1}])
def test_a_call_is_the_same_in_every_attempt_that_asks_the_same(two_queries, changed):
    first = keys(two_queries, window=4, step=2)
    assert len(first) == 6
    assert keys(two_queries, window=4, step=2, **changed) == first


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({}, {"set": {"cut": "20"}}),
        ({}, {"temperature": 0.1}),
        ({}, {"max_tokens": 99}),
        ({}, {"family": "rankgpt"}),
        ({}, {"engine": BestLast()}),
        ({}, {"window": 4, "step": 2}),
        ({"temperature": 0.1}, {"temperature": 0.1, "seed": 1}),
    ],
)
def test_a_changed_option_makes_every_call_another(two_queries, options, changed):
    assert not keys(two_queries, **options) & keys(two_queries, **changed)


def test_a_changed_step_makes_another_call_only_where_the_window_is_another(two_queries):
    assert len(keys(two_queries, window=4, step=3) & keys(two_queries, window=4, step=2)) == 2


def test_an_existing_trace_file_is_refused_before_anything_is_asked(two_queries):
    two_queries.traces.write_text("precious\n")
    engine = Scripted()
    with pytest.raises(UsageError, match=r"traces\.jsonl exists already"):
        two_queries.rerank(engine, output=two_queries.output, traces=two_queries.traces)
    assert engine.asked == []
    assert two_queries.traces.read_text() == "precious\n"
    assert not two_queries.output.exists()


def test_a_trace_file_that_is_overwritten_holds_the_new_attempt_alone(two_queries):
    two_queries.traces.write_text("old\n")
    two_queries.rerank(Scripted(), traces=two_queries.traces, overwrite=True)
    assert [record["type"] for record in two_queries.records()] == ["attempt", "call", "call"]


def test_a_run_from_python_has_a_digest_too(two_queries):
    run = {"q1": [ScoredDoc("d000", 1.0)], "q2": [ScoredDoc("d001", 1.0)]}
    digests = set()
    for rankings in (run, {"q1": run["q2"], "q2": run["q1"]}):
        rerank(
            rankings, docs=two_queries.docs, queries=two_queries.queries, engine=Scripted(),
            traces=two_queries.traces, overwrite=True,
        )  # fmt: skip
        attempt = json.loads(two_queries.traces.read_bytes().splitlines()[0])
        digests.add(attempt["run_sha256"])
    assert len(digests) == 2
