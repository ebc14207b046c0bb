"""The same answers give the same bytes, whenever they come."""

import asyncio
from random import Random

import pytest

from rearank_cli.records import Completion, Prompt, Sampling
from tests.reranking.collection import Collection, numbered
from tests.reranking.engines import REARANK, Scripted, at_random, best_last

SEVEN = {f"q{number}": numbered(17) for number in range(7)}
WINDOWS = {"window": 5, "step": 2}


def without_time(collection: Collection) -> list[dict[str, object]]:
    clock = {"seconds", "ended"}
    return [{key: call[key] for key in call.keys() - clock} for call in collection.calls()]


def test_answers_in_any_order_give_the_same_run(collect):
    collection = collect(SEVEN)
    outputs, traces = set(), []
    for delays in (None, Random(1), Random(2), Random(3)):
        options = {"output": collection.output, "traces": collection.traces, "overwrite": True, **WINDOWS}
        collection.rerank(Scripted(at_random, delays), **options)
        outputs.add(collection.output.read_bytes())
        traces.append(without_time(collection))
    assert len(outputs) == 1
    assert all(calls == traces[0] for calls in traces)


@pytest.mark.parametrize("in_flight", [1, 2, 64])
def test_the_number_of_calls_in_flight_does_not_change_the_run(collect, in_flight):
    collection = collect(SEVEN)
    expected = collection.rerank(Scripted(at_random), **WINDOWS)
    assert collection.rerank(Scripted(at_random, Random(7)), in_flight=in_flight, **WINDOWS) == expected


class Gathering(Scripted):
    """Answers nobody until as many as expected are waiting; then everybody at once."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.expected = expected
        self.enough = asyncio.Event()

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        if self.running == self.expected:
            self.enough.set()
        await asyncio.wait_for(self.enough.wait(), 30)
        await asyncio.sleep(0)
        self.running -= 1
        return best_last(prompt)


def test_calls_of_different_queries_are_in_flight_together(collect):
    engine = Gathering(expected=7)
    collect(SEVEN).rerank(engine)
    assert engine.most_running == 7


def test_there_are_never_more_calls_in_flight_than_asked_for(collect):
    engine = Gathering(expected=3)
    collect(SEVEN).rerank(engine, in_flight=3, **WINDOWS)
    assert engine.most_running == 3


def test_an_engine_that_knows_its_capacity_is_given_no_more(collect):
    engine = Gathering(expected=2)
    engine.capacity = 2
    collect(SEVEN).rerank(engine)
    assert engine.most_running == 2


def seeds(collection: Collection, **options) -> list[int | None]:
    engine = Scripted(delays=Random(options.pop("delays", 1)))
    collection.rerank(engine, **WINDOWS, **options)
    asked = sorted(engine.asked, key=lambda call: (call[0].messages[-1]["content"], call[0].doc_ids))
    return [sampling.seed for _, sampling in asked]


def test_sampled_calls_have_seeds_of_their_own_and_the_same_in_every_run(collect):
    collection = collect(SEVEN)
    first = seeds(collection, temperature=0.7, delays=1)
    assert len(set(first)) == len(first) == 7 * 7
    assert seeds(collection, temperature=0.7, delays=2) == first
    assert seeds(collection, temperature=0.7, in_flight=1) == first
    assert not set(seeds(collection, temperature=0.7, seed=1)) & set(first)


def test_greedy_calls_have_no_seed(two_queries):
    assert set(seeds(two_queries)) == {None}


def test_sampling_is_the_family_s_with_the_user_s_changes(two_queries):
    engine = Scripted()
    two_queries.rerank(engine)
    two_queries.rerank(engine, temperature=0.7, top_p=0.9, max_tokens=10)
    greedy, sampled = engine.asked[0][1], engine.asked[-1][1]
    assert greedy == REARANK.sampling
    assert (sampled.temperature, sampled.top_p, sampled.max_tokens) == (0.7, 0.9, 10)
