"""Shards: the queries of a run dealt out to the tasks of a job array, and put together again."""

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.errors import InputError, UsageError
from rearank_cli.reranking import destinations
from rearank_cli.reranking.shards import Shard, parse_shard
from tests.reranking.collection import numbered
from tests.reranking.engines import Scripted, at_random, unchanged


@given(st.integers(0, 50), st.integers(1, 60))
def test_every_query_is_in_one_shard_and_shards_differ_by_one_query_at_most(queries, total):
    shards = [Shard(number, total).select(range(queries)) for number in range(1, total + 1)]
    assert sorted(query for shard in shards for query in shard) == list(range(queries))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


@pytest.mark.parametrize(
    ("given", "shard"),
    [
        ("1/1", (1, 1)),
        ("2/4", (2, 4)),
        ("04/20", (4, 20)),
        *(
            (wrong, None)
            for wrong in ("0/4", "5/4", "2", "a/b", "", "1/0", "-1/4", "1/4/2", "1 / 4", "1/4\n")
        ),
        ("\u0661/4", None),
    ],
)
def test_a_shard_is_one_of_so_many(given, shard):
    assert parse_shard(given) == shard


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "2", "a/b", ""])
def test_a_wrong_shard_is_told_with_the_other_options(two_queries, wrong):
    with pytest.raises(UsageError) as raised:
        two_queries.rerank(Scripted(), shard=wrong, retries=-1)
    assert f"--shard is {wrong}, and must be I/N, a shard I from 1 to N of N shards" in str(raised.value)
    assert "--retries is -1" in str(raised.value)


@pytest.mark.parametrize(
    ("options", "queries"),
    [
        ({"shard": "1/2"}, ["q1", "q3", "q5"]),
        ({"shard": "2/2"}, ["q2", "q4"]),
        ({"shard": "1/2", "limit": 2}, ["q1", "q3"]),
        ({"shard": "2/2", "query": ["q5", "q1", "q2"]}, ["q2"]),
        ({"shard": "1/2", "query": ["q5", "q1", "q2"], "limit": 1}, ["q1"]),
        ({"shard": "5/9"}, ["q5"]),
    ],
)
def test_query_chooses_first_and_limit_last(collect, options, queries):
    collection = collect({f"q{number}": numbered(3) for number in range(1, 6)})
    assert list(collection.rerank(Scripted(), **options)) == queries


def test_a_shard_without_queries_is_an_empty_run_and_no_error(two_queries, caplog):
    caplog.set_level(logging.INFO, "rearank")
    engine = Scripted()
    options = {"shard": "3/3", "output": two_queries.output, "traces": two_queries.traces}
    assert two_queries.rerank(engine, **options) == {}
    assert two_queries.output.read_bytes() == b""
    assert [record["type"] for record in two_queries.records()] == ["attempt"]
    assert "shard 3/3 has no queries; its run is empty" in caplog.text
    assert two_queries.rerank("replay", **options, overwrite=True) == {}
    assert two_queries.rerank(engine, **options, resume=True) == {}
    assert engine.asked == []


def test_a_query_that_is_not_in_the_run_is_an_error_in_every_shard(two_queries):
    for shard in ("1/2", "2/2"):
        with pytest.raises(InputError, match="has no query q7"):
            two_queries.rerank(Scripted(), query=["q1", "q7"], shard=shard)


@pytest.mark.parametrize(
    "options",
    [
        {"window": 4, "step": 2},
        {"method": "tourrank"},
        {"window": 5, "step": 3, "permutations": 3},
        {"missing": "skip"},
        {"retries": 0, "no_forced_finish": True},
    ],
)
def test_the_traces_of_all_shards_in_one_file_are_those_of_the_whole_job(collect, options):
    """However they are put together: they replay the whole run, and a job that goes on asks nothing."""
    rankings = {f"q{number}": numbered(9)[number:] for number in range(7)}
    missing = ["q2", "d005"] if "missing" in options else []
    collection = collect(rankings, without=missing)
    answer = unchanged if missing else at_random
    whole = collection.rerank(Scripted(answer), **options)
    traces = []
    for number in (3, 1, 4, 2, 9):
        place = collection.folder / f"traces.{number}.jsonl"
        collection.rerank(
            Scripted(answer), **options, shard=f"{number}/4" if number < 5 else "9/9", traces=place
        )
        traces.append(place.read_bytes())
    collection.traces.write_bytes(b"".join(traces))
    assert collection.rerank("replay", traces=collection.traces) == whole
    part = collection.rerank("replay", traces=collection.traces, shard="2/4")
    assert part == {query_id: whole[query_id] for query_id in ("q1", "q5")}
    # A call that failed is asked again, as in any attempt; here all have an answer.
    engine = Scripted(answer)
    failed = {call["key"] for call in collection.calls() if call["status"] == "failed"}
    assert collection.rerank(engine, traces=collection.traces, resume=True, **options) == whole
    assert bool(engine.asked) == bool(failed)


