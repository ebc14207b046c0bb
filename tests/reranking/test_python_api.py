"""`rearank_cli.rerank`: what goes in, what comes back, and what is left on the disk."""

import asyncio
import gzip

import pytest

from rearank_cli import rerank
from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec import read_run
from tests.reranking.collection import ids, numbered
from tests.reranking.engines import Scripted, at_random


def test_nothing_is_written_where_nothing_was_asked_for(two_queries, monkeypatch):
    monkeypatch.chdir(two_queries.folder)
    before = sorted(two_queries.folder.rglob("*"))
    two_queries.rerank(Scripted())
    assert sorted(two_queries.folder.rglob("*")) == before


def test_traces_alone_or_output_alone_can_be_asked_for(two_queries):
    two_queries.rerank(Scripted(), traces=two_queries.traces)
    assert not two_queries.output.exists()
    two_queries.traces.unlink()
    two_queries.rerank(Scripted(), output=str(two_queries.output))
    assert two_queries.output.exists()
    assert not two_queries.traces.exists()


def test_what_is_returned_is_what_is_written(two_queries):
    options = {"docs": two_queries.docs, "queries": str(two_queries.queries), "engine": Scripted(at_random)}
    after = rerank(str(two_queries.run), output=two_queries.output, tag="mine", **options)
    written = read_run(two_queries.output)
    assert ids(after) == ids(written)
    assert after.tag == written.tag == "mine"
    assert two_queries.output.read_text().splitlines()[0].endswith(" 1 7 mine")


def test_output_is_compressed_as_its_suffix_says(two_queries):
    after = two_queries.rerank(Scripted(), output=two_queries.folder / "out.trec.gz")
    assert gzip.decompress((two_queries.folder / "out.trec.gz").read_bytes()).startswith(
        b"q1 Q0 d006 1 7 rearank\n"
    )
    assert ids(read_run(two_queries.folder / "out.trec.gz")) == after


@pytest.mark.parametrize("kind", [dict, Run])
def test_a_run_can_be_given_as_rankings_in_their_order(two_queries, kind):
    # Scores do not decide: a ranking in Python is in its order already.
    rankings = kind({"q2": [ScoredDoc("d001", 1.0), ScoredDoc("d002", 2.0)]})
    engine = Scripted()
    after = rerank(rankings, docs=two_queries.docs, queries=two_queries.queries, engine=engine)
    assert engine.windows == [("d001", "d002")]
    assert ids(after) == {"q2": ["d002", "d001"]}
    assert ids(rankings) == {"q2": ["d001", "d002"]}


async def test_rerank_can_be_called_where_an_event_loop_is_running(two_queries):
    assert asyncio.get_running_loop().is_running()
    assert two_queries.rerank(Scripted()) == {"q1": numbered(7)[::-1], "q2": numbered(7)[::-1]}


async def test_errors_come_through_a_running_event_loop(two_queries):
    with pytest.raises(InputError, match=r"nowhere\.trec: no such file"):
        rerank("nowhere.trec", docs=two_queries.docs, queries=two_queries.queries, engine=Scripted())


def test_one_engine_can_be_used_for_one_run_after_another(two_queries):
    engine = Scripted()
    assert two_queries.rerank(engine) == two_queries.rerank(engine)
    assert len(engine.asked) == 4


def test_an_existing_output_is_refused_unless_it_may_be_overwritten(two_queries):
    two_queries.output.write_text("precious\n")
    engine = Scripted()
    with pytest.raises(UsageError, match=r"out\.trec exists already; .*--overwrite"):
        two_queries.rerank(engine, output=two_queries.output)
    assert engine.asked == []
    assert two_queries.output.read_text() == "precious\n"
    after = two_queries.rerank(engine, output=two_queries.output, overwrite=True)
    assert ids(read_run(two_queries.output)) == after


def test_a_folder_that_does_not_exist_is_an_error_before_anything_is_asked(two_queries):
    engine = Scripted()
    for name in ("output", "traces"):
        with pytest.raises(OutputError, match="does not exist; make it first"):
            two_queries.rerank(engine, **{name: two_queries.folder / "no" / "file"})
    assert engine.asked == []


def test_ids_with_spaces_go_through_where_they_may_be_escaped(collect):
    collection = collect({"q1": ["a b", "c%d"]})
    assert collection.rerank(Scripted(), output=collection.output, escape_ids=True) == {"q1": ["c%d", "a b"]}
    assert collection.output.read_text() == "q1 Q0 c%25d 1 2 rearank\nq1 Q0 a%20b 2 1 rearank\n"


def test_ids_that_cannot_be_written_are_refused_before_anything_is_asked(collect):
    collection = collect({"q1": ["a b", "c"]})
    engine = Scripted()
    with pytest.raises(OutputError, match="--escape-ids"):
        collection.rerank(engine, output=collection.output)
    assert engine.asked == []


def test_a_tag_that_breaks_the_format_is_refused_before_anything_is_asked(two_queries):
    engine = Scripted()
    with pytest.raises(UsageError, match="the run tag 'two words'"):
        two_queries.rerank(engine, output=two_queries.output, tag="two words")
    assert engine.asked == []
