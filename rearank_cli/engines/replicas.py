"""Several engines that answer as one: each an actor of a Ray cluster."""

from rearank_cli.engines.engine import Engine, Judge
from rearank_cli.engines.models import Wanted
from rearank_cli.errors import EngineError


def check_ray() -> None:
    """Raise EngineError where Ray is not installed."""
    raise EngineError("no replicas yet")


async def start_replicas(name: str, wanted: Wanted, count: int, address: str | None) -> Engine | Judge:
    raise EngineError("no replicas yet")
