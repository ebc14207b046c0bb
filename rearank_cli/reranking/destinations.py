"""Where outputs go: names made from the run's, and nothing overwritten unasked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rearank_cli.errors import OutputError, UsageError
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN, without_compression_suffix

_RUN_SUFFIXES = {".trec", ".txt", ".run", ".tsv", ".res"}


@dataclass(frozen=True)
class Destination:
    """Where one run's output and traces go; None where they are not kept."""

    output: Path | None
    traces: Path | None

    def check(self, options: RerankOptions) -> None:
        """Raise UsageError where a file is there already, OutputError where the folder for it is not."""
        if self.output and self.output == self.traces:
            raise UsageError(f"the run and its traces would both be written to {self.output}; name two files")
        may_exist = options.overwrite or options.resume
        for path in (self.output,) if options.engine == "replay" else (self.output, self.traces):
            if path is None or str(path) == STDOUT:
                continue
            if not path.parent.is_dir():
                raise OutputError(f"the folder {path.parent} for {path.name} does not exist; make it first")
            if path.is_file() and not may_exist:
                raise UsageError(
                    f"{path} exists already; give --resume to go on with what its traces hold, "
                    "--overwrite to replace it, or another name with -o"
                )


def destinations(runs: Sequence[str | Path], output: Path | None, traces: Path | None) -> list[Destination]:
    """Where the outputs of `rearank rerank RUN...` go.

    One run: `output` and `traces` are files (or folders that exist); several: they are folders, and
    made where they are not there.
    Raises UsageError where two runs would go to one file.
    """
    if len(runs) == 1 and str(output or runs[0]) == STDOUT and not (output and output.is_dir()):
        return [Destination(Path(STDOUT), traces)]
    if len(runs) > 1:
        _make_folders(output, traces)
    found = [_destination(run, output, traces, several=len(runs) > 1) for run in runs]
    seen: dict[Path | None, str | Path] = {}
    for run, destination in zip(runs, found, strict=True):
        if destination.output in seen:
            raise UsageError(
                f"{seen[destination.output]} and {run} would both be written to {destination.output}; "
                "rerank them one by one"
            )
        seen[destination.output] = run
    return found


def _make_folders(*folders: Path | None) -> None:
    for folder in folders:
        try:
            if folder and str(folder) != STDOUT:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"the folder {folder} cannot be made: {error.strerror}") from error


def _destination(run: str | Path, output: Path | None, traces: Path | None, *, several: bool) -> Destination:
    if several and (str(run) == STDIN or str(output) == STDOUT):
        raise UsageError("standard input and output are for one run at a time; name files and a folder")
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
        traces = default
    elif several or traces.is_dir():
        traces = traces / default.name
    return Destination(output, traces)


def _bare_name(run: str | Path) -> str:
    path = without_compression_suffix(run)
    return path.stem if path.suffix in _RUN_SUFFIXES else path.name
