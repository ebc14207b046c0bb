"""The rules that a run has to keep to be accepted by TREC, and what breaks them.

They are those of the tracks' own check scripts, and one more: those read no scores, but trec_eval
ranks by nothing else; so a run whose scores contradict its ranks is refused here.
"""

import array
import math
import re
from collections.abc import Collection, Container, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

from rearank_cli.trec.findings import Finding, Findings, Rule, in_order
from rearank_cli.trec.tracks import Track

BOM = Rule("the file begins with a byte order mark, which readers take for a part of the first topic's id")
CARRIAGE_RETURN = Rule("a carriage return inside the line; convert the line ends, for instance with tr")
FIELDS = Rule("found {} fields, expected six: query Q0 document rank score tag")
OLD_GAP = Rule("a vertical tab or a form feed, at which some readers split the line and others do not")
NOT_UTF8 = Rule("'{}' is not UTF-8; convert the file, for instance with iconv -f latin1 -t utf-8")
ITERATION = Rule("the second field is '{}', expected {}")
RANK = Rule("the rank '{}' is not an integer")
RANK_ORDER = Rule("rank {} of topic {} comes after rank {}; ranks have to increase from line to line")
SCORE = Rule("the score '{}' is not a finite number")
SCORE_ORDER = Rule(
    "document {} at rank {} of topic {} has score {}, and document {} at rank {} a higher one, {}; "
    "trec_eval orders by score"
)
TAG = Rule("the tag '{}' does not match {} ({})")
SECOND_TAG = Rule("the tag is '{}', and was '{}' before; a run has one tag")
DUPLICATE = Rule("document {} is in the ranking of topic {} already, on line {}")
DOCUMENT_ID = Rule("the document id '{}' does not match {} ({})")
UNKNOWN_DOCUMENT = Rule("document {} is not in {}")
UNKNOWN_TOPIC = Rule("topic {} is unknown")
TOO_MANY = Rule("topic {} has {:,} documents, and may have {:,} ({})")
MISSING_TOPICS = Rule("{:,} of {:,} topics have no documents: {}")
EMPTY = Rule("no run in it; a run has lines of six fields: query Q0 document rank score tag")
COMMENT = Rule("lines that begin with # are refused ({})")

COMMENT_READ_BY_FEW = Rule("only trec_eval 10 passes over lines that begin with #", warning=True)
BLANK = Rule("a blank line, which many readers refuse", warning=True)
CRLF = Rule("the line ends with a carriage return and a line feed, expected a line feed alone", warning=True)
NO_LAST_NEWLINE = Rule("the last line has no line feed at its end", warning=True)
GAP = Rule("fields are separated by a tab, expected single spaces", warning=True)
UNPRINTABLE = Rule("'{}' has an unprintable character, where some readers split a field", warning=True)
UNSAFE_TAG = Rule("the tag '{}' does not match {}: some tracks refuse it", warning=True)
FIRST_RANK = Rule("the ranks of topic {} begin with {}, expected 1", warning=True)
TIED = Rule(
    "documents {} and {} of topic {} are tied at score {}; readers order ties differently", warning=True
)
TIED_AGAINST_RANKS = Rule(
    "documents {} and {} of topic {} are tied at score {}; trec_eval orders ties by id, from the last, "
    "and so against these ranks",
    warning=True,
)
CLOSE = Rule(
    "documents {} and {} of topic {} have scores {} and {}, which differ only beyond 32 bits; "
    "trec_eval 9 takes them for tied",
    warning=True,
)
SCATTERED = Rule("topic {} goes on here, after lines of other topics", warning=True)

