"""Who goes first where not all calls can run at once, and what happens at the same time."""

import asyncio
import random
import threading
import time
from pathlib import Path

import pytest

from rearank_cli.engines import LexicalJudge
from rearank_cli.errors import InputError
from rearank_cli.reranking import Destination, RerankOptions, job, rerank_runs
from rearank_cli.reranking.conductor import expected_calls
from rearank_cli.reranking.options import Arrangement
from rearank_cli.reranking.slots import Slots
from tests.reranking.collection import Collection, write_collection
from tests.reranking.engines import Scripted


def doc_ids(query: str, count: int) -> list[str]:
    return [f"{query}-{number:03}" for number in range(count)]


@pytest.fixture
def uneven(tmp_path: Path) -> Collection:
    """Three queries of one window each, and then one of nine."""
    rankings = {query: doc_ids(query, 20) for query in ("s1", "s2", "s3")}
    return write_collection(tmp_path, {**rankings, "long": doc_ids("long", 100)})


def test_the_query_with_most_calls_left_goes_first(uneven):
    engine = Scripted()
    uneven.rerank(engine, in_flight=1)
    asked = [prompt.query_id for prompt, _ in engine.asked]
    # The first place is free when the first query comes. Whenever it is given back by another there is
    # a choice; what a call leads to is asked only when its answer was read.
    assert asked == ["s1", "long", "s2", "long", "s3", *["long"] * 7]


def test_as_many_calls_run_as_the_engine_can_hold(uneven):
    engine = Scripted(delays=random.Random(0))
    engine.capacity = 3
    uneven.rerank(engine)
    assert engine.most_running == 3
    engine.most_running = 0
    uneven.rerank(engine, in_flight=2)
    assert engine.most_running == 2


@pytest.mark.parametrize(
    ("method", "count", "calls"),
    [("sliding", 100, 9), ("sliding", 95, 9), ("sliding", 5, 1), ("full", 100, 1), ("pointwise", 30, 30)],
)
async def test_the_calls_that_a_query_takes_are_known_before(method, count, calls):
    assert await expected_calls(Arrangement(method, 20, 10, 100), count) == calls
    assert await expected_calls(Arrangement(method, 20, 10, 100, permutations=3), count) == 3 * calls


def rerank_both(folders: list[Path], engine: object, **options) -> None:
    """Rerank two runs of the same documents in one job."""
    collections = [write_collection(folder, {"q": doc_ids("q", 50)}) for folder in folders]
    given = RerankOptions(docs=collections[0].docs, queries=collections[0].queries, engine=engine, **options)
    rerank_runs(
        [collection.run for collection in collections],
        given,
        [Destination(collection.output, None) for collection in collections],
    )
    assert all(collection.output.is_file() for collection in collections)


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    found = [tmp_path / "a", tmp_path / "b"]
    for folder in found:
        folder.mkdir()
    return found


def test_there_is_no_barrier_between_runs(folders):
    """Each chain of four calls takes four turns: two runs one after another would take eight."""
    engine = Scripted(delays=random.Random(1))
    rerank_both(folders, engine)
    assert len(engine.asked) == 8
    assert engine.most_running == 2


def test_of_two_runs_the_first_one_goes_first(folders):
    engine = Scripted(delays=random.Random(1))
    rerank_both(folders, engine, in_flight=1, tag="x")
    # All alike: what tells them apart is that the first run is done when its four calls are.
    assert engine.most_running == 1
    assert (folders[0] / "out.trec").stat().st_mtime_ns < (folders[1] / "out.trec").stat().st_mtime_ns


class Loading:
    """Stands for start_engine: waits until it is let go, and tells whether its engine was closed."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.closed = False
        self.cancelled = False

    async def __call__(self, *_: object, **__: object) -> "Loading":
        self.begun.set()
        try:
            while not self.go_on.is_set():  # noqa: ASYNC110  # it is set in another thread
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self

    async def judge(self, *given: object) -> object:
        return await LexicalJudge().judge(*given)

    async def close(self) -> None:
        self.closed = True


def test_texts_are_fetched_while_the_engine_loads(uneven, monkeypatch):
    loading, assign = Loading(), job.assign

    def assign_meanwhile(*given: object) -> object:
        assert loading.begun.wait(10)
        loading.go_on.set()
        return assign(*given)

    monkeypatch.setattr(job, "start_engine", loading)
    monkeypatch.setattr(job, "assign", assign_meanwhile)
    assert len(uneven.rerank("lexical")) == 4
    assert loading.closed


@pytest.mark.parametrize("loaded", [False, True])
def test_a_text_that_is_missing_ends_the_loading(tmp_path, monkeypatch, loaded):
    collection = write_collection(tmp_path, {"q": ["d1", "d2"]}, without=["d2"])
    loading, assign = Loading(), job.assign

    def assign_later(*given: object) -> object:
        assert loading.begun.wait(10)
        if loaded:
            loading.go_on.set()
            time.sleep(0.1)
        return assign(*given)

    monkeypatch.setattr(job, "start_engine", loading)
    monkeypatch.setattr(job, "assign", assign_later)
    with pytest.raises(InputError, match="d2 of the run is not in"):
        collection.rerank("lexical")
    assert (loading.closed, loading.cancelled) == (loaded, not loaded)


async def test_a_place_is_never_lost_and_never_given_twice():
    draw = random.Random(3)
    slots = Slots(3)
    running = most = served = 0

    async def work(number: int) -> None:
        nonlocal running, most, served
        async with slots.place((draw.randrange(4), number)):
            running += 1
            most = max(most, running)
            served += 1
            try:
                await asyncio.sleep(draw.uniform(0, 0.002))
            finally:
                running -= 1

    tasks = [asyncio.ensure_future(work(number)) for number in range(300)]
    for _ in range(60):
        await asyncio.sleep(0.001)
        draw.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    assert served >= 240
    assert slots.idle.is_set()
    # All three places are there again.
    async with slots.place(()), slots.place(()), slots.place(()):
        assert not slots.idle.is_set()


async def test_places_go_by_precedence_and_then_by_arrival():
    slots, order = Slots(1), []

    async def work(name: str, *precedence: int) -> None:
        async with slots.place(precedence):
            order.append(name)

    async with slots.place((0,)):
        waiting = [
            asyncio.ensure_future(work(name, *precedence))
            for name, precedence in {"c": (1, -2), "a": (0, -1), "d": (1, -2), "b": (1, -9)}.items()
        ]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["a", "b", "c", "d"]
