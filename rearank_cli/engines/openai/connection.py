"""A connection to a server through OpenAI's client: its retries, its time-outs, its errors in one line."""

import os
from importlib.util import find_spec
from json import JSONDecodeError
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from rearank_cli.engines.models import Wanted
from rearank_cli.errors import EngineError, UsageError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_OPENAI = "https://api.openai.com/v1"
# One more than the client's own: limits on the rate of requests are met when many are in flight.
_RETRIES = 3
_LONGEST = 500


class RequestError(Exception):
    """A request that was not answered, after all retries: why, in one line.

    `status` is HTTP's; None where there was no reply.
    """

    def __init__(self, problem: str, status: int | None = None) -> None:
        super().__init__(problem)
        self.status = status


def address_of(wanted: Wanted) -> str:
    """The base URL of the server that is meant."""
    return (wanted.base_url or os.environ.get("OPENAI_BASE_URL") or _OPENAI).rstrip("/")


def check_address(wanted: Wanted) -> None:
    """Raise EngineError or UsageError where there is no client, no server or no key."""
    if find_spec("openai") is None:
        raise EngineError("the client of --engine openai is not installed: pip install 'rearank[openai]'")
    address = address_of(wanted)
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"--base-url: '{address}' is no address of a server, such as http://localhost:8000/v1"
        )
    if _is_openai(address) and not os.environ.get("OPENAI_API_KEY"):
        raise EngineError(
            "OpenAI needs a key: put it in OPENAI_API_KEY, or name another server with --base-url"
        )


def _is_openai(address: str) -> bool:
    return urlsplit(address).hostname == urlsplit(_OPENAI).hostname


class Connection:
    """Sends JSON to a server and gets JSON back. `url` is its base URL, without a password in it."""

    def __init__(self, client: "AsyncOpenAI", url: str) -> None:
        self._client = client
        self.url = url

    @classmethod
    def open(cls, wanted: Wanted) -> "Connection":
        """A connection to the server that is meant, which nothing is asked of yet."""
        from openai import DEFAULT_TIMEOUT, AsyncOpenAI

        address = address_of(wanted)
        client = AsyncOpenAI(
            base_url=address,
            # The client insists on a key, and most servers of one's own have none.
            api_key=os.environ.get("OPENAI_API_KEY") or "none",
            max_retries=_RETRIES,
            timeout=wanted.timeout or DEFAULT_TIMEOUT,
        )
        parts = urlsplit(address)
        return cls(client, urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])))

    async def get(self, path: str) -> object:
        """What is at a path under the base URL, or under the server's root where it begins with `../`."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: object) -> object:
        """The reply to a body. Raises RequestError."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: object) -> object:
        from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError

        if path.startswith("../"):
            path = urljoin(f"{self._client.base_url}", path)
        try:
            if method == "GET":
                return await self._client.get(path, cast_to=object)
            return await self._client.post(path, body=body, cast_to=object)
        except APIStatusError as error:
            raise RequestError(
                f"{error.status_code}: {_said(error.body) or _line(error)}", error.status_code
            ) from error
        except APITimeoutError as error:
            raise RequestError("no answer in time") from error
        except APIConnectionError as error:
            raise RequestError(f"no connection: {_line(error.__cause__ or error)}") from error
        except JSONDecodeError as error:
            raise RequestError(f"the server's reply is no JSON: {error}", 200) from error
        except OpenAIError as error:
            raise RequestError(_line(error), getattr(error, "status_code", None)) from error

    async def close(self) -> None:
        """End all connections."""
        await self._client.close()


def _said(body: object) -> str:
    """The server's own message in the body of an error, in one line; empty where there is none."""
    if isinstance(body, dict):
        body = body.get("message") or body.get("detail") or body
    return _line(body) if body else ""


def _line(message: object) -> str:
    line = " ".join(str(message).split()) or type(message).__name__
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]} ..."
