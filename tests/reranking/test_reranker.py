"""`rearank_cli.Reranker`: one engine for call after call, another where another is asked for."""

import asyncio
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from rearank_cli import Reranker
from rearank_cli.engines import LexicalJudge
from rearank_cli.errors import EngineError, UsageError
from rearank_cli.reranking import kept
from tests.end_to_end.conftest import with_default_signals
from tests.reranking.collection import ids, numbered
from tests.reranking.engines import BestLast, Scripted
from tests.reranking.test_python_api import interrupted


class Loaded(Scripted):
    """An engine that lives in the event loop that it was loaded in, as vLLM does."""

    def __init__(self):
        super().__init__()
        self.loop = asyncio.get_running_loop()
        self.closed = self.dead = False

    async def complete(self, prompt, sampling):
        assert asyncio.get_running_loop() is self.loop
        assert not self.closed
        if self.dead:
            raise EngineError("it died")
        return await super().complete(prompt, sampling)

    async def close(self):
        assert asyncio.get_running_loop() is self.loop
        self.closed = True


@pytest.fixture
def loaded(monkeypatch):
    """The engines that were loaded, in their order."""
    engines = []

    async def load(name, *_, **__):
        if name == "lexical":
            return LexicalJudge()
        assert all(engine.closed for engine in engines), "two at once have no room"
        engines.append(Loaded())
        return engines[-1]

    def check(model, _):
        if model == "nowhere":
            raise EngineError("there is no such model")

    monkeypatch.setattr(kept, "start_engine", load)
    monkeypatch.setattr(kept, "check_model", check)
    monkeypatch.setattr("rearank_cli.reranking.job.check_engine", lambda *_, **__: None)
    return engines


@pytest.fixture
def texts(two_queries):
    return {"docs": two_queries.docs, "queries": two_queries.queries}


def test_the_model_is_loaded_once_and_ends_with_the_reranker(two_queries, texts, loaded):
    with Reranker("model", family="rearank", engine="vllm", **texts) as reranker:
        assert loaded == [], "not before it is needed"
        first = reranker.rerank(two_queries.run)
        second = reranker.rerank(str(two_queries.run), depth=3, traces=two_queries.traces)
        (engine,) = loaded
        assert not engine.closed
    assert engine.closed
    assert ids(first)["q1"] == numbered(7)[::-1]
    assert ids(second)["q1"] == numbered(7)[2::-1] + numbered(7)[3:]
    # The traces name the model, as those of the command line do.
    assert two_queries.records()[0]["asker"]["model"] == "model"


async def test_where_an_event_loop_is_running_it_is_the_same(two_queries, texts, loaded):
    with Reranker("model", family="rearank", engine="vllm", **texts) as reranker:
        assert ids(reranker.rerank(two_queries.run)) == ids(reranker.rerank(two_queries.run))
    assert [engine.closed for engine in loaded] == [True]


@pytest.mark.parametrize(
    ("options", "engines"),
    [
        ({"family": "rankgpt"}, 1),
        ({"depth": 3, "window": 3, "step": 1, "retries": 2, "timeout": 9.0, "tag": "x"}, 1),
        ({"temperature": 0.0}, 1),
        ({"temperature": 1.0}, 1),
        ({"model": "another"}, 2),
        ({"revision": "other"}, 2),
        ({"engine_arg": {"max_num_seqs": 4}}, 2),
        ({"replicas": 2}, 2),
    ],
)
def test_another_is_loaded_where_what_it_loads_is_another(two_queries, texts, loaded, options, engines):
    with Reranker("model", family="rearank", engine="vllm", **texts) as reranker:
        reranker.rerank(two_queries.run)
        reranker.rerank(two_queries.run, **options)
        assert len(loaded) == engines
        assert [engine.closed for engine in loaded] == [True, False][2 - engines :]


def test_after_an_engine_died_the_next_call_has_another(two_queries, texts, loaded):
    with Reranker("model", family="rearank", engine="vllm", **texts) as reranker:
        reranker.rerank(two_queries.run)
        loaded[0].dead = True
        with pytest.raises(EngineError, match="it died"):
            reranker.rerank(two_queries.run)
        assert loaded[0].closed
        assert ids(reranker.rerank(two_queries.run))["q1"] == numbered(7)[::-1]
        assert len(loaded) == 2


def test_what_is_closed_can_be_used_again(two_queries, texts, loaded):
    reranker = Reranker("model", family="rearank", engine="vllm", **texts)
    reranker.close()
    for number in (1, 2):
        reranker.rerank(two_queries.run)
        reranker.close()
        reranker.close()
        assert [engine.closed for engine in loaded] == [True] * number


def test_an_error_of_a_call_leaves_the_model_loaded(two_queries, texts, loaded):
    with Reranker("model", family="rearank", engine="vllm", **texts) as reranker:
        reranker.rerank(two_queries.run)
        with pytest.raises(UsageError, match=r"no option widnow \(did you mean window\?\)"):
            reranker.rerank(two_queries.run, widnow=4)
        reranker.rerank(two_queries.run)
        assert [engine.closed for engine in loaded] == [False]


def test_what_is_not_of_the_model_leaves_it_loaded(two_queries, texts, loaded):
    class Deaf:
        async def judge(self, *_):
            raise EngineError("no one hears me")

    with Reranker("model", family="rearank", engine="vllm", **texts) as reranker:
        reranker.rerank(two_queries.run)
        with pytest.raises(EngineError, match="there is no such model"):
            reranker.rerank(two_queries.run, model="nowhere")
        with pytest.raises(EngineError, match="no one hears me"):
            reranker.rerank(two_queries.run, engine=Deaf())
        reranker.rerank(two_queries.run, engine="lexical")
        reranker.rerank(two_queries.run)
        assert [engine.closed for engine in loaded] == [False]


