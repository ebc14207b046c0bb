"""Prompts made ready for an engine: prepared once per passage, tokenized, and cut to fit."""

import logging
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.families import Family
from rearank_cli.records import Passage, Prompt, Query

log = logging.getLogger("rearank")

# Cutting a text can move a token border: the second attempt takes what the first missed.
_ATTEMPTS = 4
# More characters to a token of room than texts have: then passages are cut at once.
_CHARACTERS = 5
# Passages whose tokens are remembered, so that one that is in several windows is counted once.
_PASSAGES = 1 << 15
_FRAMES = 1 << 10
# A model may end a list with a full stop and a line, and it ends with a token.
_ENDING = 8


class DoesNotFitError(Exception):
    """A prompt that no cutting of its passages brings into the model's context."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A prompt that fits, and how many of its passages were cut for it."""

    prompt: Prompt
    cut_passages: int = 0


class Prompter:
    """Writes a family's prompts for one engine. Used from several threads at once.

    `room` is the number of tokens a prompt may have; None where nothing is known of the engine.
    """

    def __init__(self, family: Family, tokenizer: Tokenizer | None, room: int | None) -> None:
        self._family = family
        self._tokenizer = tokenizer
        self._room = room
        self._prepared: dict[str, Passage] = {}
        self._queries: dict[str, str] = {}
        self._borders = lru_cache(_PASSAGES)(self._borders_of)
        self._frame = lru_cache(_FRAMES)(self._frame_of)

    def prompt(self, query: Query, passages: Sequence[Passage]) -> Ready:
        """The prompt of a window. Raises DoesNotFitError."""
        prepared = [self._prepare(passage) for passage in passages]
        ready = self._fitting(self._prepare_query(query), prepared)
        return replace(ready, prompt=replace(ready.prompt, query_id=query.query_id))

    def _fitting(self, query: str, passages: Sequence[Passage]) -> Ready:
        if self._tokenizer is None:
            return Ready(self._family.compose(query, passages))
        if self._room is None:
            return Ready(self._tokenized(query, passages, self._tokenizer))
        # What is far too long need not be tokenized as a whole to know it.
        if sum(len(passage.text) for passage in passages) <= self._room * _CHARACTERS:
            prompt = self._tokenized(query, passages, self._tokenizer)
            if _length(prompt) <= self._room:
                return Ready(prompt)
        return self._cut_to_fit(query, passages, self._tokenizer, self._room)

    def _tokenized(self, query: str, passages: Sequence[Passage], tokenizer: Tokenizer) -> Prompt:
        return tokenizer.tokenize(self._family.compose(query, passages))

    def _prepare_query(self, query: Query) -> str:
        """Clean and cut a query, once per run."""
        text = self._queries.get(query.text)
        if text is None:
            cut_tokens = self._tokenizer.cut if self._tokenizer else None
            text = self._family.prepare_query(query.text, cut_tokens)
            self._queries[query.text] = text
        return text

    def _prepare(self, passage: Passage) -> Passage:
        """Clean, cut and neutralise a passage, once per run."""
        prepared = self._prepared.get(passage.doc_id)
        if prepared is None:
            if self._tokenizer is None:
                prepared = self._family.prepare(passage)
            else:
                prepared = self._family.prepare(passage, self._tokenizer.cut)
                prepared = replace(prepared, text=self._tokenizer.neutralise(prepared.text))
            self._prepared[passage.doc_id] = prepared
        return prepared if prepared.score == passage.score else replace(prepared, score=passage.score)

    def _cut_to_fit(self, query: str, passages: Sequence[Passage], tokenizer: Tokenizer, room: int) -> Ready:
        """Cut the longest passages, all to one length, so that the prompt just fits."""
        borders = [self._borders(passage.text) for passage in passages]
        lengths = list(map(len, borders))
        allowance = room - self._frame(query, len(passages))
        for _ in range(_ATTEMPTS):
            longest = _common_length(lengths, allowance)
            if longest < 1:
                break
            cut = [
                replace(passage, text=passage.text[: _end(ends, longest)]) if len(ends) > longest else passage
                for passage, ends in zip(passages, borders, strict=True)
            ]
            prompt = self._tokenized(query, cut, tokenizer)
            excess = _length(prompt) - room
            if excess <= 0:
                return Ready(prompt, sum(length > longest for length in lengths))
            # From what was used: less than that is sure to be a smaller length.
            allowance = sum(min(length, longest) for length in lengths) - excess
        raise DoesNotFitError(
            f"the prompt does not fit into {room} tokens, however short its passages are cut; "
            "the query is too long, or --window or --max-tokens too large for this model"
        )

    def _borders_of(self, text: str) -> "array[int]":
        """Where each token of a passage's text ends."""
        return array("I", self._tokenizer.borders(text) if self._tokenizer else ())

    def _frame_of(self, query: str, n: int) -> int:
        """How many tokens a prompt about n passages has without them."""
        empty = [Passage("", "")] * n
        return _length(self._tokenized(query, empty, self._tokenizer)) if self._tokenizer else 0


def _end(borders: Sequence[int], tokens: int) -> int:
    """Where to cut a text that has more than so many tokens; a character of several stays whole."""
    return next((border for border in reversed(borders[:tokens]) if border < borders[tokens]), 0)


def answer_tokens(family: Family, tokenizer: Tokenizer | None, n: int) -> int:
    """How many tokens a well-formed answer about n passages has, and the few with which it ends."""
    answer = family.write(list(range(n))).text
    return (tokenizer.count(answer) if tokenizer else len(answer)) + _ENDING


def _length(prompt: Prompt) -> int:
    return len(prompt.token_ids or ())


def _common_length(lengths: Sequence[int], allowance: int) -> int:
    """The greatest length that all may have, so that together they do not exceed an allowance."""
    remaining = len(lengths)
    for length in sorted(lengths):
        if length * remaining > allowance:
            return allowance // remaining
        allowance -= length
        remaining -= 1
    return max(lengths, default=0)


def room_for_prompts(context: int | None, max_tokens: int) -> int | None:
    """How long a prompt may be: what a whole answer leaves, but never less than half of the context."""
    if context is None:
        return None
    if max_tokens > context // 2:
        log.warning(
            "the model's context of %d tokens is short for answers of %d: %d are left to prompts",
            context,
            max_tokens,
            context - context // 2,
        )
    return context - min(max_tokens, context // 2)
