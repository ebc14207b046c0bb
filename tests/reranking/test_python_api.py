"""`rearank_cli.rerank`: what goes in, what comes back, and what is left on the disk."""

import asyncio
import gzip
import inspect
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import typer

from rearank_cli import evaluate, rerank
from rearank_cli.commands import app
from rearank_cli.errors import InputError, OutputError, UsageError
from rearank_cli.records import Passage, Run, ScoredDoc
from rearank_cli.reranking.arguments import OPTIONS
from rearank_cli.trec import read_run
from tests.end_to_end.conftest import with_default_signals
from tests.jobs import wait_until
from tests.reranking.collection import ids, numbered
from tests.reranking.engines import BestLast, Scripted, at_random

ROOT = Path(__file__).parents[2]
COMMANDS = typer.main.get_command(app).commands
# Of the command alone: its inputs, and what is said and shown, which Python returns.
OF_THE_COMMAND = {"runs", "quiet", "verbose", "debug", "config"}


def test_nothing_is_written_where_nothing_was_asked_for(two_queries, monkeypatch):
    monkeypatch.chdir(two_queries.folder)
    before = sorted(two_queries.folder.rglob("*"))
    two_queries.rerank(Scripted())
    assert sorted(two_queries.folder.rglob("*")) == before


def test_traces_alone_or_output_alone_can_be_asked_for(two_queries):
    two_queries.rerank(Scripted(), traces=two_queries.traces)
    assert not two_queries.output.exists()
    two_queries.traces.unlink()
    two_queries.rerank(Scripted(), output=str(two_queries.output))
    assert two_queries.output.exists()
    assert not two_queries.traces.exists()


def test_what_is_returned_is_what_is_written(two_queries):
    options = {"docs": two_queries.docs, "queries": str(two_queries.queries), "engine": Scripted(at_random)}
    after = rerank(str(two_queries.run), output=two_queries.output, tag="mine", **options)
    written = read_run(two_queries.output)
    assert ids(after) == ids(written)
    assert after.tag == written.tag == "mine"
    assert two_queries.output.read_text().splitlines()[0].endswith(" 1 7 mine")


def test_output_is_compressed_as_its_suffix_says(two_queries):
    after = two_queries.rerank(Scripted(), output=two_queries.folder / "out.trec.gz")
    assert gzip.decompress((two_queries.folder / "out.trec.gz").read_bytes()).startswith(
        b"q1 Q0 d006 1 7 rearank\n"
    )
    assert ids(read_run(two_queries.folder / "out.trec.gz")) == after


@pytest.mark.parametrize("kind", [dict, Run])
def test_a_run_can_be_given_as_rankings_in_their_order(two_queries, kind):
    # Scores do not decide: a ranking in Python is in its order already.
    rankings = kind({"q2": [ScoredDoc("d001", 1.0), ScoredDoc("d002", 2.0)]})
    engine = Scripted()
    after = rerank(rankings, docs=two_queries.docs, queries=two_queries.queries, engine=engine)
    assert engine.windows == [("d001", "d002")]
    assert ids(after) == {"q2": ["d002", "d001"]}
    assert ids(rankings) == {"q2": ["d001", "d002"]}


async def test_rerank_can_be_called_where_an_event_loop_is_running(two_queries):
    assert asyncio.get_running_loop().is_running()
    assert two_queries.rerank(Scripted()) == {"q1": numbered(7)[::-1], "q2": numbered(7)[::-1]}


async def test_errors_come_through_a_running_event_loop(two_queries):
    with pytest.raises(InputError, match=r"nowhere\.trec: no such file"):
        rerank("nowhere.trec", docs=two_queries.docs, queries=two_queries.queries, engine=Scripted())


def test_one_engine_can_be_used_for_one_run_after_another(two_queries):
    engine = Scripted()
    assert two_queries.rerank(engine) == two_queries.rerank(engine)
    assert len(engine.asked) == 4


def test_an_existing_output_is_refused_unless_it_may_be_overwritten(two_queries):
    two_queries.output.write_text("precious\n")
    engine = Scripted()
    with pytest.raises(UsageError, match=r"out\.trec exists already; .*--overwrite"):
        two_queries.rerank(engine, output=two_queries.output)
    assert engine.asked == []
    assert two_queries.output.read_text() == "precious\n"
    after = two_queries.rerank(engine, output=two_queries.output, overwrite=True)
    assert ids(read_run(two_queries.output)) == after


def test_a_folder_that_does_not_exist_is_an_error_before_anything_is_asked(two_queries):
    engine = Scripted()
    for name in ("output", "traces"):
        with pytest.raises(OutputError, match="does not exist; make it first"):
            two_queries.rerank(engine, **{name: two_queries.folder / "no" / "file"})
    assert engine.asked == []


def test_ids_with_spaces_go_through_where_they_may_be_escaped(collect):
    collection = collect({"q1": ["a b", "c%d"]})
    assert collection.rerank(Scripted(), output=collection.output, escape_ids=True) == {"q1": ["c%d", "a b"]}
    assert collection.output.read_text() == "q1 Q0 c%25d 1 2 rearank\nq1 Q0 a%20b 2 1 rearank\n"


