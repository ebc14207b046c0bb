"""The lexical judge: an order with reasons, which goes the way of every model's answer."""

import json

import pytest

from rearank_cli import rerank
from rearank_cli.engines import LexicalJudge
from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Query, ScoredDoc
from tests.reranking.collection import ids

TEXTS = {
    "dogs": "Dogs wag their tails when they see their owner.",
    "purr": "The purr of a cat is made by its larynx. A purring cat is calm.",
    "cats": "Cats sleep for most of the day.",
    "birds": "Birds sing at dawn.",
}


@pytest.fixture
def rerank_cats(tmp_path):
    """Rerank the four texts for a query; the order, and the call as it was recorded."""

    def run(query: str, **options):
        (tmp_path / "docs.jsonl").write_text(
            "".join(json.dumps({"_id": doc_id, "text": text}) + "\n" for doc_id, text in TEXTS.items())
        )
        (tmp_path / "queries.tsv").write_text(f"q\t{query}\n")
        after = rerank(
            {"q": [ScoredDoc(doc_id, 1.0) for doc_id in TEXTS]}, docs=tmp_path / "docs.jsonl",
            queries=tmp_path / "queries.tsv", engine="lexical", traces=tmp_path / "traces.jsonl", **options,
        )  # fmt: skip
        _, call = (json.loads(line) for line in (tmp_path / "traces.jsonl").read_bytes().splitlines())
        return ids(after)["q"], call

    return run


def test_passages_are_ranked_by_the_terms_they_share_with_the_query(rerank_cats):
    order, call = rerank_cats("why do cats purr")
    assert order == ["purr", "cats", "dogs", "birds"]
    assert call["status"] == "ok"


def test_the_reasoning_names_the_terms_rarest_first_and_every_passage(rerank_cats):
    _, call = rerank_cats("why do cats purr")
    terms, *passages = call["reasoning"].splitlines()
    assert terms.endswith(": purr, cat.")
    assert [line.split(":")[1].strip() for line in passages] == [
        "no term of the query.", "purr, cat.", "cat.", "no term of the query.",
    ]  # fmt: skip
    assert [line.split(" (")[0] for line in passages] == [f"Passage [{number}]" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize("query", ["quantum chromodynamics", "what is the", "?!", "their"])
def test_ties_keep_their_order(rerank_cats, query):
    order, _ = rerank_cats(query)
    assert order == list(TEXTS)


@pytest.mark.parametrize("family", ["rearank", "rankgpt"])
def test_the_order_is_written_and_read_as_the_family_s_models_do(rerank_cats, family):
    order, call = rerank_cats("why do cats purr", family=family)
    reading = load_family(family).read(Completion(call["response"]), len(TEXTS))
    assert reading.order == call["order"]
    assert reading.reasoning == call["reasoning"]
    assert [list(TEXTS)[position] for position in reading.order] == order
    assert ("<think>" in call["response"]) == (family == "rearank")


async def judge(query: str, *texts: str, candidates: tuple[str, ...] = ()) -> list[int]:
    passages = [Passage(f"d{number}", text) for number, text in enumerate(texts)]
    pool = passages + [Passage(f"c{number}", text) for number, text in enumerate(candidates)]
    order, *_ = await LexicalJudge().judge(Query("q", query), passages, pool)
    return order


async def test_a_term_weighs_the_more_the_fewer_candidates_have_it():
    assert await judge("cat larynx", "cat", "larynx", candidates=("a cat", "the cat")) == [1, 0]
    assert await judge("cat larynx", "cat", "larynx", candidates=("a larynx", "the larynx")) == [0, 1]


async def test_a_second_mention_counts_but_less_than_another_term():
    assert await judge("cat purr", "cat", "cat cat") == [1, 0]
    assert await judge("cat purr", "cat cat cat cat", "cat purr") == [1, 0]


async def test_titles_are_read_too():
    passages = [Passage("a", "sleep"), Passage("b", "sleep", title="Cats")]
    order, *_ = await LexicalJudge().judge(Query("q", "cat"), passages, passages)
    assert order == [1, 0]
