"""`rearank merge`: the shards of a run into one."""

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, Overwrite, Quiet, Verbose
from rearank_cli.errors import UsageError
from rearank_cli.trec.streams import STDIN, describe

log = logging.getLogger("rearank")


def merge(
    parts: Annotated[
        list[str],
        typer.Argument(metavar="PART", help="What rearank rerank --shard wrote; - is standard input."),
    ],
    run: Annotated[str, typer.Option(metavar="RUN", help="The run that was reranked in shards.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Where the whole run goes; - is standard output.")
    ],
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The ir_datasets collection whose excluded documents may be missing.",
            autocompletion=completion.judged_datasets,
        ),
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Run tag.", show_default="that of the parts")] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Merge the shards of a run, byte for byte what one job writes. Gaps and overlaps are errors.

    rearank merge run.rearank.*-of-4.trec --run run.trec -o run.rearank.trec
    """
    from rearank_cli.reranking.destinations import check_writable
    from rearank_cli.trec import read_run, write_run
    from rearank_cli.trec.merging import has_own_scores, merge_parts, read_part

    _check_inputs([run, *parts], output)
    check_writable(output, may_exist=overwrite)
    # The order of its documents, and so how its scores are read, does not matter.
    before = read_run(run, "file")
    read = [read_part(part) for part in parts]
    merged = merge_parts(before, read, name=describe(run), tag=tag, excluded=_excluded(dataset))
    write_run(merged, output, tag, own_scores=has_own_scores(merged))
    log.info("wrote %s: %d queries of %d parts", output, len(merged), len(parts))


def _check_inputs(paths: list[str], output: Path) -> None:
    """Raise UsageError for a file that is given twice."""
    if paths.count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    seen: dict[Path, str] = {}
    for path in paths:
        if path != STDIN and seen.setdefault(Path(path).resolve(), path) is not path:
            raise UsageError(f"{path} is given twice")
    if str(output) != STDIN and output.resolve() in seen:
        raise UsageError(f"{output} is one of the inputs; give another name with -o")


def _excluded(dataset: str | None) -> Mapping[str, Collection[str]] | None:
    from rearank_cli.corpus import open_corpus

    return None if dataset is None else open_corpus(dataset=dataset).excluded()
