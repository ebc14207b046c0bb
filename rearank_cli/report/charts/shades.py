"""The colours that tell runs and trace files apart."""

_SERIES = 8


def shade_of(place: int) -> str:
    """The colour of the run or trace file at this place, from 0; they begin again where there are no more."""
    return str(place % _SERIES + 1)
