"""The engine openai, started on a small server of this machine and asked once."""

import asyncio
from collections.abc import Mapping
from typing import Any

from rearank_cli.engines import Wanted
from rearank_cli.engines.openai.server import Server
from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Prompt, Sampling, Span, Turn
from tests.engines.fake_server import Answer, FakeServer

CHAT, COMPLETIONS, MODELS = "/v1/chat/completions", "/v1/completions", "/v1/models"
VLLM = {"id": "m", "owned_by": "vllm", "root": "/nowhere/m", "max_model_len": 4096}
GREEDY = Sampling(max_tokens=50)
REARANK = load_family("rearank")
PASSAGES = [Passage("d1", "Bees dance."), Passage("d2", "Wasps do not.")]


def ask(
    paths: Mapping[str, Answer], prompt: Prompt | None = None, sampling: Sampling = GREEDY, **wanted: Any
) -> tuple[Completion, FakeServer]:
    """Start the engine on a server, ask it once, and end it."""

    async def work(url: str) -> Completion:
        server = await Server.start(Wanted(wanted.pop("model", "m"), base_url=url, **wanted))
        try:
            return await server.complete(prompt or REARANK.prompt("why", PASSAGES), sampling)
        finally:
            await server.close()

    with FakeServer(paths).running() as fake:
        return asyncio.run(work(fake.url)), fake


def start(paths: Mapping[str, Answer], **wanted: Any) -> tuple[Server, FakeServer]:
    async def work(url: str) -> Server:
        server = await Server.start(Wanted(wanted.pop("model", "m"), base_url=url, **wanted))
        await server.close()
        return server

    with FakeServer(paths).running() as fake:
        return asyncio.run(work(fake.url)), fake


def user(*spans: Span, **rest: Any) -> Prompt:
    return Prompt((Turn("user", spans),), **rest)
