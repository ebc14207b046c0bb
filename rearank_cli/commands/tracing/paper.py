"""Lines for a reader: in colour and wrapped on a terminal, plain text anywhere else."""

import io
import os
import re
import sys

from rich.console import Console
from rich.text import Text

from rearank_cli.trec.streams import printable

# Spaces of every kind: a no-break space is none that printable() shows as one.
_SPACE = re.compile(r"[^\S\n]")

STYLES = {"ok": "green", "repaired": "yellow", "truncated": "red", "unreadable": "red", "failed": "bold red"}
"""The colours of statuses."""

Part = str | tuple[str, str] | Text
"""A text, a text with its style, or one that was prepared: cleaned, and with styles of its own."""


def clean(text: str) -> str:
    """A text from outside, its lines kept, in which nothing steers a terminal."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(printable(_SPACE.sub(" ", line)) for line in lines)


class Paper:
    """Standard output.

    A terminal gets styles (but with NO_COLOR) and lines of its width; a pipe or a file gets each line
    whole, however long, so that what reads them finds what belongs together in one.
    """

    def __init__(self) -> None:
        plain = bool(os.environ.get("NO_COLOR"))
        self._console = Console(
            file=sys.stdout,
            color_system=None if plain else "auto",
            highlight=False,
            markup=False,
            emoji=False,
        )
        self.is_terminal = self._console.is_terminal
        if not self.is_terminal and isinstance(sys.stdout, io.TextIOWrapper):
            # Nor does a character that the locale's encoding lacks stop the others.
            sys.stdout.reconfigure(errors="backslashreplace")

    def write(self, *parts: Part, indent: int = 0) -> None:
        """Write a paragraph: wrapped to the terminal, indented."""
        text = _assembled(parts)
        if not self.is_terminal:
            self._write_plain(text, indent)
            return
        for paragraph in text.split("\n", allow_blank=True):
            for line in paragraph.wrap(self._console, max(self._console.width - indent, 20)):
                line.rstrip()
                line.pad_left(indent)
                self._print(line)

    def write_row(self, *parts: Part, indent: int = 0) -> None:
        """Write one line of a table: cut off where a terminal ends."""
        text = _assembled(parts)
        if not self.is_terminal:
            self._write_plain(text, indent)
            return
        text.pad_left(indent)
        text.truncate(self._console.width, overflow="ellipsis")
        self._print(text)

    def end_paragraph(self) -> None:
        """Leave a line empty."""
        self.write("")

    def _print(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)

    def _write_plain(self, text: Text, indent: int) -> None:
        for line in text.plain.split("\n"):
            sys.stdout.write(f"{' ' * indent}{line}".rstrip() + "\n")


def _assembled(parts: tuple[Part, ...]) -> Text:
    text = Text()
    for part in parts:
        if isinstance(part, Text):
            text.append_text(part)
        elif isinstance(part, str):
            text.append(clean(part))
        else:
            text.append(clean(part[0]), part[1])
    return text
