"""Prompt templates: Jinja in a sandbox, with every text from outside kept apart from the template's own."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rearank_cli.records import Passage, Prompt, Span, Turn

# While a template renders, a text from outside is a numbered mark: it is never parsed as template
# output, so nothing in it can be taken for the template's own words. A number after a > is that of the
# message that begins there. No template can hold a NUL.
_MARK = re.compile("\x00(>?[0-9]+)\x00")


@pass_context
def _mark_foreign(context: Context, value: object) -> str:
    if isinstance(value, int):
        return str(value)
    foreign: list[str] = context["_foreign"]
    foreign.append(str(value))
    return f"\x00{len(foreign) - 1}\x00"


class Shown(NamedTuple):
    """A passage as templates see it: `number` counts from 1 within the window, `letter` from A."""

    number: int
    letter: str
    text: str
    doc_id: str
    score: float | None


class _Sandbox(ImmutableSandboxedEnvironment):
    def getattr(self, obj: Any, attribute: str) -> Any:
        # What makes an attribute safe is asked at every access, and these are: plain values.
        if type(obj) is Shown and attribute in Shown._fields:
            return getattr(obj, attribute)
        return super().getattr(obj, attribute)


_ENVIRONMENT = _Sandbox(
    undefined=StrictUndefined, keep_trailing_newline=True, finalize=_mark_foreign, autoescape=False
)


class Template:
    """A text with variables, rendered into spans that remember where they came from."""

    def __init__(self, source: str) -> None:
        if "\x00" in source:
            raise ValueError("a template cannot hold a NUL character")
        self.source = source
        self._template = _ENVIRONMENT.from_string(source)

    def render(self, variables: Mapping[str, Any]) -> tuple[Span, ...]:
        ((_, spans),) = _pieces(self._template, variables)
        return spans


def _pieces(template: Any, variables: Mapping[str, Any]) -> Iterator[tuple[int, tuple[Span, ...]]]:
    """What a template renders: for each message that begins in it its number, and its spans.

    What stands before the first one has the number -1, where it is all there is.
    """
    foreign: list[str] = []
    pieces = _MARK.split(template.render(variables, _foreign=foreign))
    number, spans = -1, [Span(pieces[0], False)] if pieces[0] else []
    for mark, text in zip(pieces[1::2], pieces[2::2], strict=True):
        if mark[0] == ">":
            if number >= 0:
                yield number, tuple(spans)
            number, spans = int(mark[1:]), []
        elif foreign[int(mark)]:
            spans.append(Span(foreign[int(mark)], True))
        if text:
            spans.append(Span(text, False))
    yield number, tuple(spans)


@dataclass(frozen=True)
class MessageTemplate:
    """One message; `each_passage` repeats it, together with its neighbours that repeat, per passage."""

    role: str
    content: Template
    each_passage: bool


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
            turns=self._turns(variables) if self.messages else (),
            raw=self.text.render(variables) if self.text else (),
            append=self.append,
            chat_args=self.chat_args,
            begun=self.begun,
            doc_ids=tuple(passage.doc_id for passage in passages),
        )

    def _turns(self, variables: Mapping[str, Any]) -> tuple[Turn, ...]:
        return tuple(
            Turn(self.messages[number].role, spans)
            for number, spans in _pieces(self._chat, variables)
            if number >= 0
        )

    @cached_property
    def _chat(self) -> Any:
        """All messages as one template: to render each alone takes longer than all the rest of a prompt."""
        parts = []
        for repeats, group in groupby(enumerate(self.messages), key=lambda entry: entry[1].each_passage):
            contents = "".join(f"\x00>{number}\x00{message.content.source}" for number, message in group)
            parts.append(f"{{% for passage in passages %}}{contents}{{% endfor %}}" if repeats else contents)
        return _ENVIRONMENT.from_string("".join(parts))
