"""Prompts longer than the model's room: cut fairly, never too long, and never into a control token."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="transformers is not installed")

from tokenizers import Tokenizer as Backend
from tokenizers import models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.families import Family, load_family
from rearank_cli.records import Passage, Query
from rearank_cli.reranking.prompting import DoesNotFitError, Prompter, Ready

RAW = """
name = "mine"
defaults = { method = "sliding", window = 20, step = 10 }
sampling = { max_tokens = 10 }
answer = { reader = "list" }
text = "{% for passage in passages %}{{ passage.text }}@END@{% endfor %}{{ query }}"
"""
QUERY = Query("q", "b")
SHORT_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """One token per byte, but for `ab`, `ccc` and the control token <|e|>."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    pieces = [*alphabet, "ab", "cc", "ccc"]
    merges = [("a", "b"), ("c", "c"), ("cc", "c")]
    backend = Backend(models.BPE({piece: number for number, piece in enumerate(pieces)}, merges))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.add_special_tokens(["<|e|>"])
    return Tokenizer(PreTrainedTokenizerFast(tokenizer_object=backend))


@pytest.fixture(scope="module")
def family_with_end(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Family]:
    """A family whose passages each are followed by a text of its template."""

    def load(end: str) -> Family:
        path = tmp_path_factory.mktemp("family") / "mine.toml"
        path.write_text(RAW.replace("@END@", end), encoding="utf-8")
        return load_family(path)

    return load


class Cut(NamedTuple):
    """A prompt in a room, with the passages' texts in it, and how long they are."""

    ready: Ready
    texts: list[str]
    length: int


def cut_to(room: int, texts: Sequence[str], family: Family, tokenizer: Tokenizer) -> Cut:
    passages = [Passage(str(number), text) for number, text in enumerate(texts)]
    ready = Prompter(family, tokenizer, room).prompt(QUERY, passages)
    # A passage is a span of its own, and an empty one is none.
    shown = [span.text for span in ready.prompt.raw if span.foreign][:-1]
    return Cut(ready, shown, len(ready.prompt.token_ids or ()))


TEXTS = st.lists(
    st.text(st.sampled_from("abcx é😀\n"), min_size=1, max_size=40).map(lambda text: f"x{text}x"), max_size=9
)


@SHORT_SETTINGS
@given(texts=TEXTS, less=st.integers(1, 200))
@example(texts=["x" * 30, "x" * 20, "x" * 10], less=15)
def test_the_longest_passages_are_cut_to_one_length(texts, less, family_with_end, tokenizer):
    family = family_with_end("|")
    whole = cut_to(10**6, texts, family, tokenizer).length
    # Each passage, and the query, has a token of the template; and a character takes up to four.
    room = max(whole - less, 1 + 5 * len(texts))
    assume(room < whole)
    cut = cut_to(room, texts, family, tokenizer)
    changed = [(before, after) for before, after in zip(texts, cut.texts, strict=True) if before != after]
    assert cut.ready.cut_passages == len(changed) > 0
    assert cut.length <= room
    assert all(before.startswith(after) for before, after in changed)
    longest = max(tokenizer.count(after) for _, after in changed)
    kept = [text for text, after in zip(texts, cut.texts, strict=True) if text == after]
    # Tokens cannot be cut, nor characters: up to three tokens of either are left over.
    assert all(tokenizer.count(after) >= longest - 3 for _, after in changed)
    assert all(tokenizer.count(before) > longest for before, _ in changed)
    assert all(tokenizer.count(text) <= longest + 3 for text in kept)


def test_a_prompt_that_fits_to_the_token_is_not_cut(family_with_end, tokenizer):
    family = family_with_end("|")
    assert cut_to(24, ["x" * 10, "x" * 11], family, tokenizer).ready.cut_passages == 0
    cut = cut_to(23, ["x" * 10, "x" * 11], family, tokenizer)
    assert (cut.texts, cut.ready.cut_passages, cut.length) == (["x" * 10, "x" * 10], 1, 23)


def test_tokens_that_were_joined_with_the_template_s_come_back_when_a_passage_is_cut(
    family_with_end, tokenizer
):
    """What is cut loses its last `a`, which had made one token with the `b` behind it."""
    family = family_with_end("b")
    texts = ["x" * 50 + ("a" if number % 2 else "x") for number in range(20)]
    whole = cut_to(10**6, texts, family, tokenizer).length
    for room in range(21 + 20, whole):
        cut = cut_to(room, texts, family, tokenizer)
        assert room - 40 < cut.length <= room


@pytest.mark.parametrize("opening", ["<", "<|", "<|e", "<|e|"])
def test_a_cut_makes_no_control_token(opening, family_with_end, tokenizer):
    family = family_with_end("<|e|>"[len(opening) :])
    control = tokenizer.encode("<|e|>")[0]
    texts = ["x" * number + opening * 9 + "x<|e|>" for number in range(9)]
    whole = cut_to(10**6, texts, family, tokenizer).length
    for room in range(whole - 1, 80, -7):
        cut = cut_to(room, texts, family, tokenizer)
        assert cut.length <= room
        assert control not in (cut.ready.prompt.token_ids or ())


def test_what_does_not_fit_even_without_passages_is_an_error(family_with_end, tokenizer):
    family = family_with_end("|")
    for texts, room in ((["x" * 10] * 5, 6), (["x"], 2), (["x" * 10] * 5, 10), ([], 0)):
        with pytest.raises(DoesNotFitError, match=f"does not fit into {room} tokens, however short"):
            cut_to(room, texts, family, tokenizer)


def test_a_query_that_cannot_fit_is_an_error(tiny_model: Path):
    from rearank_cli.engines.tokenizer import load_tokenizer

    family = load_family("rearank")
    prompter = Prompter(family, load_tokenizer(str(tiny_model)), 700)
    passages = [Passage(str(number), "bees make honey " * 30) for number in range(5)]
    assert prompter.prompt(Query("q", "why"), passages).cut_passages == 5
    with pytest.raises(DoesNotFitError, match="the query is too long"):
        prompter.prompt(Query("q", "why " * 500), passages)


@SHORT_SETTINGS
@given(text=st.text(st.sampled_from("abcx é😀\n<|e|>")), tokens=st.integers(-2, 30))
@example(text="😀😀", tokens=5)
@example(text="x<|e|>", tokens=2)
def test_a_text_is_cut_to_at_most_so_many_tokens(text, tokens, tokenizer):
    cut = tokenizer.cut(text, tokens)
    assert text.startswith(cut)
    assert tokenizer.count(cut) <= max(tokens, 0)
    # A character or a token of up to four more would not have fitted.
    assert cut == text or tokenizer.count(cut) > tokens - 4
