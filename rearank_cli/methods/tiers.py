"""What a reading says of who is better than whom, and no more than that."""

from itertools import groupby

from rearank_cli.records import Reading


def tiers(reading: Reading) -> list[list[int]]:
    """The positions that the model itself put in order, best first; those of equal scores together."""
    scores = reading.scores
    if scores is None:
        return [[position] for position in reading.stated]

    def score(position: int) -> tuple[int | None, float | None]:
        return (position, None) if scores[position] is None else (None, scores[position])

    return [list(tier) for _, tier in groupby(reading.stated, score)]


def all_tiers(reading: Reading) -> list[list[int]]:
    """The same, and last those positions that the model left out: it put the others above them."""
    stated = tiers(reading)
    left_out = sorted(set(reading.order).difference(*stated))
    return [*stated, left_out] if stated and left_out else stated
