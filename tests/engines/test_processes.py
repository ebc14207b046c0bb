"""What a killed attempt left running is found, whatever it calls itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from rearank_cli.engines.processes import end_orphans, marked

_SLEEP = "print('begun', flush=True); import time; time.sleep(600)"
_TITLED = f"import setproctitle; setproctitle.setproctitle('VLLM::EngineCore'); {_SLEEP}"


@pytest.mark.parametrize("program", [_SLEEP, _TITLED], ids=["plain", "titled"])
def test_what_was_started_for_these_traces_is_ended(program: str, tmp_path: Path) -> None:
    if "setproctitle" in program:
        pytest.importorskip("setproctitle")
    ours, others = tmp_path / "ours.jsonl", tmp_path / "others.jsonl"
    with marked([ours]):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        assert end_orphans([others]) == 0
        assert process.poll() is None
        assert end_orphans([ours]) == 1
        assert process.wait(timeout=60) < 0
    finally:
        process.kill()
        process.communicate()
