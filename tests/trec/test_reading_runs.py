import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import InputError
from rearank_cli.records import ScoredDoc
from rearank_cli.trec import read_run
from tests.trec.rankings import ids

LINE = "q1 Q0 d1 1 2.5 bm25\n"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(LINE, id="plain"),
        pytest.param("\ufeff" + LINE, id="byte order mark"),
        pytest.param(LINE.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(LINE.rstrip("\n"), id="no final newline"),
        pytest.param(LINE.rstrip("\n") + "\r", id="no final newline but a CR"),
        pytest.param("\n \t\n\r\n" + LINE + "\n\n", id="blank lines"),
        pytest.param("# made by hand\n" + LINE + "  # the end\n", id="comments"),
        pytest.param("\ufeff# made by hand\r\n" + LINE, id="a comment behind a byte order mark"),
        pytest.param(LINE.replace(" ", "\t"), id="tabs"),
        pytest.param("  " + LINE.replace(" ", " \t  ").replace("\n", " \n"), id="runs of spaces"),
    ],
)
def test_a_run_is_read_whatever_surrounds_its_lines(read, content):
    run = read(content)
    assert dict(run) == {"q1": [ScoredDoc("d1", 2.5)]}
    assert run.tag == "bm25"


@pytest.mark.parametrize(
    "doc_id",
    [
        "no\u00a0break", "next\u0085line", "line\u2028separator", "file\x1cseparator", "vertical\x0btab",
        "form\x0cfeed", "1e5", "NA", "null", '"quoted"', "d1#2", "100%", "Köln", "007",
    ],
)  # fmt: skip
def test_fields_are_split_at_spaces_and_tabs_only(read, doc_id):
    assert ids(read(f"q1 Q0 {doc_id} 1 2.5 bm25\n")) == {"q1": [doc_id]}


def test_ids_that_are_equal_as_numbers_stay_apart(read):
    run = read("1 Q0 7 1 9 t\n01 Q0 007 1 9 t\n1 Q0 007 2 8 t\n1 Q0 7.0 3 7 t\n")
    assert ids(run) == {"1": ["7", "007", "7.0"], "01": ["007"]}


def test_queries_keep_the_order_of_the_file_though_their_lines_are_mixed(read):
    run = read("q9 Q0 a 1 9 t\nq1 Q0 b 1 9 t\nq9 Q0 c 2 8 t\nq1 Q0 d 2 8 t\n")
    assert list(ids(run).items()) == [("q9", ["a", "c"]), ("q1", ["b", "d"])]