@pytest.mark.parametrize(
    ("runs", "output", "traces", "expected"),
    [
        (["run.trec"], None, None, [("run.rearank.2-of-4.trec", "run.rearank.2-of-4.jsonl")]),
        (["a/run.trec.gz"], None, None, [("run.rearank.2-of-4.trec", "run.rearank.2-of-4.jsonl")]),
        (["run.trec"], "out.trec.gz", None, [("out.2-of-4.trec.gz", "out.2-of-4.jsonl")]),
        (["run.trec"], "out", None, [("out.2-of-4", "out.2-of-4.jsonl")]),
        (["run.trec"], "k1=0.9", None, [("k1=0.9.2-of-4", "k1=0.9.2-of-4.jsonl")]),
        (["run.trec"], "out.2-of-4.txt", None, [("out.2-of-4.txt", "out.2-of-4.jsonl")]),
        (["run.trec"], "out.12-of-4.txt", None, [("out.12-of-4.2-of-4.txt", "out.12-of-4.2-of-4.jsonl")]),
        (["run.trec"], "out.trec", "why.jsonl", [("out.2-of-4.trec", "why.2-of-4.jsonl")]),
        (["run.trec"], "-", "why.jsonl", [("-", "why.2-of-4.jsonl")]),
        (["-"], None, None, [("-", None)]),
        (["-"], "out.trec", None, [("out.2-of-4.trec", "out.2-of-4.jsonl")]),
        (["run.trec"], "/dev/null", "why.jsonl", [("/dev/null", "why.2-of-4.jsonl")]),
        (["run.trec"], "folder", "folder",
         [("folder/run.rearank.2-of-4.trec", "folder/run.rearank.2-of-4.jsonl")]),
        (["run.trec", "other.trec"], "out", None,
         [("out/run.rearank.2-of-4.trec", "out/run.rearank.2-of-4.jsonl"),
          ("out/other.rearank.2-of-4.trec", "out/other.rearank.2-of-4.jsonl")]),
    ],
)  # fmt: skip
def test_files_are_named_for_their_shard(tmp_path, monkeypatch, runs, output, traces, expected):
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    given = [each if each is None else Path(each) for each in (output, traces)]
    found = destinations(runs, *given, shard="2/4")
    assert [(str(place.output), place.traces and str(place.traces)) for place in found] == expected


def test_a_pipe_keeps_its_name(tmp_path):
    os.mkfifo(tmp_path / "pipe.trec")
    [place] = destinations(["run.trec"], tmp_path / "pipe.trec", None, shard="2/4")
    assert (place.output, place.traces) == (tmp_path / "pipe.trec", None)


@pytest.mark.parametrize(("output", "traces"), [(None, None), (Path("again.trec"), None)])
def test_a_replay_reads_what_a_job_without_output_would_write(output, traces):
    [place] = destinations(["run.trec"], output, traces, replay=True, shard="2/4")
    assert str(place.traces) == "run.rearank.2-of-4.jsonl"
    assert str(place.output) == ("again.2-of-4.trec" if output else "run.rearank.2-of-4.trec")


def test_the_shard_of_a_run_may_have_the_name_that_the_whole_run_may_not(tmp_path):
    run = tmp_path / "run.trec"
    run.write_text("q1 Q0 d 1 1 t\n")
    with pytest.raises(UsageError, match="is the run to be reranked"):
        destinations([run], run, None)
    [place] = destinations([run], run, None, shard="1/2")
    assert place.output == tmp_path / "run.1-of-2.trec"
