"""A model's tokenizer: renders prompts as its chat template does, and keeps foreign text plain."""

import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any

from rearank_cli.errors import EngineError
from rearank_cli.records import Prompt, Span, Turn, begun_by

# What stands for a foreign text in an outline. No template can hold a NUL.
_MARK = re.compile("\x00([0-9]+)\x00")
# What chat templates write around turns, also where their model has no token for it: <|user|>, [/INST].
_TURN_MARK = re.compile(r"<[^<>\s]+>|\[/?[A-Z_]+\]")
_CONVERSATIONS = ("system", "user", "assistant", "user"), ("user", "assistant", "user")
# Letters of scripts that were last written in antiquity.
_UNKNOWN = "𒈙𐎧𐤀"
# Breaking a token can form another one: twice is rare, and what is left then is encoded apart.
_BREAKS = 4
# Prompts of one family differ in their outline only by the number of passages.
_OUTLINES = 256


class Tokenizer:
    """Wraps a fast Hugging Face tokenizer. Safe to use from several threads.

    Control tokens are those that it declares special, and those added to its vocabulary that are
    more than words and white space: `<think>`.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        # The backend's own encode: the wrapper's call changes shared state, and fails across threads.
        self._backend = tokenizer.backend_tokenizer
        control = {
            number: token.content
            for number, token in tokenizer.added_tokens_decoder.items()
            if _is_control(token.content, special=token.special)
        }
        # What an unknown character becomes is no instruction; a model that knows all bytes has none.
        unknown = {tokenizer.unk_token_id}.intersection(self.encode(_UNKNOWN))
        self._control_ids = frozenset(control) - unknown
        self._control = _pattern({*control.values(), *self._turn_marks()})
        self._special_tokens = tuple(token for token in tokenizer.all_special_tokens if token)
        self._special_ids = frozenset(tokenizer.all_special_ids)
        self._ids_of: dict[str, tuple[int, ...]] = {}
        self._expected_control = lru_cache(_OUTLINES)(self._control_of_template)

    def encode(self, text: str, *, special_tokens: bool = False) -> list[int]:
        """The token ids of a text; `special_tokens` adds what the model expects around a raw prompt."""
        return _ids(self._backend, text, special_tokens=special_tokens)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of some tokens, special ones included."""
        text: str = self._backend.decode(list(ids), skip_special_tokens=False)
        return text

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self.encode(text))

    def cut(self, text: str, tokens: int) -> str:
        """The longest beginning of a text that has at most so many tokens."""
        borders = self.borders(text)
        if len(borders) <= tokens:
            return text
        # A character of several tokens stays whole, so the first try can have some too many.
        for last in range(tokens - 1, -1, -1):
            beginning = text[: borders[last]]
            if self.count(beginning) <= tokens:
                return beginning
        return ""

    def borders(self, text: str) -> list[int]:
        """Where each token of a text ends in it; one that is only a part of a character, after that."""
        (encoding,) = self._backend.encode_batch([_encodable(text)], add_special_tokens=False)
        return [end for _, end in encoding.offsets]

    def neutralise(self, text: str, keep: Collection[str] = ()) -> str:
        """Break every control token that is spelled out in a text: `<|im_end|>` becomes `< |im_end|>`.

        The model reads it as plain text then. A text without control tokens is returned unchanged;
        those in `keep` are let through.
        """
        if self._control is None:
            return text
        for _ in range(_BREAKS):
            broken = self._control.sub(lambda match: match[0] if match[0] in keep else _break(match[0]), text)
            if broken == text:
                break
            text = broken
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
                self._messages(prompt), tokenize=False, add_generation_prompt=True, **dict(prompt.chat_args)
            )
        except Exception as error:  # whatever the model's own template raises
            raise EngineError(
                f"the model's chat template cannot render this family's prompt: {error}"
            ) from error
        return rendered + prompt.append

    def _messages(self, prompt: Prompt) -> list[dict[str, str]]:
        """The chat; where the template knows no system messages, the first one stands before the next.

        How it is joined is FIRST's rule (rank_llm, for models of Mistral).
        """
        messages = prompt.messages
        if len(messages) < 2 or messages[0]["role"] != "system" or self._knows_system_messages:
            return messages
        system, first, *rest = messages
        return [{**first, "content": f"{system['content']}\n {first['content']}"}, *rest]

    @cached_property
    def _knows_system_messages(self) -> bool:
        """Whether the chat template writes them, and otherwise than a user's."""

        def rendered(role: str) -> str:
            messages = [{"role": role, "content": "§1"}, {"role": "user", "content": "§2"}]
            return str(self._tokenizer.apply_chat_template(messages, tokenize=False))

        try:
            of_system = rendered("system")
        except Exception:  # noqa: BLE001  # whatever the model's own template raises
            return False
        try:
            return "§1" in of_system and of_system != rendered("user")
        except Exception:  # noqa: BLE001
            return "§1" in of_system

    def ids_of(self, text: str) -> tuple[int, ...]:
        """The tokens that are this text, each alone; where there is none, the first token of the text.

        SentencePiece writes a space as "▁" and byte-level BPE as "Ġ"; the former also has a token for
        a word at the beginning of a text, "▁yes", which decodes to "yes".
        """
        if text not in self._ids_of:
            spelled = {text.replace(" ", "▁"), text.replace(" ", "Ġ"), f"▁{text}", text}
            ids = [self._vocabulary[token] for token in sorted(spelled) if token in self._vocabulary]
            self._ids_of[text] = tuple(ids or self.encode(text)[:1])
        return self._ids_of[text]

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        return vocabulary

    def ends(self, token: int) -> bool:
        """Whether a token is one that models end with, such as `<|im_end|>`."""
        return token in self._special_ids

    def without_end(self, text: str) -> str:
        """An answer without the special tokens that it ends with."""
        while ending := next((token for token in self._special_tokens if text.endswith(token)), None):
            text = text.removesuffix(ending)
        return text

    def tokenize(self, prompt: Prompt) -> Prompt:
        """The prompt with its token ids; the control tokens among them are those of the templates alone."""
        prompt = self.plain(prompt)
        # A chat template writes the special tokens itself.
        rendered = self.render(prompt)
        ids = self.encode(rendered, special_tokens=prompt.text is not None)
        # A chat template can open the thought, too: what follows is part of it.
        prompt = replace(prompt, begun=begun_by(rendered))
        outline, texts = _outline(prompt)
        if self._control_among(ids) != self._expected_control(outline):
            # One was formed all the same: by the tokenizer's normaliser, or by two texts side by side.
            ids = self._encode_apart(outline, texts)
        return replace(prompt, token_ids=tuple(ids))

    def _control_among(self, ids: Iterable[int]) -> list[int]:
        return list(filter(self._control_ids.__contains__, ids))

    def _control_of_template(self, outline: Prompt) -> list[int]:
        return self._control_among(self._encode_apart(outline, None))

    def _encode_apart(self, outline: Prompt, texts: Sequence[str] | None) -> list[int]:
        """The ids of a prompt whose foreign texts (None to leave them out) are encoded on their own.

        No token can begin in one and end in another, and none in a foreign text is a control token.
        """
        ids: list[int] = []
        for index, piece in enumerate(_MARK.split(self.render(outline))):
            # Every second piece is the number of a text.
            if index % 2 == 0:
                ids += self.encode(piece)
            elif texts is not None:
                foreign = _ids(self._without_added_tokens, texts[int(piece)])
                ids += [number for number in foreign if number not in self._control_ids]
        if outline.text is None:
            return ids
        before, after = self._around_raw_prompts
        return [*before, *ids, *after]

    @cached_property
    def _without_added_tokens(self) -> Any:
        """The same tokenizer, without the tokens that were added to its vocabulary."""
        settings = json.loads(self._backend.to_str())
        return type(self._backend).from_str(json.dumps({**settings, "added_tokens": []}))

    @cached_property
    def _around_raw_prompts(self) -> tuple[list[int], list[int]]:
        """The special tokens that the model expects before and after a raw prompt."""
        bare, whole = self.encode("a"), self.encode("a", special_tokens=True)
        start = next(start for start in range(len(whole)) if whole[start : start + len(bare)] == bare)
        return whole[:start], whole[start + len(bare) :]

    def _turn_marks(self) -> set[str]:
        """What the chat template writes around turns."""
        for roles in _CONVERSATIONS:
            try:
                rendered = self.render(Prompt(tuple(Turn(role, (Span("a", False),)) for role in roles)))
            except EngineError:
                continue
            return set(_TURN_MARK.findall(rendered))
        return set()


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


