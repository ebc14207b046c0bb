"""TREC run files, read as trec_eval reads them and written so that every reader agrees."""

import array
import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec.lines import decode, split_lines
from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.streams import describe

log = logging.getLogger("rearank")

Order = Literal["trec", "rank", "file"]

_INTEGER = re.compile(rb"-?[0-9]{1,18}")
_NOT_A_NUMBER = re.compile(rb"[^-+.0-9eE]")
_SAFE_TAG = re.compile(r"[A-Za-z0-9_-]{1,12}")
_TO_ESCAPE = re.compile(r"[%\s]")


def read_run(path: str | Path, order: Order = "trec") -> Run:
    """Read a run file, or standard input (`-`), compressed or not.

    `order` says what ranks a query's documents: `trec` is trec_eval 9's order (score descending as
    a 32-bit float, then document id descending by bytes), `rank` the fourth field, `file` the order
    of the lines. Raises InputError (`path:line: what`) for anything that is not a run.
    """
    name = describe(path)
    topics: dict[bytes, _Topic] = {}
    tag = ""
    with_spaces = 0
    first_with_spaces = 0
    for number, fields in split_lines(path):
        if len(fields) != 6:
            fields = _with_spaced_id(fields, f"{name}:{number}")  # noqa: PLW2901
            with_spaces += 1
            first_with_spaces = first_with_spaces or number
        query, _, doc, rank, score, line_tag = fields
        topic = topics.get(query)
        if topic is None:
            topic = topics[query] = _Topic(decode(query, path, number))
        doc_id = decode(doc, path, number)
        if doc_id in topic.scores:
            raise InputError(
                f"{name}:{number}: document {doc_id} is in the ranking of query {topic.query_id} already; "
                "a run lists a document once per query"
            )
        topic.scores[doc_id] = _score(score, f"{name}:{number}")
        if order == "rank":
            topic.ranks.append(_rank(rank, f"{name}:{number}"))
        tag = tag or decode(line_tag, path, number)
    if not tag:
        raise InputError(
            f"{name}: no run in it; a run has lines of six fields: query Q0 document rank score tag"
        )
    if with_spaces:
        log.warning(
            "%s: %d documents have spaces in their ids (first: line %d); "
            "they can be written only with --escape-ids",
            name,
            with_spaces,
            first_with_spaces,
        )
    if order == "trec":
        _warn_of_close_scores(name, topics.values())
    return Run({topic.query_id: topic.ranked(order) for topic in topics.values()}, tag)


def write_run(
    run: Mapping[str, Sequence[ScoredDoc]],
    path: str | Path,
    tag: str | None = None,
    *,
    escape_ids: bool = False,
    own_scores: bool = False,
) -> None:
    """Write a run file, or standard output (`-`); the suffix says how it is compressed.

    The score of the document at rank r of N is the integer N-r+1: strictly decreasing, and exact in
    every reader, whatever first-stage scores were tied; with `own_scores` it is the document's, which
    must be strictly decreasing then. `tag` defaults to the run's own. With
    `escape_ids`, spaces and percent signs in ids are written as %20 and %25. Raises OutputError for
    an id and UsageError for a tag that the format cannot hold, before anything is written.
    """
    tag = tag if tag is not None else getattr(run, "tag", "") or "rearank"
    check_tag(tag)
    written = escape_id if escape_ids else check_id
    named = {
        written(query_id): [ScoredDoc(written(doc_id), score) for doc_id, score in ranking]
        for query_id, ranking in run.items()
    }
    with open_output(path) as file:
        for query_id, ranking in named.items():
            file.write("".join(_lines(query_id, ranking, tag, own_scores=own_scores)).encode())


def check_id(name: str) -> str:
    """A query's or document's id as it is. Raises OutputError for one that a line cannot hold."""
    if name.split() != [name]:
        raise OutputError(
            f"the id {name!r} is empty or has spaces, which a line of a run or of judgments cannot hold; "
            "give --escape-ids to write them as %20"
        )
    return name