_BOM = b"\xef\xbb\xbf"
_PLAIN = re.compile(rb"[ -~]*\n")
_TAB = b"\t"
_OLD_GAP = re.compile(rb"[\x0b\x0c]")
_INTEGER = re.compile(rb"-?[0-9]{1,18}")
_NUMBER = re.compile(rb"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_SAFE_TAG = re.compile(rb"[A-Za-z0-9_-]{1,12}")


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found in a run, and what is in it: the line of each document, by topic."""

    findings: list[Finding]
    rankings: Mapping[bytes, Mapping[bytes, int]]
    lines: int
    tag: bytes | None

    def documents(self) -> dict[str, int]:
        """The line that has each document first; without ids that are not UTF-8."""
        documents: dict[str, int] = {}
        for ranking in self.rankings.values():
            for doc_id, number in ranking.items():
                with suppress(UnicodeDecodeError):
                    documents.setdefault(doc_id.decode(), number)
        return documents


def check_run(lines: Iterable[bytes], track: Track, topics: Collection[str] | None = None) -> Checked:
    """Check the lines of a run, each with its line end, against the rules of a track.

    `topics` are the ids that have to be there, and no other; None where they are not known. Whatever
    the bytes are, what is wrong with them is a finding: only what reads the lines may raise.
    """
    check = _Check(track, None if topics is None else {topic.encode(): topic for topic in topics})
    for number, line in enumerate(lines, 1):
        check.line(number, line)
    return check.finish()


def unknown_documents(documents: Mapping[str, int], known: Container[str], source: str) -> list[Finding]:
    """Find the documents, given with a line of each, that are not in a collection called `source`."""
    findings = Findings()
    for doc_id, line in documents.items():
        if doc_id not in known:
            findings.add(UNKNOWN_DOCUMENT, line, doc_id, source)
    return findings.folded()


class _Place(NamedTuple):
    """What the rank and the score of a document say; `single` is the score in trec_eval 9's 32 bits."""

    doc_id: bytes
    rank: int
    score: float
    single: float
    as_written: bytes


@dataclass(slots=True)
class _Topic:
    """What has been read of one topic: the line of each document, and the last rank and place."""

    documents: dict[bytes, int] = field(default_factory=dict)
    lines: int = 0
    first_too_many: int = 0
    rank: int | None = None
    place: _Place | None = None


class _Check:
    """The check of one run, fed line by line."""

    def __init__(self, track: Track, expected: Mapping[bytes, str] | None) -> None:
        self._track = track
        self._expected = expected
        self._findings = Findings()
        self._topics: dict[bytes, _Topic] = {}
        self._current: bytes | None = None
        self._tag: bytes | None = None
        # The topics of lines that are not read any further: they are not missing, too.
        self._malformed: set[bytes] = set()

    def line(self, number: int, line: bytes) -> None:
        """Check the next line."""
        if number == 1 and line.startswith(_BOM):
            self._findings.add(BOM, number)
            line = line[len(_BOM) :]
        plain = _PLAIN.fullmatch(line)
        if not plain:
            self._check_end(number, line)
        # Where trec_eval and Perl split too: unlike str.split(), at ASCII white space only.
        fields = line.split()
        if not fields:
            self._findings.add(BLANK, number)
            return
        if fields[0].startswith(b"#"):
            if self._track.comments:
                self._findings.add(COMMENT_READ_BY_FEW, number)
            else:
                self._findings.add(COMMENT, number, self._track.source)
            return
        if not plain:
            self._check_characters(number, line, fields)
        if len(fields) != 6:
            self._malformed.add(fields[0])
            if b"\r" not in _content(line):
                self._findings.add(FIELDS, number, len(fields))
            return
        query, iteration, doc_id, rank, score, tag = fields
        topic = self._topic(number, query)
        self._check_constants(number, iteration, tag)
        self._check_document(number, query, topic, doc_id)
        self._check_place(number, query, topic, doc_id, rank, score)

    def finish(self) -> Checked:
        """Check what only the whole run shows."""
        track = self._track
        for query, topic in self._topics.items():
            if topic.first_too_many:
                count = topic.lines
                self._findings.add(
                    TOO_MANY, topic.first_too_many, query, count, track.max_documents, track.source
                )
        there = self._topics.keys() | self._malformed
        if not there:
            self._findings.add(EMPTY, None)
        elif self._expected is not None:
            missing = [topic for encoded, topic in self._expected.items() if encoded not in there]
            if missing:
                self._findings.add(MISSING_TOPICS, None, len(missing), len(self._expected), missing)
        return Checked(
            in_order(self._findings.folded()),
            {query: topic.documents for query, topic in self._topics.items()},
            sum(topic.lines for topic in self._topics.values()),
            self._tag,
        )

    def _check_end(self, number: int, line: bytes) -> None:
        if not line.endswith(b"\n"):
            self._findings.add(NO_LAST_NEWLINE, number)
        if b"\r" in _content(line):
            self._findings.add(CARRIAGE_RETURN, number)
        elif line.endswith(b"\r\n"):
            self._findings.add(CRLF, number)

    def _check_characters(self, number: int, line: bytes, fields: list[bytes]) -> None:
        if _TAB in line:
            self._findings.add(GAP, number)
        if _OLD_GAP.search(line):
            self._findings.add(OLD_GAP, number)
        for text in fields:
            try:
                printable = text.decode().isprintable()
            except UnicodeDecodeError:
                self._findings.add(NOT_UTF8, number, text)
                return
            if not printable:
                self._findings.add(UNPRINTABLE, number, text)

    def _topic(self, number: int, query: bytes) -> _Topic:
        topic = self._topics.get(query)
        if topic is None:
            topic = self._topics[query] = _Topic()
            if self._expected is not None and query not in self._expected:
                self._findings.add(UNKNOWN_TOPIC, number, query)
        elif query != self._current:
            self._findings.add(SCATTERED, number, query)
        self._current = query
        topic.lines += 1
        if topic.lines == self._track.max_documents + 1:
            topic.first_too_many = number
        return topic

    def _check_constants(self, number: int, iteration: bytes, tag: bytes) -> None:
        """What is the same on every line."""
        if iteration not in self._track.iteration:
            expected = b" or ".join(self._track.iteration)
            self._findings.add(ITERATION, number, iteration, expected)
        if self._tag is None:
            self._tag = tag
            pattern = self._track.tag
            if pattern and not pattern.fullmatch(tag):
                self._findings.add(TAG, number, tag, pattern.pattern, self._track.source)
            elif not pattern and not _SAFE_TAG.fullmatch(tag):
                self._findings.add(UNSAFE_TAG, number, tag, _SAFE_TAG.pattern)
        elif tag != self._tag:
            self._findings.add(SECOND_TAG, number, tag, self._tag)

    def _check_document(self, number: int, query: bytes, topic: _Topic, doc_id: bytes) -> None:
        earlier = topic.documents.setdefault(doc_id, number)
        if earlier != number:
            self._findings.add(DUPLICATE, number, doc_id, query, earlier)
        pattern = self._track.doc_id
        if pattern and not pattern.fullmatch(doc_id):
            self._findings.add(DOCUMENT_ID, number, doc_id, pattern.pattern, self._track.source)

    def _check_place(
        self, number: int, query: bytes, topic: _Topic, doc_id: bytes, rank_field: bytes, score_field: bytes
    ) -> None:
        rank = int(rank_field) if _INTEGER.fullmatch(rank_field) else None
        if rank is None:
            self._findings.add(RANK, number, rank_field)
        else:
            if topic.rank is None:
                if rank != 1:
                    self._findings.add(FIRST_RANK, number, query, rank)
            elif rank <= topic.rank:
                self._findings.add(RANK_ORDER, number, rank, query, topic.rank)
            topic.rank = rank
        score = float(score_field) if _NUMBER.fullmatch(score_field) else math.nan
        if not math.isfinite(score):
            self._findings.add(SCORE, number, score_field)
        elif rank is not None:
            single = array.array("f", (score,))[0]
            place = _Place(doc_id, rank, score, single, score_field)
            if topic.place is not None:
                self._compare(number, query, topic.place, place)
            topic.place = place

    def _compare(self, number: int, query: bytes, one: _Place, other: _Place) -> None:
        """Compare what ranks and scores say of two documents, the later of them on line `number`."""
        above, below = (one, other) if one.rank <= other.rank else (other, one)
        if above.score == below.score:
            rule = TIED_AGAINST_RANKS if above.doc_id < below.doc_id else TIED
            self._findings.add(rule, number, above.doc_id, below.doc_id, query, above.as_written)
        elif above.score < below.score and above.rank != below.rank:
            self._findings.add(
                SCORE_ORDER,
                number,
                *(above.doc_id, above.rank, query, above.as_written),
                *(below.doc_id, below.rank, below.as_written),
            )
        elif above.single == below.single:
            scores = above.as_written, below.as_written
            self._findings.add(CLOSE, number, above.doc_id, below.doc_id, query, *scores)


def _content(line: bytes) -> bytes:
    """A line without its end, LF, CRLF, or the CR of a file that ends there."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
