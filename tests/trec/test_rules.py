"""What TREC's check scripts refuse is refused, and what only some reader stumbles over is warned of."""

import io
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import UsageError
from rearank_cli.trec import read_run, write_run
from rearank_cli.trec.findings import Finding
from rearank_cli.trec.rules import Checked, check_run, unknown_documents
from rearank_cli.trec.streams import open_input
from rearank_cli.trec.tracks import TRACKS, find_track
from tests.trec.rankings import RANKINGS, as_run, ids

RUN = "q1 Q0 a 1 3 t\nq1 Q0 b 2 2.5 t\nq1 Q0 c 3 -1e-2 t\nq2 Q0 a 1 1 t\n"


def check(content: str | bytes, track: str = "default", topics: list[str] | None = None) -> Checked:
    return check_run(
        io.BytesIO(content if isinstance(content, bytes) else content.encode()), TRACKS[track], topics
    )


def told(findings: list[Finding]) -> list[str]:
    """The findings as lines, warnings marked."""
    return [f"{found.line}: {'warning: ' if found.warning else ''}{found.sentence}" for found in findings]


def long_run(documents: int) -> str:
    return "".join(f"q1 Q0 d{rank} {rank} {-rank} t\n" for rank in range(1, documents + 1))


def test_a_sound_run_has_no_finding() -> None:
    checked = check(RUN, topics=["q2", "q1"])
    assert checked.findings == []
    assert {query: list(ranking) for query, ranking in checked.rankings.items()} == {
        b"q1": [b"a", b"b", b"c"],
        b"q2": [b"a"],
    }
    assert (checked.lines, checked.tag) == (4, b"t")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            "q1 Q0 a 1 3\n",
            "1: found 5 fields, expected six: query Q0 document rank score tag",
            id="5 fields",
        ),
        pytest.param("q1 Q0 a b 1 3 t\n", "1: found 7 fields, expected six", id="an id with a space"),
        pytest.param("\ufeff" + RUN, "1: the file begins with a byte order mark", id="byte order mark"),
        pytest.param("q1 Q0 caf\xe9 1 3 t\n".encode("latin-1"), "1: 'caf\\xe9' is not UTF-8", id="latin-1"),
        pytest.param("q1 0 a 1 3 t\n", "1: the second field is '0', expected Q0", id="no Q0"),
        pytest.param("q1 q0 a 1 3 t\n", "1: the second field is 'q0', expected Q0", id="q0"),
        pytest.param("q1 Q0 a 2.5 1 t\n", "1: the rank '2.5' is not an integer", id="rank and score swapped"),
        pytest.param("q1 Q0 a +1 1 t\n", "1: the rank '+1' is not an integer", id="rank with a plus"),
        pytest.param("q1 Q0 a ١ 1 t\n", "1: the rank '١' is not an integer", id="rank in Arabic digits"),
        pytest.param(f"q1 Q0 a {'9' * 5000} 1 t\n", "1: the rank '999", id="rank of 5000 digits"),
        pytest.param("q1 Q0 a 1 nan t\n", "1: the score 'nan' is not a finite number", id="NaN"),
        pytest.param("q1 Q0 a 1 -inf t\n", "1: the score '-inf' is not a finite number", id="infinity"),
        pytest.param("q1 Q0 a 1 1e999 t\n", "1: the score '1e999' is not a finite number", id="too large"),
        pytest.param("q1 Q0 a 1 2,5 t\n", "1: the score '2,5' is not a finite number", id="decimal comma"),
        pytest.param("q1 Q0 a 1 1_0 t\n", "1: the score '1_0' is not a finite number", id="underscore"),
        pytest.param(
            RUN + "q3 Q0 a 1 1 u\n", "5: the tag is 'u', and was 't' before; a run has one tag", id="2 tags"
        ),
        pytest.param(
            "q1 Q0 a 1 3 t\nq2 Q0 a 1 3 t\nq1 Q0 a 2 2 t\n",
            "3: document a is in the ranking of topic q1 already, on line 1",
            id="a document twice",
        ),
        pytest.param(
            "q1 Q0 a 1 3 t\nq1 Q0 b 1 2 t\n",
            "2: rank 1 of topic q1 comes after rank 1; ranks have to increase from line to line",
            id="a rank twice",
        ),
        pytest.param(
            "q1 Q0 a 2 2 t\nq1 Q0 b 1 3 t\n",
            "2: rank 1 of topic q1 comes after rank 2",
            id="by score, not rank",
        ),
        pytest.param(
            "q1 Q0 a 1 0.5 t\nq1 Q0 b 2 7 t\n",
            "2: document a at rank 1 of topic q1 has score 0.5, and document b at rank 2 a higher one, 7; "
            "trec_eval orders by score",
            id="scores that increase",
        ),
        pytest.param(
            long_run(1002), "1001: topic q1 has 1,002 documents, and may have 1,000 (what most", id="too many"
        ),
        pytest.param(
            RUN.replace("\n", "\r"), "1: a carriage return inside the line; convert the line ends", id="CR"
        ),
        pytest.param("", "None: no run in it; a run has lines of six fields", id="empty"),
        pytest.param("# q1\n\n", "None: no run in it", id="nothing but comments"),
    ],
)
def test_a_problem_is_told_with_its_line_and_what_was_expected(content: str | bytes, expected: str) -> None:
    problems = told([found for found in check(content).findings if not found.warning])
    assert len(problems) == 1, problems
    assert problems[0].startswith(expected)


