"""A server that speaks OpenAI's protocol: OpenAI's own, vLLM's, or any other."""

import logging
from dataclasses import replace

from rearank_cli.engines.models import Wanted
from rearank_cli.engines.openai.abilities import Abilities
from rearank_cli.engines.openai.connection import Connection, RequestError, check_address
from rearank_cli.engines.openai.replies import failed, read_reply
from rearank_cli.engines.openai.served import Served, find_served
from rearank_cli.engines.openai.shared_tokenizer import find_tokenizer
from rearank_cli.engines.openai.wire import CHAT, Body, Wire
from rearank_cli.errors import UsageError
from rearank_cli.records import Completion, Prompt, Sampling

log = logging.getLogger("rearank")


def check_client(wanted: Wanted) -> None:
    """Raise EngineError where there is no client, server or key; UsageError for what no server takes."""
    for key in wanted.engine_args:
        if key != "tokenizer":
            raise UsageError(
                f"--engine-arg {key} means nothing to a server, which was started with its own; "
                "with --engine openai there is only tokenizer"
            )
    check_address(wanted)


class Server:
    """Answers prompts through a server. Lives in the event loop that started it.

    Where the server is vLLM and the model's tokenizer is here, everything is as with vLLM in this
    process; otherwise prompts are sent as chats, and what only vLLM takes is done without.
    """

    name = "openai"

    def __init__(self, connection: Connection, served: Served, wire: Wire) -> None:
        self._connection = connection
        self._served = served
        self._wire = wire
        self._said: set[str] = set()
        self.tokenizer = wire.tokenizer
        self.context = served.context if wire.tokenizer else None
        self.can_finish = wire.is_vllm

    @classmethod
    async def start(cls, wanted: Wanted) -> "Server":
        """Find a model on a server.

        Raises EngineError where the server cannot be reached, does not have the model, or cannot do
        what the model's family needs.
        """
        check_client(wanted)
        connection = Connection.open(wanted)
        try:
            # A server knows an adapter as a model of its own.
            served = await find_served(connection, wanted.adapter or wanted.model)
            tokenizer = await find_tokenizer(connection, served, wanted) if served.version else None
            if wanted.engine_args and not served.version:
                log.warning("--engine-arg tokenizer: only a server of vLLM takes tokens, and this is another")
            server = cls(connection, served, Wire(served.name, bool(served.version), tokenizer))
            await Abilities(connection, server._wire).check(wanted.needs)
        except BaseException:
            await connection.close()
            raise
        return server

    @property
    def version(self) -> str:
        """The server, as traces name it."""
        kind = f"vllm {self._served.version}" if self._served.version else "openai-compatible"
        return f"{kind} at {self._connection.url}"

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        """One answer; a request that fails after the client's retries is a completion that says why."""
        if self.tokenizer and prompt.token_ids is None:
            prompt = self.tokenizer.tokenize(prompt)
        if not self._wire.is_vllm:
            if sampling.choice or sampling.pattern:
                return failed("the server takes no grammars")
            self._say_once(self._wire.left_out(sampling))
        path, body = self._wire.request(prompt, sampling)
        try:
            return read_reply(await self._ask(path, body), prompt, sampling, self._wire)
        except RequestError as error:
            return failed(str(error))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            log.debug("a reply could not be read", exc_info=True)
            return failed(f"the server's reply cannot be read: {type(error).__name__}: {error}")

    async def _ask(self, path: str, body: Body) -> object:
        """The reply to a request; OpenAI's reasoning models want their limit under another name."""
        try:
            return await self._connection.post(path, body)
        except RequestError as error:
            renamed = path == CHAT and error.status == 400 and "max_completion_tokens" in str(error)
            if not renamed or "max_tokens" not in body:
                raise
        self._wire = replace(self._wire, length="max_completion_tokens")
        body["max_completion_tokens"] = body.pop("max_tokens")
        return await self._connection.post(path, body)

    def _say_once(self, names: list[str]) -> None:
        for name in names:
            if name not in self._said:
                self._said.add(name)
                log.warning("%s is not sent: only servers of vLLM are known to take it", name)

    async def close(self) -> None:
        """End all connections to the server."""
        await self._connection.close()
