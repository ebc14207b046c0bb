"""Lines for a reader: wrapped on a terminal and whole anywhere else, in colour where it is wanted."""

import io
import re
import sys

from rich.console import Console
from rich.text import Text

from rearank_cli.commands.colour import in_colour
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

    A terminal gets lines of its width; a pipe or a file gets each line whole, however long, so that what
    reads them finds what belongs together in one. FORCE_COLOR and its like change the styles alone.
    """

    def __init__(self) -> None:
        self._coloured = in_colour(sys.stdout)
        self._console = Console(
            file=sys.stdout,
            force_terminal=self._coloured,
            color_system="auto" if self._coloured else None,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._wraps = sys.stdout.isatty()
        if not self._wraps and isinstance(sys.stdout, io.TextIOWrapper):
            # Nor does a character that the locale's encoding lacks stop the others.
            sys.stdout.reconfigure(errors="backslashreplace")

    def write(self, *parts: Part, indent: int = 0) -> None:
        """Write a paragraph, indented; at a terminal it is wrapped."""
        for paragraph in _assembled(parts).split("\n", allow_blank=True):
            if self._wraps:
                for line in paragraph.wrap(self._console, max(self._console.width - indent, 20)):
                    self._print(line, indent)
            else:
                self._print(paragraph, indent)

    def write_row(self, *parts: Part, indent: int = 0) -> None:
        """Write one line of a table: cut off where a terminal ends."""
        text = _assembled(parts)
        if not self._wraps:
            self.write(text, indent=indent)
            return
        text.truncate(max(self._console.width - indent, 0), overflow="ellipsis")
        self._print(text, indent)

    def end_paragraph(self) -> None:
        """Leave a line empty."""
        self.write("")

    def _print(self, line: Text, indent: int) -> None:
        line.rstrip()
        line.pad_left(indent if line else 0)
        if not self._coloured:
            sys.stdout.write(f"{line.plain}\n")
            return
        # Captured: rich has its own way to end a program whose reader has left.
        with self._console.capture() as styled:
            self._console.print(line, soft_wrap=True)
        sys.stdout.write(styled.get())


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
