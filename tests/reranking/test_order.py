"""What reranking does to the order of a run: everything is kept, and only what was shown moves."""

from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli import rerank
from rearank_cli.errors import InputError
from rearank_cli.records import ScoredDoc
from rearank_cli.trec import read_run
from tests.reranking.collection import Collection, ids, numbered, write_collection
from tests.reranking.engines import BestLast, Scripted, at_random, unchanged


@pytest.fixture(scope="module")
def sixty(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    return write_collection(
        tmp_path_factory.mktemp("sixty"), {query_id: numbered(60) for query_id in ("q1", "q2")}
    )


@settings(deadline=None, max_examples=40)
@given(
    rankings=st.dictionaries(
        st.sampled_from(["q1", "q2"]), st.permutations(numbered(60)).flatmap(
            lambda ranking: st.integers(1, 60).map(lambda length: ranking[:length])
        ), min_size=1,
    ),
    depth=st.integers(1, 70),
    window_and_step=st.integers(1, 25).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, size))),
)  # fmt: skip
def test_whatever_the_model_says_no_document_is_lost_and_the_tail_stays(
    sixty, rankings, depth, window_and_step
):
    window, step = window_and_step
    run = {query_id: [ScoredDoc(doc_id, 1.0) for doc_id in ranking] for query_id, ranking in rankings.items()}
    options = {"docs": sixty.docs, "queries": sixty.queries, "depth": depth, "window": window, "step": step}
    after = ids(rerank(run, engine=Scripted(at_random), **options))
    assert list(after) == list(rankings)
    for query_id, ranking in rankings.items():
        assert sorted(after[query_id]) == sorted(ranking)
        assert after[query_id][depth:] == ranking[depth:]


@pytest.mark.parametrize("engine", [Scripted, BestLast])
def test_the_best_documents_come_to_the_head_for_every_query(collect, engine):
    collection = collect({"q1": numbered(45), "q2": numbered(15)})
    after = collection.rerank(engine())
    assert after["q1"][:10] == numbered(45)[:-11:-1]
    assert after["q2"] == numbered(15)[::-1]


def test_only_the_first_depth_documents_are_shown(two_queries):
    engine = Scripted()
    after = two_queries.rerank(engine, depth=5, window=3, step=2)
    assert {doc_id for window in engine.windows for doc_id in window} == set(numbered(5))
    assert after["q1"][5:] == ["d005", "d006"]
    assert after["q1"][0] == "d004"


def test_a_model_that_changes_nothing_gives_the_run_it_was_given(two_queries):
    assert two_queries.rerank(Scripted(unchanged), window=3, step=1) == ids(read_run(two_queries.run))


def test_windows_show_the_texts_of_their_documents_in_order(two_queries):
    engine = Scripted(unchanged)
    two_queries.rerank(engine, window=4, step=3, query="q2")
    assert engine.windows == [("d003", "d004", "d005", "d006"), ("d000", "d001", "d002", "d003")]
    contents = [message["content"] for message in engine.asked[0][0].messages]
    assert contents[3] == "[1] Title: Title d003 Content: Text of d003"
    assert '"text of q2"' in contents[-1]


def test_documents_without_text_keep_their_places_where_they_are_skipped(collect, warned):
    collection = collect({"q1": numbered(6)}, without=["d001", "d004"])
    engine = Scripted()
    assert collection.rerank(engine, missing="skip") == {
        "q1": ["d005", "d001", "d003", "d002", "d004", "d000"]
    }
    assert engine.windows == [("d000", "d002", "d003", "d005")]
    [message] = warned()
    assert "documents: d001, d004 of the run are not in" in message


def test_a_query_without_text_keeps_its_order_where_it_is_skipped(collect, warned):
    collection = collect({"q1": numbered(3), "q2": numbered(3)}, without=["q1"])
    assert collection.rerank(Scripted(), missing="skip") == {"q1": numbered(3), "q2": numbered(3)[::-1]}
    [message] = warned()
    assert "queries: q1 of the run is not in" in message


def test_missing_texts_are_an_error_that_names_the_first_and_counts_the_others(collect):
    collection = collect({"q1": numbered(9)}, without=numbered(5))
    engine = Scripted()
    with pytest.raises(
        InputError, match=r"documents: d000, d001, d002 and 2 more of the run are not in .*docs\.jsonl"
    ):
        collection.rerank(engine, output=collection.output, traces=collection.traces)
    with pytest.raises(InputError, match="documents: d004 of the run is not in"):
        collect({"q1": numbered(9)}, without=["d004"]).rerank(engine)
    with pytest.raises(InputError, match="queries: q1 of the run is not in"):
        collect({"q1": numbered(9)}, without=["q1"]).rerank(engine)
    assert engine.asked == []
    assert not collection.output.exists()
    assert not collection.traces.exists()


