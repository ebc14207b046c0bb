"""Scores are those of BM25 as Lucene has it, and what ties, or is excluded, is in its place."""

import logging
import math
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.corpus.analysis import Analyzer
from rearank_cli.corpus.index import Index, IndexRecipe, build_index, load_index, recipe_of
from rearank_cli.errors import InputError
from rearank_cli.records import Passage

WORDS = ["queen", "worker", "drone", "hive", "honey", "wax", "pollen", "nectar", "sting", "swarm"]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join), min_size=1, max_size=12)


def index_of(texts: list[str], k1: float = 0.9, b: float = 0.4) -> Index:
    documents = (Passage(f"d{number}", text) for number, text in enumerate(texts))
    return build_index(documents, IndexRecipe("test", k1, b), "test")


def bm25(texts: list[str], query: str, k1: float, b: float) -> dict[str, float]:
    """The formula, word for word, over the documents that have any."""
    counts = {f"d{i}": Counter(Analyzer().terms(text)) for i, text in enumerate(texts) if text}
    mean = sum(count.total() for count in counts.values()) / len(counts)
    scores = dict.fromkeys(counts, 0.0)
    for term in Analyzer().terms(query):
        n = sum(term in count for count in counts.values())
        idf = math.log(1 + (len(counts) - n + 0.5) / (n + 0.5))
        for doc_id, count in counts.items():
            if not count[term]:
                continue
            scores[doc_id] += idf * count[term] / (count[term] + k1 * (1 - b + b * count.total() / mean))
    return {doc_id: score for doc_id, score in scores.items() if score > 0}


@settings(deadline=None)  # the first one imports bm25s
@given(TEXTS.filter(any), st.lists(st.sampled_from(WORDS), max_size=5), st.floats(0, 3), st.floats(0, 1))
def test_scores_are_those_of_the_formula(texts, query, k1, b):
    found = index_of(texts, k1, b).search(" ".join(query), len(texts))
    expected = bm25(texts, " ".join(query), k1, b)
    assert dict(found) == pytest.approx(expected, rel=1e-5)


@settings(deadline=None)  # the first one imports bm25s
@given(TEXTS.filter(any), st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join))
def test_fewer_documents_are_the_first_of_more(texts, query):
    index = index_of(texts)
    everything = index.search(query, 1000)
    assert everything == sorted(everything, key=lambda each: (each.score, each.doc_id), reverse=True)
    for k in range(len(texts) + 1):
        assert index.search(query, k) == everything[:k]


def test_a_word_that_is_twice_in_the_query_counts_twice():
    index = index_of(["queen bee", "drone"])
    (once,) = index.search("queen", 10)
    (twice,) = index.search("queen of queens", 10)
    assert twice.score == pytest.approx(2 * once.score)


def test_documents_of_equal_score_are_in_descending_order_of_their_ids():
    assert [doc_id for doc_id, _ in index_of(["queen"] * 12).search("queen", 4)] == ["d9", "d8", "d7", "d6"]


def test_excluded_documents_make_room_for_others():
    index = index_of(["queen"] * 4)
    numbers = index.numbers(["d3", "d2", "elsewhere"])
    assert numbers == {"d2": 2, "d3": 3}
    assert [doc_id for doc_id, _ in index.search("queen", 2, numbers.values())] == ["d1", "d0"]


@pytest.mark.parametrize("query", ["", "the", "unheard of", "?"])
def test_a_query_without_known_words_finds_nothing(query):
    assert index_of(["queen", "drone"]).search(query, 10) == []


def test_titles_count_like_texts():
    documents = [Passage("d1", "drones", "The queen"), Passage("d2", "drones")]
    index = build_index(documents, IndexRecipe("test"), "test")
    assert [doc_id for doc_id, _ in index.search("queen", 10)] == ["d1"]


def test_of_documents_with_the_same_id_the_first_counts(caplog):
    documents = [Passage("d", "queen"), Passage("e", "wax"), Passage("d", "drone")]
    index = build_index(documents, IndexRecipe("test"), "bees")
    assert len(index) == 2
    assert index.search("drone", 10) == []
    assert "bees: 1 documents have an id that came before; the first counts" in caplog.text


def test_documents_without_words_are_as_if_they_were_not_there():
    assert index_of(["queen bee", "", "the", "drone"]).search("queen", 9) == index_of(
        ["queen bee", "drone"]
    ).search("queen", 9)


def test_long_work_says_how_far_it_is(monkeypatch, caplog):
    caplog.set_level(logging.INFO, "rearank")
    monkeypatch.setattr("rearank_cli.corpus.index._SECONDS_BETWEEN_MESSAGES", 0)
    index_of(["queen"] * 2001)
    assert "test: 2,000 documents read so far" in caplog.text
    assert "indexed 2,001 documents in " in caplog.text


def test_nothing_to_index_is_an_error():
    with pytest.raises(InputError, match="bees: no document has a word in it"):
        build_index([Passage("d", "the")], IndexRecipe("test"), "bees")


def test_an_index_comes_back_from_its_folder(tmp_path):
    texts = ["queen bee", "worker bees", "日本 bee", "wax"]
    documents = [Passage(f"ид {i}", text) for i, text in enumerate(texts)]
    recipe = IndexRecipe("somewhere", 1.2, 0.75)
    index = build_index(documents, recipe, "test")
    index.save(tmp_path, recipe)
    assert recipe_of(tmp_path) == recipe
    again = load_index(tmp_path)
    assert len(again) == 4
    for query in ("bee", "日", "nothing"):
        assert again.search(query, 9) == index.search(query, 9)
    assert again.numbers(["ид 2"]) == {"ид 2": 2}


def test_to_index_imports_neither_numba_nor_jax():
    program = (
        "import sys; from tests.corpus.test_index import index_of\n"
        "assert index_of(['queen']).search('queen', 1); print({'numba', 'jax'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "set()\n", done.stderr
