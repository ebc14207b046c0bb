"""The whole path over TREC DL 2019 and NFCorpus: the lexical judge, a perfect one, and real vLLM."""

import os
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import pytrec_eval

from rearank_cli import rerank
from rearank_cli.corpus import open_corpus
from rearank_cli.families import load_family
from rearank_cli.records import Qrels, Run
from rearank_cli.trec import read_run
from scripts.perfect import Perfection, PerfectJudge, PerfectVllm
from tests.end_to_end.conftest import Command

pytestmark = pytest.mark.shared


@dataclass(frozen=True)
class Collection:
    dataset: str
    path: Path
    run: Run
    queries: dict[str, str]
    qrels: Qrels
    # Calls of the default method: 1 + ceil((N - 20) / 10) for each list.
    calls: int

    @property
    def perfection(self) -> Perfection:
        return Perfection(self.run, self.qrels)


@pytest.fixture(scope="module", params=["dl19", "nfcorpus"])
def collection(request: pytest.FixtureRequest, irds_home: Path, shared: Path) -> Collection:
    dataset, calls = {
        "dl19": ("msmarco-passage/trec-dl-2019/judged", 387),
        "nfcorpus": ("beir/nfcorpus/test", 2013),
    }[request.param]
    path = shared / "data" / "runs" / f"{request.param}.bm25.trec.gz"
    run = read_run(path)
    corpus = open_corpus(dataset=dataset)
    qrels = corpus.qrels()
    assert qrels is not None
    return Collection(dataset, path, run, corpus.queries(list(run)), qrels, calls)


