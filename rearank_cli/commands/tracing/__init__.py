"""What `rearank trace` shows: a view is a file."""

from rearank_cli.commands.tracing.attempts import left_behind
from rearank_cli.commands.tracing.faults import show_faults
from rearank_cli.commands.tracing.journey import show_journeys
from rearank_cli.commands.tracing.overview import show_overview
from rearank_cli.commands.tracing.paper import Paper
from rearank_cli.commands.tracing.selection import Selection, find_selected, nothing_found, parse_statuses
from rearank_cli.commands.tracing.story import show_stories
from rearank_cli.commands.tracing.texts import Texts

__all__ = [
    "Paper",
    "Selection",
    "Texts",
    "find_selected",
    "left_behind",
    "nothing_found",
    "parse_statuses",
    "show_faults",
    "show_journeys",
    "show_overview",
    "show_stories",
]
