"""`rearank retrieve | rearank rerank - | rearank evaluate -`: a whole experiment, through real pipes."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rearank_cli import evaluate

pytestmark = pytest.mark.shared

NFCORPUS = "--dataset beir/nfcorpus/test"


@pytest.fixture(autouse=True)
def _collection(irds_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFCorpus, where ir_datasets finds it, and a cache that these tests share."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(irds_home / "cache"))


def in_a_shell(line: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run a line of bash; `rearank` is this program. The exit statuses of its parts come last on stdout."""
    program = f'set -o pipefail; rearank() {{ "{sys.executable}" -m rearank_cli "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", program + line + '\nstatuses="${PIPESTATUS[@]}"; echo "$statuses"'],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_an_experiment_on_one_line(tmp_path: Path) -> None:
    done = in_a_shell(
        f"rearank retrieve {NFCORPUS} | tee bm25.trec | rearank rerank - {NFCORPUS} --engine lexical "
        f"| tee lexical.trec | rearank evaluate - {NFCORPUS} --format json",
        tmp_path,
    )
    *printed, statuses = done.stdout.splitlines()
    assert statuses == "0 0 0 0 0", done.stderr
    result = json.loads("\n".join(printed))
    assert result["topics"] == 323
    # What BM25 found is all there; the lexical judge only orders it otherwise.
    first, judged = evaluate(
        [tmp_path / "bm25.trec", tmp_path / "lexical.trec"], dataset="beir/nfcorpus/test"
    )
    assert first.means["ndcg@10"] == pytest.approx(0.32, abs=0.01)
    assert judged.means == result["runs"][0]["mean"]
    assert judged.means["ndcg@10"] != first.means["ndcg@10"]
    assert judged.means["recall@100"] == first.means["recall@100"]
    # Every command has said its own, a line at a time.
    said = done.stderr.splitlines()
    assert any(line.startswith("rearank: 308 queries, 21,998 documents") for line in said)
    assert any(re.search("308 queries, 2,?017 calls", line) for line in said)
    assert any("lacks 15 of the 323 judged topics (counted as 0)" in line for line in said)


def test_a_fused_experiment_on_one_line(tmp_path: Path) -> None:
    done = in_a_shell(
        f"rearank retrieve {NFCORPUS} --limit 60 -q > bm25.trec && "
        f"rearank rerank bm25.trec {NFCORPUS} --engine lexical -q -o - | "
        f"rearank fuse bm25.trec - -q | rearank evaluate - {NFCORPUS} -q",
        tmp_path,
    )
    heading, numbers, statuses = done.stdout.splitlines()
    assert statuses == "0 0 0", done.stderr
    assert done.stderr == ""
    assert heading.split()[1] == "ndcg@10"
    # The mean is over all judged topics, and so below 60 of 323.
    assert 0.02 < float(numbers.split()[1]) < 60 / 323


def test_the_last_one_to_leave_ends_the_others_quietly(tmp_path: Path) -> None:
    done = in_a_shell(
        f"rearank retrieve {NFCORPUS} -q | rearank rerank - {NFCORPUS} --engine lexical -q | head -1",
        tmp_path,
    )
    line, statuses = done.stdout.splitlines()
    assert line.startswith("PLAIN-")
    assert statuses == "0 141 0"
    assert done.stderr == ""


def test_the_first_one_to_fail_says_why(tmp_path: Path) -> None:
    done = in_a_shell(
        f"rearank retrieve --dataset beir/nfcorpus/tset | rearank rerank - {NFCORPUS} --engine lexical "
        f"| rearank evaluate - {NFCORPUS}",
        tmp_path,
    )
    assert done.stdout == "3 3 3\n"
    assert "unknown dataset 'beir/nfcorpus/tset'" in done.stderr
    assert "Traceback" not in done.stderr