def check_tag(tag: str) -> None:
    """Raise UsageError for a tag that breaks the format; warn of one that a track may refuse."""
    if not tag or re.search(r"\s", tag):
        raise UsageError(f"the run tag {tag!r} is empty or has spaces; give another with --tag")
    if not _SAFE_TAG.fullmatch(tag):
        log.warning("the run tag %s is not 1 to 12 letters, digits, '_' and '-': some tracks refuse it", tag)


@dataclass(slots=True)
class _Topic:
    """The documents of one query as they are read."""

    query_id: str
    scores: dict[str, float] = field(default_factory=dict)
    ranks: list[int] = field(default_factory=list)

    def ranked(self, order: Order) -> list[ScoredDoc]:
        documents = [ScoredDoc(doc_id, score) for doc_id, score in self.scores.items()]
        if order == "file":
            return documents
        if order == "rank":
            return [document for _, document in sorted(zip(self.ranks, documents, strict=True), key=_first)]
        singles = array.array("f", self.scores.values())
        keys = [(single, document.doc_id) for single, document in zip(singles, documents, strict=True)]
        return [document for _, document in sorted(zip(keys, documents, strict=True), reverse=True)]


def _first(pair: tuple[int, ScoredDoc]) -> int:
    return pair[0]


def _with_spaced_id(fields: list[bytes], where: str) -> list[bytes]:
    """Read ids such as BRIGHT's `Memory Management_2.txt`: two fields from the left, three from the right."""
    if len(fields) > 6 and _INTEGER.fullmatch(fields[-3]) and not _INTEGER.fullmatch(fields[3]):
        return [*fields[:2], b" ".join(fields[2:-3]), *fields[-3:]]
    raise InputError(f"{where}: found {len(fields)} fields, expected six: query Q0 document rank score tag")


def _score(field: bytes, where: str) -> float:
    try:
        score = float(field)
    except ValueError:
        score = math.nan
    if not math.isfinite(score) or _NOT_A_NUMBER.search(field):
        shown = field.decode("utf-8", "backslashreplace")
        raise InputError(f"{where}: the score '{shown}' is not a finite number")
    return score


def _rank(field: bytes, where: str) -> int:
    if not _INTEGER.fullmatch(field):
        shown = field.decode("utf-8", "backslashreplace")
        raise InputError(f"{where}: the rank '{shown}' is not an integer, and --input-order rank needs one")
    return int(field)


def _warn_of_close_scores(name: str, topics: Iterable[_Topic]) -> None:
    """trec_eval 9 compares 32-bit scores, trec_eval 10 64-bit ones: say where that changes the order."""
    differing = 0
    for topic in topics:
        doubles = topic.scores.values()
        # Rounding keeps order, so the two can only differ where it made two scores equal.
        if len(set(array.array("f", doubles))) < len(set(doubles)):
            by_double = sorted(zip(doubles, topic.scores, strict=True), reverse=True)
            differing += [doc_id for _, doc_id in by_double] != [doc.doc_id for doc in topic.ranked("trec")]
    if differing:
        log.warning(
            "%s: in %d queries scores differ only beyond 32-bit precision; they are read as ties, "
            "as trec_eval 9 does (trec_eval 10 would not)",
            name,
            differing,
        )


def _lines(query_id: str, ranking: Sequence[ScoredDoc], tag: str, *, own_scores: bool) -> Iterator[str]:
    for rank, (doc_id, score) in enumerate(ranking, 1):
        # Nine digits are what a 32-bit float can have.
        written = f"{score:.9g}" if own_scores else len(ranking) - rank + 1
        yield f"{query_id} Q0 {doc_id} {rank} {written} {tag}\n"


def escape_id(doc_id: str) -> str:
    """Percent-encode white space, and the percent sign so that it can be undone."""
    return _TO_ESCAPE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), doc_id)
