"""JSON inside a page."""

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rearank_cli.report.data import spoken
from rearank_cli.report.embedding import embedded

DANGEROUS = [
    "<script>",
    "</script><script>",
    "<!--",
    "]]>",
    "&lt;",
    "\u2028",
    "\u2029",
    "\x00",
    '"',
    "\\",
    "\ud800",
]
anything = st.text(st.characters(codec=None), max_size=20) | st.sampled_from(DANGEROUS)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | anything,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(anything, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_embedded_is_read_back_and_cannot_end_its_element(value: object) -> None:
    text = str(embedded(value))
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029\x00")


@given(st.lists(anything, max_size=5))
def test_a_parser_of_html_sees_one_script_whatever_is_in_it(texts: list[str]) -> None:
    seen: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            seen.append(tag)

    parser = Parser()
    parser.feed(f'<script type="application/json">{embedded(texts)}</script><p>')
    parser.close()
    assert seen == ["script", "p"]


pieces = st.sampled_from(
    [
        "[1]",
        "[2, 3]",
        "Passage 4",
        "passages 1 and 2",
        "[99]",
        "so good",
        ". ",
        "\n",
        ", ",
        "…",
        "𝔘",
        "[1",
        "5]",
        " > ",
    ]
)


@given(st.lists(pieces | anything, max_size=30).map("".join), st.integers(1, 30))
def test_the_pieces_of_a_reasoning_are_the_reasoning(text: str, n: int) -> None:
    words = ""
    for piece in spoken(text, n):
        for part in [piece] if isinstance(piece, str) else piece:
            words += part if isinstance(part, str) else part[1]
            assert isinstance(part, str) or 1 <= part[0] <= n
    assert words == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("No passage at all.", ["No passage at all."]),
        ("First. [2] is good. Last.", ["First. ", [[2, "[2]"], " is good."], " Last."]),
        ("Passage 1 beats [2].", [["Passage ", [1, "1"], " beats ", [2, "[2]"], "."]]),
        ("[3] is out of range.", ["[3] is out of range."]),
    ],
)
def test_sentences_that_mention_passages_stand_apart(text: str, expected: list[object]) -> None:
    assert spoken(text, 2) == expected
