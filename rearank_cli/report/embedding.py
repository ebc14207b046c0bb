"""JSON in a page: nothing in it can end the element that holds it."""

import json
import re
from typing import Any

import orjson
from markupsafe import Markup

# In JSON these stand only inside strings, where an escape means the same. The last two end a line in scripts.
_ESCAPED = {character: rf"\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
_TO_ESCAPE = re.compile(f"[{''.join(_ESCAPED)}]")


def embedded(value: Any) -> Markup:
    """A value as JSON that can stand in a <script> element as it is."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:
        # A half of a surrogate pair, which no UTF-8 can hold, and an escape can.
        text = json.dumps(value, separators=(",", ":"))
    return Markup(_TO_ESCAPE.sub(lambda match: _ESCAPED[match[0]], text))  # noqa: S704  # escaped just now
