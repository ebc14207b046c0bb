"""What models answered, as traces have it, seen as training sees it: a window, a text, and its quality."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rearank_cli.errors import InputError
from rearank_cli.families import Family, family_names, load_family
from rearank_cli.records import Status
from rearank_cli.traces import TracedCall, TracedRequest, TraceFile
from rearank_cli.training.prompts import check_listwise
from rearank_cli.training.rewards import ndcg
from rearank_cli.trec.streams import describe

_OPEN, _CLOSE = "<think>", "</think>"


@dataclass(frozen=True)
class Answer:
    """A model's own answer to a window: the first request of a call that had a response.

    Training knows no second tries and no forced finishes.
    """

    request: TracedRequest
    family: Family = field(repr=False)

    @property
    def text(self) -> str:
        """All that the model wrote, its reasoning included, also where a server told that apart.

        What the prompt ended with, and the mark of a thought that the chat template opened, stand before
        it: a model that is trained on it has to write them itself.
        """
        text = self.request.response
        if self.request.reasoning and self.family.reader.thought and _CLOSE not in text:
            if not text.startswith(_OPEN):
                text = f"{_OPEN}\n{self.request.reasoning}\n{_CLOSE}\n\n{text}"
        elif not text.startswith(append := self.family.template.append):
            text = append + text
        before, close, _ = text.partition(_CLOSE)
        return f"{_OPEN}\n{text.lstrip()}" if close and _OPEN not in before else text

    @property
    def is_whole(self) -> bool:
        """Whether it is a list of all passages, each once, and nothing had to be mended."""
        return self.request.status is Status.OK and self.request.listed in (None, len(self.request.order))


def window_ndcg(ranked: Sequence[str], qrels: Mapping[str, int]) -> float:
    """nDCG@10 of a window's documents, against the best order of these same documents.

    So does ReasonRank measure its teacher by labels of the passages in the list. 0 where none is relevant.
    """
    return ndcg(ranked, {doc_id: qrels[doc_id] for doc_id in ranked if doc_id in qrels})


def first_answer(call: TracedCall) -> TracedRequest | None:
    """The first request of a call that had a response; None where none had."""
    return next(
        (request for request in call.requests if not request.forced and request.status is not Status.FAILED),
        None,
    )


class Asked:
    """The families that the attempts of a trace file asked with.

    `given` is a family, or a file of one, that is taken for all of them. Raises InputError for one that is
    not as it was, UsageError for one whose answers are no lists.
    """

    def __init__(self, file: TraceFile, given: str | None = None) -> None:
        self._file = file
        self._given = given
        self._families: dict[int, Family] = {}

    def family(self, request: TracedRequest) -> Family:
        """The family, with its settings, that a request was asked with."""
        if request.asked_by not in self._families:
            self._families[request.asked_by] = self._load(self._file.attempts[request.asked_by])
        return self._families[request.asked_by]

    def answers(self, query_ids: Sequence[str] | None = None) -> Iterator[tuple[TracedCall, Answer | None]]:
        """Every call with its first answer; None where it had none."""
        for query_id in self._file.query_ids() if query_ids is None else query_ids:
            for call in self._file.calls(query_id):
                request = first_answer(call)
                yield call, Answer(request, self.family(request)) if request else None

    def _load(self, attempt: Mapping[str, Any]) -> Family:
        name = attempt["family"]
        where = describe(self._file.path)
        if self._given is None and name not in family_names():
            raise InputError(
                f"{where} was made with the family {name}, which is not built in: name its file with --family"
            )
        family = load_family(self._given or name, attempt["options"].get("set", {}))
        check_listwise(family)
        if family.digest != attempt["asker"]["family"]:
            raise InputError(
                f"{where} was made with another {name} than {self._given or 'the one that is built in'}: "
                "its prompts would not be those that were answered; name the family's file with --family"
            )
        return family