def test_what_went_wrong_is_told_where_the_dead_end_badly_too(two_queries, texts, loaded):
    async def fail():
        raise RuntimeError("it does not even end")

    reranker = Reranker("model", family="rearank", engine="vllm", **texts)
    reranker.rerank(two_queries.run)
    loaded[0].dead, loaded[0].close = True, fail
    with pytest.raises(EngineError, match="it died"):
        reranker.rerank(two_queries.run)


def test_a_call_beside_another_is_refused(two_queries, texts):
    class Nested:
        async def judge(self, _, passages, __):
            for call in (lambda: reranker.rerank(two_queries.run), reranker.close):
                with pytest.raises(UsageError, match="busy with another call"):
                    call()
            return list(range(len(passages))), ""

    reranker = Reranker(engine=Nested(), **texts)
    reranker.rerank(two_queries.run)
    assert ids(reranker.rerank(two_queries.run))["q1"] == numbered(7)
    reranker.close()


def test_what_is_closed_leaves_nothing_open(two_queries, texts):
    def left():
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    def use():
        with Reranker(engine=BestLast(), **texts) as reranker:
            reranker.rerank(two_queries.run)

    use()
    gc.collect()
    before = left()
    for _ in range(5):
        use()
    assert left() <= before


def test_one_that_is_forgotten_ends_its_model(two_queries, texts, loaded):
    ended = []
    reranker = Reranker("model", family="rearank", engine="vllm", **texts)
    reranker.rerank(two_queries.run)
    loaded[0].end = lambda: ended.append(True)
    del reranker
    gc.collect()
    assert ended == [True]


def test_an_engine_of_ones_own_is_left_to_its_owner(two_queries, texts, loaded):
    engine = BestLast()
    engine.close = None  # it is not called
    with Reranker(engine=engine, **texts) as reranker:
        assert ids(reranker.rerank(two_queries.run))["q1"] == numbered(7)[::-1]
    assert loaded == []


def test_options_are_checked_when_they_are_given():
    with pytest.raises(UsageError, match="window is 'wide', and must be a whole number"):
        Reranker("model", window="wide")


TWICE = """
import asyncio, signal
from pathlib import Path
from rearank_cli import Reranker
from rearank_cli.errors import StoppedByUserError
from rearank_cli.families import load_family
from rearank_cli.reranking import job, kept

class Slow:
    asked = 0
    async def complete(self, prompt, sampling):
        self.asked += 1
        if self.asked == 3:
            Path("third").touch()
            while not Path("go").exists():
                await asyncio.sleep(0.01)
        return load_family("rearank").write(range(len(prompt.doc_ids))[::-1])

async def load(*_, **__):
    print("loaded", flush=True)
    return Slow()

kept.start_engine = load
kept.check_model = job.check_engine = lambda *_, **__: None
options = dict(docs="docs.jsonl", queries="queries.tsv", engine="vllm", family="rearank", window=4, step=2)
with Reranker("model", in_flight=1, traces="traces.jsonl", **options) as reranker:
    try:
        reranker.rerank("bm25.trec")
    except StoppedByUserError as error:
        print("stopped:", error)
    print(len(reranker.rerank("bm25.trec", resume=True)["q1"]))
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def test_ctrl_c_stops_a_call_and_leaves_the_model_loaded(two_queries):
    assert interrupted(two_queries.folder, TWICE) == "loaded\nstopped: interrupted\n7\n"
    assert len(two_queries.calls()) == 6


def printed(folder, program):
    """What a program prints that hears Ctrl-C."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        preexec_fn=with_default_signals,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LATE = """
import os, signal
from rearank_cli import Reranker
from rearank_cli.errors import StoppedByUserError
from rearank_cli.reranking import kept

class Late(kept.KeptEngine):
    # It comes when all is done but for the way back.
    def run(self, work):
        done = super().run(work)
        os.kill(os.getpid(), signal.SIGINT)
        return done

from rearank_cli.reranking import interface
interface.KeptEngine = Late
with Reranker(engine="lexical", docs="docs.jsonl", queries="queries.tsv") as reranker:
    for number in (1, 2):
        try:
            reranker.rerank("bm25.trec")
            print("done")
        except StoppedByUserError:
            print("stopped")
            break
"""


def test_ctrl_c_that_comes_too_late_for_a_call_is_not_forgotten(two_queries):
    assert printed(two_queries.folder, LATE) == "stopped\n"


REPLACED = """
import asyncio, os, signal, threading
from rearank_cli import Reranker
from rearank_cli.errors import StoppedByUserError
from rearank_cli.families import load_family
from rearank_cli.reranking import job, kept

class Engine:
    async def complete(self, prompt, sampling):
        return load_family("rearank").write(range(len(prompt.doc_ids)))

    async def close(self):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(1)
        print("closed")

async def load(*_, **__):
    print("loaded")
    return Engine()

kept.start_engine = load
kept.check_model = job.check_engine = lambda *_, **__: None
reranker = Reranker("one", docs="docs.jsonl", queries="queries.tsv", engine="vllm", family="rearank")
reranker.rerank("bm25.trec")
try:
    reranker.rerank("bm25.trec", model="other")
except StoppedByUserError:
    print("stopped")
reranker.rerank("bm25.trec", model="other")
"""


def test_ctrl_c_while_one_model_takes_the_place_of_another_waits_for_the_end_of_the_first(two_queries):
    assert printed(two_queries.folder, REPLACED).split() == ["loaded", "closed", "stopped", "loaded"]
