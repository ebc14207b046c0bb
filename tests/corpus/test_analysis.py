"""Terms are those of Anserini's default analysis of English."""

import pytest

from rearank_cli.corpus.analysis import STOP_WORDS, Analyzer


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The Cat's whiskers", ["cat", "whisker"]),
        ("the cats’ and the cat’s", ["cat", "cat"]),
        ("generalizations of skies and ponies", ["gener", "ski", "poni"]),
        # u.s is one word, and its stem is what Porter makes of anything that ends in s.
        ("U.S. exports in 1,000.5 tons, e.g. 3.14", ["u.", "export", "1,000.5", "ton", "e.g", "3.14"]),
        ("covid-19 alpha/beta first.second", ["covid", "19", "alpha", "beta", "first.second"]),
        ("don't can’t", ["don't", "can’t"]),
        # Words of two letters are left alone: `us` is not `u`.
        ("us gas is go", ["us", "ga", "go"]),
        ("snake_case __ _", ["snake_cas"]),
        ("naïve Über CAFÉ cafe\u0301", ["naïv", "über", "café", "cafe\u0301"]),
        ("日本語 test", ["日", "本", "語", "test"]),
        ("", []),
        (" \t\n--- !?", []),
        ("it is not to be", []),
    ],
)
def test_a_text_has_these_terms(text, terms):
    assert Analyzer().terms(text) == terms


def test_there_are_lucenes_thirty_three_stop_words():
    assert len(STOP_WORDS) == 33


def test_a_word_has_the_same_term_wherever_it_stands():
    analyzer = Analyzer()
    assert analyzer.terms("Bees bees BEES") == analyzer.terms("bees") * 3
