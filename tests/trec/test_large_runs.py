"""Runs of any size: read in blocks, plain ones the fast way, and it shows nowhere but on the clock."""

import gzip
import math
import tracemalloc
from array import array
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import InputError
from rearank_cli.records import RankedDocs, Run, ScoredDoc
from rearank_cli.trec import lines, read_run, write_run
from tests.trec.rankings import ids

LINES = 100_000


@contextmanager
def blocks_of(size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "_BLOCK_BYTES", size)
        yield


def expected(content: bytes, order: str):
    """What a run has to be read as, or the line of its first error: a reader without any haste."""
    topics: dict[str, list[tuple[str, float, int]]] = {}
    for number, ended in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = ended.rstrip(b"\r").replace(b"\t", b" ")
        fields = [field for field in line.split(b" ") if field]
        if b"\r" in line:
            return number
        if not fields or fields[0].startswith(b"#"):
            continue
        if len(fields) > 6 and not fields[3].isdigit():
            fields = [*fields[:2], b" ".join(fields[2:-3]), *fields[-3:]]
        if len(fields) != 6:
            return number
        try:
            query_id, doc_id, score = fields[0].decode(), fields[2].decode(), float(fields[4])
            rank = int(fields[3]) if order == "rank" else 0
        except ValueError:
            return number
        topic = topics.setdefault(query_id, [])
        if doc_id in [known for known, _, _ in topic] or not math.isfinite(score):
            return number
        topic.append((doc_id, score, rank))
    keys = {
        "trec": lambda document: (array("f", [document[1]])[0], document[0]),
        "rank": lambda document: -document[2],
        "file": lambda document: 0,
    }
    return {
        query_id: [ScoredDoc(*document[:2]) for document in sorted(topic, key=keys[order], reverse=True)]
        for query_id, topic in topics.items()
    }


DOC_IDS = st.one_of(
    st.integers(0, 999).map(str),
    st.sampled_from(
        ["Köln", "日本", "d#1", "#", "no\u00a0break", "line\u2028separator", "file\x1cseparator"]
    ),
)
SCORES = st.sampled_from(["1", "2.5", "-3e2", "16777216", "16777217", "1e39", "1e308", "9e307", "0.30000001"])
plain = st.builds(
    lambda query, doc, rank, score, gap: gap.join([query, "Q0", doc, str(rank), score, "t"]),
    st.sampled_from(["q1", "q2", "é"]), DOC_IDS, st.integers(-5, 99), SCORES,
    st.sampled_from([" ", " ", "\t", "  "]),
)  # fmt: skip
odd = st.sampled_from(
    [
        "",
        " \t",
        "# comment",
        " # Q0 d 1 1 t",
        "q1 Q0 two words 7 1.5 t",
        "q2 Q0 form\x0cfeed 1 3 t",
        "q1 Q0 \0 1 2 t",
    ]
)
wrong = st.sampled_from(
    [
        "q1 Q0 d 1 1", "q1 Q0 d 1 1 t t", "q1 Q0 d 1 nan t", "q1 Q0 d 1 1e999 t", "q1 Q0 d 1 1-1 t",
        "q1 Q0 d first 1 t", "q1 Q0 a\rb 1 1 t", "q1 Q0 c 1 1 t q1 Q0 d 1 1 t", "\0 \0 \0 \0", "1 Q0 d 1",
        "q1 Q0 \udce9 1 1 t",
    ]
)  # fmt: skip
ends = st.sampled_from(["\n", "\n", "\n", "\r\n"])


@st.composite
def run_files(draw, *kinds):
    written = draw(st.lists(st.one_of(plain, plain, plain, *kinds), min_size=1, max_size=30))
    content = "".join(line + draw(ends) for line in written)
    if draw(st.booleans()):
        content = content.rstrip("\n")
    bom = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return bom + content.encode("utf-8", "surrogateescape")


@settings(deadline=None, max_examples=300)
@given(run_files(odd, wrong), st.integers(1, 200), st.sampled_from(["trec", "rank", "file"]))
def test_a_run_is_read_alike_wherever_its_blocks_end(folder, content, size, order):
    path = folder / "any.trec"
    path.write_bytes(content)
    wanted = expected(content, order)
    with blocks_of(size):
        if isinstance(wanted, int):
            with pytest.raises(InputError, match=rf"any\.trec:{wanted}: "):
                read_run(path, order)
        elif not wanted:
            with pytest.raises(InputError, match="no run in it"):
                read_run(path, order)
        else:
            assert list(read_run(path, order).items()) == list(wanted.items())


@settings(deadline=None)
@given(run_files(), st.integers(1, 200))
def test_the_fast_way_and_the_slow_way_agree(folder, content, size):
    path = folder / "plain.trec"
    path.write_bytes(content)

    def outcome():
        try:
            with blocks_of(size):
                return list(read_run(path).items())
        except InputError as error:
            return str(error)

    fast = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("rearank_cli.trec.runs.plain_columns", lambda block: None)
        assert outcome() == fast


