import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from rearank_cli.corpus import open_corpus
from rearank_cli.errors import InputError
from rearank_cli.records import Passage

DL19 = "msmarco-passage/trec-dl-2019/judged"
NFCORPUS = "beir/nfcorpus/test"


class PlainDoc(NamedTuple):
    doc_id: str
    text: str


class TitledDoc(NamedTuple):
    doc_id: str
    title: str
    body: str

    def default_text(self) -> str:
        return f"{self.title} {self.body}"


class WebDoc(NamedTuple):
    doc_id: str
    url: str
    body: bytes

    def default_text(self) -> str:
        return "parsed page"


class CodeDoc(NamedTuple):
    doc_id: str
    url: str
    func_name: str
    code: str
    lines: int


class BrightQuery(NamedTuple):
    query_id: str
    text: str
    reasoning: str


class LinkQuery(NamedTuple):
    query_id: str
    doc_id: str
    url: str


class Qrel(NamedTuple):
    query_id: str
    doc_id: str
    relevance: int


def one_sentence(error: pytest.ExceptionInfo[InputError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


@pytest.mark.shared
def test_dl19_is_read_for_real(irds_home):
    corpus = open_corpus(dataset=DL19)
    assert corpus.name == DL19
    qrels = corpus.qrels()
    assert len(qrels) == 43
    assert sum(map(len, qrels.values())) == 9260
    assert corpus.queries(["156493", "1110199", "no such query"]) == {
        "156493": "do goldfish grow",
        "1110199": "what is wifi vs bluetooth",
    }
    assert len(corpus.queries(qrels.keys())) == 43
    [passage] = corpus.passages(["887"]).values()
    assert passage.text.startswith("Best Western Plus Marion Hotel, 400 Comfort Dr")
    assert (passage.title, passage.score) == (None, None)
    assert corpus.excluded() == {}


@pytest.mark.shared
def test_nfcorpus_is_read_for_real_with_titles(irds_home):
    corpus = open_corpus(dataset=NFCORPUS)
    qrels = corpus.qrels()
    assert len(qrels) == 323
    assert sum(map(len, qrels.values())) == 12334
    assert len(corpus.queries(qrels.keys())) == 323
    passage = corpus.passages(["MED-10"])["MED-10"]
    assert passage.title == "Statin Use and Breast Cancer Survival: A Nationwide Cohort Study from Finland"
    assert passage.text.startswith("Recent studies have suggested that statins")


@pytest.mark.shared
def test_an_over_long_id_never_returns_another_documents_text(irds_home):
    corpus = open_corpus(dataset=NFCORPUS)
    assert set(corpus.passages(["MED-1000", "MED-10009", "MED-1000 "])) == {"MED-1000"}
    assert corpus.passages(["MED-10009"]) == {}


@pytest.mark.shared
def test_ids_that_are_not_there_are_left_out_and_repeats_count_once(irds_home):
    corpus = open_corpus(dataset=NFCORPUS)
    assert list(corpus.passages(["MED-14", "MED-0", "MED-10", "MED-14"])) == ["MED-14", "MED-10"]
    assert corpus.passages(["MED-0"]) == {}
    assert corpus.passages([]) == {}
    assert corpus.queries([]) == {}


@pytest.mark.shared
def test_eight_threads_get_the_texts_they_asked_for(irds_home):
    corpus = open_corpus(dataset=NFCORPUS)
    doc_ids = sorted({doc_id for judged in corpus.qrels().values() for doc_id in judged})
    alone = corpus.passages(doc_ids)
    shares = [doc_ids[start::97] for start in range(97)]
    with ThreadPoolExecutor(8) as pool:
        for share, passages in zip(shares, pool.map(corpus.passages, shares), strict=True):
            assert passages == {doc_id: alone[doc_id] for doc_id in share}


@pytest.mark.shared
def test_processes_that_start_together_build_one_sound_store_and_say_nothing(shared_data, tmp_path):
    shutil.copytree(shared_data / "ir_datasets" / "beir", tmp_path / "beir")
    program = (
        "from rearank_cli.corpus import open_corpus\n"
        f"print(len(open_corpus(dataset={NFCORPUS!r}).passages(['MED-10', 'MED-14'])))"
    )
    running = [start_python(program, IR_DATASETS_HOME=str(tmp_path)) for _ in range(3)]
    assert [process.communicate(timeout=60) for process in running] == [("2\n", "")] * 3
    assert (tmp_path / "beir" / "nfcorpus" / "docs.pklz4" / "bin.pos").stat().st_size == 3633 * 8


@pytest.mark.shared
def test_own_queries_take_the_place_of_a_datasets(irds_home, tmp_path):
    queries = tmp_path / "rewritten.tsv"
    queries.write_text("156493\thow large do goldfish get\n")
    corpus = open_corpus(dataset=DL19, queries=queries)
    assert corpus.queries(["156493", "1110199"]) == {"156493": "how large do goldfish get"}
    assert len(corpus.qrels()) == 43
    assert corpus.passages(["887"])


def test_an_unknown_dataset_is_an_error_that_suggests_one():
    with pytest.raises(InputError) as error:
        open_corpus(dataset="beir/nfcorpus/tset")
    assert "unknown dataset 'beir/nfcorpus/tset'; did you mean 'beir/nfcorpus/test'?" in one_sentence(error)
    with pytest.raises(InputError, match=r"unknown dataset '%%%'; .*ir-datasets\.com"):
        open_corpus(dataset="%%%")


def test_a_dataset_without_queries_or_documents_says_so():
    corpus = open_corpus(dataset="msmarco-passage")
    assert corpus.qrels() is None
    assert corpus.excluded() == {}
    with pytest.raises(InputError, match=r"msmarco-passage has no queries; give --queries PATH"):
        corpus.queries(["1"])
    with pytest.raises(InputError, match=r"bright has no documents"):
        open_corpus(dataset="bright").passages(["1"])


@pytest.mark.parametrize(
    ("dataset", "ask", "expected"),
    [
        (
            "vaswani",
            "passages",
            ["vaswani: its documents cannot be had", "cannot be reached", "IR_DATASETS_HOME"],
        ),
        (
            "vaswani",
            "queries",
            ["vaswani: its queries cannot be had", "run this once where there is a network"],
        ),
        ("vaswani", "qrels", ["vaswani: its judgments cannot be had"]),
        ("beir/arguana", "passages", ["public.ukp.informatik.tu-darmstadt.de cannot be reached"]),
        ("bright/biology", "excluded", ["judgments cannot be had", "huggingface.co"]),
        (
            "aquaint",
            "passages",
            ["aquaint_comp_LDC2002T31.tgz does not exist", "ir-datasets.com/aquaint.html"],
        ),
        (
            "aol-ia",
            "passages",
            ["To use the documents of AOLIA, you will need", "ir-datasets.com/aol-ia.html"],
        ),
        ("car/v1.5", "passages", ["a package is not installed; pip install ir_datasets[car]"]),
    ],
)
def test_files_that_cannot_be_had_are_one_sentence_about_why_and_what_to_do(
    dataset, ask, expected, no_network, irds_home
):
    corpus = open_corpus(dataset=dataset)
    arguments = [["1"]] if ask in ("passages", "queries") else []
    with pytest.raises(InputError) as error:
        getattr(corpus, ask)(*arguments)
    for words in expected:
        assert words in one_sentence(error)


def test_judgments_that_exclude_nothing_are_not_fetched_to_know_it(no_network):
    assert open_corpus(dataset="vaswani").excluded() == {}


def test_too_little_disk_is_a_sentence_that_says_where(monkeypatch, register_dataset):
    def no_room(*_):
        raise ValueError("Insufficient disk space: /x requires 14.4GB but only 1.0GB is available")

    dataset = register_dataset(docs=[PlainDoc("d", "text")])
    import ir_datasets  # noqa: TID251

    monkeypatch.setattr(ir_datasets.indices.PickleLz4FullStore, "build", no_room)
    with pytest.raises(
        InputError, match=r"requires 14\.4GB but only 1\.0GB.*; make room, or set IR_DATASETS_HOME"
    ):
        open_corpus(dataset=dataset).passages(["d"])


def test_a_store_that_cannot_be_written_is_an_error_that_names_it(register_dataset, tmp_path):
    (tmp_path / "file").touch()
    dataset = register_dataset(folder=tmp_path / "file", docs=[PlainDoc("d", "text")])
    with pytest.raises(InputError, match=r"Not a directory: .*store; set IR_DATASETS_HOME"):
        open_corpus(dataset=dataset).passages(["d"])


def remove_index(store: Path) -> None:
    for file in store.glob("idx.*"):
        file.unlink()


def cut_index(store: Path) -> None:
    (store / "idx.doc_id.meta").unlink()


def cut_texts(store: Path) -> None:
    os.truncate(store / "bin", 20)


@pytest.mark.parametrize("damage", [remove_index, cut_index, cut_texts])
def test_a_store_whose_building_was_killed_is_named_as_damaged(damage, register_dataset, tmp_path):
    dataset = register_dataset(docs=[PlainDoc("d1", "one " * 9), PlainDoc("d2", "two " * 9)])
    assert open_corpus(dataset=dataset).passages(["d2"])
    damage(tmp_path / "store")
    with pytest.raises(InputError) as error:
        open_corpus(dataset=dataset).passages(["d2"])
    text = one_sentence(error)
    assert f"{tmp_path / 'store'} looks damaged" in text
    assert "delete that folder" in text


def test_a_sound_store_without_what_was_asked_for_is_not_called_damaged(register_dataset):
    dataset = register_dataset(docs=[PlainDoc("d1", "one")])
    assert open_corpus(dataset=dataset).passages(["from another collection"]) == {}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (PlainDoc("d", "text"), Passage("d", "text")),
        (TitledDoc("d", "title", "body"), Passage("d", "body", "title")),
        (TitledDoc("d", "", "body"), Passage("d", "body")),
        (TitledDoc("d", "only a title", ""), Passage("d", "only a title")),
        (WebDoc("d", "http://x", b"<html>"), Passage("d", "parsed page")),
        (CodeDoc("d", "http://x", "main", "return 0", 1), Passage("d", "main return 0")),
        (TitledDoc("d", "", ""), Passage("d", "")),
    ],
)
def test_a_passage_is_a_documents_body_and_its_title(document, expected, register_dataset):
    dataset = register_dataset(docs=[document])
    assert open_corpus(dataset=dataset).passages(["d"]) == {"d": expected}


