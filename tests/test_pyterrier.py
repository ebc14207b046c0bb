"""The transformer in real pipelines of PyTerrier, without Java."""

import subprocess
import sys

import pytest

pt = pytest.importorskip("pyterrier", reason="PyTerrier is not installed")
pd = pytest.importorskip("pandas")

from rearank_cli import Reranker  # noqa: E402
from rearank_cli.errors import InputError, UsageError  # noqa: E402
from rearank_cli.pyterrier import Rearank  # noqa: E402
from tests.reranking.collection import ids  # noqa: E402
from tests.reranking.engines import BestLast  # noqa: E402

TOPICS = pd.DataFrame([["q1", "what do bees eat"], ["q2", "how do bees see"]], columns=["qid", "query"])


def frame(**columns):
    """Two queries with three documents each, as a retriever returns them."""
    rows = [
        (qid, query, docno, f"text of {docno}", score, rank)
        for qid, query in TOPICS.itertuples(index=False)
        for rank, (docno, score) in enumerate([("d1", 9.5), ("d3", 7.0), ("d2", 7.0)])
    ]
    return pd.DataFrame(rows, columns=["qid", "query", "docno", "text", "score", "rank"]).assign(**columns)


def order(result):
    return {qid: [*rows.sort_values("rank")["docno"]] for qid, rows in result.groupby("qid")}


def test_a_pipeline_ranks_anew():
    pipeline = pt.Transformer.from_df(frame()) >> Rearank(engine=BestLast())
    result = pipeline(TOPICS)
    assert order(result) == {"q1": ["d3", "d2", "d1"], "q2": ["d3", "d2", "d1"]}
    assert [*result["rank"]] == [0, 1, 2, 0, 1, 2]
    assert [*result["score"]] == [3.0, 2.0, 1.0, 3.0, 2.0, 1.0]
    assert result["rank"].dtype == "int64"


def test_the_lexical_judge_reads_the_text_of_the_frame():
    texts = frame(text=["nothing", "bees eat pollen", "bees", "nothing", "bees", "bees see colours"])
    result = Rearank(engine="lexical")(texts.assign(docno=["a", "b", "c", "d", "e", "f"]))
    assert {qid: found[0] for qid, found in order(result).items()} == {"q1": "b", "q2": "f"}


def test_other_columns_are_kept_and_the_frame_that_came_in_is_not_changed():
    given = frame(features=[[number] for number in range(6)], url="u")
    given.index = [9, 8, 7, 6, 5, 4]
    before = given.copy(deep=True)
    result = Rearank(engine=BestLast())(given)
    pd.testing.assert_frame_equal(given, before)
    assert [*result.columns] == [*given.columns]
    assert [*result.index] == [0, 1, 2, 3, 4, 5]
    assert [*result["features"]] == [[1], [2], [0], [4], [5], [3]]


def test_the_model_is_shown_the_titles_and_the_first_stage_scores():
    judge = BestLast()
    Rearank(engine=judge)(frame(title=["T", "", "U", "T", "", "U"]))
    query, shown, _ = judge.seen[0]
    assert query == ("q1", "what do bees eat")
    assert [(passage.doc_id, passage.title, passage.score) for passage in shown] == [
        ("d1", "T", 9.5),
        ("d3", "", 7.0),
        ("d2", "U", 7.0),
    ]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [
        (["rank", "score"], ["d1", "d3", "d2"]),
        (["score"], ["d1", "d3", "d2"]),
        (["rank"], ["d1", "d3", "d2"]),
        ([], ["d2", "d3", "d1"]),
    ],
)
def test_candidates_come_in_the_order_of_rank_or_of_score_or_of_the_rows(columns, shown):
    judge = BestLast()
    last_first = frame().query("qid == 'q1'").iloc[[2, 1, 0]] if columns != ["score"] else frame().head(3)
    Rearank(engine=judge)(last_first[["qid", "query", "docno", "text", *columns]])
    assert [passage.doc_id for passage in judge.seen[0][1]] == shown


