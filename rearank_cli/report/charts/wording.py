"""How charts write a change, and what they tell of a text that is too long for its place."""

from rearank_cli.report.canvas import shorten

MINUS = "\N{MINUS SIGN}"


def with_sign(value: float, *, short: bool = False) -> str:
    """`+0.0500`, or `+0.05` where it is to be `short`, with a minus as wide as the plus; `0` has no sign."""
    number = f"{abs(value):g}" if short else f"{abs(value):.4f}"
    if not float(number):
        return "0"
    return ("+" if value > 0 else MINUS) + number


def whole(text: str, room: float) -> str | None:
    """The tooltip of a text that is shortened."""
    return text if shorten(text, room) != text else None
