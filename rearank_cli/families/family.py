"""A family: what a group of models was trained to read and to write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rearank_cli.families.passages import ForeignText, PassageText, TokenCutter
from rearank_cli.families.reader import Reader, by_score
from rearank_cli.families.templates import PromptTemplate
from rearank_cli.records import Completion, Gives, Passage, Prompt, Reading, Sampling


@dataclass(frozen=True)
class Defaults:
    """How the family's models were published to be called; `depth` and windows count passages.

    `passes` and `top` are None where the method's own are meant.
    """

    method: str
    window: int
    step: int
    depth: int
    passes: int | None = None
    top: int | None = None


@dataclass(frozen=True)
class Model:
    """A model of the family; `base` is what it was trained from. An `adapter` is loaded onto its base."""

    name: str
    base: str | None = None
    adapter: bool = False


@dataclass(frozen=True)
class Family:
    """What a group of models reads and writes: prompt, passage text, answer, sampling, defaults.

    Pure: the same arguments give the same values, and no engine is known. `engine` holds what vLLM
    must be started with. `allowed` are the values that a setting can have, where these are few, `named`
    those that have a name, `collections` the authors' settings for ir_datasets ids of a pattern, and
    `for_dataset` those of them that apply to the dataset at hand.
    `digest` identifies the family file with its settings.
    """

    name: str
    title: str
    paper: str
    source: str
    ours: tuple[str, ...]
    results: tuple[str, ...]
    models: tuple[Model, ...]
    defaults: Defaults
    sampling: Sampling
    engine: Mapping[str, str]
    settings: Mapping[str, str]
    allowed: Mapping[str, Sequence[str]]
    named: Mapping[str, Mapping[str, str]]
    collections: tuple[tuple[Sequence[str], Mapping[str, str]], ...]
    for_dataset: Mapping[str, str]
    query_text: ForeignText
    passage_text: PassageText
    template: PromptTemplate
    reader: Reader
    digest: str

    @property
    def gives(self) -> Gives:
        """What the readings of its answers are good for."""
        return self.reader.gives

    @property
    def most_passages(self) -> int | None:
        """How many passages a window can have at most; None where any number can be named."""
        return self.reader.most_passages

    @property
    def highest_score(self) -> float:
        """What the most relevant passage there can be is scored; the lowest score is 0."""
        return self.reader.highest

    def model(self, name: str) -> Model | None:
        """The listed model of that name."""
        return next((model for model in self.models if model.name == name), None)

    def prepare(self, passage: Passage, cut_tokens: TokenCutter | None = None) -> Passage:
        """The passage with the text that prompts show: joined with its title, cleaned and cut.

        Done once per run; `cut_tokens` cuts by a model's tokens where the family's cut is in tokens.
        """
        return replace(passage, text=self.passage_text.of(passage, cut_tokens), title=None)

    def prepare_query(self, text: str, cut_tokens: TokenCutter | None = None) -> str:
        """The query's text as prompts show it, cleaned and cut. Done once per run."""
        return self.query_text.of(text, cut_tokens)

    def compose(self, query: str, prepared: Sequence[Passage]) -> Prompt:
        """The prompt for a query and passages that went through `prepare_query` and `prepare`."""
        return self.template.render(query, prepared, self.settings)

    def prompt(self, query: str, passages: Sequence[Passage]) -> Prompt:
        """The request for one window: the query's text and the passages, in their current order."""
        return self.compose(self.prepare_query(query), [self.prepare(passage) for passage in passages])

    def sampling_for(self, sampling: Sampling, n: int) -> Sampling:
        """How an answer about n passages is drawn, where its family's sampling may have been changed."""
        return self.reader.sampling(sampling, n)

    def read(self, completion: Completion, n: int, begun: str | None = None) -> Reading:
        """What an answer about n passages says; never raises.

        `begun` is the part of an answer that the prompt ended with, where that is known to be
        another than the family's own: a chat template can open the thought, too.
        """
        return self.reader.read(completion, n, self.template.begun if begun is None else begun)

    @property
    def finishes_unreadable(self) -> bool:
        """Whether an answer that could not be read is made to finish, too, and not only a truncated one."""
        return self.reader.finishes_unreadable

    def begin_answer(self, text: str, begun: str | None = None) -> str:
        """What is put after a prompt and a completion of it that has no answer, to have the answer."""
        return self.reader.begin_answer(text, self.template.begun if begun is None else begun)

    def finish_for(self, sampling: Sampling, n: int) -> Sampling:
        """How the rest of the answer after `begin_answer` is drawn: nothing but an answer."""
        return self.reader.finish(sampling, n)

    def write(
        self,
        order: Sequence[int] | None = None,
        reasoning: str = "",
        *,
        choice: int | None = None,
        scores: Sequence[float] | None = None,
    ) -> Completion:
        """A well-formed completion for an order, for scores, or for the choice of one passage.

        Reading it gives back what of these the family can express.
        """
        if order is None:
            order = [choice] if choice is not None else by_score(scores or [])
        return self.reader.write(order, scores, reasoning)
