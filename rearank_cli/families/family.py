"""A family: what a group of models was trained to read and to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rearank_cli.families.passages import PassageText, TokenCutter
from rearank_cli.families.templates import PromptTemplate
from rearank_cli.records import Completion, Passage, Prompt, Reading, Sampling


class Reader(Protocol):
    """A way to read an answer, and to write one."""

    def read(self, completion: Completion, n: int) -> Reading: ...

    def write(self, order: Sequence[int], reasoning: str = "") -> Completion: ...

    def begin_answer(self, text: str) -> str: ...

    def answer_pattern(self, n: int) -> str: ...


@dataclass(frozen=True)
class Defaults:
    """How the family's models were published to be called; `depth` and windows count passages."""

    method: str
    window: int
    step: int
    depth: int


@dataclass(frozen=True)
class Model:
    """A model of the family; `base` is what an adapter adapts or what the model was trained from."""

    name: str
    base: str | None = None


@dataclass(frozen=True)
class Family:
    """What a group of models reads and writes: prompt, passage text, answer, sampling, defaults.

    Pure: the same arguments give the same values, and no engine is known. `digest` identifies the
    family file with its settings.
    """

    name: str
    title: str
    paper: str
    source: str
    ours: tuple[str, ...]
    models: tuple[Model, ...]
    defaults: Defaults
    sampling: Sampling
    settings: Mapping[str, str]
    passage_text: PassageText
    template: PromptTemplate
    reader: Reader
    digest: str

    def prepare(self, passage: Passage, cut_tokens: TokenCutter | None = None) -> Passage:
        """The passage with the text that prompts show: joined with its title, cleaned and cut.

        Done once per run; `cut_tokens` cuts by a model's tokens where the family's cut is in tokens.
        """
        return replace(passage, text=self.passage_text.of(passage, cut_tokens), title=None)

    def compose(self, query: str, prepared: Sequence[Passage]) -> Prompt:
        """The prompt for passages that went through `prepare`."""
        return self.template.render(query, prepared, self.settings)

    def prompt(self, query: str, passages: Sequence[Passage]) -> Prompt:
        """The request for one window: the query's text and the passages, in their current order."""
        return self.compose(query, [self.prepare(passage) for passage in passages])

    def read(self, completion: Completion, n: int) -> Reading:
        """What an answer about n passages says; never raises."""
        return self.reader.read(completion, n)

    def begin_answer(self, text: str) -> str:
        """What a text that ran out of tokens becomes, for the model to answer at once: a prefill."""
        return self.reader.begin_answer(text)

    def answer_pattern(self, n: int) -> str:
        """A regular expression for what follows `begin_answer`: a list of the window's identifiers."""
        return self.reader.answer_pattern(n)

    def write(self, order: Sequence[int], reasoning: str = "") -> Completion:
        """A well-formed completion for an order; reading it gives the order back."""
        return self.reader.write(order, reasoning)
