"""The tokenizer of a model that a vLLM server serves, loaded here too."""

import asyncio
import logging
from collections.abc import Mapping

from rearank_cli.engines.logfile import own_log
from rearank_cli.engines.models import Wanted
from rearank_cli.engines.openai.connection import Connection, RequestError
from rearank_cli.engines.openai.served import Served
from rearank_cli.engines.tokenizer import Tokenizer, load_tokenizer
from rearank_cli.errors import EngineError

log = logging.getLogger("rearank")

# Words, digits, white space, several scripts and control tokens: what tokenizers treat differently.
_SAMPLE = "Bees' hives, 1,234 of them:\n\n\t[1] > [20] Пчёлы 蜜蜂 <think> <|im_end|> </s> [/INST] honey"


async def find_tokenizer(connection: Connection, served: Served, wanted: Wanted) -> Tokenizer | None:
    """The tokenizer that a served model has, where it can be had here; None where not.

    Raises EngineError for one that the user named and that cannot be loaded, or is another.
    """
    named = wanted.engine_args.get("tokenizer")
    if named is not None:
        try:
            tokenizer = await asyncio.to_thread(_load, named, None)
        except ImportError:
            raise EngineError(
                "--engine-arg tokenizer is loaded with transformers, which is not installed: "
                "pip install transformers"
            ) from None
        if not await _agrees(connection, served, tokenizer):
            raise EngineError(
                f"--engine-arg tokenizer: {named} is not the one that the server at {connection.url} has"
            )
        return tokenizer
    guesses = {wanted.model: wanted.revision, **dict.fromkeys(served.roots)}
    for name, revision in guesses.items():
        try:
            tokenizer = await asyncio.to_thread(_load, name, revision)
        except (EngineError, ImportError) as error:
            log.debug("no tokenizer from %s: %s", name, error)
            continue
        if await _agrees(connection, served, tokenizer):
            return tokenizer
    log.info(
        "the model's tokenizer is not on this machine: the server at %s is sent chats, and long passages "
        "are not cut to fit (to have them cut: --engine-arg tokenizer=PATH)",
        connection.url,
    )
    return None


def _load(name: str, revision: str | None) -> Tokenizer:
    with own_log() as log_file:
        try:
            return load_tokenizer(name, revision)
        finally:
            if log_file:
                log_file.unlink(missing_ok=True)


async def _agrees(connection: Connection, served: Served, tokenizer: Tokenizer) -> bool:
    """Whether the server has the same tokenizer; one that does not tell is believed to."""
    body = {"model": served.name, "prompt": _SAMPLE, "add_special_tokens": False}
    try:
        reply = await connection.post("../tokenize", body)
    except RequestError:
        return True
    ids = reply.get("tokens") if isinstance(reply, Mapping) else None
    return ids is None or ids == tokenizer.encode(_SAMPLE)
