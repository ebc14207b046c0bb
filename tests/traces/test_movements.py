"""Where passages went, in ranks."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.methods import METHODS
from rearank_cli.records import Completion, Prompt
from rearank_cli.traces import TracedRequest, TraceFile
from rearank_cli.traces.movements import Move, journeys, moves
from tests.reranking.collection import numbered, write_collection
from tests.reranking.engines import Scripted, at_random, best_last
from tests.traces.lines import attempt, call, write_traces


def requests(folder: Path, *calls: dict, **options) -> list[TracedRequest]:
    file = TraceFile(write_traces(folder / "t.jsonl", attempt(options=options), *calls))
    return [traced.settled for traced in file.calls("q1")]


def test_ranks_are_those_of_the_whole_list_where_a_window_is_a_stretch_of_it(tmp_path):
    [request] = requests(tmp_path, call(["a", "b", "c"], [2, 0, 1], window=[10, 13]))
    assert moves(request) == [("c", 13, 11), ("a", 11, 12), ("b", 12, 13)]
    assert [move.climb for move in moves(request)] == [2, -1, -1]


@pytest.mark.parametrize(
    ("window", "options"),
    [
        pytest.param(None, {}, id="no stretch"),
        pytest.param([10, 13], {"permutations": 3}, id="shuffled"),
        pytest.param([10, 19], {}, id="more than was shown"),
    ],
)
def test_otherwise_they_are_places_in_the_window(tmp_path, window, options):
    [request] = requests(tmp_path, call(["a", "b", "c"], [2, 0, 1], window=window), **options)
    assert request.first_rank is None
    assert moves(request) == [("c", 3, 1), ("a", 1, 2), ("b", 2, 3)]
    assert journeys([request]) == []


def test_a_journey_goes_from_where_a_passage_was_first_seen_to_where_it_was_last_put(tmp_path):
    windows = requests(
        tmp_path,
        call(["c", "d"], [1, 0], window=[2, 4]),
        call(["b", "d"], [1, 0], window=[1, 3]),
        call(["a", "d"], [1, 0], window=[0, 2]),
    )
    assert journeys(windows) == [("d", 4, 1), ("a", 1, 2), ("b", 2, 3), ("c", 3, 4)]


def test_passages_shown_alone_go_where_their_scores_take_them(tmp_path):
    alone = [
        call([doc_id], window=[place, place + 1], scores=[score], status="ok" if score else "unreadable")
        for place, (doc_id, score) in enumerate({"a": 0.1, "b": None, "c": 0.9, "d": 0.1}.items())
    ]
    # b has no score, and keeps its place.
    assert journeys(requests(tmp_path, *alone)) == [("c", 3, 1), ("b", 2, 2), ("a", 1, 3), ("d", 4, 4)]


@given(st.permutations(range(8)), st.integers(0, 50))
def test_moves_are_a_permutation_of_ranks(order, start):
    doc_ids = tuple(numbered(8))
    request = TracedRequest(
        **dict.fromkeys(TracedRequest.__dataclass_fields__)
        | {"doc_ids": doc_ids, "order": tuple(order), "window": (start, start + 8), "shuffled": False}
    )
    found = moves(request)
    assert [move.doc_id for move in found] == request.ranked
    assert [move.after for move in found] == list(range(start + 1, start + 9))
    assert sorted(move.before for move in found) == [move.after for move in found]
    assert sum(move.climb for move in found) == 0


@pytest.mark.parametrize("answer", [best_last, at_random])
@pytest.mark.parametrize("method", ["sliding", "full"])
def test_journeys_end_in_the_run_that_was_written(tmp_path, answer, method):
    collection = write_collection(tmp_path, {"q1": numbered(25)})
    after = collection.rerank(
        Scripted(answer), traces=collection.traces, method=method, window=6, step=3, retries=0
    )
    file = TraceFile(collection.traces)
    went = journeys(traced.settled for traced in file.calls("q1"))
    assert [move.doc_id for move in went] == after["q1"]
    assert all(
        Move(doc_id, rank, after["q1"].index(doc_id) + 1) in went
        for rank, doc_id in enumerate(numbered(25), 1)
    )


def test_journeys_of_a_pointwise_run_end_in_the_run_that_was_written(tmp_path):
    def answer(prompt: Prompt) -> Completion:
        number = int(prompt.doc_ids[0][1:])
        return Completion("no" if number == 4 else f"<think>x</think><answer>{number * 7 % 5}</answer>")

    collection = write_collection(tmp_path, {"q1": numbered(9)})
    toml = tmp_path / "mine.toml"
    toml.write_text(
        'name = "mine"\ntitle = "x"\ndefaults = { method = "pointwise", window = 20, step = 10 }\n'
        'sampling = { max_tokens = 9 }\nanswer = { reader = "integer", thought = true, tags = true }\n'
        'text = "{{ query }} {{ passages[0].text }}"\n'
    )
    assert "pointwise" in METHODS
    after = collection.rerank(Scripted(answer), traces=collection.traces, family=toml)
    went = journeys(traced.settled for traced in TraceFile(collection.traces).calls("q1"))
    assert [move.doc_id for move in went] == after["q1"] != numbered(9)