@pytest.mark.parametrize(
    ("written", "score"),
    [("3", 3.0), ("+3", 3.0), ("-3.25", -3.25), (".5", 0.5), ("5.", 5.0), ("1e-3", 0.001), ("1E+2", 100.0)],
)
def test_scores_are_numbers_as_programs_print_them(read, written, score):
    assert read(f"q1 Q0 d1 1 {written} t\n")["q1"] == [ScoredDoc("d1", score)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("q1 Q0 d1 1 2.5\n", ":1: found 5 fields, expected six", id="5 columns"),
        pytest.param(LINE + "q1 Q0 d2 2 1.5 bm25 x\n", ":2: found 7 fields, expected six", id="7 columns"),
        pytest.param("1048585\t7187158\t1\n", ":1: found 3 fields, expected six", id="MS MARCO"),
        pytest.param("qid Q0 docid rank score tag\n" + LINE, ":1: the score 'score'", id="header"),
        pytest.param("q1 Q0 d1 1 nan t\n", ":1: the score 'nan' is not a finite number", id="NaN"),
        pytest.param("q1 Q0 d1 1 inf t\n", ":1: the score 'inf'", id="infinity"),
        pytest.param("q1 Q0 d1 1 -Infinity t\n", ":1: the score '-Infinity'", id="minus infinity"),
        pytest.param("q1 Q0 d1 1 1e999 t\n", ":1: the score '1e999'", id="too large"),
        pytest.param("q1 Q0 d1 1 1_000 t\n", ":1: the score '1_000'", id="Python's underscore"),
        pytest.param("q1 Q0 d1 1 2,5 t\n", ":1: the score '2,5'", id="decimal comma"),
        pytest.param("q1 Q0 d1 1 0x10 t\n", ":1: the score '0x10'", id="hexadecimal"),
        pytest.param("q1 Q0 d1 1 ١ t\n", ":1: the score '.*' is not a finite number", id="Arabic digit"),
        pytest.param("q1 Q0 d1 1 None t\n", ":1: the score 'None'", id="None"),
        pytest.param(LINE + "\n" + LINE, ":3: document d1 is in the ranking of query q1 already", id="twice"),
        pytest.param(LINE.replace("\n", "\r") * 2, ":1: a carriage return inside a line", id="bare CR"),
        pytest.param(LINE + "q1 Q0 a\rb 2 1 t\n", ":2: a carriage return inside a line", id="CR in an id"),
        pytest.param("", ": no run in it", id="empty"),
        pytest.param("# nothing\n\n", ": no run in it", id="comments only"),
    ],
)
def test_what_is_no_run_is_an_error_that_names_the_line(read, content, message):
    with pytest.raises(InputError, match=rf"run\.trec{message}"):
        read(content)


@pytest.mark.parametrize("field", ["caf\xe9 Q0 d 1 1 t", "q Q0 caf\xe9 1 1 t", "q Q0 d 1 1 caf\xe9"])
def test_latin_1_is_an_error_that_says_how_to_convert_it(read, field):
    with pytest.raises(InputError, match=r"run\.trec:2: 'caf\\xe9' is not UTF-8; .*iconv"):
        read(b"# comment\n" + field.encode("latin-1"))


def test_a_missing_file_and_a_folder_are_errors(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.trec: no such file"):
        read_run(tmp_path / "nowhere.trec")
    with pytest.raises(InputError, match="is a folder"):
        read_run(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_run(tmp_path / ("n" * 300))


def test_ids_with_spaces_are_read_with_a_warning(read, warned):
    # A line of ReasonRank's BRIGHT runs.
    run = read("4 Q0 torch/Memory Management_2.txt 7 0.60 r\n4 Q0 a b c 8 0.5 r\n4 Q0 plain 9 0.4 r\n")
    assert ids(run) == {"4": ["torch/Memory Management_2.txt", "a b c", "plain"]}
    [message] = warned()
    assert "2 documents have spaces in their ids (first: line 1)" in message
    assert "--escape-ids" in message


def test_a_clean_run_is_read_without_a_warning(read, warned):
    read(LINE)
    assert warned() == []


@pytest.mark.parametrize("compress", [False, True])
def test_standard_input_is_read_like_a_file(read, compress):
    import gzip

    content = b"\xef\xbb\xbf" + LINE.encode()
    program = "from rearank_cli.trec import read_run; print(dict(read_run('-')))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=gzip.compress(content) if compress else content,
        capture_output=True,
    )
    assert done.stdout.decode().strip() == str({"q1": [ScoredDoc("d1", 2.5)]}), done.stderr


def test_an_error_in_standard_input_says_so():
    program = "from rearank_cli.trec import read_run; read_run('-')"
    done = subprocess.run([sys.executable, "-c", program], input=b"q1 Q0 d1\n", capture_output=True)
    assert b"InputError: standard input:1: found 3 fields" in done.stderr


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"q", b"#", b" ", b"\t", b"\n", b"\r", b"\xa0", b"1", b"\x0c", b"-"])))
def test_any_bytes_are_a_run_or_an_input_error(folder, pieces):
    path = folder / "any"
    path.write_bytes(b"".join(pieces))
    with suppress(InputError):
        assert all(read_run(path).values())
