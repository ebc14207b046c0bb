"""Damaged files: runs, and every other input."""

import os
import random
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from rearank_cli.errors import RearankError
from rearank_cli.families import load_family
from rearank_cli.records import Run
from scripts.fuzzing.cases import expect
from scripts.fuzzing.damage import damaged

Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "rearank_cli" / "example"


@cache
def run_file() -> bytes:
    """Three queries with ten documents each, from the example."""
    lines = (EXAMPLE / "run.trec").read_bytes().splitlines(keepends=True)
    queries = dict.fromkeys(line.split()[0] for line in lines)
    return b"".join(
        line
        for query in list(queries)[:3]
        for line in [line for line in lines if line.split()[0] == query][:10]
    )


@contextmanager
def _file(content: bytes, suffix: str = "") -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix="fuzz-", suffix=suffix)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        yield Path(name)
    finally:
        Path(name).unlink()


def runs(case: int) -> str:
    """Mutate a run, read it in every order, and check it as `rearank check` does."""
    from rearank_cli.trec import read_run
    from rearank_cli.trec.rules import check_run
    from rearank_cli.trec.streams import open_input
    from rearank_cli.trec.tracks import TRACKS

    rng = random.Random(case)
    track = rng.choice([TRACKS["default"], *TRACKS.values()])
    topics = rng.choice([None, ["q1", "q2", "q3", "q99"]])
    with _file(damaged(rng, run_file())) as path:
        readings = {order: _or_error(partial(read_run, path, order)) for order in ("trec", "rank", "file")}
        try:
            with open_input(path) as lines:
                checked = check_run(lines, track, topics)
        except RearankError:
            accepted = False
        else:
            for finding in checked.findings:
                expect(finding.sentence.isprintable(), f"unprintable: {finding}")
            accepted = all(finding.warning for finding in checked.findings)
    read = {order: run for order, run in readings.items() if run is not None}
    expect(("trec" in read) == ("file" in read), "one order can be read, the other not")
    if "file" in read:
        for run in read.values():
            expect(documents(run) == documents(read["file"]), "an order loses or invents documents")
    if accepted:
        expect(len(read) == 3, "accepted, and cannot be read")
        expect(sum(map(len, read["file"].values())) == checked.lines, "accepted, and read otherwise")
    return f"{'accepted' if accepted else 'refused'}, {'read' if 'file' in read else 'not read'}"


def documents(run: Run) -> dict[str, list[str]]:
    return {query_id: sorted(document.doc_id for document in ranking) for query_id, ranking in run.items()}


def _or_error(read: Callable[[], Result]) -> Result | None:
    """What was read; None where an error of ours said why not."""
    try:
        return read()
    except RearankError as error:
        expect(str(error), "an error that says nothing")
        return None


def _traces() -> bytes:
    """What a real job leaves: the traces of one query."""
    from rearank_cli import rerank

    texts = {"docs": EXAMPLE / "docs.jsonl", "queries": EXAMPLE / "queries.tsv"}
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        traces = Path(folder) / "traces.jsonl"
        rerank(
            EXAMPLE / "run.trec",
            **texts,
            engine="lexical",
            traces=traces,
            limit=1,
            depth=4,
            window=2,
            step=1,
        )
        return traces.read_bytes()


def _read_judgments(path: Path) -> None:
    from rearank_cli.trec import read_qrels

    read_qrels(path)


def _read_topics(path: Path) -> None:
    from rearank_cli.corpus.local import read_queries

    read_queries(path, ["q1", "q2"])


def _read_documents(path: Path) -> None:
    from rearank_cli.corpus.local import LocalCorpus

    LocalCorpus(path, path).passages(["bee-001", "bee-002"])


def _read_family(path: Path) -> None:
    family = load_family(path)
    family.read(family.write([1, 0]), 2)


def _read_traces(path: Path) -> None:
    from rearank_cli.traces.journal import Journal, read_traces

    read_traces(path)
    with Journal(path, "resume"):
        pass


@cache
def well_formed_inputs() -> list[tuple[str, bytes, str, Callable[[Path], None]]]:
    """A name, a file that is well-formed, the suffix it needs, and what reads it."""
    families = ROOT / "rearank_cli" / "families"
    documents = (EXAMPLE / "docs.jsonl").read_bytes().splitlines(keepends=True)[:5]
    judgments = (EXAMPLE / "qrels.trec").read_bytes().splitlines(keepends=True)[:10]
    return [
        ("judgments", b"".join(judgments), "", _read_judgments),
        ("topics", (EXAMPLE / "queries.tsv").read_bytes(), "", _read_topics),
        ("documents", b"".join(documents), "", _read_documents),
        ("traces", _traces(), ".jsonl", _read_traces),
        *(
            ("family file", path.read_bytes(), ".toml", _read_family)
            for path in sorted(families.glob("*.toml"))
        ),
    ]


def inputs(case: int) -> str:
    """Mutate another kind of input, and read it."""
    rng = random.Random(case)
    name, content, suffix, read = rng.choice(well_formed_inputs())
    with _file(damaged(rng, content), suffix) as path:
        try:
            read(path)
        except RearankError:
            return f"{name} refused"
    return f"{name} read"
