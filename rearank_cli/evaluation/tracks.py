"""What the tracks of TREC measure runs by."""

from collections.abc import Sequence
from dataclasses import dataclass

from rearank_cli.errors import UsageError
from rearank_cli.evaluation.scoring import DEFAULT_MEASURES
from rearank_cli.words import did_you_mean


@dataclass(frozen=True, slots=True)
class TrackMeasures:
    """A track's measures, and the least grade that is relevant in those that know only relevant or not."""

    measures: Sequence[str]
    level: int


_DEEP_LEARNING = ("ndcg@10", "mrr", "map")

# Passages were judged not relevant, related, highly relevant, perfect, "where 'Related' is actually NOT
# Relevant"; documents of grade 1 are relevant (trec.nist.gov/data/deep2019.html, and so each year).
MEASURES_OF_TRACKS = {
    f"dl-{year}-{task}": TrackMeasures(_DEEP_LEARNING, level)
    for year in range(2019, 2024)
    for task, level in (("passage", 2), ("document", 1))
}


def choose_measures(
    measures: Sequence[str] | None, level: int | None, track: str | None
) -> tuple[Sequence[str], int]:
    """The measures and the relevance level asked for; what was not is the track's, or else the usual.

    Raises UsageError for a track that is not known.
    """
    official = _find(track) if track else TrackMeasures(DEFAULT_MEASURES, 1)
    return measures or official.measures, official.level if level is None else level


def _find(track: str) -> TrackMeasures:
    if track in MEASURES_OF_TRACKS:
        return MEASURES_OF_TRACKS[track]
    known = did_you_mean(track, MEASURES_OF_TRACKS) or f"known are {', '.join(MEASURES_OF_TRACKS)}"
    raise UsageError(f"the measures of track '{track}' are not known ({known})")
