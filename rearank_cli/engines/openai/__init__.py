"""A server that speaks OpenAI's protocol, in the place of an engine."""

from rearank_cli.engines.openai.server import Server, check_client

__all__ = ["Server", "check_client"]
