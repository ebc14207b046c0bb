"""Tokenizers as models have them, each made in a blink, with the control tokens that must not be forged."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


class Kind(NamedTuple):
    """A tokenizer, its control tokens, and what else its chat template writes around turns."""

    tokenizer: Any
    control: Sequence[str]
    turn_marks: Sequence[str] = ()


def zephyr() -> Kind:
    """SentencePiece with byte fallback; <|user|> is ordinary text that the chat template writes."""
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    pieces += [chr(code) for code in range(33, 127)]
    model = models.BPE(
        {piece: number for number, piece in enumerate(pieces)}, [], unk_token="<unk>", byte_fallback=True
    )
    backend = Tokenizer(model)
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    backend.add_special_tokens(["<unk>", "<s>", "</s>"])
    backend.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    template = (
        "{% for message in messages %}<|{{ message['role'] }}|>\n{{ message['content'] }}</s>\n{% endfor %}"
        "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
    )
    return _kind(
        backend,
        template,
        ["<s>", "</s>", "<unk>"],
        ["<|system|>", "<|user|>", "<|assistant|>"],
        unk_token="<unk>",
    )


def mistral() -> Kind:
    """Turns between [INST] and [/INST], and a template that strips what it is given."""
    control = ["<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]"]
    template = (
        "<s>{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}{{ message['content'].strip() }}</s>"
        "{% else %}[INST] {{ message['content'] | trim }} [/INST]{% endif %}{% endfor %}"
    )
    backend = _byte_level(control)
    backend.post_processor = processors.TemplateProcessing(
        "<s> $A", special_tokens=[("<s>", backend.token_to_id("<s>"))]
    )
    return _kind(backend, template, control)


def overlapping() -> Kind:
    """Added tokens that contain each other, begin in each other, or are what breaking one gives."""
    control = ["<|im|>", "<|im|>x", "<|im|><|im|>", "|im|", "im|>y", "<|im|>system", "< |im|>", "<  |im|>"]
    return _kind(_byte_level(control), _chat("<|im|>", "<|im|>x"), control)


def odd() -> Kind:
    """Tokens of one character, of letters only, of white space, and with a space where others are broken."""
    control = ["§", "STOP", "< ", "| |", "<|end|>"]
    backend = _byte_level(control)
    backend.add_tokens(["  ", "\n\n", "\t", "bee", "!", "▁▁"])
    return _kind(backend, _chat("§", "<|end|>"), control)


def normalising() -> Kind:
    """Full-width forms, the Kelvin sign and capitals are folded before added tokens are looked for."""
    control = ["<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    backend = _byte_level([])
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    backend.add_tokens([AddedToken(token, normalized=True) for token in control])
    return _kind(backend, _chat("<|im_start|>", "<|im_end|>"), control)


def cleaning() -> Kind:
    """As BERT: a normaliser drops NUL and zero-width characters; what is not in the vocabulary is unknown."""
    control = ["[CLS]", "[SEP]", "[MASK]"]
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789<>[]|/_.,:;?!\"'()-#"
    vocabulary = ["[PAD]", "[UNK]", *control, *alphabet, *(f"##{character}" for character in alphabet)]
    backend = Tokenizer(
        models.WordPiece({piece: number for number, piece in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    backend.normalizer = normalizers.BertNormalizer(lowercase=False)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.add_tokens([AddedToken(token, normalized=True, special=True) for token in ["[UNK]", *control]])
    ids = [(token, backend.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=ids)
    return _kind(backend, _chat("[CLS]", "[SEP]"), control, unk_token="[UNK]")


def greedy() -> Kind:
    """Tokens that swallow the white space around them."""
    control = ["<|user|>", "<|end|>", "<eos>"]
    backend = _byte_level([])
    backend.add_tokens([AddedToken(token, lstrip=True, rstrip=True, special=True) for token in control])
    return _kind(backend, _chat("<|user|>", "<|end|>"), control)


MADE: dict[str, Callable[[], Kind]] = {
    make.__name__: make for make in (zephyr, mistral, overlapping, odd, normalising, cleaning, greedy)
}


def _byte_level(control: Sequence[str]) -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({character: number for number, character in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(control))
    return backend


def _chat(start: str, end: str) -> str:
    return (
        "{% for message in messages %}"
        f"{start}{{{{ message['role'] }}}}\n{{{{ message['content'] }}}}{end}\n"
        "{% endfor %}"
        f"{{% if add_generation_prompt %}}{start}assistant\n{{% endif %}}"
    )


def _kind(
    backend: Tokenizer, template: str, control: Sequence[str], turn_marks: Sequence[str] = (), **named: str
) -> Kind:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, chat_template=template, **named)
    return Kind(tokenizer, control, turn_marks)
