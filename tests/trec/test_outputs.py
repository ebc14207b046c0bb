"""An output file is whole, or as it was before."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rearank_cli.errors import OutputError
from rearank_cli.trec import read_run, write_run
from rearank_cli.trec.outputs import open_output
from tests.trec.rankings import as_run, ids

RUN = as_run({"q": ["b", "a"]})
BYTES = b"q Q0 b 1 2 t\nq Q0 a 2 1 t\n"


@pytest.mark.parametrize("suffix", ["", ".gz", ".bz2", ".xz", ".zst"])
def test_a_failure_in_the_middle_leaves_the_old_file_and_nothing_else(tmp_path, suffix):
    path = tmp_path / f"run.trec{suffix}"
    write_run(RUN, path, "t")
    before = path.read_bytes()
    # Half of a character: an id that looks well, and fails when it is written.
    failing = as_run({"q": ["new"], "r": ["\ud800"]})
    with pytest.raises(UnicodeEncodeError):
        write_run(failing, path, "t")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_under_the_name_until_all_is_written(tmp_path):
    path = tmp_path / "run.trec"
    with open_output(path) as file:
        file.write(BYTES)
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == BYTES
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_is_no_obstacle(tmp_path):
    (tmp_path / ".run.trec.part").write_bytes(b"half a line of an earlier and longer attempt\n")
    write_run(RUN, tmp_path / "run.trec", "t")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [BYTES]


def test_a_symbolic_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target.trec"
    target.write_text("old")
    link = tmp_path / "link.trec"
    link.symlink_to(target)
    write_run(RUN, link, "t")
    assert link.is_symlink()
    assert target.read_bytes() == BYTES
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "link.trec", "target.trec"]


def test_a_run_can_replace_the_file_it_was_read_from(tmp_path):
    path = tmp_path / "run.trec"
    path.write_text("q Q0 a 1 1 t\nq Q0 b 2 2 t\n")
    write_run(read_run(path), path)
    assert path.read_bytes() == BYTES


def test_a_named_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe.trec"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_run(RUN, pipe, "t")
    reader.join()
    assert got == [BYTES]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout here")
def test_a_pipe_that_has_only_a_device_name_is_written_to():
    program = (
        "from rearank_cli.trec import read_run, write_run; write_run(read_run('/dev/stdin'), '/dev/stdout')"
    )
    done = subprocess.run([sys.executable, "-c", program], input=BYTES, capture_output=True)
    assert done.stdout == BYTES, done.stderr


def test_dev_null_is_an_output():
    write_run(RUN, "/dev/null", "t")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["no/such/folder/run.trec", ".", "n" * 300])
def test_what_cannot_be_written_is_an_output_error_that_names_it(tmp_path, name):
    with pytest.raises(OutputError, match="cannot be written: "):
        write_run(RUN, tmp_path / name, "t")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_an_output_error():
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with pytest.raises(OutputError, match=r"/dev/full cannot be written: No space left"):
        write_run(RUN, "/dev/full", "t")


def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "any").write_text("")
    write_run(RUN, tmp_path / "run.trec", "t")
    assert (tmp_path / "run.trec").stat().st_mode == (tmp_path / "any").stat().st_mode
    assert ids(read_run(tmp_path / "run.trec")) == {"q": ["b", "a"]}
