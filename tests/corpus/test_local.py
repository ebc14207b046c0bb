import bz2
import gzip
import json
import lzma
import string
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.corpus import open_corpus
from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Passage

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ID = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
TEXT = ID.filter(lambda text: not text.isspace())


@pytest.fixture
def passages_in(tmp_path):
    """Read documents from a file of this content."""

    def read(content: str | bytes, *doc_ids: str) -> dict[str, Passage]:
        path = tmp_path / "docs"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return open_corpus(docs=path, queries=path).passages(doc_ids)

    return read


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # JSON Lines, by the names that collections use.
        ('{"_id": "d", "text": "body"}', Passage("d", "body")),
        ('{"_id": "d", "title": "T", "text": "body", "metadata": {}}', Passage("d", "body", "T")),
        ('{"_id": "d", "title": "", "text": "body"}', Passage("d", "body")),
        ('{"_id": "d", "title": null, "text": "body"}', Passage("d", "body")),
        ('{"_id": "d", "title": "T", "text": ""}', Passage("d", "T")),
        ('{"_id": "d", "title": "T"}', Passage("d", "T")),
        ('{"id": "d", "contents": "body"}', Passage("d", "body")),
        ('{"doc_id": "d", "content": "body"}', Passage("d", "body")),
        ('{"docid": "d", "title": "T", "headings": "H", "body": "body"}', Passage("d", "body", "T")),
        ('{"docno": "d", "text": "body"}', Passage("d", "body")),
        ('{"pid": "d", "passage": "body"}', Passage("d", "body")),
        ('{"docid": "d", "segment": "body"}', Passage("d", "body")),
        ('{"id": "d", "text": "", "contents": "body"}', Passage("d", "body")),
        ('{"_id": "d", "id": "other", "text": "body"}', Passage("d", "body")),
        ('{"id": 7, "text": "seven"}', Passage("7", "seven")),
        ('{"id": 0, "text": "zero"}', Passage("0", "zero")),
        # What surrounds and ends the lines.
        ('\n \n  {"_id": "d", "text": "body"}\n\n', Passage("d", "body")),
        ('\ufeff{"_id": "d", "text": "body"}\r\n\r\n', Passage("d", "body")),
        ('{"_id": "d", "text": "body\\n\\u2028"}\r\n', Passage("d", "body\n\u2028")),
        ('{"_id": "d", "text": "same"}\n{"_id": "d", "text": "same"}', Passage("d", "same")),
        # Tab-separated.
        ("d\tbody", Passage("d", "body")),
        ("\ufeffd\tbody\r\n", Passage("d", "body")),
        ("\n\nd\t body \x85 of one line \n", Passage("d", " body \x85 of one line ")),
        ('d\t"a quote" is text', Passage("d", '"a quote" is text')),
        ('d\t"a quote"', Passage("d", '"a quote"')),
        ("id\ttext\nd\tbody", Passage("d", "body")),
        ("pid\tpassage\nd\tbody", Passage("d", "body")),
        (
            'id\ttext\ttitle\nd\t"the ""Odyssey"" of Homer"\tHomer',
            Passage("d", 'the "Odyssey" of Homer', "Homer"),
        ),
        ('id\ttext\ttitle\nd\t"one" and "two"\t""', Passage("d", '"one" and "two"')),
        ("title\tid\nT\td", Passage("d", "T")),
    ],
)
def test_a_document_is_read_from_every_format_that_collections_come_in(content, expected, passages_in):
    assert passages_in(content, expected.doc_id) == {expected.doc_id: expected}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("d\ta\td tab", r"docs:1: found 3 tab-separated fields, expected 2 \(id, text\); replace tabs"),
        ("d\tbody\n\nd2 no tab", r"docs:3: found 1 tab-separated fields, expected 2 \(id, text\)"),
        ("id\ttext\ttitle\nd\tbody", r"docs:2: found 2 tab-separated fields, expected 3 \(id, text, title\)"),
        ("text\nbody", r"docs:1: found 1 tab-separated fields"),
        ("text\ttitle\turl\nbody", r"docs:1: found 3 tab-separated fields"),
        ('[{"_id": "d"}]', r"docs:1: found 1 tab-separated fields.* or use JSON Lines"),
        ('{"_id": "d", "text": "body"', r"docs:1: not JSON: .* at character 28"),
        ('{"_id": "a", "text": "x"}\n\nd\tbody', r"docs:3: not JSON"),
        ('{"_id": "a", "text": "x"}\n["d"]', r"docs:2: expected a JSON object"),
        ('{"text": "body"}', r"docs:1: no id; expected one of the fields _id, id, doc_id, docid, docno, pid"),
        ('{"_id": null, "text": "body"}', r"docs:1: no id"),
        ('{"_id": 1.5, "text": "body"}', r'docs:1: "_id" is a number, expected a string or an integer'),
        ('{"id": true, "text": "body"}', r'docs:1: "id" is true or false'),
        ('{"_id": {"$oid": "5"}, "text": "body"}', r'docs:1: "_id" is an object'),
        ('{"_id": "d", "text": ["a", "b"]}', r'docs:1: "text" is a list, expected a string'),
        ('{"_id": "d", "title": 3, "text": "body"}', r'docs:1: "title" is a number, expected a string'),
        ('{"_id": "d"}', r"docs:1: document 'd' has neither text nor title"),
        ('{"_id": "d", "text": " ", "title": ""}', r"docs:1: document 'd' has neither text nor title"),
        (b"d\tbody\nd2\tcaf\xe9", r"docs:2: byte 0xe9 \(the 7\. of the line\) is not UTF-8; convert"),
        (b'{"_id": "d", "text": "caf\xe9"}', r"docs:1: byte 0xe9 .* is not UTF-8"),
        ("d\tone\nx\ty\nd\ttwo", r"docs:3: 'd' has another text than on line 1"),
        ('{"_id":"d","text":"t"}\n{"_id":"d","text":"t","title":"T"}', r"docs:2: 'd' has another text"),
        (gzip.compress(b"d\tbody\n" * 99, mtime=0)[:-12], r"docs: its compression is damaged or cut short"),
    ],
)
def test_a_malformed_file_is_an_error_with_its_line(content, expected, passages_in):
    with pytest.raises(InputError, match=expected):
        passages_in(content, "d")