def numbered(lines: int) -> list[str]:
    return [
        f"q{n // 1000} Q0 d{n * 7919 % 1_000_003} {n % 1000 + 1} {20 - n % 1000 / 64} t\n"
        for n in range(lines)
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q3 Q0 new 1 nan t\n", "the score 'nan'"),
        ("q3 Q0 new 1 1\n", "found 5 fields"),
        ("q0 Q0 d0 1 1 t\n", "document d0 is in the ranking of query q0 already"),
        ("q3 Q0 a\rb 1 1 t\n", "a carriage return"),
    ],
)
def test_an_error_far_down_names_its_line(read, line, message):
    written = numbered(5000)
    written.insert(100, "# counts, too\n\n")
    written.insert(4321, line)
    with pytest.raises(InputError, match=rf"run\.trec:4323: {message}"):
        read("".join(written))


def test_of_two_errors_the_first_line_is_named(read):
    written = numbered(5000)
    written[2000] = written[1500]
    written[4000] = "what is this\n"
    with pytest.raises(
        InputError, match=r"run\.trec:2001: document \S+ is in the ranking of query q1 already"
    ):
        read("".join(written))
    written[100] = "what is this\n"
    with pytest.raises(InputError, match=r"run\.trec:101: found 3 fields"):
        read("".join(written))


def test_the_first_of_several_duplicates_is_named_though_its_query_comes_later(read):
    written = [*numbered(3000), "q2 Q0 d 1 1 t\n", "q2 Q0 d 1 1 t\n", "q0 Q0 e 1 1 t\n", "q0 Q0 e 1 1 t\n"]
    with pytest.raises(InputError, match=r"run\.trec:3002: document d is in the ranking of query q2"):
        read("".join(written))


def test_a_damaged_end_does_not_hide_a_duplicate_before_it(read):
    packed = gzip.compress("".join(numbered(1000) + numbered(20_000)).encode())
    with pytest.raises(InputError, match=r"run\.trec:1001: document d0 "):
        read(packed[: len(packed) - 20])


def test_queries_that_take_turns_are_read_in_order(read):
    written = numbered(5000)
    shuffled = [line for place in range(1000) for line in written[place::1000]]
    assert list(read("".join(shuffled)).items()) == list(read("".join(written)).items())


def traced(action):
    tracemalloc.start()
    try:
        kept = action()
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return kept, held / LINES, peak / LINES


def test_reading_and_writing_take_little_memory(tmp_path):
    path, again = tmp_path / "large.trec", tmp_path / "again.trec"
    path.write_text("".join(numbered(LINES)))
    run, held, peak = traced(lambda: read_run(path))
    assert sum(len(run.ranked(query_id)) for query_id in run) == LINES
    # Eight bytes are a score, as many an id; a ScoredDoc alone would take 130.
    assert held < 24
    # Of a file of this size one block is a part, too.
    assert peak < 64
    _, _, peak = traced(lambda: write_run(run, again))
    assert peak < 16
    assert ids(read_run(again)) == ids(run)


def test_queries_that_take_turns_take_little_memory_too(tmp_path):
    path = tmp_path / "turns.trec"
    written = numbered(LINES)
    path.write_text("".join(line for place in range(1000) for line in written[place::1000]))
    _, held, peak = traced(lambda: read_run(path))
    assert held < 24
    assert peak < 96


# What a file cannot hold, a Python program can hand in.
ANY_ID = st.text(max_size=4) | st.sampled_from(["\n", "a\nb", "", "two words", "\ud800"])
DOCUMENTS = st.lists(st.builds(ScoredDoc, ANY_ID, st.floats(allow_nan=False)), max_size=6)


@given(st.dictionaries(ANY_ID, DOCUMENTS, max_size=4))
def test_a_run_gives_back_what_it_was_given(rankings):
    run = Run(rankings, "tag")
    assert list(run.items()) == list(rankings.items())
    assert all(type(document) is ScoredDoc for ranking in run.values() for document in ranking)
    for query_id, ranking in rankings.items():
        ranked = run.ranked(query_id)
        assert len(ranked) == len(ranking)
        assert list(ranked) == ranking
        assert ranked.doc_ids() == [document.doc_id for document in ranking]
        assert ranked.scores() == [document.score for document in ranking]
        assert all(ranked.head(depth) == ranking[:depth] for depth in range(8))
    assert dict(Run(run)) == rankings


def test_a_run_is_not_changed_by_what_it_was_made_of():
    ranking = [ScoredDoc("a", 2.0), ScoredDoc("b", 1.0)]
    run = Run({"q": ranking})
    ranking.reverse()
    run["q"].clear()
    assert run["q"] == [ScoredDoc("a", 2.0), ScoredDoc("b", 1.0)]


def test_a_part_of_a_run_has_the_queries_asked_for_in_that_order():
    run = Run({query_id: RankedDocs([query_id], [1.0]) for query_id in "abc"}, "tag")
    part = run.only(["c", "a"])
    assert ids(part) == {"c": ["c"], "a": ["a"]}
    assert list(part) == ["c", "a"]
    assert part.tag == "tag"
    with pytest.raises(KeyError):
        run.only(["d"])