def test_texts_below_the_depth_are_not_needed(collect):
    collection = collect({"q1": numbered(9)}, without=["d008"])
    assert collection.rerank(Scripted(), depth=8) == {"q1": [*numbered(8)[::-1], "d008"]}


def test_one_id_with_two_texts_is_an_error(two_queries):
    lines = two_queries.docs.read_text()
    two_queries.docs.write_text(lines + lines)
    assert two_queries.rerank(Scripted())
    two_queries.docs.write_text(lines + '{"_id": "d003", "text": "another"}\n')
    with pytest.raises(InputError, match=r"docs\.jsonl:8: 'd003' has another text than on line 4"):
        two_queries.rerank(Scripted())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"limit": 2}, ["q3", "q1"]),
        ({"limit": 9}, ["q3", "q1", "q2"]),
        ({"query": "q1"}, ["q1"]),
        ({"query": ["q2", "q3"]}, ["q3", "q2"]),
        ({"query": ["q2", "q3"], "limit": 1}, ["q3"]),
    ],
)
def test_only_the_queries_asked_for_are_reranked_and_returned(collect, options, expected):
    collection = collect({query_id: numbered(3) for query_id in ("q3", "q1", "q2")})
    engine = Scripted()
    assert list(collection.rerank(engine, **options)) == expected
    assert len(engine.asked) == len(expected)


def test_a_query_that_is_not_in_the_run_is_an_error(two_queries):
    with pytest.raises(InputError, match=r"bm25\.trec has no query q8, q9"):
        two_queries.rerank(Scripted(), query=["q8", "q1", "q9"])


def test_a_query_that_is_not_among_given_rankings_is_an_error(two_queries):
    with pytest.raises(InputError, match=r"^run has no query q9$"):
        rerank({"q1": [ScoredDoc("d000", 1.0)]}, docs=two_queries.docs, engine=Scripted(), query="q9")


@pytest.mark.parametrize(("order", "first"), [("trec", "b"), ("rank", "c"), ("file", "a")])
def test_the_input_is_ordered_as_asked(collect, order, first):
    collection = collect({"q1": ["a", "b", "c"]})
    collection.run.write_text("q1 Q0 a 3 1 t\nq1 Q0 b 2 3 t\nq1 Q0 c 1 2 t\n")
    engine = Scripted(unchanged)
    assert collection.rerank(engine, input_order=order)["q1"][0] == first
    assert engine.windows[0][0] == first


def test_documents_that_a_dataset_excludes_are_removed_and_counted(tmp_path: Path, warned):
    dataset = register_with_exclusions(tmp_path, excluded={"q1": ["d001", "d002"]})
    run = {query_id: [ScoredDoc(doc_id, 1.0) for doc_id in numbered(4)] for query_id in ("q1", "q2")}
    assert ids(rerank(run, dataset=dataset, engine=Scripted(unchanged))) == {
        "q1": ["d000", "d003"],
        "q2": numbered(4),
    }
    [message] = warned()
    assert message == "2 documents that the dataset excludes from evaluation were removed"


class _Text(NamedTuple):
    doc_id: str
    text: str


class _Query(NamedTuple):
    query_id: str
    text: str


class _Qrel(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int


def register_with_exclusions(folder: Path, excluded: dict[str, list[str]]) -> str:
    """A dataset whose judgments exclude documents, as BRIGHT's do; the id it is registered under."""
    import ir_datasets  # noqa: TID251
    from ir_datasets.formats import BaseDocs, BaseQrels, BaseQueries  # noqa: TID251

    class Docs(BaseDocs):
        def docs_iter(self):
            return iter([_Text(doc_id, f"text of {doc_id}") for doc_id in numbered(4)])

        def docs_store(self):
            return ir_datasets.indices.PickleLz4FullStore(
                str(folder / "store"), self.docs_iter, _Text, "doc_id", ["doc_id"]
            )

    class Queries(BaseQueries):
        def queries_iter(self):
            return iter([_Query("q1", "one"), _Query("q2", "two")])

    class Judgments(BaseQrels):
        def qrels_iter(self):
            return iter(
                [_Qrel(query_id, doc_id, -100) for query_id in excluded for doc_id in excluded[query_id]]
            )

        def qrels_defs(self):
            return {1: "Relevant", -100: "Excluded from evaluation"}

    # What is registered once stays for all tests of a session.
    dataset_id = f"rearank-tests/exclusions-{folder.name}"
    ir_datasets.registry.register(dataset_id, ir_datasets.Dataset(Docs(), Queries(), Judgments()))
    return dataset_id
