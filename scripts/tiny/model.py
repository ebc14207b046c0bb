"""A Qwen2 model of about a million random weights, and a tokenizer that knows the prompt by heart."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rearank_cli.families import Family
from tests.tiny_model import CHAT_TEMPLATE

CONTEXT = 4096
# Pieces of the prompt of so many characters or more are one token each: they are the same in every prompt.
_PIECE = 8
_MOST_PASSAGES = 20


def make_model(folder: Path, family: Family, words: Sequence[str], seed: int) -> int:
    """Write a model of random weights into a folder, and its tokenizer; returns how many weights it has."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = make_tokenizer(family, words)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.03,
        dtype="float32",
    )
    model = Qwen2ForCausalLM(config)
    model.save_pretrained(folder)
    return sum(weights.numel() for weights in model.parameters())


def make_tokenizer(family: Family, words: Sequence[str]) -> Any:
    """Byte-level BPE, trained until each word is one token; marks and pieces of the prompt are added."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=8000,
        min_frequency=1,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    spoken = [*words, "user", "assistant", "system", "nothing"]
    bpe.train_from_iterator((f"{word} {word}\n" for word in spoken), trainer)
    marks = ["<think>", "</think>", "<answer>", "</answer>"]
    identifiers = [f"[{number}]" for number in range(1, _MOST_PASSAGES + 1)]
    pieces = {
        piece
        for message in family.template.messages
        for piece in re.split(r"\[?\{\{.*?\}\}\]?", message.content.source)
        if len(piece) >= _PIECE
    }
    added = [*marks, *identifiers, *sorted(pieces)]
    bpe.add_tokens([AddedToken(text, special=False, normalized=False) for text in added])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>", chat_template=CHAT_TEMPLATE
    )
