"""How far a job has come: what is counted, how long the rest takes, and who is told."""

import asyncio
import logging
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.records import Completion, Prompt, Sampling, Status
from rearank_cli.reranking import Destination, RerankOptions, job, rerank_runs
from rearank_cli.reranking.pace import Pace
from rearank_cli.reranking.progress import EachMinute, Progress
from rearank_cli.reranking.tally import Tally
from rearank_cli.words import counted, duration
from tests.reranking.collection import Collection, numbered
from tests.reranking.engines import Scripted, best_last, unchanged


class Onlooker:
    """Keeps all that it is shown."""

    every = 0.001

    def __init__(self) -> None:
        self.seen: list[Progress] = []
        self.left = 0
        self.looks_after_leaving = 0

    def look(self, progress: Progress) -> None:
        self.looks_after_leaving += bool(self.left)
        self.seen.append(progress)

    def leave(self) -> None:
        self.left += 1

    @property
    def asking(self) -> list[Progress]:
        return [progress for progress in self.seen if not progress.busy_with]


class WithTokens(Scripted):
    """Tells how many tokens it read, found in its cache, and wrote; each answer takes a while."""

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        await asyncio.sleep(0.01)
        answer = await super().complete(prompt, sampling)
        return Completion(answer.text, prompt_tokens=100, cached_tokens=30, completion_tokens=7)


@pytest.fixture
def forty(collect) -> Collection:
    """Four queries of 20 documents: with window 2 and step 1, 19 calls each."""
    return collect({f"q{number}": numbered(20) for number in range(4)})


def observe(collection: Collection, engine: object, **options: object) -> tuple[Onlooker, Tally]:
    onlooker = Onlooker()
    given = RerankOptions(
        docs=collection.docs, queries=collection.queries, engine=engine, window=2, step=1, **options
    )
    place = Destination(collection.output, collection.traces)
    return onlooker, rerank_runs([collection.run], given, [place], onlooker)[0].tally


def test_what_is_seen_grows_to_what_the_summary_says(forty):
    onlooker, tally = observe(forty, WithTokens(), in_flight=3)
    looks = onlooker.asking
    assert len(looks) > 20
    assert (onlooker.left, onlooker.looks_after_leaving) == (1, 0)
    calls = [look.total.calls for look in looks]
    assert calls == sorted(calls)
    assert all(look.total.calls + look.total.calls_left == 76 for look in looks)
    assert all(look.total.queries + look.total.queries_left == 4 for look in looks)
    assert max(look.in_flight for look in looks) == 3
    assert not any(look.about for look in looks)
    assert (tally.calls, tally.calls_left, tally.queries, tally.queries_left) == (76, 0, 4, 0)
    assert (tally.requests, tally.reused) == (76, 0)
    assert (tally.prompt_tokens, tally.cached_tokens, tally.completion_tokens) == (7600, 2280, 532)
    assert looks[-1].tokens_in / looks[-1].tokens_out == pytest.approx(100 / 7)


def test_calls_from_traces_are_done_and_say_nothing_of_the_time_left(forty):
    observe(forty, Scripted())
    lines = forty.traces.read_bytes().splitlines(keepends=True)
    forty.traces.write_bytes(b"".join(lines[:-12]))
    onlooker, tally = observe(forty, WithTokens(), in_flight=1, resume=True)
    assert (tally.calls, tally.requests, tally.reused) == (76, 12, 64)
    looks = onlooker.asking
    assert 0 < looks[0].total.calls_left <= 12
    known = [look for look in looks if look.seconds_left is not None]
    assert known[0].total.requests == 3
    # Ten milliseconds a call, and more: had the others counted, it would be a tenth of that.
    assert all(look.seconds_left >= 0.009 * look.total.calls_left for look in known)


def test_a_call_that_is_asked_again_was_not_taken_from_the_traces(two_queries):
    failing = Scripted(lambda prompt: Completion("", finish_reason="error", error="no"))
    observe(two_queries, failing, retries=0)
    _, tally = observe(two_queries, Scripted(), resume=True, retries=1)
    assert (tally.calls, tally.requests, tally.reused) == (12, 12, 0)


