"""How a family writes a document or a query into its prompt: title, white space, and where it is cut."""

import re
from dataclasses import dataclass
from typing import Literal, Protocol, get_args

from rearank_cli.records import Passage

Unit = Literal["characters", "words", "tokens"]

_FIELD = re.compile(r"\{title\}|\{text\}")
_LINE_ENDS = re.compile(r"\n+")
# What ftfy leaves as it is: printable ASCII in lines, but for the ampersand of HTML.
_PLAIN = re.compile(r"[ -%'-~\n]*")
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
            return " ".join(text.split(maxsplit=self.length)[: self.length])
        # Without a tokenizer there is no engine that could be asked: the text is shown whole.
        return cut_tokens(text, self.length) if cut_tokens else text


# What a text has that a prompt would take for an identifier of a passage.
_IDENTIFIERS = {"numbers": re.compile(r"\[([0-9]+)\]"), "letters": re.compile(r"\[([A-z]+)\]")}


@dataclass(frozen=True, slots=True)
class ForeignText:
    """The steps from a text of a collection to the one in the prompt, in the order of the fields.

    `join_lines` makes one blank of line ends that follow each other, `collapse_whitespace` of any white
    space. `fix_text` mends mojibake, curly quotes and ligatures (ftfy), before the text is cut;
    `fix_prompt` does so at the end, for authors who mend their whole prompt, of which `unescape_html`
    says whether HTML entities are mended in it. `identifiers` are put in parentheses.
    """

    join_lines: bool = False
    collapse_whitespace: bool = False
    remove: tuple[str, ...] = ()
    strip: bool = True
    fix_text: bool = False
    cut: Cut = Cut(None, "words")
    identifiers: Literal["numbers", "letters"] | None = None
    fix_prompt: bool = False
    unescape_html: bool = False

    def of(self, text: str, cut_tokens: TokenCutter | None = None) -> str:
        """The text as the prompt shows it."""
        if self.join_lines:
            text = _LINE_ENDS.sub(" ", text)
        if self.collapse_whitespace:
            text = self._collapsed(text)
        for literal in self.remove:
            text = text.replace(literal, "")
        if self.strip:
            text = text.strip()
        if self.fix_text:
            text = _mended(text)
        text = self.cut.apply(text, cut_tokens)
        if self.identifiers:
            text = _IDENTIFIERS[self.identifiers].sub(r"(\1)", text)
        return self._mended_in_prompt(text) if self.fix_prompt else text

    def _collapsed(self, text: str) -> str:
        """The text with single blanks; what a cut in characters leaves out is not looked at."""
        if self.cut.length is not None and self.cut.unit == "characters":
            # A word and its blank are two characters at least; and what is removed may reach over the cut.
            words = (self.cut.length + max(map(len, self.remove), default=0)) // 2 + 1
            beginning = " ".join(text.split(maxsplit=words)[:words])
            if not any(literal in beginning for literal in self.remove) and not self.fix_text:
                return beginning
        return " ".join(text.split())

    def _mended_in_prompt(self, text: str) -> str:
        """The text as mending the whole prompt would leave it, once for all windows that it is in.

        ftfy mends line by line. In a line of a prompt a text stands after a blank, and a full stop or
        the line's end follows: both decide what counts as mojibake.
        """
        if _PLAIN.fullmatch(text):
            return text
        import ftfy

        return ftfy.fix_text(f" {text}.", unescape_html="auto" if self.unescape_html else False)[1:-1]


def _mended(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    import ftfy

    return ftfy.fix_text(text)


@dataclass(frozen=True, slots=True)
class PassageText:
    """How a document is joined with its title, and what becomes of the whole."""

    with_title: str
    steps: ForeignText

    def of(self, passage: Passage, cut_tokens: TokenCutter | None = None) -> str:
        """The text of a document as the prompt shows it."""
        text = passage.text
        if passage.title:
            fields = {"{title}": passage.title, "{text}": text}
            text = _FIELD.sub(lambda match: fields[match.group()], self.with_title)
        return self.steps.of(text, cut_tokens)
