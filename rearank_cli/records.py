"""The nouns of the program: values that pass between its rooms and never change."""

import enum
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeVar

Item = TypeVar("Item")

Gives = Literal["order", "best", "worst", "score", "scores"]
"""What a reading of a window is good for: an order of its passages, the best or the worst of them (first
or last of `order`), the score of its only passage, or scores of several, on one scale for all windows."""

Qrels = Mapping[str, Mapping[str, int]]
"""Judgments: query_id -> doc_id -> grade."""


class Query(NamedTuple):
    """A topic."""

    query_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A document's text as a model is shown it; `score` is its first-stage score, where it is known."""

    doc_id: str
    text: str
    title: str | None = None
    score: float | None = None


class ScoredDoc(NamedTuple):
    """One line of a run, without its query."""

    doc_id: str
    score: float


class RankedDocs:
    """The documents of one query, best first.

    A run may have millions, so they are packed until they are asked for: the ids in one text, the
    scores in one array, 16 bytes for a document where a ScoredDoc takes 150.
    """

    __slots__ = ("_doc_ids", "_scores")

    def __init__(self, doc_ids: Sequence[str], scores: Iterable[float]) -> None:
        """Pack ids and their scores, both best first."""
        joined = "\n".join(doc_ids)
        # No file can hold an id with a line feed; a Python program can.
        self._doc_ids = joined if joined.count("\n") == len(doc_ids) - 1 else tuple(doc_ids)
        self._scores = array("d", scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __iter__(self) -> Iterator[ScoredDoc]:
        return map(ScoredDoc, self.doc_ids(), self._scores)

    def __repr__(self) -> str:
        return f"RankedDocs({len(self)} documents)"

    def doc_ids(self) -> list[str]:
        """The ids of all documents."""
        return self._doc_ids.split("\n") if isinstance(self._doc_ids, str) else list(self._doc_ids)

    def scores(self) -> list[float]:
        """The scores of all documents."""
        return self._scores.tolist()

    def head(self, depth: int) -> list[ScoredDoc]:
        """The first `depth` documents; the others stay packed."""
        if isinstance(self._doc_ids, str):
            first = self._doc_ids.split("\n", depth)[:depth]
        else:
            first = list(self._doc_ids[:depth])
        return list(map(ScoredDoc, first, self._scores))


class Run(Mapping[str, list[ScoredDoc]]):
    """Ranked documents per query, best first, and the run's tag. Queries keep the order of the file.

    `run[query_id]` makes a list of the documents each time; where their ids or the first of them are
    enough, `ranked` is faster and takes less memory.
    """

    def __init__(self, rankings: Mapping[str, Iterable[ScoredDoc]], tag: str = "") -> None:
        self._rankings = {query_id: _packed(ranking) for query_id, ranking in rankings.items()}
        self.tag = tag

    def __getitem__(self, query_id: str) -> list[ScoredDoc]:
        return list(self._rankings[query_id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._rankings)

    def __len__(self) -> int:
        return len(self._rankings)

    def __contains__(self, query_id: object) -> bool:
        return query_id in self._rankings

    def __repr__(self) -> str:
        return f"Run({len(self)} queries, tag={self.tag!r})"

    def ranked(self, query_id: str) -> RankedDocs:
        """The documents of a query as they are kept. Raises KeyError."""
        return self._rankings[query_id]

    def only(self, query_ids: Iterable[str]) -> "Run":
        """The part of the run that has these queries, in this order. Raises KeyError."""
        return Run({query_id: self._rankings[query_id] for query_id in query_ids}, self.tag)


def _packed(ranking: Iterable[ScoredDoc]) -> RankedDocs:
    if isinstance(ranking, RankedDocs):
        return ranking
    documents = list(ranking)
    return RankedDocs([doc_id for doc_id, _ in documents], [score for _, score in documents])


class Ranking(NamedTuple):
    """A query's candidates in the order a method gave them, best first.

    `scores` holds what the model gave to those that it scored, where the method asks for scores.
    """

    doc_ids: list[str]
    scores: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """The passages shown to the model in one call, in order.

    `start` and `end` are 0-based positions in the query's current ranking, where the window is a
    stretch of it. `sample` tells apart two calls that ask the same thing on purpose.
    """

    doc_ids: tuple[str, ...]
    start: int | None = None
    end: int | None = None
    sample: int = 0


class Span(NamedTuple):
    """A piece of a prompt; `foreign` when it came from a document or a query, so may hold anything."""

    text: str
    foreign: bool


class Turn(NamedTuple):
    """One message of a chat."""

    role: str
    spans: tuple[Span, ...]

    @property
    def content(self) -> str:
        return "".join(span.text for span in self.spans)


_OPENED = "<think>"


def begun_by(prompt: str) -> str:
    """The part of an answer that a prompt ends with: a thought that it opens; empty where there is none."""
    written = prompt.rstrip()
    return prompt[len(written) - len(_OPENED) :] if written.endswith(_OPENED) else ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is sent: a chat (`turns`) or a raw text (`raw`), and what follows it (`append`).

    `append` comes after the rendered chat: a prefill, a closed thought. `chat_args` are switches of
    the model's chat template, such as enable_thinking. `begun` is the part of an answer that the
    prompt itself ends with: `<think>`. `doc_ids` are the passages shown, in order. `token_ids` is
    set once the prompt was rendered with an engine's tokenizer.
    """

    turns: tuple[Turn, ...] = ()
    raw: tuple[Span, ...] = ()
    append: str = ""
    chat_args: tuple[tuple[str, bool], ...] = ()
    begun: str = ""
    query_id: str = ""
    doc_ids: tuple[str, ...] = ()
    token_ids: tuple[int, ...] | None = None

    @property
    def messages(self) -> list[dict[str, str]]:
        """The chat as every chat template and every OpenAI-compatible server takes it."""
        return [{"role": turn.role, "content": turn.content} for turn in self.turns]

    @property
    def text(self) -> str | None:
        """The raw prompt; None for a chat."""
        return None if self.turns else "".join(span.text for span in self.raw)


@dataclass(frozen=True, slots=True)
class Sampling:
    """How an answer is drawn.

    `max_tokens` is None where an answer may be as long as a well-formed one is. An answer ends after
    one of the texts in `stop`, and they are part of it. `choice` allows the answer to be one of these
    texts and no other, `pattern` to be what a regular expression matches. With `logprobs`, the
    completion has its tokens, with the log-probabilities of the texts in `watch` among the so many
    likeliest tokens at each place; `only_watched` allows no other token.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    max_tokens: int | None = 2048
    stop: tuple[str, ...] = ()
    seed: int | None = None
    choice: tuple[str, ...] | None = None
    pattern: str | None = None
    logprobs: int | None = None
    watch: tuple[str, ...] = ()
    only_watched: bool = False


class Token(NamedTuple):
    """A token of an answer, with its log-probability.

    `watched` holds the log-probabilities, at this token's place, of those watched texts that are
    among the likeliest tokens there; `lowest` is that of the least likely one of these tokens.
    """

    text: str
    logprob: float
    watched: Mapping[str, float] = {}
    lowest: float = 0.0


@dataclass(frozen=True, slots=True)
class Completion:
    """What an engine answered.

    `finish_reason` is `stop` (the model ended), `length` (out of tokens), `abort` or `error` (no
    response; `error` says why). `reasoning` is thought that a server returned apart from the text.
    `tokens` are those of the text, where the sampling asked for them.
    """

    text: str
    finish_reason: str = "stop"
    reasoning: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    error: str | None = None
    tokens: tuple[Token, ...] = field(default=(), repr=False)


class Status(enum.StrEnum):
    """What became of a request, and of the call it belongs to."""

    OK = "ok"
    REPAIRED = "repaired"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a family made of an answer.

    `order` holds the 0-based positions of the window's passages, best first; it is always a
    permutation, and the window's own order where there was no answer. Only its first `listed`
    positions (None for all) are the model's own words, the rest was appended; those of equal
    `scores` are ties. `scores` are of the window's positions, None for a passage without one.
    `forced` marks an order that the model gave when it was made to finish, after its answer had
    run out of tokens.
    """

    status: Status
    order: list[int]
    scores: list[float | None] | None = None
    reasoning: str = field(default="", repr=False)
    forced: bool = False
    listed: int | None = None

    @property
    def answered(self) -> bool:
        """Whether the model gave an order."""
        return self.forced or self.status in (Status.OK, Status.REPAIRED)

    @property
    def stated(self) -> list[int]:
        """The positions that the model itself put in order, best first."""
        return self.order[: self.listed] if self.answered else []

    def arrange(self, items: Sequence[Item]) -> list[Item]:
        """The window's items in the order that was read."""
        return [items[position] for position in self.order]