def test_a_replay_takes_all_from_the_traces(two_queries):
    _, before = observe(two_queries, Scripted())
    _, tally = observe(two_queries, "replay", overwrite=True)
    assert tally.summary == f"{before.summary}, all from the traces"
    assert tally.requests == 0


def test_where_answers_decide_about_the_calls_their_number_is_about(collect):
    collection = collect({f"q{number}": numbered(30) for number in range(3)})
    onlooker = Onlooker()
    options = RerankOptions(
        docs=collection.docs,
        queries=collection.queries,
        engine=Scripted(best_last, Random(1)),
        method="topdown",
        window=5,
    )
    tally = rerank_runs([collection.run], options, [Destination(None, None)], onlooker)[0].tally
    assert all(look.about for look in onlooker.asking)
    assert all(look.total.calls_left >= 0 for look in onlooker.asking)
    assert (tally.calls_left, tally.queries) == (0, 3)
    # The first stage was wrong about everything, so it took more calls than expected.
    assert onlooker.asking[0].total.calls_left < tally.calls


def test_calls_that_answers_make_needless_are_no_longer_expected(collect):
    collection = collect({"q": numbered(50)})
    given = RerankOptions(
        docs=collection.docs, queries=collection.queries, engine=Scripted(unchanged), window=10,
        method="setwise-heapsort", retries=0,
    )  # fmt: skip
    result = rerank_runs([collection.run], given, [Destination(None, None)], Onlooker())[0].tally
    assert (result.calls, result.calls_left) == (17, 0)


def test_the_model_is_being_loaded_texts_fetched_and_the_engine_closed(forty, monkeypatch):
    class Slow(Scripted):
        async def close(self) -> None:
            await asyncio.sleep(0.05)

    async def start(*_: object, **__: object) -> Slow:
        await asyncio.sleep(0.05)
        return Slow()

    monkeypatch.setattr(job, "start_engine", start)
    onlooker, _ = observe(forty, "lexical")
    said = [look.busy_with for look in onlooker.seen]
    assert ("loading the model",) in said
    assert said[-1] == ("closing the engine",)
    assert onlooker.seen[-1].sentence == "still closing the engine, after 0 s"


def test_an_observer_that_fails_harms_nothing_and_is_told_of_once(forty, caplog):
    class Blind(Onlooker):
        def look(self, progress: Progress) -> None:
            raise ZeroDivisionError

    caplog.set_level(logging.DEBUG, "rearank")
    given = RerankOptions(docs=forty.docs, queries=forty.queries, engine=WithTokens(), window=2, step=1)
    assert rerank_runs([forty.run], given, [Destination(None, None)], Blind())[0].tally.calls == 76
    [told] = [record for record in caplog.records if record.exc_info]
    assert told.levelname == "DEBUG"
    assert told.exc_info[0] is ZeroDivisionError


@given(
    calls=st.integers(3, 2000),
    left=st.integers(0, 5000),
    seconds=st.floats(1, 500),
    looks=st.integers(1, 40),
    reused=st.integers(0, 5000),
)
def test_at_a_steady_pace_the_rest_takes_as_long_as_it_is(
    calls: int, left: int, seconds: float, looks: int, reused: int
):
    """Two in flight all the time, whenever it was looked at."""
    pace = Pace(100.0)
    for look in range(1, looks + 1):
        share = look / looks
        done = round(calls * share)
        at = seconds * done / calls
        pace.note(100 + at, of(done, left, reused=reused, seconds=2 * at, prompt_tokens=50 * done))
    assert pace.left(2) == pytest.approx(left * seconds / calls)
    assert pace.prompt_tokens == pytest.approx(50 * calls / seconds)


def of(calls: int, left: int, *, reused: int = 0, seconds: float = 0.0, prompt_tokens: int = 0) -> Tally:
    statuses = Counter({Status.OK: calls + reused})
    return Tally(
        statuses=statuses, calls_left=left, reused=reused, seconds=seconds, prompt_tokens=prompt_tokens
    )


def test_the_pace_of_late_counts_and_not_that_of_long_ago():
    pace = Pace(0.0)
    for minute in range(10):  # ten minutes of 100 calls each, and then of 20 each
        pace.note(60.0 * (minute + 1), of(100 * (minute + 1), 100))
    assert pace.left(0) == pytest.approx(60.0)
    for minute in range(3):
        pace.note(660.0 + 60 * minute, of(1000 + 20 * (minute + 1), 100))
    assert pace.left(0) == pytest.approx(300.0)


