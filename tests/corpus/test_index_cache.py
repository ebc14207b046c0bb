"""An index is built once, and used only when it is whole and of these very documents."""

import errno
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from rearank_cli.corpus import open_corpus
from rearank_cli.corpus.index import Index
from rearank_cli.corpus.index_cache import open_index
from rearank_cli.corpus.local import LocalCorpus
from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.records import Passage


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


@dataclass(frozen=True)
class Watched(LocalCorpus):
    """Documents in a file; something happens when they are read."""

    happens: Callable[[], object] = print

    def documents(self) -> Iterator[Passage]:
        self.happens()
        return LocalCorpus.documents(self)


def wait_for(what: str, caplog) -> None:
    """Wait until it was said."""
    for _ in range(1000):
        if what in caplog.text:
            return
        time.sleep(0.01)
    raise AssertionError(f"nobody said {what!r}")


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


@pytest.mark.parametrize(
    ("name", "another"), [("bm25", ".bm25.k1.building.part"), ("idx[1]", ".idx1.building.part")]
)
def test_only_what_was_left_of_this_very_index_is_cleared_away(docs, tmp_path, name, another):
    left, building = tmp_path / f".{name}.killed.part", tmp_path / another
    for path in (left, building):
        path.mkdir()
    search(docs, tmp_path / name)
    assert not left.exists()
    assert building.exists()


def test_an_error_leaves_nothing_behind(docs, cache):
    docs.write_text("no tab")
    with pytest.raises(InputError, match="found 1 tab-separated"):
        search(docs)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o700), (0o027, 0o750), (0o002, 0o775)])
def test_who_may_read_an_index_is_up_to_the_umask(docs, tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        search(docs, tmp_path / "mine")
    finally:
        os.umask(before)
    assert (tmp_path / "mine").stat().st_mode & 0o777 == mode


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


def test_an_index_is_not_replaced_by_another_that_was_asked_for_meanwhile(docs, tmp_path, caplog):
    waited = threading.Event()
    first = Watched(docs, docs.parent / "queries.tsv", happens=lambda: waited.wait(20))
    with ThreadPoolExecutor(2) as threads:
        building = threads.submit(open_index, first, 0.9, 0.4, tmp_path / "mine")
        wait_for("indexing", caplog)
        second = threads.submit(search, docs, tmp_path / "mine", k1=1.2)
        try:
            wait_for("waiting for another process that builds the index", caplog)
        finally:
            waited.set()
        assert len(building.result()) == 2
        with pytest.raises(UsageError, match=r"holds an index of .* k1 0.9 and b 0.4, not of .* k1 1.2"):
            second.result()
    assert search(docs, tmp_path / "mine") == ["d1"]
    assert built(caplog) == 1


def test_who_waited_for_one_that_failed_holds_a_lock_that_others_see(docs, tmp_path, caplog):
    waited = threading.Event()
    seen = []

    def fail() -> None:
        waited.wait(20)
        raise InputError("gone")

    queries = docs.parent / "queries.tsv"
    first = Watched(docs, queries, happens=fail)
    second = Watched(docs, queries, happens=lambda: seen.append((tmp_path / ".mine.lock").exists()))
    with ThreadPoolExecutor(2) as threads:
        failing = threads.submit(open_index, first, 0.9, 0.4, tmp_path / "mine")
        wait_for("indexing", caplog)
        building = threads.submit(open_index, second, 0.9, 0.4, tmp_path / "mine")
        try:
            wait_for("waiting for another process that builds the index", caplog)
        finally:
            waited.set()
        with pytest.raises(InputError, match="gone"):
            failing.result()
        assert len(building.result()) == 2
    assert seen == [True]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs.tsv", "mine", "queries.tsv"]


def test_a_mount_point_is_refused_before_anything_is_built(docs, tmp_path, monkeypatch, caplog):
    with pytest.raises(UsageError, match=r"^/ is a mount point, which cannot be replaced; name a folder in"):
        search(docs, Path("/"))
    (tmp_path / "mounted").mkdir()
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "mounted")
    with pytest.raises(UsageError, match="mounted is a mount point"):
        search(docs, tmp_path / "mounted")
    assert "indexing" not in caplog.text


@pytest.mark.parametrize("given", [".", "../here", "empty/.."])
def test_the_current_folder_is_refused(docs, tmp_path, monkeypatch, given):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    if given.startswith("empty"):
        Path("empty").mkdir()
    with pytest.raises(UsageError, match=r"here is the current folder, which cannot be replaced; name a"):
        search(docs, Path(given))


def test_an_index_in_the_current_folder_or_on_a_mount_point_can_be_used(docs, tmp_path, monkeypatch, caplog):
    search(docs, tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path / "mine")
    assert search(docs, Path()) == ["d1"]
    assert built(caplog) == 1


def test_a_link_stays_one(docs, tmp_path, caplog):
    (tmp_path / "disk").mkdir()
    (tmp_path / "mine").symlink_to("disk")
    assert search(docs, tmp_path / "mine") == search(docs, tmp_path / "disk") == ["d1"]
    assert (tmp_path / "mine").is_symlink()
    assert built(caplog) == 1


def test_an_index_that_cannot_be_written_in_the_end_is_used_from_memory(docs, tmp_path, monkeypatch, caplog):
    def save(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Index, "save", save)
    assert search(docs, tmp_path / "mine") == ["d1"]
    assert f"the index cannot be kept in {tmp_path}/mine (No space left on device)" in caplog.text
    assert "name another folder with --index" in caplog.text
    assert built(caplog) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docs.tsv", "queries.tsv"]


def test_what_came_into_the_folder_meanwhile_is_not_replaced(docs, tmp_path, caplog):
    (tmp_path / "mine").mkdir()
    notes = tmp_path / "mine" / "notes.txt"
    corpus = Watched(docs, docs.parent / "queries.tsv", happens=notes.touch)
    assert len(open_index(corpus, 0.9, 0.4, tmp_path / "mine")) == 2
    assert "mine (Directory not empty): it is in memory" in caplog.text
    assert list((tmp_path / "mine").iterdir()) == [notes]


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


def test_an_index_of_documents_from_a_pipe_is_not_kept(docs, tmp_path):
    # No pipe: whoever went on to read one here would wait for ever.
    with pytest.raises(
        UsageError, match=r"the index of /dev/null cannot be kept in .*mine, as only documents"
    ):
        open_index(open_corpus(docs=Path(os.devnull), queries=docs), 0.9, 0.4, tmp_path / "mine")


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
