"""`rearank train`: training data, rewards and launch files, for those who train rerankers."""

import typer

from rearank_cli.commands.help import Command, Group, help_of
from rearank_cli.commands.train.config import configure
from rearank_cli.commands.train.data import data
from rearank_cli.commands.train.reward import reward

train = typer.Typer(name="train", cls=Group, no_args_is_help=True)


def of_models() -> None:
    """Train rerankers with verl or TRL: their data, their rewards, and what starts them.

    rearank train data bm25.trec --qrels qrels.trec && rearank train config verl --data train.parquet
    """


train.callback(help=help_of(of_models))(of_models)
for name, command in (("data", data), ("reward", reward), ("config", configure)):
    train.command(name, cls=Command, help=help_of(command))(command)
