"""One collection in a folder of its own: first stage, reranking, evaluation, and what is kept of them."""

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rearank_cli import __version__
from rearank_cli.errors import ExitStatus, OutputError, RearankError, UsageError
from rearank_cli.trec.outputs import open_output
from rearank_cli.trec.streams import open_input
from scripts.reproduction import commands
from scripts.reproduction.asking import DEPTH, Asking, agreed_settings, read_json, write_json
from scripts.reproduction.published import Collection
from scripts.reproduction.scoring import Score, scores, unquote_ids


@dataclass(frozen=True)
class Outcome:
    """What came of a collection.

    `status` is `done`, `kept` (from an earlier attempt), `unavailable` or `failed`; `exit_status` that of
    the command that failed.
    """

    collection: Collection
    status: str
    first_stage: Score | None = None
    reranked: Score | None = None
    remarks: Sequence[str] = ()
    seconds: float | None = None
    exit_status: int = 0


def check_options(asking: Asking, collection: Collection) -> None:
    """Raise UsageError for options that `rearank rerank` refuses, before a first stage has cost its time."""
    # They are read before a run is, and there is no run in this one.
    done = commands.run(
        ["rerank", os.devnull, "--dataset", "any", *asking.reranking(collection), "--dry-run", "-o", "-"]
    )
    if done.status == ExitStatus.USAGE:
        raise UsageError(done.message)


class Attempts:
    """One collection after another; remembers that no engine can be had, so that it is tried once."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._no_engine = ""

    def of(self, collection: Collection) -> Outcome:
        """Do what is left to do for a collection. Raises UsageError for options that rearank refuses."""
        asking, place = self._asking, self._asking.place(collection)
        texts = asking.texts(collection)
        if not texts:
            return Outcome(collection, "unavailable", remarks=[collection.why])
        _make(place)
        settings = agreed_settings(asking, collection)
        if (kept := _kept(place / "result.json", collection)) is not None:
            return kept
        write_json(place / "settings.json", settings)
        begun = time.monotonic()
        problem = self._first_stage(collection, place / "first.trec", texts)
        if problem is not None:
            return problem
        try:
            first = scores(collection, asking, ["first.trec"])[0]
        except RearankError as error:
            return _unavailable(collection, str(error))
        if self._no_engine:
            return Outcome(collection, "unavailable", first, remarks=[self._no_engine])
        done = commands.run(
            [
                *("rerank", str(place / "first.trec"), *texts, *asking.reranking(collection)),
                *("--output", str(place / "reranked.trec"), "--traces", str(place / "traces.jsonl")),
                *("--tag", asking.paper.name, "--resume"),
            ],
            collection.name,
        )
        if done.status not in (ExitStatus.DONE, ExitStatus.UNANSWERED):
            return self._not_reranked(collection, first, done)
        try:
            first, reranked = scores(collection, asking, ["first.trec", "reranked.trec"])
        except RearankError as error:  # --limit and --query may leave nothing that is judged
            return _unavailable(collection, str(error), first)
        seconds = time.monotonic() - begun
        if done.status == ExitStatus.UNANSWERED:
            remark = "too many calls without an answer: the same command asks those again that failed"
            return Outcome(collection, "failed", first, reranked, [remark], seconds, done.status)
        result = {
            "settings": settings,
            "rearank": __version__,
            "first_stage": asdict(first),
            "reranked": asdict(reranked),
            "seconds": round(seconds, 1),
        }
        write_json(place / "result.json", result)  # last: what makes the collection finished
        return Outcome(collection, "done", first, reranked, seconds=seconds)

    def _first_stage(self, collection: Collection, path: Path, texts: Sequence[str]) -> Outcome | None:
        """Put a first-stage run in its place; what came of it, where there is none."""
        asking = self._asking
        given = asking.first_stages.get(collection.name)
        if given is not None:
            with open_input(given) as source, open_output(path) as file:
                shutil.copyfileobj(source, file)
            return None
        if path.exists():
            return None
        escaping = ["--escape-ids"] if asking.escapes(collection) else []
        retrieved = path.with_name("retrieved.trec") if escaping else path
        done = commands.run(
            ["retrieve", *texts, "-k", str(DEPTH), "-o", str(retrieved), "--overwrite", *escaping],
            collection.name,
        )
        if done.status == ExitStatus.INPUT:
            return _unavailable(collection, done.message)
        if done.status != ExitStatus.DONE:
            return _failed(collection, "rearank retrieve", done)
        if retrieved != path:
            with retrieved.open("rb") as source, open_output(path) as file:
                # Texts are looked up by the ids that documents have; a run is read with spaces in them.
                file.writelines(map(unquote_ids, source))
            retrieved.unlink()
        return None

    def _not_reranked(self, collection: Collection, first: Score, done: commands.Outcome) -> Outcome:
        if done.status == ExitStatus.USAGE:
            raise UsageError(done.message)
        if done.status == ExitStatus.INPUT:
            return _unavailable(collection, done.message, first)
        traces = self._asking.place(collection) / "traces.jsonl"
        if done.status == ExitStatus.ENGINE and not _has_calls(traces):
            self._no_engine = f"no engine: see {collection.name}"
            return _unavailable(collection, done.message, first)
        return _failed(collection, "rearank rerank", done, first)


def _kept(path: Path, collection: Collection) -> Outcome | None:
    result = read_json(path)
    if result is None:
        return None
    return Outcome(
        collection,
        "kept",
        Score(**result["first_stage"]),
        Score(**result["reranked"]),
        seconds=result["seconds"],
    )


def _unavailable(collection: Collection, message: str, first: Score | None = None) -> Outcome:
    remark = _few_words(message.removeprefix(f"{collection.dataset}: "))
    return Outcome(collection, "unavailable", first, remarks=[remark])


def _failed(
    collection: Collection, command: str, done: commands.Outcome, first: Score | None = None
) -> Outcome:
    said = _few_words(done.message) if done.message else "it said nothing"
    return Outcome(
        collection,
        "failed",
        first,
        remarks=[f"{command} ended with {done.status}: {said}"],
        exit_status=done.status if done.status > 0 else ExitStatus.BUG,
    )


def _few_words(message: str) -> str:
    """What is wrong, without what to do about it: that was said in full on stderr."""
    return message.partition("; ")[0].partition(". ")[0]


def _has_calls(traces: Path) -> bool:
    if not traces.exists():
        return False
    with traces.open("rb") as file:
        return any(line.startswith(b'{"type":"call"') for line in file)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {error.strerror}") from error
