"""TREC run files, read as trec_eval reads them and written so that every reader agrees."""

import logging
import math
import re
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.records import RankedDocs, Run, ScoredDoc
from rearank_cli.trec.columns import Columns, plain_columns
from rearank_cli.trec.lines import decode, read_blocks, split_block
from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.streams import describe
from rearank_cli.trec.topics import Order, Topic, depends_on_precision, ranked_docs

__all__ = ["Order", "check_id", "check_ids", "check_tag", "escape_id", "read_run", "write_run"]

log = logging.getLogger("rearank")

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
    reader = _Reader(path, order)
    try:
        for first, block in read_blocks(path):
            reader.take(block, first)
    except InputError:
        # A document that was there twice stands on an earlier line than what was just found.
        reader.refuse_duplicates()
        raise
    return reader.run()


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
    run = run if isinstance(run, Run) else Run(run)
    if not escape_ids:
        check_ids(run)
    with open_output(path) as file:
        for query_id in run:
            ranked = run.ranked(query_id)
            doc_ids = ranked.doc_ids()
            if escape_ids:
                query_id, doc_ids = escape_id(query_id), list(map(escape_id, doc_ids))  # noqa: PLW2901
            ends = _ends_with_scores(ranked, tag) if own_scores else _ends(len(ranked), tag)
            file.write(_lines(query_id, doc_ids, ends).encode())


def check_ids(run: Run) -> None:
    """Raise OutputError where a line cannot hold a query's or a document's id."""
    for query_id in run:
        check_id(query_id)
        doc_ids = run.ranked(query_id).doc_ids()
        # An id that is empty or has a space does not come back from this, and all others do.
        if " ".join(doc_ids).split() != doc_ids:
            for doc_id in doc_ids:
                check_id(doc_id)


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
class _Reader:
    """What was read of a run so far."""

    path: str | Path
    order: Order
    topics: dict[bytes, Topic] = field(default_factory=dict)
    tag: str = ""
    with_spaces: int = 0
    first_with_spaces: int = 0

    def take(self, block: bytes, first: int) -> None:
        """Read whole lines, the first of which has this number. Raises InputError."""
        columns = plain_columns(block)
        ranks = _ranks(columns.ranks) if columns and self.order == "rank" else array("q")
        if columns is None or ranks is None:
            for number, fields in split_block(block, first, self.path):
                self._take_line(fields, number)
        else:
            self._take_columns(columns, ranks, first)

    def _take_columns(self, columns: Columns, ranks: "array[int]", first: int) -> None:
        for start, end in columns.stretches:
            topic = self._topic(columns.query_ids[start], first + start)
            topic.name(columns.doc_ids[start:end], first + start)
            topic.scores.extend(columns.scores[start:end])
            topic.ranks.extend(ranks[start:end])
        self.tag = self.tag or columns.tags[0].decode()

    def _take_line(self, fields: list[bytes], number: int) -> None:
        where = f"{describe(self.path)}:{number}"
        if len(fields) != 6:
            fields = _with_spaced_id(fields, where)
            self.with_spaces += 1
            self.first_with_spaces = self.first_with_spaces or number
        query_id, _, doc_id, rank, score, tag = fields
        topic = self._topic(query_id, number)
        decode(doc_id, self.path, number)
        topic.name([doc_id], number)
        topic.scores.append(_score(score, where))
        if self.order == "rank":
            topic.ranks.append(_rank(rank, where))
        self.tag = self.tag or decode(tag, self.path, number)

    def _topic(self, query_id: bytes, number: int) -> Topic:
        topic = self.topics.get(query_id)
        if topic is None:
            topic = self.topics[query_id] = Topic(decode(query_id, self.path, number))
        return topic

    def refuse_duplicates(self) -> None:
        """Raise InputError for the first line that names a document again."""
        found = [(topic.first_duplicate(), topic.query_id) for topic in self.topics.values()]
        for (number, doc_id), query_id in sorted((where, query_id) for where, query_id in found if where):
            raise InputError(
                f"{describe(self.path)}:{number}: document {doc_id} is in the ranking of query {query_id} "
                "already; a run lists a document once per query"
            )

    def run(self) -> Run:
        """Rank what was read. Raises InputError."""
        name = describe(self.path)
        if not self.tag:
            raise InputError(
                f"{name}: no run in it; a run has lines of six fields: query Q0 document rank score tag"
            )
        rankings: dict[str, RankedDocs] = {}
        for key in list(self.topics):
            topic = self.topics[key]
            doc_ids = topic.doc_ids()
            if len(set(doc_ids)) < len(doc_ids):
                self.refuse_duplicates()
            rankings[topic.query_id] = ranked_docs(topic, doc_ids, self.order)
            # Kept, it would take as much memory again.
            del self.topics[key]
        self._warn(rankings)
        return Run(rankings, self.tag)

    def _warn(self, rankings: Mapping[str, RankedDocs]) -> None:
        name = describe(self.path)
        if self.with_spaces:
            log.warning(
                "%s: %d documents have spaces in their ids (first: line %d); "
                "they can be written only with --escape-ids",
                name,
                self.with_spaces,
                self.first_with_spaces,
            )
        if self.order != "trec":
            return
        if differing := sum(map(depends_on_precision, rankings.values())):
            log.warning(
                "%s: in %d queries scores differ only beyond 32-bit precision; they are read as ties, "
                "as trec_eval 9 does (trec_eval 10 would not)",
                name,
                differing,
            )


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


def _ranks(fields: list[bytes]) -> "array[int] | None":
    """Ranks as numbers; None where one is not an integer."""
    if all(map(_INTEGER.fullmatch, fields)):
        return array("q", map(int, fields))
    return None


@lru_cache(maxsize=8)
def _ends(documents: int, tag: str) -> list[str]:
    """What follows the ids on the lines of so many documents: the same for most queries of a run."""
    return [f" {rank} {documents - rank + 1} {tag}\n" for rank in range(1, documents + 1)]


def _ends_with_scores(ranked: RankedDocs, tag: str) -> list[str]:
    # Nine digits are what a 32-bit float can have.
    return [f" {rank} {score:.9g} {tag}\n" for rank, score in enumerate(ranked.scores(), 1)]


def _lines(query_id: str, doc_ids: Sequence[str], ends: Sequence[str]) -> str:
    pieces = [f"{query_id} Q0 "] * (3 * len(doc_ids))
    pieces[1::3] = doc_ids
    pieces[2::3] = ends
    return "".join(pieces)


def escape_id(doc_id: str) -> str:
    """Percent-encode white space, and the percent sign so that it can be undone."""
    return _TO_ESCAPE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match.group().encode()), doc_id)
