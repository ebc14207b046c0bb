"""What a server says of itself: whether it is vLLM, and how it serves the model that is wanted."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rearank_cli.engines.openai.connection import Connection, RequestError
from rearank_cli.errors import EngineError

log = logging.getLogger("rearank")

_NAMED = 8


@dataclass(frozen=True)
class Served:
    """A model on a server.

    `name` is what the server calls it, `roots` are where a vLLM server loaded it from (an adapter's base
    behind it), `context` is its length in tokens. `version` is vLLM's; None where the server is another.
    """

    name: str
    version: str | None = None
    roots: tuple[str, ...] = ()
    context: int | None = None


async def find_served(connection: Connection, model: str) -> Served:
    """How the server has a model. Raises EngineError where it does not, or cannot be reached.

    A server that lists no models is believed to have it.
    """
    cards = await _models(connection)
    card = _card_of(model, cards)
    if card is None:
        if cards:
            others = f" and {len(cards) - _NAMED} more" if len(cards) > _NAMED else ""
            raise EngineError(
                f"the server at {connection.url} does not serve {model}; with -m it knows "
                f"{', '.join(list(cards)[:_NAMED])}{others} (then say with --family what the model reads)"
            )
        return Served(model)
    name = str(card["id"])
    if card.get("owned_by") != "vllm":
        return Served(name)
    family = [card, cards.get(str(card.get("parent")), {})]
    context = card.get("max_model_len")
    return Served(
        name,
        await _version(connection),
        tuple(root for each in family if isinstance(root := each.get("root"), str)),
        context if isinstance(context, int) else None,
    )


async def _models(connection: Connection) -> dict[str, Mapping[str, Any]]:
    """The models that a server lists, by name; none where it has no such list."""
    url = connection.url
    try:
        reply = await connection.get("/models")
    except RequestError as error:
        if error.status in (401, 403):
            raise EngineError(
                f"the server at {url} refuses the key ({error}): put the right one in OPENAI_API_KEY"
            ) from error
        if error.status is None:
            raise EngineError(
                f"no server answers at {url} ({error}): start it, or give its address with --base-url"
            ) from error
        if error.status >= 500:
            raise EngineError(f"the server at {url} is out of order ({error}): see its own log") from error
        if not urlsplit(url).path:
            log.warning("the server lists no models at %s/models; its address may be %s/v1", url, url)
        return {}
    listed = reply.get("data") if isinstance(reply, Mapping) else None
    cards = [card for card in listed if isinstance(card, Mapping)] if isinstance(listed, list) else []
    return {card["id"]: card for card in cards if isinstance(card.get("id"), str)}


def _card_of(model: str, cards: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The card of a model: under its name, as Ollama and Gemini write it, or as where it was loaded from."""
    for name in (model, f"{model}:latest", f"models/{model}"):
        if name in cards:
            return cards[name]
    return next((card for card in cards.values() if card.get("root") == model), None)


async def _version(connection: Connection) -> str:
    try:
        reply = await connection.get("../version")
    except RequestError:  # behind a proxy there may be no more than /v1
        return "of unknown version"
    return str(reply.get("version")) if isinstance(reply, Mapping) else "of unknown version"
