"""What the tracks of TREC accept, as a table."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rearank_cli.errors import UsageError
from rearank_cli.words import did_you_mean


@dataclass(frozen=True, slots=True)
class Track:
    """The limits of one track, and in `source` who set them.

    Patterns are of whole fields; None where no limit is known. `iteration` is what the second field
    may be, `comments` whether lines that begin with # are let through.
    """

    name: str
    source: str
    max_documents: int
    tag: re.Pattern[bytes] | None = None
    doc_id: re.Pattern[bytes] | None = None
    iteration: tuple[bytes, ...] = (b"Q0",)
    comments: bool = False


def _by_name(tracks: Iterable[Track]) -> dict[str, Track]:
    return {track.name: track for track in tracks}


TRACKS = _by_name(
    [
        Track("default", "what most tracks ask", 1000, comments=True),
        Track(
            "trec-covid",
            "the check script of TREC-COVID",
            1000,
            tag=re.compile(rb"[A-Za-z0-9_.-]{1,24}"),
            iteration=(b"Q0", b"q0"),
        ),
        Track(
            "dl-2020-passage",
            "the check script of TREC 2020 Deep Learning, passages",
            1000,
            tag=re.compile(rb"[A-Za-z0-9_-]{1,15}"),
            doc_id=re.compile(rb"D?[0-9]+"),
        ),
        Track(
            "dl-2020-document",
            "the check script of TREC 2020 Deep Learning, documents",
            100,
            tag=re.compile(rb"[A-Za-z0-9_-]{1,15}"),
            doc_id=re.compile(rb"D?[0-9]+"),
        ),
        Track(
            "dl-2022-passage",
            "the check script of TREC 2022 Deep Learning, passages",
            100,
            tag=re.compile(rb"[A-Za-z0-9_-]{1,25}"),
            doc_id=re.compile(rb"msmarco_passage_[0-9]{2}_[0-9]+"),
        ),
        Track(
            "dl-2022-document",
            "the check script of TREC 2022 Deep Learning, documents",
            100,
            tag=re.compile(rb"[A-Za-z0-9_-]{1,25}"),
            doc_id=re.compile(rb"msmarco_doc_[0-9]{2}_[0-9]+"),
        ),
        Track("rag-2025", "the guidelines of TREC 2025 RAG, retrieval task", 100),
    ]
)


def find_track(name: str) -> Track:
    """A track by its name. Raises UsageError for one that is not known."""
    if name in TRACKS:
        return TRACKS[name]
    guess, known = did_you_mean(name, TRACKS), f"known are {', '.join(TRACKS)}"
    hint = f"{guess} ({known})" if guess else known
    raise UsageError(f"unknown track '{name}'; {hint}")