@pytest.mark.parametrize(
    "content",
    [
        '{"_id": "d", "text": "body"}\n{"_id": "unasked"}',
        "d\tbody\nunasked\tone\nunasked\ttwo",
    ],
)
def test_what_is_wrong_with_a_text_counts_only_where_it_is_asked_for(content, passages_in):
    assert passages_in(content, "d") == {"d": Passage("d", "body")}


def test_what_is_not_in_the_file_is_left_out(passages_in):
    assert passages_in("1\tone\n2\ttwo\n", "2", "3", "2") == {"2": Passage("2", "two")}
    assert passages_in("", "1") == {}
    assert passages_in("\n\n", "1") == {}


@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_compression_is_recognised_by_content(compress, passages_in):
    content = b'{"_id": "d", "text": "body"}\n'
    assert passages_in(compress(content), "d") == {"d": Passage("d", "body")}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1\twhat is a query", "what is a query"),
        ("qid\tquery\n1\twhat is a query", "what is a query"),
        ('{"_id": "1", "text": "what is a query", "metadata": {}}', "what is a query"),
        ('{"query_id": 1, "query": "what is a query"}', "what is a query"),
        ('{"qid": "1", "title": "what is a query", "description": "long"}', "what is a query"),
        ('{"id": "1", "contents": "what is a query"}', "what is a query"),
    ],
)
def test_a_query_is_read_from_every_format_that_topics_come_in(content, expected, tmp_path):
    path = tmp_path / "queries"
    path.write_text(content)
    assert open_corpus(docs=path, queries=path).queries(["1", "2"]) == {"1": expected}


def test_a_query_without_text_is_an_error_where_it_is_asked_for(tmp_path):
    path = tmp_path / "queries"
    path.write_text('{"_id": "1", "text": "t"}\n{"_id": "2", "text": ""}')
    corpus = open_corpus(docs=path, queries=path)
    assert corpus.queries(["1"]) == {"1": "t"}
    with pytest.raises(
        InputError, match=r"queries:2: query '2' has no text; expected one of the fields text, query"
    ):
        corpus.queries(["2"])


def test_files_judge_and_exclude_nothing(tmp_path):
    corpus = open_corpus(docs=tmp_path / "docs.jsonl", queries=tmp_path / "queries.tsv")
    assert corpus.name == str(tmp_path / "docs.jsonl")
    assert corpus.qrels() is None
    assert corpus.excluded() == {}
    with pytest.raises(InputError, match=r"docs\.jsonl: no such file"):
        corpus.passages(["d"])