def test_ids_that_cannot_be_written_are_refused_before_anything_is_asked(collect):
    collection = collect({"q1": ["a b", "c"]})
    engine = Scripted()
    with pytest.raises(OutputError, match="--escape-ids"):
        collection.rerank(engine, output=collection.output)
    assert engine.asked == []


def test_a_tag_that_breaks_the_format_is_refused_before_anything_is_asked(two_queries):
    engine = Scripted()
    with pytest.raises(UsageError, match="the run tag 'two words'"):
        two_queries.rerank(engine, output=two_queries.output, tag="two words")
    assert engine.asked == []


def words(command):
    """The options of a command in Python's spelling."""
    options = {
        name.removeprefix("--").replace("-", "_")
        for parameter in COMMANDS[command].params
        if parameter.param_type_name == "option"
        for name in parameter.opts
        if name.startswith("--")
    }
    return options - OF_THE_COMMAND


def test_rerank_has_the_options_of_the_command():
    # Judgments are for evaluate().
    assert words("rerank") - {"dry_run", "qrels"} == OPTIONS


def test_evaluate_has_the_options_of_the_command():
    # Of several measures and not of one; how numbers are shown is up to the caller.
    of_the_command = words("evaluate") - {"measure", "format", "per_query"} | {"runs", "measures"}
    assert {*inspect.signature(evaluate).parameters} == of_the_command


def test_the_example_of_the_readme_does_what_it_says(rearank_example, monkeypatch, capsys):
    monkeypatch.chdir(rearank_example)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("## From Python\n")[2].partition("\n## ")[0]
    programs = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    exec(programs[0], {})
    assert capsys.readouterr().out.startswith("bee-")


@pytest.fixture
def rearank_example(tmp_path):
    for file in (ROOT / "rearank_cli" / "example").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def test_texts_can_be_in_memory(two_queries):
    judge = BestLast()
    docs = {"d1": "text", "d2": Passage("another id", "text", title="T"), "d9": "of no query"}
    after = rerank({"q": [("d1", 2), ("d2", 1.5)]}, docs=docs, queries={"q": "what"}, engine=judge)
    assert ids(after) == {"q": ["d2", "d1"]}
    [(query, passages, _)] = judge.seen
    assert query == ("q", "what")
    assert passages == [Passage("d1", "text", None, 2.0), Passage("d2", "text", "T", 1.5)]


@pytest.mark.parametrize("source", ["docs", "folder", "dataset"])
def test_queries_in_memory_go_with_documents_from_anywhere(two_queries, irds_home, source):
    folder = two_queries.folder / "beir"
    folder.mkdir()
    (folder / "corpus.jsonl").write_bytes(two_queries.docs.read_bytes())
    places = {
        "docs": {"docs": two_queries.docs},
        "folder": {"docs": str(folder)},
        "dataset": {"dataset": "beir/nfcorpus/test"},
    }
    doc_ids = ["MED-10", "MED-14"] if source == "dataset" else ["d001", "d002"]
    judge = BestLast()
    run = {"mine": [(doc_id, 1) for doc_id in doc_ids]}
    after = rerank(run, queries={"mine": "my own words"}, engine=judge, **places[source])
    assert ids(after) == {"mine": doc_ids[::-1]}
    assert judge.seen[0][0] == ("mine", "my own words")


def test_texts_that_are_not_in_memory_are_missed_like_others(two_queries):
    run = {"q": [("d1", 3), ("d2", 2), ("d3", 1)]}
    options = {"docs": {"d1": "a", "d3": "c"}, "queries": {"q": "what"}, "engine": BestLast()}
    with pytest.raises(InputError, match="documents: d2 of the run is not in the 2 docs given"):
        rerank(run, **options)
    assert ids(rerank(run, missing="skip", **options)) == {"q": ["d3", "d2", "d1"]}


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        (7, UsageError, "rankings by query: {query_id: [(doc_id, score), ...]}; this is of type int"),
        ([("d1", 1.0)], UsageError, "this is of type list"),
        ({1: [("d1", 1.0)]}, InputError, "the query id 1 is of type int; ids are always str"),
        ({"q": [(1, 1.0)]}, InputError, "the document id 1 is of type int; ids are always str"),
        ({"q": {"d1": 1.0}}, InputError, "the best first, and not of type dict"),
        ({"q": ["d1"]}, InputError, "the best first, and 'd1' is none"),
        ({"q": [("d1", 1.0, "x")]}, InputError, "and ('d1', 1.0, 'x') is none"),
        ({"q": [("d1", "high")]}, InputError, "the score of 'd1' is 'high', no finite number"),
        ({"q": [("d1", float("inf"))]}, InputError, "the score of 'd1' is inf, no finite number"),
        ({"q": [("d1", 2), ("d1", 1)]}, InputError, "query 'q': document 'd1' is in its ranking twice"),
    ],
)
def test_what_is_no_run_is_told_in_a_sentence(run, error, message):
    with pytest.raises(error) as raised:
        rerank(run, docs={"d1": "a"}, queries={"q": "what"}, engine=BestLast())
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": "20"}, "window is '20', and must be a whole number"),
        (
            {"window": 2.5, "top_p": "x"},
            "top_p is 'x', and must be a number; window is 2.5, and must be a whole",
        ),
        ({"seed": True}, "seed is True, and must be a whole number"),
        ({"resume": "yes"}, "resume is 'yes', and must be True or False"),
        ({"tag": 3}, "tag is 3, and must be a str"),
        ({"output": 3}, "output is 3, and must be a path"),
        ({"docs": ["a"]}, "docs is ['a'], and must be a path or a mapping"),
        ({"set": "cut=3"}, "set is 'cut=3', and must be a mapping"),
        ({"query": [1, 2]}, "query is [1, 2], and must be a list of query ids, each a str"),
        ({"missing": "keep"}, "--missing is keep, and is one of error, skip"),
        ({"settings": {}}, "rerank() has no option settings"),
    ],
)
def test_an_option_of_the_wrong_type_is_told_in_a_sentence(two_queries, options, message):
    texts = {"docs": two_queries.docs, "queries": two_queries.queries}
    with pytest.raises(UsageError) as raised:
        rerank(two_queries.run, **{**texts, "engine": BestLast(), **options})
    assert message in str(raised.value)


