import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.errors import OutputError, UsageError
from rearank_cli.records import Run
from rearank_cli.trec import read_run, write_run
from tests.trec.rankings import IDS, RANKINGS, as_run, ids

# Reads one run after another, because importing ranx takes longer than all of them.
_RANX = """
import json, sys
from ranx import Run
for path in sys.stdin:
    run = Run.from_file(path.strip(), kind="trec").to_dict()
    ranked = {q: [str(d) for d in sorted(s, key=s.get, reverse=True)] for q, s in run.items()}
    print(json.dumps(ranked), flush=True)
"""


@pytest.fixture(scope="module")
def read_by_ranx() -> Iterator[Callable[[Path], dict[str, list[str]]]]:
    """How ranx orders a run file, asked in a process of its own: numba's switch is for a whole process."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _RANX],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment,
    ) as ranx:  # fmt: skip

        def read(path: Path) -> dict[str, list[str]]:
            ranx.stdin.write(f"{path}\n")
            ranx.stdin.flush()
            return json.loads(ranx.stdout.readline())

        yield read
        ranx.stdin.close()


def read_by_pytrec_eval(path: Path) -> dict[str, list[str]]:
    with path.open(encoding="utf-8") as file:
        run = pytrec_eval.parse_run(file)
    return {query_id: sorted(scores, key=scores.get, reverse=True) for query_id, scores in run.items()}


@settings(deadline=None)
@given(RANKINGS)
def test_every_reader_finds_the_order_that_was_written(folder, read_by_ranx, rankings):
    path = folder / "run.trec"
    write_run(as_run(rankings), path)
    assert list(ids(read_run(path)).items()) == list(rankings.items())
    assert read_by_pytrec_eval(path) == rankings
    assert read_by_ranx(path) == rankings


def test_a_thousand_documents_keep_their_order_in_every_reader(tmp_path, read_by_ranx):
    rankings = {"q": [f"d{n * 7919 % 1009}" for n in range(1000)]}
    path = tmp_path / "run.trec"
    write_run(as_run(rankings), path)
    for order in ("trec", "rank", "file"):
        assert ids(read_run(path, order)) == rankings
    assert read_by_pytrec_eval(path) == read_by_ranx(path) == rankings


def test_a_run_is_written_to_the_byte(tmp_path):
    path = tmp_path / "run.trec"
    write_run(as_run({"q2": ["b", "ä", "c"], "q1": ["b"]}), path, "mine")
    assert path.read_bytes().decode() == (
        "q2 Q0 b 1 3 mine\n"
        "q2 Q0 ä 2 2 mine\n"
        "q2 Q0 c 3 1 mine\n"
        "q1 Q0 b 1 1 mine\n"
    )  # fmt: skip


def test_standard_output_gets_the_same_bytes_as_a_file(tmp_path):
    path = tmp_path / "run.trec"
    write_run(as_run({"q": ["ä", "b"]}), path, "t")
    program = "from rearank_cli.trec import read_run, write_run; write_run(read_run('-'), '-')"
    done = subprocess.run(
        [sys.executable, "-c", program], input=path.read_bytes(), capture_output=True,
        env=os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert done.stdout == path.read_bytes(), done.stderr


@pytest.mark.parametrize(
    ("run", "tag", "written"),
    [
        (Run(as_run({"q": ["a"]}), "bm25"), None, "bm25"),
        (Run(as_run({"q": ["a"]}), "bm25"), "mine", "mine"),
        (Run(as_run({"q": ["a"]})), None, "rearank"),
        (as_run({"q": ["a"]}), None, "rearank"),
    ],
)
def test_the_tag_is_the_one_given_or_the_runs_own(tmp_path, run, tag, written):
    write_run(run, tmp_path / "run.trec", tag)
    assert read_run(tmp_path / "run.trec").tag == written


@pytest.mark.parametrize("tag", ["", "two words", "tab\tbed", "line\n", "no\u00a0break"])
def test_a_tag_that_breaks_the_format_is_refused(tmp_path, tag):
    with pytest.raises(UsageError, match="is empty or has spaces; give another with --tag"):
        write_run(as_run({"q": ["a"]}), tmp_path / "run.trec", tag)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("tag", ["thirteenchars", "dotted.tag", "Köln"])
def test_a_tag_that_some_tracks_refuse_is_written_with_a_warning(tmp_path, warned, tag):
    write_run(as_run({"q": ["a"]}), tmp_path / "run.trec", tag)
    assert read_run(tmp_path / "run.trec").tag == tag
    [message] = warned()
    assert f"run tag {tag} " in message


def test_a_safe_tag_is_written_without_a_warning(tmp_path, warned):
    write_run(as_run({"q": ["a"]}), tmp_path / "run.trec", "My_run-2")
    assert warned() == []


UNWRITABLE = ["a b", "a\tb", "a\nb", " a", "a ", "no\u00a0break", "a\u2028b", "a\x1cb", ""]


@pytest.mark.parametrize("spaced", UNWRITABLE)
@pytest.mark.parametrize("as_query", [False, True])
def test_ids_with_spaces_are_refused_before_anything_is_written(tmp_path, spaced, as_query):
    rankings = {"q": ["a"], spaced: ["b"]} if as_query else {"q": ["a", spaced]}
    with pytest.raises(OutputError, match="--escape-ids"):
        write_run(as_run(rankings), tmp_path / "run.trec")
    assert not list(tmp_path.iterdir())


def test_escaped_ids_are_percent_encoded_and_percent_signs_with_them(tmp_path):
    path = tmp_path / "run.trec"
    write_run(as_run({"q": ["Memory Management_2.txt", "20%C2%B0", "a\u00a0b"]}), path, "t", escape_ids=True)
    assert ids(read_run(path)) == {"q": ["Memory%20Management_2.txt", "20%25C2%25B0", "a%C2%A0b"]}


@settings(deadline=None)
@given(st.lists(IDS | st.text(" %2\t0\u2028a", min_size=1, max_size=6), min_size=1, unique=True))
def test_escaped_ids_can_be_undone(folder, doc_ids):
    from urllib.parse import unquote

    path = folder / "escaped.trec"
    write_run(as_run({"q": doc_ids}), path, escape_ids=True)
    assert [unquote(doc_id) for doc_id in ids(read_run(path))["q"]] == doc_ids
