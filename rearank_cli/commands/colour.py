"""When to write in colour and bold: on a terminal, unless the environment says otherwise."""

import os
from typing import TextIO


def in_colour(stream: TextIO) -> bool:
    """Whether escape sequences for colour and bold may go to a stream.

    NO_COLOR (https://no-color.org) wins over FORCE_COLOR and CLICOLOR_FORCE, these over the stream;
    a terminal called dumb shows none.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    for name in ("FORCE_COLOR", "CLICOLOR_FORCE"):
        if forced := os.environ.get(name):
            return forced != "0"
    return os.environ.get("CLICOLOR") != "0" and stream.isatty()
