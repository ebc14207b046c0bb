"""A run for the queries of a corpus."""

from typing import NamedTuple

import pytest

from rearank_cli.corpus import open_corpus, retrieve_run
from rearank_cli.errors import InputError


class Doc(NamedTuple):
    doc_id: str
    text: str


class Query(NamedTuple):
    query_id: str
    text: str


class Qrel(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int


DOCS = [Doc(f"d{number}", "queen bee" if number % 2 else "queen") for number in range(6)]


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def collection(tmp_path):
    (tmp_path / "docs.tsv").write_text("d1\tqueen bee\nd2\tworker bee\n")
    (tmp_path / "queries.tsv").write_text("q2\tbee\nq1\tqueen\nq3\tunheard\nq4\tworker\n")
    return open_corpus(docs=tmp_path / "docs.tsv", queries=tmp_path / "queries.tsv")


def test_queries_keep_the_order_of_their_source_and_those_without_hits_are_told(collection, caplog):
    run = retrieve_run(collection, 100, tag="mine")
    assert list(run) == ["q2", "q1", "q4"]
    assert run.tag == "mine"
    assert run.ranked("q2").doc_ids() == ["d2", "d1"]
    assert "1 of 4 queries share no word with any document: they are not in the run" in caplog.text


def test_ties_are_a_hair_apart(collection):
    first, second = retrieve_run(collection, 100)["q2"]
    assert 0 < first.score - second.score < 1e-5 * first.score


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"query_ids": ["q4", "q2"]}, ["q2", "q4"]),
        ({"limit": 1}, ["q2"]),
        ({"query_ids": ["q1", "q4"], "limit": 1}, ["q1"]),
    ],
)
def test_queries_can_be_chosen(collection, choice, expected):
    assert list(retrieve_run(collection, 100, **choice)) == expected


def test_a_query_that_is_not_there_is_an_error(collection):
    with pytest.raises(InputError, match=r"docs\.tsv has no query q9"):
        retrieve_run(collection, 100, query_ids=["q1", "q9"])


def test_no_hits_at_all_are_an_error(collection):
    with pytest.raises(InputError, match="no query has a word that is in any document"):
        retrieve_run(collection, 100, query_ids=["q3"])


def test_excluded_documents_are_left_out_before_the_cut(register_dataset):
    dataset = register_dataset(
        docs=DOCS,
        queries=[Query("q1", "queen"), Query("q2", "queen")],
        qrels=[Qrel("q1", "d4", -100), Qrel("q1", "d2", -100), Qrel("q1", "d1", 1), Qrel("q1", "gone", -100)],
        qrels_defs={1: "relevant", -100: "excluded"},
    )
    run = retrieve_run(open_corpus(dataset=dataset), 3)
    assert run.ranked("q1").doc_ids() == ["d0", "d5", "d3"]
    assert run.ranked("q2").doc_ids() == ["d4", "d2", "d0"]


def test_every_document_of_a_local_file_is_there_once_and_those_without_text_too(tmp_path):
    (tmp_path / "docs.jsonl").write_text('{"id": "a", "text": "x", "title": "T"}\n{"id": "b", "text": ""}\n')
    corpus = open_corpus(docs=tmp_path / "docs.jsonl", queries=tmp_path / "docs.jsonl")
    assert [(each.doc_id, each.text, each.title) for each in corpus.documents()] == [
        ("a", "x", "T"),
        ("b", "", None),
    ]


def test_every_document_of_a_dataset_is_there_once(irds_home):
    documents = list(open_corpus(dataset="beir/nfcorpus/test").documents())
    assert len({document.doc_id for document in documents}) == len(documents) == 3633
    assert all(document.title and document.text for document in documents[:10])
