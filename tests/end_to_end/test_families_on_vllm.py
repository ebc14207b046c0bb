"""Every family through real vLLM over TREC DL 2019, answered as a perfect judge would."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
import pytrec_eval

from rearank_cli import rerank
from rearank_cli.corpus import open_corpus
from rearank_cli.families import family_names, load_family
from rearank_cli.records import Passage, Qrels, Run
from rearank_cli.trec import read_run
from scripts.perfect import Perfection, PerfectVllm

pytestmark = [pytest.mark.shared, pytest.mark.vllm]

DATASET = "msmarco-passage/trec-dl-2019/judged"
# Each family takes a CPU half a minute for all 43 queries: that is for who asks for it.
QUERIES = None if os.environ.get("REARANK_LONG") else 8
# Long passages say no more about the path than short ones, and take a CPU many times as long.
SHORT = "12 words"


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Iterator[PerfectVllm]:
    engine = PerfectVllm(tiny_model)
    yield engine
    engine.shutdown()


@pytest.fixture(scope="module")
def path(shared: Path, irds_home: Path) -> Path:
    return shared / "data" / "runs" / "dl19.bm25.trec.gz"


@pytest.fixture(scope="module")
def qrels(irds_home: Path) -> Qrels:
    qrels = open_corpus(dataset=DATASET).qrels()
    assert qrels is not None
    return qrels


@pytest.mark.parametrize("name", family_names())
def test_the_order_is_what_the_default_method_guarantees(
    name: str, engine: PerfectVllm, path: Path, qrels: Qrels, tmp_path: Path
) -> None:
    family = load_family(name)
    whole = read_run(path)
    before = Run({query: whole[query] for query in list(whole)[:QUERIES]})
    engine.serve(family, Perfection(before, qrels))
    after = rerank(
        path,
        dataset=DATASET,
        limit=QUERIES,
        family=name,
        engine=engine,
        set={"cut": SHORT} if "cut" in family.settings else {},
        output=tmp_path / "new.trec",
        traces=tmp_path / "new.jsonl",
    )
    calls = [orjson.loads(line) for line in (tmp_path / "new.jsonl").open("rb")][1:]
    assert len(calls) == engine.calls
    assert {call["status"] for call in calls} == {"ok"}
    assert {query: sorted(documents(after, query)) for query in after} == {
        query: sorted(documents(before, query)) for query in before
    }
    # Every method finds the best ten among the candidates, as good as they are by judgment.
    depth = family.defaults.depth
    perfection = Perfection(before, qrels)
    ideal = {}
    for query in before:
        doc_ids = documents(before, query)
        head = [doc_ids[position] for position in perfection.order(query, doc_ids[:depth])]
        ideal[query] = head + doc_ids[depth:]
    reached = {query: documents(after, query) for query in after}
    assert ndcg(qrels, reached) == pytest.approx(ndcg(qrels, ideal), abs=1e-9)


def test_an_answer_ends_after_a_stop_string_which_is_part_of_it(engine: PerfectVllm) -> None:
    """And the last token is the one whose probabilities Rank1 is read from."""
    family = load_family("rank1")
    passages = [Passage("d1", "bees make honey " * 5)]
    prompt = engine.tokenizer.tokenize(family.prompt("why do bees swarm", passages))
    text = "They may.\n</think> true, and more"
    sampling = replace(family.sampling_for(family.sampling, 1), choice=(text,), max_tokens=100)
    completion = engine.answer(prompt, sampling, towards=" true")
    assert completion.finish_reason == "stop"
    assert completion.text == "They may.\n</think> true"
    assert "".join(token.text for token in completion.tokens) == completion.text
    assert completion.tokens[-1].text == " true"
    assert " true" in completion.tokens[-1].watched


def documents(run: Run, query_id: str) -> list[str]:
    return [document.doc_id for document in run[query_id]]


def ndcg(qrels: Qrels, orders: dict[str, list[str]]) -> dict[str, float]:
    scored = {
        query_id: {doc_id: float(-rank) for rank, doc_id in enumerate(doc_ids)}
        for query_id, doc_ids in orders.items()
    }
    judged = {query_id: dict(grades) for query_id, grades in qrels.items()}
    measures = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10"}).evaluate(scored)
    return {query_id: values["ndcg_cut_10"] for query_id, values in measures.items()}