def test_a_form_feed_is_told_with_what_it_does_to_the_line() -> None:
    problems = told([found for found in check("q1 Q0 a\x0cb 1 3 t\n").findings if not found.warning])
    assert problems == [
        "1: a vertical tab or a form feed, at which some readers split the line and others do not",
        "1: found 7 fields, expected six: query Q0 document rank score tag",
    ]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            RUN.replace(" t\n", " my.tag\n"),
            "1: warning: the tag 'my.tag' does not match",
            id="dot in the tag",
        ),
        pytest.param(
            RUN.replace(" t\n", " abcdefghijklm\n"),
            "1: warning: the tag 'abcdefghijklm' does",
            id="tag of 13",
        ),
        pytest.param(
            "q1 Q0 a 0 1 t\n", "1: warning: the ranks of topic q1 begin with 0, expected 1", id="ranks from 0"
        ),
        pytest.param("q1\tQ0 a 1 1 t\n", "1: warning: fields are separated by a tab", id="tab"),
        pytest.param("q1 Q0 a 1 1 t", "1: warning: the last line has no line feed", id="no final newline"),
        pytest.param("q1 Q0 a 1 1 t\r\n", "1: warning: the line ends with a carriage return and", id="CRLF"),
        pytest.param("\nq1 Q0 a 1 1 t\n", "1: warning: a blank line", id="blank line"),
        pytest.param("# c\nq1 Q0 a 1 1 t\n", "1: warning: only trec_eval 10 passes over lines", id="comment"),
        pytest.param(
            "q1 Q0 a\u00a0b 1 1 t\n",
            "1: warning: 'a\\xa0b' has an unprintable character",
            id="no-break space",
        ),
        pytest.param(
            RUN + "q1 Q0 z 4 -5 t\n", "5: warning: topic q1 goes on here, after lines of", id="scattered"
        ),
        pytest.param(
            "q1 Q0 b 1 7 t\nq1 Q0 a 2 7.0 t\n",
            "2: warning: documents b and a of topic q1 are tied at score 7; readers order ties differently",
            id="tie",
        ),
        pytest.param(
            "q1 Q0 a 1 7 t\nq1 Q0 b 2 7 t\n",
            "2: warning: documents a and b of topic q1 are tied at score 7; trec_eval orders ties by id, "
            "from the last, and so against these ranks",
            id="tie that trec_eval breaks otherwise",
        ),
        pytest.param(
            "q1 Q0 b 1 16777217 t\nq1 Q0 a 2 16777216 t\n",
            "2: warning: documents b and a of topic q1 have scores 16777217 and 16777216, which "
            "differ only beyond 32 bits; trec_eval 9 takes them for tied",
            id="close",
        ),
        pytest.param(
            "q1 Q0 b 1 1e40 t\nq1 Q0 a 2 1e39 t\n", "2: warning: documents b and a", id="beyond 32 bits"
        ),
    ],
)
def test_what_only_some_reader_stumbles_over_is_a_warning(content: str, expected: str) -> None:
    [finding] = told(check(content).findings)
    assert finding.startswith(expected)


