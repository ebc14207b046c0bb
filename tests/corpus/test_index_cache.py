"""An index is built once, and used only when it is whole and of these very documents."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rearank_cli.corpus import open_corpus
from rearank_cli.corpus.index_cache import open_index
from rearank_cli.errors import OutputError, UsageError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch, caplog):
    """An empty cache; what is said is kept."""
    caplog.set_level(logging.INFO, "rearank")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "rearank" / "bm25"


@pytest.fixture
def docs(tmp_path):
    path = tmp_path / "docs.tsv"
    path.write_text("d1\tqueen bee\nd2\tworker bee\n")
    (tmp_path / "queries.tsv").write_text("q1\tqueen\n")
    return path


def search(docs: Path, folder: Path | None = None, k1: float = 0.9, b: float = 0.4) -> list[str]:
    corpus = open_corpus(docs=docs, queries=docs.parent / "queries.tsv")
    return [doc_id for doc_id, _ in open_index(corpus, k1, b, folder).search("queen", 10)]


def built(caplog) -> int:
    return caplog.text.count("indexed ")


def test_an_index_is_built_once(docs, cache, caplog):
    assert search(docs) == search(docs) == ["d1"]
    assert built(caplog) == 1
    assert f"indexing {docs} into {cache}" in caplog.text
    # Nothing else is left: no lock, nothing half made.
    assert len(list(cache.iterdir())) == 1


def test_documents_that_changed_are_indexed_anew(docs, caplog):
    search(docs)
    docs.write_text("d1\tdrone\nd2\tworker bee\nd3\tqueen\n")
    assert search(docs) == ["d3"]
    assert built(caplog) == 2


def test_documents_that_changed_within_their_size_are_indexed_anew(docs):
    search(docs)
    state = docs.stat()
    docs.write_text("d2\tqueen bee\nd1\tworker bee\n")
    os.utime(docs, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert search(docs) == ["d2"]


@pytest.mark.parametrize("parameters", [{"k1": 1.2}, {"b": 0.75}])
def test_other_parameters_have_another_index(docs, caplog, parameters):
    search(docs)
    search(docs, **parameters)
    search(docs)
    assert built(caplog) == 2


@pytest.mark.parametrize(
    "name", ["data.csc.index.npy", "vocab.index.json", "doc_ids.txt", "doc_ids.npy", "rearank.json"]
)
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_index_is_not_used(docs, cache, caplog, name, damage):
    search(docs)
    (file,) = cache.glob(f"*/{name}")
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-1] if name != "rearank.json" else b"{")
    else:
        file.unlink()
    assert search(docs) == ["d1"]
    assert built(caplog) == 2
    assert search(docs) == ["d1"]
    assert built(caplog) == 2


def test_what_a_killed_process_left_is_cleared_away(docs, cache):
    search(docs)
    (place,) = (path for path in cache.iterdir() if path.is_dir())
    left = cache / f".{place.name}.killed.part"
    place.rename(left)
    (left / "rearank.json").unlink()
    assert search(docs) == ["d1"]
    assert not left.exists()


def test_an_unwritable_cache_means_an_index_in_memory(docs, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert search(docs) == ["d1"]
    assert "the index cannot be kept in" in caplog.text
    assert built(caplog) == 1


def test_an_index_can_be_kept_elsewhere(docs, tmp_path, cache, caplog):
    assert search(docs, tmp_path / "mine") == search(docs, tmp_path / "mine") == ["d1"]
    assert (tmp_path / "mine" / "rearank.json").is_file()
    assert built(caplog) == 1
    assert not cache.exists()


def test_a_folder_with_another_index_is_not_replaced(docs, tmp_path):
    search(docs, tmp_path / "mine")
    with pytest.raises(UsageError, match=r"mine holds an index of .* k1 0.9 and b 0.4, not of .* k1 1.2"):
        search(docs, tmp_path / "mine", k1=1.2)


def test_a_folder_with_something_else_is_not_replaced(docs, tmp_path):
    with pytest.raises(UsageError, match="is no whole index of rearank"):
        search(docs, tmp_path)


def test_a_folder_that_cannot_be_made_is_an_error(docs, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"the index .* cannot be written"):
        search(docs, tmp_path / "file" / "mine")


def test_documents_from_a_pipe_are_indexed_in_memory(docs, cache, tmp_path, caplog):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/sh", "-c", 'cat "$0" > "$1"', str(docs), str(pipe)]):
        assert search(pipe) == ["d1"]
    assert not cache.exists()


def test_processes_that_start_at_once_build_one_index(docs, cache):
    program = (
        "import logging, sys; logging.basicConfig(level=logging.INFO, stream=sys.stdout)\n"
        "from tests.corpus.test_index_cache import search\n"
        "from pathlib import Path; print(search(Path(sys.argv[1])))"
    )
    docs.write_text("".join(f"d{i}\tqueen bee {i}\n" for i in range(3000)))
    processes = [
        subprocess.Popen([sys.executable, "-c", program, str(docs)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len({text.splitlines()[-1] for text in said}) == 1
    assert sum(text.count("indexed 3,000") for text in said) == 1


def test_datasets_with_the_same_documents_share_an_index(irds_home, caplog):
    for dataset in ("beir/nfcorpus/test", "beir/nfcorpus/dev"):
        assert len(open_index(open_corpus(dataset=dataset), 0.9, 0.4)) == 3633
    assert built(caplog) == 1