def test_standard_input_is_not_taken_for_a_file_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-", "docs.tsv"):
        Path(name).write_text("d\tbody\n")
    assert open_corpus(docs=Path("docs.tsv"), queries=Path("docs.tsv")).identity() is not None
    corpus = open_corpus(docs=Path("-"), queries=Path("docs.tsv"))
    assert corpus.identity() is None
    assert corpus.name == "standard input"


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".gz", gzip.compress), (".zst", zstd.compress), (".xz", lzma.compress)],
)
def test_a_beir_folder_holds_documents_queries_and_judgments(suffix, compress, tmp_path):
    (tmp_path / f"corpus.jsonl{suffix}").write_bytes(
        compress(b'{"_id": "d", "title": "T", "text": "body"}\n')
    )
    (tmp_path / f"queries.jsonl{suffix}").write_bytes(compress(b'{"_id": "q", "text": "query"}\n'))
    corpus = open_corpus(docs=tmp_path)
    assert corpus.passages(["d"]) == {"d": Passage("d", "body", "T")}
    assert corpus.queries(["q"]) == {"q": "query"}
    assert corpus.qrels() is None
    assert corpus.excluded() == {}

    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\td\t2\nq\te\t0\n")
    assert open_corpus(docs=tmp_path).qrels() == {"q": {"d": 2, "e": 0}}

    own = tmp_path / "own.tsv"
    own.write_text("q\trewritten\n")
    assert open_corpus(docs=tmp_path, queries=own).queries(["q"]) == {"q": "rewritten"}


def test_a_folder_in_another_layout_says_what_was_looked_for(tmp_path):
    with pytest.raises(
        InputError, match=r"is no BEIR folder: it has no corpus\.jsonl \(or corpus\.jsonl\.gz, "
    ):
        open_corpus(docs=tmp_path)
    (tmp_path / "corpus.jsonl").touch()
    with pytest.raises(InputError, match=r"has no queries\.jsonl .*give --queries PATH"):
        open_corpus(docs=tmp_path)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, r"give --dataset ID, or --docs PATH with --queries PATH"),
        ({"queries": "q"}, r"give --dataset ID, or --docs PATH with --queries PATH"),
        ({"docs": "d"}, r"--docs with a file needs --queries too .*--dataset"),
        ({"dataset": "x", "docs": "d"}, r"--dataset and --docs name two sources.*--queries"),
        ({"dataset": "x", "docs": "d", "queries": "q"}, r"--dataset and --docs name two sources"),
    ],
)
def test_options_that_do_not_go_together_are_a_usage_error(options, expected, tmp_path):
    paths = {name: tmp_path / value for name, value in options.items() if name != "dataset"}
    with pytest.raises(UsageError, match=expected):
        open_corpus(**options | paths)


@given(texts=st.dictionaries(ID, st.tuples(TEXT, st.none() | TEXT)), asked=st.sets(ID), data=st.data())
def test_whatever_is_written_as_json_lines_is_read_back(texts, asked, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("jsonl") / "docs"
    lines = [json.dumps({"_id": key, "title": title, "text": text}) for key, (text, title) in texts.items()]
    path.write_text("\n".join(lines))
    asked |= data.draw(st.sets(st.sampled_from(sorted(texts)))) if texts else set()
    passages = open_corpus(docs=path, queries=path).passages(asked)
    assert passages == {key: Passage(key, *texts[key]) for key in asked & texts.keys()}


@given(
    texts=st.dictionaries(
        st.text(string.ascii_letters, min_size=3), TEXT.filter(lambda text: not set(text) & set("\t\r\n"))
    )
)
@settings(max_examples=50)
def test_whatever_is_written_as_tab_separated_lines_is_read_back(texts, tmp_path_factory):
    path = tmp_path_factory.mktemp("tsv") / "queries"
    path.write_text("".join(f"{key}\t{text}\n" for key, text in texts.items()), encoding="utf-8", newline="")
    assert open_corpus(docs=path, queries=path).queries(texts.keys()) == texts


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "docs"
    path.write_text("".join(f"{number}\t{'x' * 1000}\n" for number in range(20_000)))
    corpus = open_corpus(docs=path, queries=path)
    tracemalloc.start()
    try:
        assert len(corpus.passages(["0", "19999"])) == 2
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