@pytest.mark.parametrize(
    ("track", "content", "expected"),
    [
        ("trec-covid", "q1 q0 a 1 3 my.own-tag_of_24_letters\n", []),
        (
            "trec-covid",
            "q1 Q0 a 1 3 a-tag-of-twenty-five-byte\n",
            [
                "1: the tag 'a-tag-of-twenty-five-byte' does not match [A-Za-z0-9_.-]{1,24} "
                "(the check script of TREC-COVID)"
            ],
        ),
        ("dl-2020-passage", "1 Q0 7 1 3 a-tag_of_15_abc\n", []),
        ("dl-2020-document", "1 Q0 D7 1 3 t\n", []),
        (
            "dl-2020-passage",
            "1 Q0 MARCO_7 1 3 my.tag\n",
            [
                "1: the document id 'MARCO_7' does not match D?[0-9]+ "
                "(the check script of TREC 2020 Deep Learning, passages)",
                "1: the tag 'my.tag' does not match [A-Za-z0-9_-]{1,15} "
                "(the check script of TREC 2020 Deep Learning, passages)",
            ],
        ),
        ("dl-2022-passage", "1 Q0 msmarco_passage_07_123 1 3 a-tag-of-twenty-five-byte\n", []),
        ("dl-2022-document", "1 Q0 msmarco_doc_07_123 1 3 t\n", []),
        (
            "dl-2022-document",
            "# my run\n1 Q0 msmarco_passage_07_123 1 3 t\n",
            [
                "1: lines that begin with # are refused "
                "(the check script of TREC 2022 Deep Learning, documents)",
                "2: the document id 'msmarco_passage_07_123' does not match msmarco_doc_[0-9]{2}_[0-9]+ "
                "(the check script of TREC 2022 Deep Learning, documents)",
            ],
        ),
        (
            "rag-2025",
            long_run(101),
            [
                "101: topic q1 has 101 documents, and may have 100 "
                "(the guidelines of TREC 2025 RAG, retrieval task)"
            ],
        ),
    ],
)
def test_a_track_has_its_own_limits(track: str, content: str, expected: list[str]) -> None:
    assert sorted(told(check(content, track).findings)) == expected


@pytest.mark.parametrize(
    ("track", "most"),
    [
        ("default", 1000),
        ("trec-covid", 1000),
        ("dl-2020-passage", 1000),
        ("dl-2020-document", 100),
        ("dl-2022-passage", 100),
        ("dl-2022-document", 100),
        ("rag-2025", 100),
    ],
)
def test_a_topic_may_have_as_many_documents_as_the_track_allows(track: str, most: int) -> None:
    too_many = [
        [found.line for found in check(long_run(count), track).findings if "may have" in found.sentence]
        for count in (most, most + 1)
    ]
    assert too_many == [[], [most + 1]]


def test_every_topic_has_to_be_there_and_no_other() -> None:
    assert told(check(RUN, topics=["q0", "q1", "q9", "q8", "q7"]).findings) == [
        "4: topic q2 is unknown",
        "None: 4 of 5 topics have no documents: q0, q9, q8 and 1 more",
    ]


def test_a_topic_whose_lines_are_malformed_is_not_missing_as_well() -> None:
    assert told(check("q1 Q0 a 1 3\n", topics=["q1"]).findings) == [
        "1: found 5 fields, expected six: query Q0 document rank score tag"
    ]


def test_documents_that_no_collection_has_are_told_where_they_come_first() -> None:
    documents = check(RUN + "q2 Q0 wasp 2 0 t\nq3 Q0 wasp 1 0 t\n").documents()
    assert documents == {"a": 1, "b": 2, "c": 3, "wasp": 5}
    assert told(unknown_documents(documents, {"a", "b", "c"}, "docs.jsonl")) == [
        "5: document wasp is not in docs.jsonl"
    ]