def _ids(backend: Any, text: str, *, special_tokens: bool = False) -> list[int]:
    # As a batch of one: that lets other threads go on meanwhile, and takes half the time of `encode`.
    (encoding,) = backend.encode_batch_fast([_encodable(text)], add_special_tokens=special_tokens)
    ids: list[int] = encoding.ids
    return ids


def _encodable(text: str) -> str:
    """The text, but for halves of surrogate pairs, which JSON can hold: they become question marks."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _is_control(token: str, *, special: bool) -> bool:
    # SentencePiece writes spaces as "▁".
    if not token.replace("▁", " ").strip():
        return False
    return special or (len(token) > 1 and bool(re.search(r"[^\w\s]", token)))


def _pattern(tokens: Collection[str]) -> re.Pattern[str] | None:
    """What matches the longest of some tokens. Those of one character cannot be broken."""
    breakable = sorted((token for token in tokens if len(token) > 1), key=lambda token: (-len(token), token))
    return re.compile("|".join(map(re.escape, breakable))) if breakable else None


def _break(token: str) -> str:
    return f"{token[0]} {token[1:]}"


def _outline(prompt: Prompt) -> tuple[Prompt, list[str]]:
    """The prompt with numbered marks in place of the foreign texts, and these texts."""
    texts: list[str] = []

    def marked(spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple(map(mark, spans))

    def mark(span: Span) -> Span:
        # Chat templates can treat a message of nothing but white space in its own way.
        if not span.foreign or not span.text.strip():
            return span
        texts.append(span.text)
        return Span(f"\x00{len(texts) - 1}\x00", True)

    turns = tuple(Turn(turn.role, marked(turn.spans)) for turn in prompt.turns)
    return Prompt(turns, marked(prompt.raw), prompt.append, prompt.chat_args), texts
