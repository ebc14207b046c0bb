"""How a family writes a document into its prompt: title, white space, and where it is cut."""

import re
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from rearank_cli.records import Passage

Unit = Literal["characters", "words", "tokens"]

_FIELD = re.compile(r"\{title\}|\{text\}")
_CUT = re.compile(r"([0-9]+)(?: +([a-z]+))?")


class TokenCutter(Protocol):
    """What cuts a text after so many of a model's tokens."""

    def __call__(self, text: str, tokens: int) -> str: ...


@dataclass(frozen=True, slots=True)
class Cut:
    """The longest a passage may be; None for no limit."""

    length: int | None
    unit: Unit

    @classmethod
    def parse(cls, text: str, default_unit: Unit = "words") -> "Cut":
        """Read `400 characters`, `300 words`, `512 tokens`, `100` (in the default unit) or `none`."""
        if text.strip() == "none":
            return cls(None, default_unit)
        match = _CUT.fullmatch(text.strip())
        unit = (match[2] or default_unit) if match else ""
        if not match or unit not in get_args(Unit) or int(match[1]) < 1:
            raise ValueError(
                f"a cut is a number of {', '.join(get_args(Unit))} such as '300 words', or none; not {text!r}"
            )
        return cls(int(match[1]), unit)  # type: ignore[arg-type]

    def apply(self, text: str, cut_tokens: TokenCutter | None) -> str:
        if self.length is None:
            return text
        if self.unit == "characters":
            return text[: self.length]
        if self.unit == "words":
            return " ".join(text.split()[: self.length])
        # Without a tokenizer there is no engine that could be asked: the text is shown whole.
        return cut_tokens(text, self.length) if cut_tokens else text


@dataclass(frozen=True, slots=True)
class PassageText:
    """The steps from a document to the text in the prompt, in the order of the fields."""

    with_title: str
    collapse_whitespace: bool
    remove: tuple[str, ...]
    cut: Cut

    def of(self, passage: Passage, cut_tokens: TokenCutter | None = None) -> str:
        """The text of a document as the prompt shows it."""
        text = passage.text
        if passage.title:
            fields = {"{title}": passage.title, "{text}": text}
            text = _FIELD.sub(lambda match: fields[match.group()], self.with_title)
        if self.collapse_whitespace:
            text = " ".join(text.split())
        for literal in self.remove:
            text = text.replace(literal, "")
        return self.cut.apply(text.strip(), cut_tokens)
