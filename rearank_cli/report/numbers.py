"""Numbers and times as the page writes them."""


def tone(change: float) -> str:
    """The class of a change, where it is one."""
    return "gain" if change > 0 else "loss" if change < 0 else ""


def signed(value: float) -> str:
    """`+0.0123`, with a minus as wide as the plus; `0.0000` has no sign."""
    text = f"{value:+.4f}"
    return text[1:] if not float(text) else text.replace("-", "−")


def probability(value: float) -> str:
    """`0.034`; what is less than three digits can say is `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def counted(value: float) -> str:
    """`2,700`."""
    return f"{value:,}"


def moment(iso: str) -> str:
    """`2026-11-21T11:55:00+00:00` -> `2026-11-21 11:55 UTC`."""
    return iso[:16].replace("T", " ") + (" UTC" if iso.endswith(("+00:00", "Z")) else "")