def test_all_problems_of_a_run_are_told_at_once_by_line() -> None:
    content = "q1 Q0 a 0 nan t\nq1 0 a x 1 u\nq1 Q0\nq1 Q0 c 1 1 t\n"
    assert [(found.line, found.warning) for found in check(content, topics=["q1", "q2"]).findings] == [
        (1, True),
        (1, False),
        (2, False),
        (2, False),
        (2, False),
        (2, False),
        (3, False),
        (None, False),
    ]


def test_many_problems_of_a_kind_are_folded_into_a_few() -> None:
    checked = check("".join(f"q1 Q0 d{n} {n} x t\n" for n in range(1, 901)))
    assert told(checked.findings) == [
        "1: the score 'x' is not a finite number",
        "2: the score 'x' is not a finite number",
        "3: the score 'x' is not a finite number; and 897 more lines like this",
    ]
    assert sum(found.count for found in checked.findings) == 900


def test_nothing_from_a_file_can_command_a_terminal() -> None:
    hostile = "\x1b]0;owned\x07\u202e\x9b31m"
    content = f"{hostile} {hostile} {hostile} {hostile} {hostile} {hostile}\n" * 2
    checked = check(content, "trec-covid", [f"q{hostile}"])
    assert len(checked.findings) > 8
    assert all(found.sentence.isprintable() for found in checked.findings)


def test_an_endless_field_is_cut() -> None:
    [finding] = told(check(f"q1 Q0 a 1 {'x' * 100_000} t\n").findings)
    assert len(finding) < 250


@pytest.mark.parametrize(
    ("name", "hint"), [("dl-2022", "did you mean dl-2022-passage?"), ("web", "known are default, trec-covid")]
)
def test_an_unknown_track_is_an_error_that_names_the_known(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"unknown track '{name}'.*{hint.replace('?', '[?]')}") as raised:
        find_track(name)
    assert all(track in str(raised.value) for track in TRACKS)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "topics"), [("dl19", 43), ("nfcorpus", 308)])
def test_the_published_runs_are_accepted(shared: Path, name: str, topics: int) -> None:
    with open_input(shared / "data" / "runs" / f"{name}.bm25.trec.gz") as file:
        checked = check_run(file, TRACKS["default"])
    assert all(found.warning for found in checked.findings)
    assert len(checked.rankings) == topics


@settings(deadline=None)
@given(rankings=RANKINGS)
def test_what_is_written_here_is_accepted(folder: Path, rankings: dict[str, list[str]]) -> None:
    write_run(as_run(rankings), folder / "written.trec", "rearank")
    checked = check((folder / "written.trec").read_bytes(), topics=list(rankings))
    # Ids may hold what other readers stumble over; that is their collection's doing.
    assert all("unprintable" in found.sentence for found in checked.findings)


pieces = st.sampled_from(
    [b"\n", b" ", b"\t", b"\r", b"\r\n", b"\x0c", b"\x00", b"\xff", b"\xc2\xa0", b"#", b"-", b"9", b"1e39",
     b"nan", b"q1", b"Q0", b"a", b"\xef\xbb\xbf", b"\x1b[2J", RUN.encode()]
) | st.binary(max_size=3)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sound run in which some stretches of bytes were replaced."""
    content = RUN.encode()
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.integers(0, 6))
        content = content[:start] + draw(pieces) + content[end:]
    return content


@settings(deadline=None, max_examples=500)
@given(content=mutated(), track=st.sampled_from(list(TRACKS)), topics=st.none() | st.just(["q1", "q2"]))
def test_whatever_the_bytes_the_check_tells_and_never_raises(
    content: bytes, track: str, topics: list[str] | None
) -> None:
    findings = check(content, track, topics).findings
    assert all(found.sentence.isprintable() for found in findings)
    places = [sys.maxsize if found.line is None else found.line for found in findings]
    assert places == sorted(places)


@settings(deadline=None, max_examples=500)
@given(content=mutated())
def test_a_run_without_a_finding_is_read_in_the_order_of_its_ranks(folder: Path, content: bytes) -> None:
    if not check(content).findings:
        (folder / "sound.trec").write_bytes(content)
        by_score = read_run(folder / "sound.trec")
        assert ids(by_score) == ids(read_run(folder / "sound.trec", "rank"))
        assert ids(by_score) == ids(read_run(folder / "sound.trec", "file"))
