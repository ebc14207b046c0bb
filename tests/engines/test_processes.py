"""What killed attempts left running is found, whatever it calls itself, and nothing else is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rearank_cli.engines.processes import end_marked, end_orphans, marked
from tests.jobs import wait_until

SLEEP = "print('begun', flush=True); import time; time.sleep(600)"
TITLED = f"import setproctitle; setproctitle.setproctitle('VLLM::EngineCore'); {SLEEP}"
# It starts another one, says which, and waits until it is told to end.
STARTER = f"""
import subprocess, sys
from rearank_cli.engines.processes import marked
with marked():
    child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


@contextmanager
def running(program: str) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def first_line(process: "subprocess.Popen[bytes]") -> bytes:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("program", [SLEEP, TITLED], ids=["plain", "titled"])
def test_what_was_started_for_these_traces_is_ended(program: str, tmp_path: Path) -> None:
    if "setproctitle" in program:
        pytest.importorskip("setproctitle")
    ours, others = tmp_path / "ours.jsonl", tmp_path / "others.jsonl"
    ours.touch()
    others.touch()
    with marked([ours]), running(program) as process:
        assert first_line(process) == b"begun"
        end_orphans([others])
        assert process.poll() is None
        end_orphans([ours])
        assert process.wait(timeout=60) < 0


def test_a_mark_ends_what_was_started_with_it_and_nothing_else() -> None:
    with marked() as first, running(SLEEP) as one:
        assert first_line(one) == b"begun"
        with marked() as second, running(SLEEP) as other:
            assert first_line(other) == b"begun"
            end_marked(first)
            assert one.wait(timeout=60) < 0
            assert other.poll() is None
            end_marked(second)
            assert other.wait(timeout=60) < 0


@pytest.mark.parametrize("reaped", [True, False], ids=["reaped", "zombie"])
def test_what_a_process_left_behind_is_ended_when_that_is_no_more(reaped: bool) -> None:
    with running(STARTER) as starter:
        child = int(first_line(starter))
        # Other tests' jobs are killed, and ended by others' starts, meanwhile: only this one is looked at.
        end_orphans([])
        assert is_alive(child), "its starter lives"
        starter.kill()
        if reaped:
            starter.wait(timeout=60)
        else:
            stat = Path(f"/proc/{starter.pid}/stat")
            wait_until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "Z")
        end_orphans([])
        wait_until(lambda: not is_alive(child))


def is_alive(process: int) -> bool:
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False


def test_the_environment_is_what_it_was_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPT_NOENV", "0")
    before = dict(os.environ)
    with marked():
        assert os.environ["SPT_NOENV"] == "1"
    assert dict(os.environ) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make a namespace of mounts")
def test_another_file_of_the_same_path_is_not_meant(tmp_path: Path) -> None:
    """As in two containers that have each their own /data."""
    for name in ("data", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.jsonl").touch()
    traces = tmp_path / "data" / "run.jsonl"
    inside = f'mount --bind {tmp_path}/other {tmp_path}/data && exec {sys.executable} -c "{SLEEP}"'
    with marked([traces]):
        process = subprocess.Popen(["unshare", "-m", "sh", "-c", inside], stdout=subprocess.PIPE)
    try:
        if first_line(process) != b"begun":
            pytest.skip("no namespace of mounts can be made here")
        end_orphans([traces])
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()
