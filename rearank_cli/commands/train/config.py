"""`rearank train config`: what starts a training."""

import logging
from pathlib import Path
from typing import Annotated, Literal

import typer

from rearank_cli.commands.shared import Config, Debug, Quiet, Verbose
from rearank_cli.errors import InputError, UsageError

log = logging.getLogger("rearank")


def configure(
    trainer: Annotated[Literal["verl", "trl"], typer.Argument(metavar="TRAINER", help="verl or trl.")],
    training_data: Annotated[
        Path, typer.Option("--data", metavar="PATH", help="What rearank train data wrote.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the files go.")
    ] = Path("training"),
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME", help="What is trained.", show_default="the paper's"),
    ] = None,
    recipe: Annotated[
        Literal["rearank", "reasonrank"],
        typer.Option(
            metavar="NAME", help="The paper whose settings and reward they are: rearank, reasonrank."
        ),
    ] = "rearank",
    validation: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Rows to validate on, for verl; made like the data.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs of each machine.")] = 8,
    nodes: Annotated[int, typer.Option(min=1, help="Machines.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Write what starts a training with verl or TRL: the papers' settings, the data and the reward in them.

    rearank train config verl --data train.parquet -o training
    """
    from rearank_cli.training.launching import Launch, write_launch

    for path in (training_data, validation):
        if path is not None and not path.is_file():
            raise InputError(f"{path}: no such file; make it with: rearank train data RUN -o {path}")
    if validation is not None and trainer == "trl":
        raise UsageError("--validation is for verl; TRL's script validates on nothing")
    launch = Launch(output, training_data, validation, recipe, model, gpus, nodes)
    paths = write_launch(trainer, launch, overwrite=overwrite)
    log.info("wrote %s", ", ".join(map(str, paths)))
    log.info("start it with: %s", output / "train.sh")
