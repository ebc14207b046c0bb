"""Which passages a reasoning speaks of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.traces.mentions import mentioned, mentions, sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Passage [3] is best.", [("[3]", 3)]),
        ("Passage 3: it defines the term", [("3", 3)]),
        ("**Passage 3**: it defines the term", [("3", 3)]),
        ("Document 3 and passage #4, doc. no", [("3", 3), ("4", 4)]),
        ("Passage no. 4 and Document ID 5", [("4", 4), ("5", 5)]),
        ("passages [1] and [4]", [("[1]", 1), ("[4]", 4)]),
        ("passages 1, 3 and 5 are on topic", [("1", 1), ("3", 3), ("5", 5)]),
        ("see [3, 5] and [ 7 ]", [("3", 3), ("5", 5), ("[ 7 ]", 7)]),
        ("[2] > [1] = [3]", [("[2]", 2), ("[1]", 1), ("[3]", 3)]),
        ("[2 > 1]", [("2", 2), ("1", 1)]),
        ("Passage 3, 5 years later", [("3", 3)]),
        ("Passage 12 of 20", [("12", 12)]),
        ("In 1998, 3 of 20 patients (5%) got 7 doses; step 4. 6. Next [", []),
        ("[0] and [21] and [1998] and passage 99999", []),
        ("Passage 3.5 and passage 3% and passage 3-year and passages3 and passage 3rd", []),
        ("compassage 3, passage three, passages", []),
    ],
)
def test_an_identifier_is_found_as_models_write_it(text: str, expected: list[tuple[str, int]]):
    assert [(text[start:end], number) for start, end, number in mentioned(text, 20)] == expected


WRITTEN = [
    "[3]",
    "[",
    "]",
    "passage ",
    "Passages ",
    "documents",
    " 3",
    "12",
    ", ",
    " and ",
    " > ",
    "#",
    "*",
    ".",
]
NEARLY = ["no. ", "\n", "1998", "A", "[A]", "é", "½", "①", "-"]
PIECES = st.lists(st.sampled_from([*WRITTEN, *NEARLY])).map("".join)


@given(st.one_of(st.text(), PIECES), st.integers(0, 30))
def test_mentions_never_overlap_and_are_in_range(text: str, n: int):
    found = mentioned(text, n)
    assert all(1 <= mention.number <= n for mention in found)
    ends = [0, *(mention.end for mention in found)]
    for before, mention in zip(ends, found, strict=False):
        assert before <= mention.start < mention.end <= len(text)
        assert str(mention.number) in text[mention.start : mention.end].lstrip("0[ ")


@given(st.integers(1, 30), st.integers(1, 30))
def test_an_identifier_in_brackets_is_a_mention_wherever_it_stands(number: int, n: int):
    found = [mention.number for mention in mentioned(f"x[{number}]y passage {number} z", n)]
    assert found == ([number, number] if number <= n else [])


@given(st.one_of(st.text(), PIECES))
def test_sentences_hold_all_words_and_never_overlap(text: str):
    found = sentences(text)
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in found)
    assert "".join("".join(sentence.text for sentence in found).split()) == "".join(text.split())


REASONING = """Let me see. Passage [1] tells of bees in 1998. "Passages [2] and 3 do not." Then [10] does!
Passage [2] (2.04): colony.
[2] > [1] > [10]
Passage [2] > Passage [1]"""


def test_the_sentences_that_speak_of_a_passage_say_why_it_moved():
    assert [sentence.text for sentence in mentions(REASONING, 2)] == [
        '"Passages [2] and 3 do not."',
        "Passage [2] (2.04): colony.",
    ]
    assert [sentence.text for sentence in mentions(REASONING, 10)] == ["Then [10] does!"]
    assert mentions(REASONING, 4) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Passage " + "*" * 200_000, []),
        ("Passages " + "* " * 100_000 + "2", ["2"]),
        ("passage no. " + " *" * 100_000, []),
        ("Passage " + "#" * 200_000, []),
        ("passages 1," * 20_000, []),
        ("passages 1" + ", 1" * 70_000 + "x", []),
        ("[" * 200_000, []),
        ("[1, " * 50_000, []),
        ("[2" + " " * 200_000, []),
        ("passages " + " " * 200_000, []),
        ("It is so. Passage [2] is best. " * 40_000, ["[2]"] * 40_000),
        ("It is so.\n" * 100_000 + "[2]. " + "Passage 2" + ".*' " * 50_000, ["[2]", "2"]),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)  # fmt: skip
def test_a_model_that_repeats_itself_is_read_in_one_go(text: str, expected: list[str]):
    """Were the time that of its square, each of these would take minutes."""
    found = [mention for mention in mentioned(text, 20) if mention.number == 2]
    assert [text[mention.start : mention.end] for mention in found] == expected
    said = [sentence.text for sentence in mentions(text, 2)]
    assert all("2" in sentence for sentence in said)
    assert len(said) <= len(expected)


@given(st.lists(st.sampled_from([*WRITTEN, *NEARLY, "so ", "It is. ", "[2]", "Passage 2"])).map("".join))
def test_all_sentences_with_a_mention_and_words_speak_of_the_passage(text: str):
    told = [mention for mention in mentioned(text, 30) if mention.number == 2]
    with_one = [
        sentence
        for sentence in sentences(text)
        if any(sentence.start <= mention.start and mention.end <= sentence.end for mention in told)
    ]
    said = mentions(text, 2)
    assert set(said) <= set(with_one)
    assert {sentence for sentence in with_one if "so " in sentence.text} <= set(said)
