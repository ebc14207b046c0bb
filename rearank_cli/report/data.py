"""What the page's script is given: an index of the queries, each query, and the documents, once each.

Keys are short words; a document is its number. Everything is parsed only when it is looked at.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from rearank_cli.records import Passage
from rearank_cli.report.charts import shade_of
from rearank_cli.report.contents import Asked, Report, Reranking
from rearank_cli.traces import TracedRequest
from rearank_cli.traces.mentions import mentioned, sentences

# Documents in one block: few enough to be parsed at once, many enough that blocks are few.
BLOCK = 256
# Whole books stand in some collections; a model was shown the head of them.
LONGEST_TEXT = 5000


class Documents:
    """The documents of a page, numbered as they are named."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, doc_id: str) -> int:
        """The number of a document, from 0."""
        return self._numbers.setdefault(doc_id, len(self._numbers))

    def numbers(self, doc_ids: Sequence[str]) -> list[int]:
        """The numbers of several."""
        return [self.number(doc_id) for doc_id in doc_ids]

    def blocks(self, report: Report) -> Iterator[list[list[Any]]]:
        """All documents, by number, in blocks: [id, title, text], and how long it was where it is cut."""
        doc_ids = iter(self._numbers)
        while block := list(islice(doc_ids, BLOCK)):
            yield [_document(doc_id, report.passages.get(doc_id)) for doc_id in block]


def _document(doc_id: str, passage: Passage | None) -> list[Any]:
    if passage is None:
        return [doc_id]
    cut = [len(passage.text)] if len(passage.text) > LONGEST_TEXT else []
    return [doc_id, passage.title, passage.text[:LONGEST_TEXT], *cut]


def index_data(report: Report) -> dict[str, Any]:
    """What the list of queries shows, and is sorted and filtered by."""
    return {
        "measures": list(report.measures),
        "level": report.level,
        "block": BLOCK,
        "judged": report.judgments is not None,
        "texts": bool(report.passages),
        "files": [
            {
                "name": each.name,
                "shade": shade_of(place),
                "run": each.run,
                "depth": each.depth,
                "ranked": each.before is not None,
            }
            for place, each in enumerate(report.rerankings)
        ],
        "queries": [
            [query_id, text, [_summary(report, each, query_id) for each in report.rerankings]]
            for query_id, text in report.queries.items()
        ],
    }


def _summary(report: Report, reranking: Reranking, query_id: str) -> dict[str, Any] | None:
    """One query of a trace file, in a few numbers; None where the file does not have it."""
    calls = reranking.calls.get(query_id)
    if calls is None:
        return None
    statuses: dict[str, int] = {}
    for asked in calls:
        name = asked.status or "missing"
        statuses[name] = statuses.get(name, 0) + 1
    values = query_measures(report, reranking, query_id)
    return {
        "change": values[0][1] - values[0][0] if values else None,
        "statuses": statuses,
        "calls": len(calls),
        "tokens": sum(asked.tokens or 0 for asked in calls),
        "seconds": round(sum(asked.seconds or 0 for asked in calls), 3),
    }


def query_measures(report: Report, reranking: Reranking, query_id: str) -> list[tuple[float, float]] | None:
    """Before and after, for each measure; None where the query is not judged."""
    measured = report.measured_with(reranking)
    if measured is None:
        return None
    before, after = measured.evaluations[0].per_query, measured.evaluation(reranking.name).per_query
    if query_id not in before[report.measures[0]]:
        return None
    return [(before[measure][query_id], after[measure][query_id]) for measure in report.measures]


def query_data(report: Report, query_id: str, documents: Documents) -> dict[str, Any]:
    """All of one query: its judgments, and for each trace file its ranking and its calls."""
    files = [_of_file(report, each, query_id, documents) for each in report.rerankings]
    judged = (report.judgments or {}).get(query_id)
    if judged is None:
        return {"files": files, "grades": None}
    doc_ids = dict.fromkeys(doc_id for each in report.rerankings for doc_id in _shown(each, query_id))
    grades = [[documents.number(doc_id), judged[doc_id]] for doc_id in doc_ids if doc_id in judged]
    return {"files": files, "grades": grades, "relevant": sum(map(report.level.__le__, judged.values()))}


def _shown(reranking: Reranking, query_id: str) -> Iterator[str]:
    """Every document of a query that the page names."""
    if reranking.before is not None and query_id in reranking.before:
        yield from reranking.before.ranked(query_id).doc_ids()[: reranking.depth]
    for asked in reranking.calls.get(query_id, ()):
        yield from asked.window.doc_ids


def _of_file(
    report: Report, reranking: Reranking, query_id: str, documents: Documents
) -> dict[str, Any] | None:
    if query_id not in reranking.calls:
        return None
    told: dict[str, Any] = {
        "measures": query_measures(report, reranking, query_id),
        "ranking": None,
        "calls": [_call(asked, documents) for asked in reranking.calls[query_id]],
    }
    if reranking.before is not None and reranking.after is not None:
        before = reranking.before.ranked(query_id).doc_ids()
        places = {doc_id: rank for rank, doc_id in enumerate(before[: reranking.depth], 1)}
        after = reranking.after.ranked(query_id).doc_ids()[: reranking.depth]
        told["ranking"] = documents.numbers(after)
        told["first"] = [places[doc_id] for doc_id in after]
        told["tail"] = len(before) - len(after)
    return told


def _call(asked: Asked, documents: Documents) -> dict[str, Any]:
    window = asked.window
    shown: dict[str, Any] = {
        "window": None if window.start is None else [window.start, window.end],
        "sample": window.sample,
        "first": None if window.start is None else window.start + 1,
        "in": documents.numbers(window.doc_ids),
        "order": list(range(len(window.doc_ids))),
        "status": "missing",
    }
    if asked.call is None:
        return shown
    request = asked.call.settled
    return shown | {
        "order": request.order,
        "first": request.first_rank,
        "listed": request.listed if request.answered else None,
        "status": request.status,
        "forced": request.forced,
        "answered": request.answered,
        "scores": request.scores,
        "words": spoken(request.reasoning, len(request.doc_ids)),
        "answer": request.answer,
        "error": request.error,
        "requests": [_request(each) for each in asked.call.requests],
        "cut": request.cut_passages,
    }


def _request(request: TracedRequest) -> list[Any]:
    """What one request was, and took."""
    return [
        "forced finish" if request.forced else "again" if request.attempt else "asked",
        request.status,
        request.finish_reason,
        request.prompt_tokens,
        request.completion_tokens,
        request.cached_tokens,
        request.seconds,
    ]


def spoken(text: str, n: int) -> list[Any]:
    """A reasoning in pieces: texts, and sentences that speak of passages 1 to n.

    Such a sentence is a list of texts and of [number, words]; all the words together are the reasoning.
    """
    pieces: list[Any] = []
    silent = 0
    named = deque(mentioned(text, n))
    for sentence in sentences(text):
        if not named:
            break
        parts: list[Any] = []
        place = sentence.start
        while named and named[0].start < sentence.end:
            start, end, number = named.popleft()
            # What stands across the end of a sentence is in neither.
            if start < place or end > sentence.end:
                continue
            if place < start:
                parts.append(text[place:start])
            parts.append([number, text[start:end]])
            place = end
        if not parts:
            continue
        if silent < sentence.start:
            pieces.append(text[silent : sentence.start])
        if place < sentence.end:
            parts.append(text[place : sentence.end])
        pieces.append(parts)
        silent = sentence.end
    if silent < len(text):
        pieces.append(text[silent:])
    return pieces
