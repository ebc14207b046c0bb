"""What answers a prompt, or orders a window without one."""

from collections.abc import Mapping

from rearank_cli.engines.engine import Engine, Judge
from rearank_cli.engines.lexical import LexicalJudge
from rearank_cli.errors import UsageError

__all__ = ["ENGINES", "Engine", "Judge", "LexicalJudge", "check_engine", "start_engine"]

ENGINES = ("vllm", "lexical")


def check_engine(name: str) -> None:
    """Raise EngineError at once where an engine could never start, before inputs are read."""
    if name == "vllm":
        from rearank_cli.engines.vllm import check_installed

        check_installed()


async def start_engine(
    name: str, model: str, *, revision: str | None = None, engine_args: Mapping[str, str] | None = None
) -> Engine | Judge:
    """The engine of that name, ready to answer. Raises EngineError or UsageError."""
    if name == "lexical":
        return LexicalJudge()
    if name == "vllm":
        from rearank_cli.engines.vllm import VllmEngine

        return await VllmEngine.start(model, revision=revision, engine_args=engine_args)
    raise UsageError(f"unknown engine '{name}'; it is one of {', '.join(ENGINES)}")
