"""A server that speaks OpenAI's protocol."""

from rearank_cli.engines.models import Wanted
from rearank_cli.errors import EngineError
from rearank_cli.records import Completion, Prompt, Sampling


def check_client(wanted: Wanted) -> None:
    """Raise EngineError where there is no client, or no server is named."""
    raise EngineError("this version of rearank has no engine openai yet; give --engine vllm or lexical")


class Server:
    """Answers prompts through a server."""

    name = "openai"

    @classmethod
    async def start(cls, wanted: Wanted) -> "Server":
        raise EngineError("no engine openai yet")

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        raise NotImplementedError
