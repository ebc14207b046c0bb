"""Texts and a tokenizer for benchmarks: as many tokens to a word as English has, and nothing to download."""

import itertools
import json
import random
from collections.abc import Sequence
from pathlib import Path

from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.records import Passage
from tests.tiny_model import CHAT_TEMPLATE

_SYLLABLES = [
    first + middle + last for first in "bcdfgklmnprstvw" for middle in "aeiou" for last in ("", "n", "r", "s")
]
_WORDS = 20_000
_VOCABULARY = 24_000
# How Qwen2.5 splits a text before it looks for its tokens (its tokenizer.json).
_QWEN_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
_QWEN_SPACE = r"\s*[\r\n]+|\s+(?!\S)|\s+"


def words(seed: int = 0) -> list[str]:
    """Made-up words, the most frequent first and shortest."""
    draw = random.Random(seed)
    made = dict.fromkeys(
        "".join(draw.choices(_SYLLABLES, k=draw.choice((1, 2, 2, 3)))) for _ in range(60_000)
    )
    return sorted(list(made)[:_WORDS], key=len)


def text(count: int, seed: int, *, apostrophes: bool = False) -> str:
    """So many words, drawn as Zipf says, in sentences; with `apostrophes` one of them is curly."""
    draw = random.Random(seed)
    vocabulary = _VOCABULARY_OF_TEXTS
    drawn = draw.choices(vocabulary, cum_weights=_ZIPF, k=count)
    for end in range(14, count, 15):
        drawn[end] += "."
    if apostrophes:
        drawn[count // 2] += "’s"
    return " ".join(drawn)


_VOCABULARY_OF_TEXTS = words()
_ZIPF = list(itertools.accumulate(1 / rank for rank in range(1, len(_VOCABULARY_OF_TEXTS) + 1)))


def english(count: int, seed: int) -> str:
    """So many words in a row out of the example collection, which the tiny tokenizer has learnt."""
    start = random.Random(seed).randrange(len(_ENGLISH))
    return " ".join((_ENGLISH * 2)[start : start + count])


_EXAMPLE = Path(__file__).resolve().parents[2] / "rearank_cli" / "example" / "docs.jsonl"
_ENGLISH = [
    word for line in _EXAMPLE.read_text("utf-8").splitlines() for word in json.loads(line)["text"].split()
]


def passages(
    count: int, length: int, *, apostrophes: bool = False, real: bool = False, seed: int = 0
) -> list[Passage]:
    """Passages of so many words each; of `real` ones where a tiny model is to read them."""
    first = seed * 100_000
    return [
        Passage(
            f"{seed}-{n:07}",
            english(length, first + n) if real else text(length, first + n, apostrophes=apostrophes),
        )
        for n in range(count)
    ]


def make_tokenizer(folder: Path) -> Tokenizer:
    """A tokenizer built as Qwen2.5's, which has learnt these words."""
    from tokenizers import AddedToken, Regex, decoders, models, pre_tokenizers, trainers
    from tokenizers import Tokenizer as Backend
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    bpe = Backend(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(f"{_QWEN_WORDS}|{_QWEN_SPACE}"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator((text(2_000, -number) for number in range(1, 300)), trainer)
    bpe.add_tokens([AddedToken(mark, special=False) for mark in ("<think>", "</think>")])
    PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT_TEMPLATE
    ).save_pretrained(folder)
    return Tokenizer(AutoTokenizer.from_pretrained(folder))


def windows_of(candidates: Sequence[Passage], window: int = 20, step: int = 10) -> list[Sequence[Passage]]:
    """The windows of one pass, where no answer changes the order."""
    starts = range(len(candidates) - window, -1, -step)
    return [candidates[start : start + window] for start in starts]
