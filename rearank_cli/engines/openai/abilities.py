"""What a family needs of a server, made sure of before the first call."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rearank_cli.engines.models import Needs
from rearank_cli.engines.openai.connection import Connection, RequestError
from rearank_cli.engines.openai.wire import CHAT, COMPLETIONS, Wire
from rearank_cli.errors import EngineError

log = logging.getLogger("rearank")

# The log-probability of a token that is the only one allowed.
_CERTAIN = -1e-3
_INSTEAD = "serve the model with vLLM, or give --engine vllm"


@dataclass(frozen=True)
class Abilities:
    """Makes sure that a server can do what a family needs, with one request of one token where it must."""

    connection: Connection
    wire: Wire

    async def check(self, needs: Needs) -> None:
        """Raise EngineError for what a family cannot do without; say in a line what else is missing."""
        if not self.wire.is_vllm:
            if needs.prefill and not needs.raw:
                raise self._lacking("begins the model's answer itself, which only vLLM's servers allow")
            if needs.thinking_switch:
                log.warning(
                    "the server takes no switches of the chat template: whether the model thinks "
                    "is for the server to decide"
                )
        if needs.logprobs:
            await self._check_logprobs(needs, needs.logprobs)
        elif needs.raw and not self.wire.is_vllm:
            await self._check_raw()
        if needs.forced_finish and not self.wire.is_vllm:
            log.info("the server takes no grammars: answers that run out of tokens keep their order")

    async def _check_raw(self) -> None:
        try:
            reply = await self.connection.post(COMPLETIONS, self._raw)
        except RequestError as error:
            raise self._lacking(_RAW, error) from error
        if not _choice(reply):
            raise self._lacking(_RAW)

    async def _check_logprobs(self, needs: Needs, number: int) -> None:
        raw = needs.raw or self.wire.is_vllm
        wanted = (
            {**self._raw, "logprobs": number, **self._ruled_out}
            if raw
            else {**self._chat, "logprobs": True, "top_logprobs": number}
        )
        what = f"is read from the log-probabilities of the {number} likeliest tokens"
        try:
            reply = await self.connection.post(COMPLETIONS if raw else CHAT, wanted)
        except RequestError as error:
            if self.wire.is_vllm:
                raise EngineError(
                    f"the family {what}, and the server at {self.connection.url} refuses ({error}): "
                    f"start it with --max-logprobs {number}"
                ) from error
            raise self._lacking(f"{_RAW} and {what}" if raw else what, error) from error
        logprob = _first_logprob(_choice(reply))
        if logprob is None:
            raise self._lacking(what)
        if self.wire.tokenizer and logprob < _CERTAIN:
            log.info(
                "the server tells probabilities as they are before words are ruled out, so words that are "
                "not among the likeliest stay unknown: --logprobs-mode processed_logprobs changes that"
            )

    @property
    def _raw(self) -> dict[str, Any]:
        return {"model": self.wire.model, "prompt": "a", "max_tokens": 1}

    @property
    def _ruled_out(self) -> dict[str, Any]:
        """All tokens but one: then it is certain, if the server minds."""
        tokenizer = self.wire.tokenizer
        return {"allowed_token_ids": tokenizer.encode("a")[:1]} if tokenizer else {}

    @property
    def _chat(self) -> dict[str, Any]:
        messages = [{"role": "user", "content": "a"}]
        return {"model": self.wire.model, "messages": messages, self.wire.length: 1}

    def _lacking(self, what: str, error: Exception | None = None) -> EngineError:
        told = f" ({error})" if error else ""
        return EngineError(
            f"the family {what}, and the server at {self.connection.url} does not do that{told}: {_INSTEAD}"
        )


_RAW = "writes the whole prompt itself (POST /completions)"


def _choice(reply: object) -> Mapping[str, Any]:
    choices = reply.get("choices") if isinstance(reply, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}


def _first_logprob(choice: Mapping[str, Any]) -> float | None:
    """The log-probability of the first token; None where the server told none, or no others beside it."""
    told = choice.get("logprobs")
    if not isinstance(told, Mapping):
        return None
    if content := told.get("content"):
        return content[0]["logprob"] if content[0].get("top_logprobs") else None
    return told["token_logprobs"][0] if told.get("top_logprobs") else None