def test_the_last_query_is_waited_for_answer_by_answer():
    """Fifty at once took 10 s a call; now one query is left, with six calls one after another."""
    pace = Pace(0.0)
    pace.note(100.0, of(500, 6, seconds=5000.0))
    assert pace.left(50) == pytest.approx(1.2)
    assert pace.left(1) == pytest.approx(60.0)


def test_nothing_is_said_of_the_rest_before_there_is_anything_to_say_it_by():
    pace = Pace(0.0)
    assert pace.left(4) is None
    pace.note(5.0, of(2, 50, reused=1000))
    assert pace.left(4) is None


def test_when_all_stands_still_the_time_left_grows():
    pace = Pace(0.0)
    pace.note(10.0, of(10, 10))
    first = pace.left(1)
    pace.note(300.0, of(10, 10))
    assert first == pytest.approx(10.0)
    assert pace.left(1) == pytest.approx(300.0)


RUN = ("run.trec", Tally(3, 9, 29, Counter({Status.OK: 118, Status.REPAIRED: 2}), forced=1, reused=20))


@pytest.mark.parametrize(
    ("progress", "sentence"),
    [
        (Progress(("loading the model", "fetching texts"), seconds=61),
         "still loading the model and fetching texts, after 1 min 01 s"),
        (Progress((), (("a", Tally(0, 1, 1)),), seconds=3),
         "a: 0 of 1 query, 0 of 1 call, 3 s gone, time left not known yet"),
        (Progress((), (RUN,), seconds=240, tokens_in=3120.4, tokens_out=410, seconds_left=3900),
         "run.trec: 3 of 12 queries, 120 of 149 calls (118 ok, 2 repaired, of these 1 made to finish), "
         "3,120 tokens/s in, 410 out, 4 min 00 s gone, about 1 h 05 min left"),
        (Progress((), (RUN, RUN), about=True, seconds=240, seconds_left=9),
         "2 runs: 6 of 24 queries, 240 of about 298 calls (236 ok, 4 repaired, of these 2 made to finish), "
         "4 min 00 s gone, about 9 s left"),
    ],
)  # fmt: skip
def test_a_line_a_minute_says_it_in_words(
    caplog: pytest.LogCaptureFixture, progress: Progress, sentence: str
):
    caplog.set_level(logging.INFO, "rearank")
    assert EachMinute().every == 60
    EachMinute().look(progress)
    assert caplog.messages == [sentence]


@pytest.mark.parametrize(
    ("tally", "summary", "work"),
    [
        (Tally(), "no calls", "0 requests, 2.0 s"),
        (Tally(statuses=Counter({Status.OK: 1}), requests=1), "1 call (1 ok)", "1 request, 2.0 s"),
        (Tally(statuses=Counter({Status.OK: 7}), reused=7), "7 calls (7 ok), all from the traces",
         "0 requests, 2.0 s"),
        (Tally(statuses=Counter({Status.TRUNCATED: 4, Status.OK: 1296}), forced=3, reused=1200, requests=1107,
               prompt_tokens=92_000, cached_tokens=31_000, completion_tokens=2_000),
         "1,300 calls (1,296 ok, 4 truncated, of these 3 made to finish), 1,200 from the traces",
         "1,107 requests, 92,000 tokens in (31,000 of them cached), 2,000 out, 2.0 s: "
         "46,000 in and 1,000 out a second"),
    ],
)  # fmt: skip
def test_the_summary(tally: Tally, summary: str, work: str):
    assert (tally.summary, tally.work(2.0)) == (summary, work)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (250, "4 min 10 s"), (3600, "1 h 00 min"),
     (11_100, "3 h 05 min"), (100 * 3600, "100 h 00 min")],
)  # fmt: skip
def test_stretches_of_time(seconds: float, said: str):
    assert duration(seconds) == said


def test_counts():
    assert [counted(1, "query", "queries"), counted(0, "call"), counted(2000, "query", "queries")] == [
        "1 query",
        "0 calls",
        "2,000 queries",
    ]


def test_from_python_nothing_is_printed(forty, capfd):
    forty.rerank(Scripted(), window=2, step=1)
    assert capfd.readouterr() == ("", "")
