"""What is found wrong in a file: a few examples of each kind, and how many more there are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_EXAMPLES = 3
# Ids of BRIGHT have up to 149 characters.
_LONGEST = 150

Detail = int | bytes | str | Sequence[str]
"""What fills a gap in a sentence: a number, a text from a file, or ids, of which a few are named."""


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Something to be found: a sentence with {} for details; a mere warning where no one refuses it."""

    sentence: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about a line, or about the whole file (`line` is None); it stands for `count` lines."""

    line: int | None
    sentence: str
    warning: bool
    count: int = 1


@dataclass(slots=True)
class Findings:
    """Findings as they are made. Only the examples are kept, so a file of nothing but errors costs little."""

    _examples: dict[Rule, list[tuple[int | None, str]]] = field(default_factory=dict)
    _counts: dict[Rule, int] = field(default_factory=dict)

    def add(self, rule: Rule, line: int | None, *details: Detail) -> None:
        """Note that a rule is broken on a line, or by the file as a whole."""
        count = self._counts[rule] = self._counts.get(rule, 0) + 1
        if count <= _EXAMPLES:
            sentence = rule.sentence.format(*map(_presentable, details))
            self._examples.setdefault(rule, []).append((line, sentence))

    def folded(self) -> list[Finding]:
        """The examples of every rule; the last one says how many more lines there are like it."""
        findings = []
        for rule, examples in self._examples.items():
            more = self._counts[rule] - len(examples)
            *first, (line, sentence) = examples
            findings += [Finding(*example, rule.warning) for example in first]
            if more:
                sentence += f"; and {more:,} more {'line' if more == 1 else 'lines'} like this"
            findings.append(Finding(line, sentence, rule.warning, 1 + more))
        return findings


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by line; those about the whole file last."""
    return sorted(findings, key=lambda finding: (finding.line is None, finding.line or 0))


def shown(text: bytes | str) -> str:
    """Text of a file as it may be printed: cut, and without anything a terminal would obey."""
    if isinstance(text, bytes):
        # A character has four bytes at most.
        text = text[: 4 * _LONGEST + 4].decode("utf-8", "backslashreplace")
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _presentable(detail: Detail) -> str | int:
    match detail:
        case int():
            return detail
        case bytes() | str():
            return shown(detail)
        case _:
            more = f" and {len(detail) - _EXAMPLES:,} more" if len(detail) > _EXAMPLES else ""
            return ", ".join(map(shown, detail[:_EXAMPLES])) + more
