"""Prompt templates: Jinja in a sandbox, with every text from outside kept apart from the template's own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rearank_cli.records import Passage, Prompt, Span, Turn

# While a template renders, a text from outside is a numbered mark: it is never parsed as template
# output, so nothing in it can be taken for the template's own words. NUL cannot stand in a TOML file.
_MARK = re.compile("\x00([0-9]+)\x00")


@pass_context
def _mark_foreign(context: Context, value: object) -> str:
    if isinstance(value, int):
        return str(value)
    foreign: list[str] = context["_foreign"]
    foreign.append(str(value))
    return f"\x00{len(foreign) - 1}\x00"


_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, keep_trailing_newline=True, finalize=_mark_foreign, autoescape=False
)


class Shown(NamedTuple):
    """A passage as templates see it: `number` counts from 1 within the window, `letter` from A."""

    number: int
    letter: str
    text: str
    doc_id: str
    score: float | None


class Template:
    """A text with variables, rendered into spans that remember where they came from."""

    def __init__(self, source: str) -> None:
        if "\x00" in source:
            raise ValueError("a template cannot hold a NUL character")
        self._template = _ENVIRONMENT.from_string(source)

    def render(self, variables: Mapping[str, Any]) -> tuple[Span, ...]:
        foreign: list[str] = []
        rendered = self._template.render(variables, _foreign=foreign)
        pieces = _MARK.split(rendered)
        # Every second piece is the number of a mark.
        spans = (
            Span(foreign[int(piece)], True) if index % 2 else Span(piece, False)
            for index, piece in enumerate(pieces)
        )
        return tuple(span for span in spans if span.text)


@dataclass(frozen=True)
class MessageTemplate:
    """One message; `each_passage` repeats it, together with its neighbours that repeat, per passage."""

    role: str
    content: Template
    each_passage: bool

    def turn(self, variables: Mapping[str, Any]) -> Turn:
        return Turn(self.role, self.content.render(variables))


@dataclass(frozen=True)
class PromptTemplate:
    """A chat of message templates, or one raw template, and what follows the rendered chat."""

    messages: tuple[MessageTemplate, ...]
    text: Template | None
    append: str
    chat_args: tuple[tuple[str, bool], ...] = ()
    begun: str = ""

    def render(self, query: str, passages: Sequence[Passage], settings: Mapping[str, str]) -> Prompt:
        """The prompt for a query and the passages of a window, in their order."""
        shown = [
            Shown(number, chr(ord("A") + number - 1), passage.text, passage.doc_id, passage.score)
            for number, passage in enumerate(passages, 1)
        ]
        variables = {"query": query, "passages": shown, "num": len(shown), "settings": settings}
        return Prompt(
            turns=tuple(self._turns(variables, shown)),
            raw=self.text.render(variables) if self.text else (),
            append=self.append,
            chat_args=self.chat_args,
            begun=self.begun,
            doc_ids=tuple(passage.doc_id for passage in passages),
        )

    def _turns(self, variables: Mapping[str, Any], shown: Sequence[Shown]) -> Iterator[Turn]:
        for repeats, group in groupby(self.messages, key=lambda message: message.each_passage):
            messages = list(group)
            for passage in shown if repeats else [None]:
                for message in messages:
                    yield message.turn({**variables, "passage": passage} if repeats else variables)
