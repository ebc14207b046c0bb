"""A model's tokenizer: renders prompts as its chat template does, and keeps foreign text plain."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rearank_cli.errors import EngineError
from rearank_cli.records import Prompt, Span, Turn


class Tokenizer:
    """Wraps a fast Hugging Face tokenizer. Safe to use from several threads."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # The backend's own encode: the wrapper's call changes shared state, and fails across threads.
        self._backend = tokenizer.backend_tokenizer
        self._control = _control_pattern(token.content for token in tokenizer.added_tokens_decoder.values())

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """The token ids of a text; `special_tokens` adds what the model expects around a raw prompt."""
        ids: list[int] = self._backend.encode(text, add_special_tokens=special_tokens).ids
        return ids

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self.encode(text))

    def cut(self, text: str, tokens: int) -> str:
        """The longest beginning of a text that has at most so many tokens."""
        encoding = self._backend.encode(text, add_special_tokens=False)
        if len(encoding.ids) <= tokens:
            return text
        return text[: encoding.offsets[tokens - 1][1]] if tokens > 0 else ""

    def neutralise(self, text: str) -> str:
        """Break every control token that stands in a text: `<|im_end|>` becomes `< |im_end|>`.

        The model reads it as plain text then. A text without control tokens is returned unchanged.
        """
        if self._control is None:
            return text
        broken = self._control.sub(_break, text)
        while broken != text:  # a break can join what stood around it into another token
            text, broken = broken, self._control.sub(_break, broken)
        return text

    def plain(self, prompt: Prompt) -> Prompt:
        """The prompt with control tokens broken in every span that came from outside."""

        def clean(spans: Sequence[Span]) -> tuple[Span, ...]:
            return tuple(Span(self.neutralise(span.text), True) if span.foreign else span for span in spans)

        turns = tuple(Turn(turn.role, clean(turn.spans)) for turn in prompt.turns)
        return replace(prompt, turns=turns, raw=clean(prompt.raw))

    def render(self, prompt: Prompt) -> str:
        """The text the model is sent: the chat through its own template, or the raw prompt.

        Raises EngineError where the model has no chat template, or one that refuses the chat.
        """
        if prompt.text is not None:
            return prompt.text + prompt.append
        try:
            rendered: str = self._tokenizer.apply_chat_template(
                prompt.messages, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:  # whatever the model's own template raises
            raise EngineError(
                f"the model's chat template cannot render this family's prompt: {error}"
            ) from error
        return rendered + prompt.append

    def tokenize(self, prompt: Prompt) -> Prompt:
        """The prompt with its token ids."""
        # A chat template writes the special tokens itself.
        ids = self.encode(self.render(prompt), special_tokens=prompt.text is not None)
        return replace(prompt, token_ids=tuple(ids))


def load_tokenizer(model: str, revision: str | None = None, *, trust_remote_code: bool = False) -> Tokenizer:
    """The tokenizer of a model. Raises EngineError where it cannot be loaded or is not a fast one."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(
            model, revision=revision, trust_remote_code=trust_remote_code
        )
    except Exception as error:
        raise EngineError(f"the tokenizer of {model} cannot be loaded: {error}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise EngineError(f"the tokenizer of {model} has no fast (Rust) form, which is needed")
    return Tokenizer(tokenizer)


def _control_pattern(added: Any) -> re.Pattern[str] | None:
    """What matches a control token: an added token with something in it besides letters and spaces."""
    tokens = sorted((token for token in added if len(token) > 1 and re.search(r"[^\w\s]", token)), key=len)
    return re.compile("|".join(re.escape(token) for token in reversed(tokens))) if tokens else None


def _break(match: re.Match[str]) -> str:
    token = match.group()
    return f"{token[0]} {token[1:]}"
