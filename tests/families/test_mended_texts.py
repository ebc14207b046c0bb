"""Authors mend their whole prompt (ftfy); we mend each text, once for all windows, to the same bytes."""

from dataclasses import replace

import ftfy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rearank_cli.families import Family, load_family
from rearank_cli.records import Passage, Prompt

NASTY = [
    "Ã©", "Ã", "Ã ", "Â", "Â ", "â€™", "â€œ", "â€", "Ã¢â‚¬â„¢", "ï¿½", "ï»¿", "Å¡", "Ñ€", "ã‚", "è¡Œ",
    "â\x80\x99", "Â\xa0", "l'Ã ", "’", "“", "”", "‘", "…", "—", "ﬁ", "ﬂ", "ĳ", "Ǆ", "\u212b", "ＡＢＣ",
    "［３］", "（", "①", "½", "²", "\u0301", "\u0308", "e\u0301", "ᄀ", "ᅡ", "東京", "à", "É", "ñ", "š",
    "ß", "&amp;", "&lt;", "&eacute;", "&nbsp;", "&#x27;", "<b>", "<", "\x00", "\x07", "\x1b[31m",
    "\x1b[3", "\x80", "\x85", "\x9d", "\xa0", "\xad", "\u2028", "\r", "\n", "\r\n", "\t", " ", "  ",
    "\u3000", "\u200b", "\u200d", "\ufeff", "\ufffd", "🙂", "[1]", "[A]", "1", ".", ",", "'", '"', "`",
    "word", "s",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(NASTY) | st.text(max_size=2), max_size=7).map("".join)
PASSAGES = st.lists(
    st.builds(Passage, st.just("d"), TEXTS, st.none() | TEXTS, st.just(1.0)), min_size=1, max_size=3
)


def unmended(family: Family) -> Family:
    """The family, with its prompt as it was before the authors mended it."""
    passage_text = family.passage_text
    return replace(
        family,
        query_text=replace(family.query_text, fix_prompt=False),
        passage_text=replace(passage_text, steps=replace(passage_text.steps, fix_prompt=False)),
    )


def qwen(prompt: Prompt) -> str:
    turns = [f"<|im_start|>{turn.role}\n{turn.content}<|im_end|>\n" for turn in prompt.turns]
    return f"{''.join(turns)}<|im_start|>assistant\n{prompt.append}"


def zephyr(prompt: Prompt) -> str:
    turns = [f"<|{turn.role}|>\n{turn.content}</s>\n" for turn in prompt.turns]
    return f"{''.join(turns)}<|assistant|>\n{prompt.append}"


def mistral(prompt: Prompt) -> str:
    system, user = (turn.content for turn in prompt.turns)
    return f"<s>[INST] {system}\n\n{user}[/INST]{prompt.append}"


@pytest.mark.parametrize(
    ("name", "rendered"),
    [
        ("reasonrank", qwen),
        ("reasonrank-qwen3", qwen),
        ("coranking-order", lambda prompt: "<s>" + prompt.messages[0]["content"]),
        ("first", zephyr),
        ("first", mistral),
        ("rankzephyr", zephyr),
        ("insertrank", qwen),
    ],
)
@settings(deadline=None)
@given(query=TEXTS, passages=PASSAGES)
@example(query="Ã ", passages=[Passage("d", "Ã ij", score=1.0), Passage("d", "Ñ€", score=1.0)])
@example(query="x\r", passages=[Passage("d", "&amp;", "&eacute;", 1.0)])
@example(query="\u0301", passages=[Passage("d", "\u0301", score=1.0)])
def test_a_prompt_of_mended_texts_is_the_mended_prompt(name, rendered, query, passages):
    family = load_family(name)
    mended = ftfy.fix_text(rendered(unmended(family).prompt(query, passages)))
    assert rendered(family.prompt(query, passages)) == mended


@settings(deadline=None)
@given(query=TEXTS, passages=PASSAGES)
@example(query="&lt;b&gt;", passages=[Passage("d", "AT&amp;T", score=1.0)])
def test_so_is_a_raw_prompt_unless_a_text_has_tags(query, passages):
    """Without `<` above it, a line's HTML entities are mended, too: then lines hang together."""
    family = load_family("rankvicuna")
    texts = [query, *(text for passage in passages for text in (passage.text, passage.title or ""))]
    if any("<" in ftfy.fix_text(text) for text in texts):
        return
    assert family.prompt(query, passages).text == ftfy.fix_text(unmended(family).prompt(query, passages).text)


@pytest.mark.parametrize(
    "name", ["rearank", "rankgpt", "rank1", "erank", "rank-k", "grouprank", "qwen3-reranker"]
)
def test_families_whose_authors_mend_nothing_send_texts_as_they_are(name):
    family = load_family(name)
    text = "ﬁne “quotes” Ã© ＡＢＣ &amp;"
    assert family.prepare(Passage("d", text)).text == text
    assert family.prepare_query(text) == text
