"""Where outputs go: names made from the run's, and nothing overwritten unasked."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rearank_cli.errors import OutputError, UsageError
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.shards import Shard, parse_shard
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN, without_compression_suffix

_RUN_SUFFIXES = frozenset({".trec", ".txt", ".run", ".tsv", ".res"})
_TRACE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".json"})


@dataclass(frozen=True)
class Destination:
    """Where one run's output and traces go; None where they are not kept.

    `makes_folder` allows their folders to be made, as for several runs.
    """

    output: Path | None
    traces: Path | None
    makes_folder: bool = False

    def check(self, options: RerankOptions) -> None:
        """Raise UsageError where a file may not be replaced, OutputError where none can be made."""
        if self.output and self.output == self.traces:
            raise UsageError(f"the run and its traces would both be written to {self.output}; name two files")
        if self.traces and str(self.traces) == STDOUT:
            raise UsageError("traces go to a file, not to standard output; name one with --traces")
        if self.traces and without_compression_suffix(self.traces) != self.traces:
            raise UsageError(
                f"traces are written line by line, and not compressed: {self.traces} is no name for them"
            )
        replays = options.engine == "replay"
        may_exist = options.overwrite or (options.resume and not replays)
        for path in (self.output,) if replays else (self.output, self.traces):
            if path is not None:
                go_on = "" if replays else "--resume to go on with what its traces hold, "
                check_writable(path, may_exist=may_exist, makes_folder=self.makes_folder, go_on=go_on)

    def of_shard(self, shard: Shard) -> "Destination":
        """The same place for one shard of the run; what is no file, such as a pipe, keeps its name."""
        output, traces = (
            path if path is None or _is_stream(path) else shard.name(path, _RUN_SUFFIXES | _TRACE_SUFFIXES)
            for path in (self.output, self.traces)
        )
        return replace(self, output=output, traces=traces)

    def make_folders(self) -> None:
        """Make the folders that several runs go to. Raises OutputError."""
        for path in (self.output, self.traces):
            if path and self.makes_folder:
                try:
                    path.parent.mkdir(parents=True, exist_ok=True)
                except OSError as error:
                    raise OutputError(f"the folder {path.parent} cannot be made: {error.strerror}") from error


def check_writable(path: Path, *, may_exist: bool, makes_folder: bool = False, go_on: str = "") -> None:
    """Raise UsageError where a file may not be replaced, OutputError where none can be made.

    `go_on` is what else there is to do about one that exists, for the message.
    """
    if str(path) == STDOUT:
        return
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it")
    folder = _existing(path.parent)
    if not folder.is_dir() or (folder != path.parent and not makes_folder):
        raise OutputError(f"the folder {path.parent} for {path.name} does not exist; make it first")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"the folder {folder} for {path.name} cannot be written to")
    if path.is_file() and not may_exist:
        raise UsageError(
            f"{path} exists already; give {go_on}--overwrite to replace it, or another name with -o"
        )


def destinations(
    runs: Sequence[str | Path],
    output: Path | None,
    traces: Path | None,
    *,
    replay: bool = False,
    shard: str | None = None,
) -> list[Destination]:
    """Where the outputs of `rearank rerank RUN...` go.

    One run: `output` and `traces` are files (or folders that exist); several: they are folders, and
    made where they are not there. A replay reads the traces that a job without `output` would write.
    The files of a `shard` (I/N; one that is not changes nothing here) have its name.
    Raises UsageError where two runs would go to one file.
    """
    part = parse_shard(shard) if shard else None
    if len(runs) == 1 and str(output or runs[0]) == STDOUT and not (output and output.is_dir()):
        place = Destination(Path(STDOUT), traces)
        return [place.of_shard(part) if part else place]
    found = [_destination(run, output, traces, several=len(runs) > 1) for run in runs]
    if replay and traces is None and len(runs) == 1:
        found = [replace(found[0], traces=_destination(runs[0], None, None, several=False).traces)]
    if part:
        found = [place.of_shard(part) for place in found]
    for run, destination in zip(runs, found, strict=True):
        for path in (destination.output, destination.traces):
            if path and path.exists() and Path(run).exists() and path.samefile(run):
                raise UsageError(f"{path} is the run to be reranked; give another name with -o")
    seen: dict[Path | None, str | Path] = {}
    for run, destination in zip(runs, found, strict=True):
        if destination.output in seen:
            raise UsageError(
                f"{seen[destination.output]} and {run} would both be written to {destination.output}; "
                "rerank them one by one"
            )
        seen[destination.output] = run
    return found


def _is_stream(path: Path) -> bool:
    return str(path) == STDOUT or (path.exists() and not path.is_file())


def _existing(folder: Path) -> Path:
    """The nearest folder that is there."""
    return next((parent for parent in (folder, *folder.parents) if parent.exists()), folder)


def _destination(run: str | Path, output: Path | None, traces: Path | None, *, several: bool) -> Destination:
    if several and (str(run) == STDIN or str(output) == STDOUT):
        raise UsageError("standard input and output are for one run at a time; name files and a folder")
    if several and output and not output.is_dir() and output.suffix in _RUN_SUFFIXES:
        raise UsageError(f"several runs go to a folder, and {output} is the name of a file; give -o FOLDER/")
    name = f"{_bare_name(run)}.rearank.trec"
    if output is None:
        output = Path(name)
    elif several or output.is_dir():
        output = output / name
    beside = without_compression_suffix(output)
    default = (
        beside.with_suffix(".jsonl")
        if beside.suffix in _RUN_SUFFIXES
        else beside.with_name(f"{beside.name}.jsonl")
    )
    if traces is None:
        # Beside a pipe or a device there is no place for a file.
        traces = default if output.is_file() or not output.exists() else None
    elif several or traces.is_dir():
        traces = traces / default.name
    return Destination(output, traces, makes_folder=several)


def _bare_name(run: str | Path) -> str:
    path = without_compression_suffix(run)
    return path.stem if path.suffix in _RUN_SUFFIXES else path.name