def test_excluded_documents_and_queries_without_default_text_are_read_as_in_bright(register_dataset):
    dataset = register_dataset(
        docs=[PlainDoc("d1", "one")],
        queries=[BrightQuery("q1", "why is the sky blue", "scattering")],
        qrels=[
            Qrel("q1", "d1", 1),
            Qrel("q1", "d2", -100),
            Qrel("q1", "d3", -100),
            Qrel("q2", "d1", 0),
        ],
        qrels_defs={1: "Relevant", -100: "Excluded from evaluation"},
    )
    corpus = open_corpus(dataset=dataset)
    assert corpus.queries(["q1"]) == {"q1": "why is the sky blue"}
    assert corpus.excluded() == {"q1": {"d2", "d3"}}
    assert corpus.qrels() == {"q1": {"d1": 1}, "q2": {"d1": 0}}


def test_a_query_that_has_no_text_is_left_out(register_dataset):
    dataset = register_dataset(queries=[LinkQuery("q1", "d1", "http://x")])
    assert open_corpus(dataset=dataset).queries(["q1"]) == {}


def test_a_home_that_cannot_be_made_is_an_error_with_a_remedy():
    program = (
        "from rearank_cli.corpus import open_corpus\n"
        "from rearank_cli.errors import InputError\n"
        "try: open_corpus(dataset='vaswani')\n"
        "except InputError as error: print(error)"
    )
    out, err = start_python(program, IR_DATASETS_HOME="/dev/null/home").communicate(timeout=60)
    assert "/dev/null/home" in out
    assert "set IR_DATASETS_HOME to a folder that can be written" in out
    assert err == ""


def test_local_files_need_no_ir_datasets(tmp_path):
    (tmp_path / "texts.tsv").write_text("1\ttext\n")
    program = (
        "import sys, pathlib\n"
        "from rearank_cli.corpus import open_corpus\n"
        f"texts = pathlib.Path({str(tmp_path / 'texts.tsv')!r})\n"
        "print(open_corpus(docs=texts, queries=texts).queries(['1']), 'ir_datasets' in sys.modules)"
    )
    home = tmp_path / "home"
    assert (
        start_python(program, IR_DATASETS_HOME=str(home)).communicate(timeout=60)[0]
        == "{'1': 'text'} False\n"
    )
    assert not home.exists()


@pytest.fixture
def no_network(monkeypatch):
    """Nothing is downloaded, wherever the tests run."""
    import requests

    def refuse(**options):
        request = requests.Request("GET", options["url"]).prepare()
        raise requests.exceptions.ConnectionError("Name or service not known", request=request)

    monkeypatch.setattr(requests, "get", refuse)


def start_python(program: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).resolve().parents[2],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
