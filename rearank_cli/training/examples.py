"""Examples to learn from, out of what a strong teacher answered: to imitate, or to prefer to others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Completion, Passage, Prompt, Qrels, Run
from rearank_cli.traces import TraceFile, digest
from rearank_cli.traces.mentions import mentioned
from rearank_cli.training.answers import Answer, Asked, window_ndcg
from rearank_cli.training.prompts import Prompter, find_tokenizer
from rearank_cli.training.rows import prompt_of

ExampleFormat = Literal["sft", "messages", "preferences"]


@dataclass(slots=True)
class Sifted:
    """How many calls each filter left; counted as they are read."""

    calls: int = 0
    judged: int = 0
    whole: int = 0
    good: int = 0
    changed: int = 0
    cut: int = 0
    windows: int = 0
    asked_again: int = 0


@dataclass(frozen=True)
class Told:
    """The texts and judgments that traces do not hold.

    `first_stage` is the run that was reranked, for families that show its scores.
    """

    queries: Mapping[str, str]
    passages: Mapping[str, Passage]
    qrels: Qrels
    first_stage: Run | None = None


@dataclass(frozen=True)
class Example:
    """An answer with the prompt it was given to, and its quality."""

    answer: Answer
    prompt: Prompt
    quality: float


class Examples:
    """The answers in a trace file that are good enough, as rows of training data.

    Raises InputError for texts that are missing, UsageError for a family that a format cannot express.
    """

    def __init__(
        self, file: TraceFile, told: Told, *, threshold: float, family: str | None, tokenizer: str | None
    ) -> None:
        self._file = file
        self._told = told
        self._threshold = threshold
        self._asked = Asked(file, family)
        self._named = tokenizer
        self._tokenizers: dict[str, Tokenizer | None] = {}
        self.sifted = Sifted()

    def rows(self, form: ExampleFormat) -> Iterator[dict[str, Any]]:
        """The rows, query by query in the order of the file."""
        for query_id in self._file.query_ids():
            examples = list(self._examples(query_id))
            if form == "preferences":
                yield from self._preferences(examples)
                continue
            for example in examples:
                if example.answer.is_whole and self._is_good(example):
                    self.sifted.good += 1
                    yield _sft(example) if form == "sft" else _messages(example)

    def _examples(self, query_id: str) -> Iterator[Example]:
        """The answers of a query that have an order, with their prompts; each family writes its own."""
        judged = self._told.qrels.get(query_id)
        prompters: dict[str, Prompter] = {}
        for call, answer in self._asked.answers([query_id]):
            self.sifted.calls += 1
            if not judged:
                continue
            self.sifted.judged += 1
            if answer is None or not answer.request.answered:
                continue
            request = answer.request
            # What was left of them only the engine's tokenizer could tell.
            if request.cut_passages:
                self.sifted.cut += 1
                continue
            if request.texts != self._texts(query_id, call.requests[0].doc_ids):
                self.sifted.changed += 1
                continue
            self.sifted.whole += answer.is_whole
            if answer.family.digest not in prompters:
                prompters[answer.family.digest] = self._prompter(query_id, answer)
            prompt = prompters[answer.family.digest].prompt(request.doc_ids)
            yield Example(answer, prompt, window_ndcg(request.ranked, judged))

    def _is_good(self, example: Example) -> bool:
        return example.quality >= self._threshold

    def _preferences(self, examples: Sequence[Example]) -> Iterator[dict[str, Any]]:
        """The best answer about the same documents before the worst one, where one is better."""
        windows: dict[tuple[str, frozenset[str]], list[Example]] = {}
        for example in examples:
            request = example.answer.request
            key = (example.answer.family.digest, frozenset(request.doc_ids))
            windows.setdefault(key, []).append(example)
        self.sifted.windows += len(windows)
        for about in windows.values():
            if len(about) < 2:
                continue
            self.sifted.asked_again += 1
            best = max((one for one in about if one.answer.is_whole), key=_quality, default=None)
            worst = min(about, key=_quality)
            if best is None or not self._is_good(best) or worst.quality >= best.quality:
                continue
            rejected = renumbered(worst.answer, best.answer.request.doc_ids)
            if rejected is not None:
                self.sifted.good += 1
                yield _preference(best, rejected)

    def _prompter(self, query_id: str, answer: Answer) -> Prompter:
        # A window's passages have the scores of the first stage, where a family shows them.
        passages = self._told.passages
        if any("passage.score" in template.content.source for template in answer.family.template.messages):
            if self._told.first_stage is None:
                raise UsageError(
                    f"the family {answer.family.name} shows the scores of the first stage: "
                    "give the run that was reranked, too"
                )
            scores = dict(self._told.first_stage.get(query_id, []))
            passages = {
                doc_id: replace(passage, score=scores.get(doc_id)) for doc_id, passage in passages.items()
            }
        if answer.family.digest not in self._tokenizers:
            self._tokenizers[answer.family.digest] = find_tokenizer(answer.family, self._named)
        tokenizer = self._tokenizers[answer.family.digest]
        return Prompter(answer.family, self._told.queries[query_id], passages, tokenizer)

    def _texts(self, query_id: str, doc_ids: Sequence[str]) -> str:
        """What tells the texts of a call from others, as the call was told by it."""
        query = self._told.queries.get(query_id)
        absent = [doc_id for doc_id in doc_ids if doc_id not in self._told.passages]
        if query is None or absent:
            what = f"document {absent[0]}" if absent else f"query {query_id}"
            raise InputError(
                f"{what} of the traces is not in the collection; check that they belong together"
            )
        shown = (self._told.passages[doc_id] for doc_id in doc_ids)
        return digest(query, *(digest(passage.title, passage.text) for passage in shown))


def renumbered(answer: Answer, doc_ids: Sequence[str]) -> str | None:
    """An answer about the same documents, shown in another order, as if they had been shown in this one.

    Every identifier that it speaks of is rewritten. None where its list does not come out the same.
    """
    request, text = answer.request, answer.text
    if list(request.doc_ids) == list(doc_ids):
        return text
    places = {doc_id: number for number, doc_id in enumerate(doc_ids, 1)}
    pieces, end = [], 0
    for mention in mentioned(text, len(doc_ids)):
        number = places[request.doc_ids[mention.number - 1]]
        written = text[mention.start : mention.end].replace(str(mention.number), str(number))
        pieces += [text[end : mention.start], written]
        end = mention.end
    rewritten = "".join([*pieces, text[end:]])
    reading = answer.family.read(Completion(rewritten), len(doc_ids))
    listed = request.ranked[: request.listed]
    same = reading.answered and [doc_ids[position] for position in reading.stated] == listed
    return rewritten if same else None


def _quality(example: Example) -> float:
    return example.quality


def _sft(example: Example) -> dict[str, Any]:
    """A record as LLaMA-Factory reads it; turns before the last are its `history`."""
    if example.prompt.text is not None:
        return {"instruction": example.prompt.text, "output": example.answer.text, "system": ""}
    turns = example.prompt.messages
    system = turns.pop(0)["content"] if turns[0]["role"] == "system" else ""
    *before, last = turns
    roles = [turn["role"] for turn in turns]
    if roles != ["user", "assistant"] * (len(before) // 2) + ["user"]:
        raise UsageError(
            f"the family {example.answer.family.name} does not speak in turns, as these records do; "
            "give --format messages"
        )
    record: dict[str, Any] = {"instruction": last["content"], "output": example.answer.text, "system": system}
    if before:
        spoken = [turn["content"] for turn in before]
        record["history"] = [list(pair) for pair in zip(spoken[::2], spoken[1::2], strict=True)]
    return record


def _messages(example: Example) -> dict[str, Any]:
    if example.prompt.text is not None:
        raise UsageError(
            f"the family {example.answer.family.name} sends raw text, and no messages; give --format sft"
        )
    return {"messages": [*example.prompt.messages, _said(example.answer.text)]}


def _preference(best: Example, rejected: str) -> dict[str, Any]:
    """A pair as TRL's preference trainers read it."""
    chosen = best.answer.text
    if best.prompt.text is not None:
        return {"prompt": best.prompt.text, "chosen": chosen, "rejected": rejected}
    return {"prompt": prompt_of(best.prompt), "chosen": [_said(chosen)], "rejected": [_said(rejected)]}


def _said(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