def test_an_option_that_is_none_is_as_if_it_were_not_given(two_queries):
    everything = dict.fromkeys(OPTIONS - {"docs", "queries", "engine"})
    assert two_queries.rerank(Scripted(), **everything) == two_queries.rerank(Scripted())


def test_a_shard_is_written_where_the_program_says(two_queries):
    # On the command line, where one name serves all tasks of an array, it gets the shard's mark.
    after = two_queries.rerank(Scripted(), shard="2/2", output=two_queries.output, traces=two_queries.traces)
    assert ids(read_run(two_queries.output)) == after == {"q2": numbered(7)[::-1]}
    assert {call["query_id"] for call in two_queries.calls()} == {"q2"}


SLOW = """
import asyncio, signal
from pathlib import Path
from rearank_cli import rerank
from rearank_cli.errors import StoppedByUserError
from rearank_cli.records import Completion
from rearank_cli.families import load_family

async def until_told():
    Path("third").touch()
    while not Path("go").exists():
        await asyncio.sleep(0.01)

class Slow:
    asked = 0
    async def complete(self, prompt, sampling):
        self.asked += 1
        if self.asked > 2:
            {wait}
        return load_family("rearank").write(range(len(prompt.doc_ids))[::-1])

async def cell():
    slow = Slow()
    try:
        print("begun", flush=True)
        rerank("bm25.trec", docs="docs.jsonl", queries="queries.tsv", engine=slow, window=4, step=2,
               in_flight=1, traces="traces.jsonl", {options})
        print("done after", slow.asked)
    except StoppedByUserError as error:
        print("stopped:", error, "after", slow.asked)

# As IPython runs a cell: its handler of Ctrl-C is Python's own, and the loop goes on afterwards.
signal.signal(signal.SIGINT, signal.default_int_handler)
loop = asyncio.new_event_loop()
loop.run_until_complete(cell())
loop.run_until_complete(asyncio.sleep(0))
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


def interrupted(folder, program, *, again=False):
    """What a program prints that is interrupted while it waits for its third call.

    When it has said so, it is interrupted again, or the call is answered.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=with_default_signals,  # noqa: PLW1509  # no threads here
    )
    end = threading.Timer(60, process.kill)
    end.start()
    try:
        wait_until(lambda: process.poll() is not None or (folder / "third").exists())
        process.send_signal(signal.SIGINT)
        said = ""
        for line in process.stderr:
            said += line
            if "interrupt again to stop at once" in line:
                break
        if again:
            process.send_signal(signal.SIGINT)
        else:
            (folder / "go").touch()
        printed, rest = process.communicate()
    finally:
        end.cancel()
        process.kill()
    assert process.returncode == 0, said + rest
    assert "interrupt again to stop at once" in said
    return printed


@pytest.mark.parametrize("runner", ["ipython", "asyncio"])
def test_ctrl_c_stops_a_job_in_a_notebook_and_it_can_be_resumed(two_queries, runner):
    program = SLOW.format(wait="await until_told()", options="")
    if runner == "asyncio":
        program = program.partition("# As IPython")[0] + "asyncio.run(cell())\n"
    printed = interrupted(two_queries.folder, program)
    assert printed.startswith("begun\nstopped: interrupted")
    assert len(two_queries.calls()) == 3
    assert all(call["status"] == "ok" for call in two_queries.calls())
    again = [sys.executable, "-c", SLOW.format(wait="pass", options="resume=True")]
    done = subprocess.run(again, cwd=two_queries.folder, capture_output=True, text=True)
    assert done.stdout == "begun\ndone after 3\n", done.stderr


def test_a_second_ctrl_c_does_not_wait_for_requests_in_flight(two_queries):
    # Politely it would take hours: that it ends at all is the proof.
    program = SLOW.format(wait="await until_told()", options="grace=10_000")
    assert "stopped: interrupted" in interrupted(two_queries.folder, program, again=True)
    assert len(two_queries.calls()) == 2