@pytest.mark.parametrize("columns", [["rank", "score"], ["score"], ["rank"], []])
def test_queries_keep_the_order_they_have(columns):
    given = frame(score=[2.0, 1.0, 0.5, 9.0, 8.0, 7.0], rank=[1, 2, 3, 0, 1, 2])
    mixed = given.iloc[[1, 3, 0, 4, 2, 5]][["qid", "query", "docno", "text", *columns]]
    result = Rearank(engine=BestLast())(mixed)
    assert [*result["qid"]] == ["q1", "q1", "q1", "q2", "q2", "q2"]
    judge = BestLast()
    Rearank(engine=judge, in_flight=1)(mixed)
    shown = {query.query_id: [passage.doc_id for passage in passages] for query, passages, _ in judge.seen}
    in_order = ["d1", "d3", "d2"]
    assert shown == {"q1": in_order if columns else ["d3", "d1", "d2"], "q2": in_order}


@pytest.mark.parametrize("missing", [None, float("nan"), pd.NA])
def test_a_query_that_some_rows_lack_is_that_of_the_others(missing):
    what = "what do bees eat"
    judge = BestLast()
    Rearank(engine=judge)(frame(query=[missing, what, missing, "b", "b", "b"]))
    assert {query.text for query, _, _ in judge.seen} == {what, "b"}


def test_a_query_that_no_row_has_can_be_left_as_it_is():
    result = Rearank(engine=BestLast(), missing="skip")(frame(query=[None] * 3 + ["b"] * 3))
    assert order(result) == {"q1": ["d1", "d3", "d2"], "q2": ["d3", "d2", "d1"]}


def test_ids_that_are_numbers_become_text():
    numbers = frame(qid=[1, 1, 1, 2, 2, 2], docno=[1, 3, 2, 1, 3, 2], text="the same")
    assert order(Rearank(engine=BestLast())(numbers)) == {"1": ["3", "2", "1"], "2": ["3", "2", "1"]}


def test_an_empty_frame_stays_empty_with_the_columns_of_a_result():
    empty = frame().drop(columns=["score", "rank"]).head(0)
    result = Rearank(engine=BestLast())(empty)
    assert [*result.columns] == ["qid", "query", "docno", "text", "score", "rank"]
    assert len(result) == 0


def test_pyterrier_knows_what_goes_in_and_what_comes_out():
    assert pt.inspect.transformer_inputs(Rearank()) == [["qid", "docno", "query", "text"]]
    assert pt.inspect.transformer_inputs(Rearank(dataset="vaswani")) == [["qid", "docno", "query"]]
    outputs = pt.inspect.transformer_outputs(Rearank(), ["qid", "query", "docno", "text", "score", "rank"])
    assert outputs == ["qid", "query", "docno", "text", "score", "rank"]
    [model, options] = pt.inspect.transformer_attributes(Rearank("some/model", depth=20))
    assert (model.value, options.value) == ("some/model", {"depth": 20})
    assert repr(Rearank("some/model", depth=20)) == "Rearank('some/model', depth=20)"
    with pytest.raises(pt.validate.InputValidationError, match="text"):
        Rearank()(frame().drop(columns="text"))


def test_texts_come_from_a_dataset_where_one_is_named(irds_home):
    from rearank_cli import rerank
    from rearank_cli.corpus import open_corpus

    name = "beir/nfcorpus/test"
    query = {"PLAIN-2": open_corpus(dataset=name).queries(["PLAIN-2"])["PLAIN-2"]}
    docnos = ["MED-10", "MED-14", "MED-118", "MED-301"]
    rows = [("PLAIN-2", query["PLAIN-2"], docno, -rank, rank) for rank, docno in enumerate(docnos)]
    given = pd.DataFrame(rows, columns=["qid", "query", "docno", "score", "rank"])
    result = Rearank(engine="lexical", dataset=name)(given)
    run = {"PLAIN-2": [(docno, -rank) for rank, docno in enumerate(docnos)]}
    assert order(result) == ids(rerank(run, dataset=name, engine="lexical"))


