"""Which run a trace file is of: the one that was named, or the file of its name nearby, by its SHA-256."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Run
from rearank_cli.reranking.assignments import choose
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.trec import read_run
from rearank_cli.trec.runs import Order
from rearank_cli.trec.streams import STDIN, describe

Attempt = Mapping[str, Any]


def find_runs(
    traces: Sequence[str], attempts: Sequence[Attempt], given: Sequence[str], order: Order
) -> list[Path | Run | None]:
    """The run of each trace file, of which `attempts` has the last attempt; None where it is not at hand.

    Runs that were `given` are told apart by what is in them. Without any, a file of the run's name is
    looked for beside the traces, and in the current folder. Raises UsageError for a run that was given
    and is that of no trace file, InputError where a file of the name is another run.
    """
    if not given:
        return [_nearby(path, attempt) for path, attempt in zip(traces, attempts, strict=True)]
    wanted = {attempt["run_sha256"] for attempt in attempts}
    runs: dict[str, Path | Run] = {}
    for path in given:
        found = _identify(path, wanted, order)
        if not found:
            names = ", ".join(dict.fromkeys(describe(name) for name in traces))
            raise UsageError(
                f"{describe(path)} is not the run that {names} {'is' if len(traces) == 1 else 'are'} of: "
                "its SHA-256 is another one; give the file that was reranked"
            )
        runs |= found
    return [runs.get(attempt["run_sha256"]) for attempt in attempts]


def _nearby(traces: str, attempt: Attempt) -> Path | None:
    # What was piped or came from Python has a name, but no file.
    name = Path(attempt["run"]).name
    folders = [Path.cwd()] if traces == STDIN else [Path(traces).parent, Path.cwd()]
    files = [folder / name for folder in folders if name and (folder / name).is_file()]
    for file in files:
        if _sha256(file) == attempt["run_sha256"]:
            return file
    if files:
        raise InputError(
            f"{files[0]} has the name of the run that {describe(traces)} is of, and is another one "
            "(by its SHA-256); name the file that was reranked with --run"
        )
    return None


def _identify(path: str, wanted: set[str], order: Order) -> dict[str, Path | Run]:
    """The digests among those wanted that are a run's, and what it takes to read it again."""
    found: dict[str, Path | Run] = {}
    if path != STDIN and (digest := _sha256(Path(path))) in wanted:
        found[digest] = Path(path)
    if wanted - found.keys():
        # It may have been piped, and have come from no file: then its rankings identify it.
        run = read_run(path, order)
        if (digest := _digest(run)) in wanted:
            found[digest] = run
    return found


def _digest(run: Run) -> str:
    return choose([run], [Destination(None, None)], RerankOptions(escape_ids=True))[0].digest


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"the run {file} cannot be read: {error.strerror}") from None
