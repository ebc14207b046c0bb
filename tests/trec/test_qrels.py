from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import InputError, OutputError
from rearank_cli.trec import read_qrels, write_qrels
from tests.trec.rankings import IDS


@pytest.fixture
def judgments(tmp_path: Path):
    """Read judgments from a file of this content."""

    def read(content: str):
        path = tmp_path / "qrels"
        path.write_text(content, encoding="utf-8")
        return read_qrels(path)

    return read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("q 0 a 2\nq 0 b 0\nr Q0 a -1\n", {"q": {"a": 2, "b": 0}, "r": {"a": -1}}, id="TREC"),
        pytest.param("\ufeffq1\t0\td1\t1\r\n\r\n", {"q1": {"d1": 1}}, id="byte order mark, tabs, CRLF"),
        pytest.param("# judged by hand\nq1 0 d1 +1", {"q1": {"d1": 1}}, id="comment, no final newline"),
        pytest.param("query-id\tcorpus-id\tscore\nq1\td1\t2\n", {"q1": {"d1": 2}}, id="BEIR"),
        pytest.param("query-id corpus-id score\nq1 a b 2\n", {"q1": {"a b": 2}}, id="BEIR, id with a space"),
        pytest.param("q1 0 Memory Management_2.txt 1\n", {"q1": {"Memory Management_2.txt": 1}}, id="space"),
        pytest.param("q1 0 d1 1\nq1 0 d1 1\n", {"q1": {"d1": 1}}, id="said twice"),
        pytest.param("1 0 7 1\n01 0 007 2\n", {"1": {"7": 1}, "01": {"007": 2}}, id="ids are texts"),
    ],
)  # fmt: skip
def test_judgments_are_read_in_their_forms(judgments, content, expected):
    assert judgments(content) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1 0 d1\n", r":1: found 3 fields, expected four"),
        ("q1 0 d1 1\nquery-id corpus-id score\n", r":2: found 3 fields, expected four"),
        ("query-id corpus-id score\nq1 d1\n", r":2: found 2 fields, expected three"),
        ("q1 0 d1 1.5\n", r":1: the grade '1\.5' is not an integer"),
        ("q1 0 d1 1_0\n", r":1: the grade '1_0' is not an integer"),
        ("q1 0 d1 high\n", r":1: the grade 'high' is not an integer"),
        ("q1 0 d1 1\n\nq1 0 d1 2\n", ":3: document d1 has grade 2 for query q1, and grade 1 on an earlier"),
        ("", ": no judgments in it"),
        ("query-id corpus-id score\n", ": no judgments in it"),
    ],
)  # fmt: skip
def test_what_is_no_judgment_is_an_error_that_names_the_line(judgments, content, message):
    with pytest.raises(InputError, match=f"qrels{message}"):
        judgments(content)


@settings(deadline=None)
@given(
    st.dictionaries(
        IDS.filter(lambda query_id: not query_id.startswith("#")),
        st.dictionaries(IDS, st.integers(-100, 100), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["", ".gz"]),
)
def test_judgments_that_are_written_are_read_back(folder, qrels, suffix):
    path = folder / f"qrels{suffix}"
    write_qrels(qrels, path)
    assert read_qrels(path) == qrels


def test_judgments_are_written_to_the_byte(tmp_path):
    write_qrels({"q2": {"b": 1, "a": 0}, "q1": {"c": -1}}, tmp_path / "qrels")
    assert (tmp_path / "qrels").read_bytes() == b"q2 0 b 1\nq2 0 a 0\nq1 0 c -1\n"


def test_judged_ids_with_spaces_are_refused_or_escaped_as_in_runs(tmp_path):
    qrels = {"q": {"a b": 1, "100%": 0}}
    with pytest.raises(OutputError, match="--escape-ids"):
        write_qrels(qrels, tmp_path / "qrels")
    assert not list(tmp_path.iterdir())
    write_qrels(qrels, tmp_path / "qrels", escape_ids=True)
    assert read_qrels(tmp_path / "qrels") == {"q": {"a%20b": 1, "100%25": 0}}