def test_the_lexical_judge_loses_and_invents_nothing(
    collection: Collection, rearank: Command, tmp_path: Path
) -> None:
    options = ["--dataset", collection.dataset, "--engine", "lexical"]
    done = rearank("rerank", collection.path, *options, "-o", "new.trec", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = read_run(tmp_path / "new.trec")
    assert _documents(after) == _documents(collection.run)
    assert list(after) == list(collection.run)
    calls = [orjson.loads(line) for line in (tmp_path / "new.jsonl").open("rb")][1:]
    assert len(calls) == collection.calls
    assert {call["status"] for call in calls} == {"ok"}
    # The table that was printed is trec_eval's.
    printed = done.stderr.splitlines()[-1].split()
    assert float(printed[1]) == pytest.approx(
        _mean(_ndcg(collection.qrels, after, 10), collection.qrels), abs=5e-5
    )


def test_evaluate_agrees_with_pytrec_eval(collection: Collection, rearank: Command, tmp_path: Path) -> None:
    options = ["--dataset", collection.dataset, "-m", "ndcg@10", "--per-query", "--format", "json"]
    done = rearank("evaluate", collection.path, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    printed = orjson.loads(done.stdout)["runs"][0]
    expected = _ndcg(collection.qrels, collection.run, 10)
    assert {query: values["ndcg@10"] for query, values in printed["queries"].items()} == pytest.approx(
        {query: expected.get(query, 0.0) for query in collection.qrels}, abs=1e-6
    )
    assert printed["mean"]["ndcg@10"] == pytest.approx(_mean(expected, collection.qrels), abs=1e-6)


def test_bm25_on_dl19_is_what_was_published(
    rearank: Command, shared: Path, irds_home: Path, tmp_path: Path
) -> None:
    run = shared / "data" / "runs" / "dl19.bm25.trec.gz"
    options = ["--dataset", "msmarco-passage/trec-dl-2019/judged", "-m", "ndcg@10"]
    done = rearank("evaluate", run, *options, cwd=tmp_path)
    assert done.stdout.split()[-1] == "0.5058"


@pytest.mark.parametrize(
    ("depth", "window", "step"),
    [
        (100, 20, 10),
        (100, 10, 5),
        (95, 20, 10),
        (57, 20, 7),
        (100, 7, 3),
        (33, 13, 1),
        (101, 30, 17),
        (15, 20, 10),
        (1, 20, 10),
        (50, 2, 1),
    ],
)
def test_a_perfect_judge_brings_the_best_to_the_head(
    collection: Collection, depth: int, window: int, step: int
) -> None:
    after = rerank(
        collection.path,
        dataset=collection.dataset,
        engine=PerfectJudge(collection.perfection),
        depth=depth,
        window=window,
        step=step,
    )
    _is_ideal_at_the_head(collection, after, depth, min(10, window - step))


@pytest.mark.vllm
def test_real_vllm_with_perfect_answers(
    collection: Collection, tiny_model: Path, rearank: Command, tmp_path: Path
) -> None:
    """Every call of the default method, through the engine's own scheduler, sampler and tokenizer."""
    if collection.calls > 1000 and "REARANK_LONG" not in os.environ:
        pytest.skip("minutes long: set REARANK_LONG=1")
    engine = PerfectVllm(tiny_model)
    engine.serve(load_family("rearank"), collection.perfection)
    # Long prompts say no more about the path than short ones, and take a CPU six times as long.
    cut = "80 characters" if collection.calls > 1000 else "400 characters"
    try:
        after = rerank(
            collection.path,
            dataset=collection.dataset,
            family="rearank",
            engine=engine,
            output=tmp_path / "new.trec",
            traces=tmp_path / "new.jsonl",
            set={"cut": cut},
        )
    finally:
        engine.shutdown()
    calls = [orjson.loads(line) for line in (tmp_path / "new.jsonl").open("rb")][1:]
    assert len(calls) == engine.calls == collection.calls
    assert {call["status"] for call in calls} == {"ok"}
    assert {call["finish_reason"] for call in calls} == {"stop"}
    assert min(call["prompt_tokens"] for call in calls) > 100
    _is_ideal_at_the_head(collection, after, 100, 10)
    options = ["--dataset", collection.dataset, "-m", "ndcg@10", "--format", "json"]
    done = rearank("evaluate", "new.trec", *options, cwd=tmp_path)
    expected = _mean(_ndcg(collection.qrels, after, 10), collection.qrels)
    assert orjson.loads(done.stdout)["runs"][0]["mean"]["ndcg@10"] == pytest.approx(expected, abs=1e-6)


def _is_ideal_at_the_head(collection: Collection, after: Run, depth: int, k: int) -> None:
    """The nDCG of every query is that of its candidates sorted by judgment, and no document is lost."""
    assert _documents(after) == _documents(collection.run)
    ideal = {}
    for query_id, ranking in collection.run.items():
        doc_ids = tuple(document.doc_id for document in ranking[:depth])
        head = [doc_ids[position] for position in collection.perfection.order(query_id, doc_ids)]
        ideal[query_id] = [*head, *(document.doc_id for document in ranking[depth:])]
        assert [document.doc_id for document in after[query_id][depth:]] == ideal[query_id][depth:]
    reached = _ndcg(collection.qrels, after, k)
    assert reached == pytest.approx(_ndcg_of_orders(collection.qrels, ideal, k), abs=1e-9)


def _documents(run: Run) -> dict[str, list[str]]:
    return {query_id: sorted(document.doc_id for document in ranking) for query_id, ranking in run.items()}


def _ndcg(qrels: Qrels, run: Run, k: int) -> dict[str, float]:
    orders = {query_id: [document.doc_id for document in ranking] for query_id, ranking in run.items()}
    return _ndcg_of_orders(qrels, orders, k)


def _ndcg_of_orders(qrels: Qrels, orders: dict[str, list[str]], k: int) -> dict[str, float]:
    scored = {
        query_id: {doc_id: float(len(doc_ids) - rank) for rank, doc_id in enumerate(doc_ids)}
        for query_id, doc_ids in orders.items()
    }
    judged = {query_id: dict(grades) for query_id, grades in qrels.items()}
    measures = pytrec_eval.RelevanceEvaluator(judged, {f"ndcg_cut.{k}"}).evaluate(scored)
    return {query_id: values[f"ndcg_cut_{k}"] for query_id, values in measures.items()}


def _mean(values: dict[str, float], qrels: Qrels) -> float:
    return sum(values.values()) / len(qrels)
