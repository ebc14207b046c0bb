import pytest

from rearank_cli.errors import UsageError
from rearank_cli.families import load_family
from rearank_cli.records import Passage

WORDS = " ".join(f"w{number}" for number in range(1, 501))


def shown(cut: str, text: str = WORDS, name: str = "rearank", **cutters: object) -> str:
    return load_family(name, {"cut": cut}).prepare(Passage("d", text), **cutters).text


@pytest.mark.parametrize(
    ("cut", "expected"),
    [
        ("10 characters", "w1 w2 w3 w"),
        ("10", "w1 w2 w3 w"),  # in the unit of the family's own cut
        ("3 words", "w1 w2 w3"),
        ("3   words", "w1 w2 w3"),
        (" 3 words ", "w1 w2 w3"),
        ("100000 words", WORDS),
        ("none", WORDS),
    ],
)
def test_passages_are_cut_as_the_setting_says(cut, expected):
    assert shown(cut) == expected


def test_a_cut_in_tokens_is_left_to_the_tokenizer():
    def every_letter(text: str, tokens: int) -> str:
        return text[:tokens]

    assert shown("5 tokens", cut_tokens=every_letter) == "w1 w2"
    assert shown("5 tokens") == WORDS


@pytest.mark.parametrize("cut", ["", "0", "0 words", "-3", "ten", "3 lines", "words", "3.5 words", "None"])
def test_a_cut_that_cannot_be_is_a_usage_error(cut):
    with pytest.raises(UsageError, match=r"family rearank, setting cut: .*such as '300 words', or none"):
        load_family("rearank", {"cut": cut})


@pytest.mark.parametrize(
    ("passage", "expected"),
    [
        (Passage("d", "text", title="Title"), "Title: Title Content: text"),
        (Passage("d", "  a\n\tb\u00a0c  "), "a b c"),
        (Passage("d", "text", title=""), "text"),
        (Passage("d", "text", title="  "), "text"),
        (Passage("d", "{title}", title="{text}"), "Title: {text} Content: {title}"),
        (Passage("d", ""), ""),
    ],
)
def test_a_document_is_joined_with_its_title_and_cleaned(passage, expected):
    assert load_family("rearank").prepare(passage).text == expected


@pytest.mark.parametrize(("name", "length"), [("rearank", 400), ("rankgpt", 300)])
def test_the_published_cuts_count_characters_of_title_and_text(name, length):
    prepared = load_family(name).prepare(Passage("d", "x" * 1000, title="T"))
    assert prepared.text == ("Title: T Content: " + "x" * 1000)[:length]
