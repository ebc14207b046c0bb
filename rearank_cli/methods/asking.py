"""What a method is given: a way to have a window judged."""

from collections.abc import Awaitable, Callable

from rearank_cli.records import Reading, Window

Ask = Callable[[Window], Awaitable[Reading]]
"""Awaits the reading of a window. Calls that do not need each other's answers are awaited together."""