def test_experiments_compare_it_with_what_it_reranks():
    qrels = pd.DataFrame([["q1", "d3", 1], ["q2", "d3", 1]], columns=["qid", "docno", "label"])
    first = pt.Transformer.from_df(frame())
    systems = [first, first >> Rearank(engine=BestLast())]
    means = pt.Experiment(systems, TOPICS, qrels, ["recip_rank"], plan="tree")
    assert [*means["recip_rank"]] == [0.5, 1.0]


def test_several_of_them_can_share_a_model_that_stays_loaded(irds_home):
    judge = BestLast()
    with Reranker(engine=judge, window=2, step=1, depth=2) as reranker:
        shallow, deep = Rearank(reranker), Rearank(reranker, depth=3, window=3)
        assert order(shallow(frame()))["q1"] == ["d3", "d1", "d2"]
        assert order(deep(frame()))["q1"] == ["d3", "d2", "d1"]
    assert [len(passages) for _, passages, _ in judge.seen] == [2, 2, 3, 3]
    # What it was given can be taken back.
    with Reranker(engine=judge, dataset="nowhere", depth=2) as reranker:
        texts = Rearank(reranker, dataset=None, depth=None)
        assert order(texts(frame()))["q1"] == ["d3", "d2", "d1"]
        assert repr(texts).startswith("Rearank(Reranker(engine=")
    # Its texts are those of its own options.
    with Reranker(engine=judge, dataset="beir/nfcorpus/test", missing="skip") as reranker:
        Rearank(reranker)(frame(docno=["MED-10", "MED-14", "none", "MED-14", "MED-10", "none"]))
    _, passages, _ = judge.seen[-1]
    assert {passage.doc_id for passage in passages} == {"MED-10", "MED-14"}
    assert all(len(passage.text) > 100 for passage in passages)


async def test_it_works_in_a_notebook():
    assert order(Rearank(engine=BestLast())(frame()))["q1"] == ["d3", "d2", "d1"]


@pytest.mark.parametrize(
    ("columns", "options", "error", "message"),
    [
        ({"text": [*"abcxyz"]}, {}, InputError, "docno 'd1' has several texts in the frame"),
        ({"query": [*"aabcca"]}, {}, InputError, "qid 'q1' has several texts in the frame"),
        ({"query": None}, {}, InputError, "qid 'q1' has no query in the frame; give it one, or missing="),
        ({"query": float("nan")}, {}, InputError, "qid 'q1' has no query in the frame"),
        ({"query": [*"aaa", *[pd.NA] * 3]}, {}, InputError, "qid 'q2' has no query in the frame"),
        ({"docno": "d1"}, {"missing": "skip"}, InputError, "document 'd1' is in its ranking twice"),
        ({"score": float("nan")}, {}, InputError, "no finite number"),
        ({"text": None}, {}, InputError, "documents: d1, d3, d2 of the run are not in the 0 docs given"),
        ({}, {"dept": 3}, UsageError, "did you mean depth?"),
    ],
)
def test_what_is_wrong_with_a_frame_is_told_in_a_sentence(columns, options, error, message):
    with pytest.raises(error) as raised:
        Rearank(engine=BestLast(), **options)(
            frame(**columns) if "docno" not in columns else frame(text="t", **columns)
        )
    assert message in str(raised.value)


def test_without_pyterrier_it_says_what_to_install():
    program = "import sys; sys.modules['pyterrier'] = None; import rearank_cli.pyterrier"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode != 0
    assert "pip install 'rearank[pyterrier]'" in done.stderr.splitlines()[-1]


def test_importing_it_starts_no_java():
    program = "import rearank_cli.pyterrier, pyterrier as pt; print(pt.java.started())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
