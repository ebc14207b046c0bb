"""`rearank example`: a small collection to try everything on."""

from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from rearank_cli.commands.shared import Config, Debug, Quiet, Verbose
from rearank_cli.errors import OutputError


def example(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder to make.")],
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Make a folder with a small collection, its judgments, a run and a configuration.

    rearank example bees && cd bees && rearank rerank run.trec
    """
    import shutil

    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError(f"the folder {folder} is not empty; name a new one")
        with as_file(files("rearank_cli").joinpath("example")) as source:
            for file in sorted(source.iterdir()):
                shutil.copyfile(file, folder / file.name)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be written: {error.strerror}") from error
    typer.echo(f"{folder}: cd there, then: rearank rerank run.trec", err=True)
