"""Numbers of a call in words."""

from collections.abc import Collection, Iterable, Sequence

from rearank_cli.traces import TracedCall, TracedRequest
from rearank_cli.traces.movements import Move
from rearank_cli.words import counted


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """The cells of rows, each as wide as its column; those of the columns in `right` stand to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        [
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]


def where(request: TracedRequest) -> str:
    """What was shown: `ranks 21-40`, `rank 5` or, where places are no ranks, `20 passages`."""
    count = len(request.doc_ids)
    if request.first_rank is None:
        return counted(count, "passage")
    last = request.first_rank + count - 1
    return f"ranks {request.first_rank}-{last}" if count > 1 else f"rank {last}"


def change(move: Move) -> str:
    """`up 8`, `down 3`, or `-`."""
    if not move.climb:
        return "-"
    return f"up {move.climb}" if move.climb > 0 else f"down {-move.climb}"


def style_of(move: Move) -> str:
    """The colour of a move."""
    return "green" if move.climb > 0 else "red" if move.climb < 0 else "dim"


def cost(requests: Iterable[TracedRequest]) -> str:
    """`3,412 tokens in, 871 out, 9.3 s`; tokens only where an engine counted them."""
    requests = list(requests)
    given = [request for request in requests if request.prompt_tokens is not None]
    tokens = (
        f"{sum(request.prompt_tokens or 0 for request in given):,} tokens in, "
        f"{sum(request.completion_tokens or 0 for request in given):,} out, "
        if given
        else ""
    )
    return f"{tokens}{sum(request.seconds for request in requests):.1f} s"


def statuses(calls: Iterable[TracedCall]) -> str:
    """`7 ok, 2 truncated`, those that are most first."""
    counts: dict[str, int] = {}
    for call in calls:
        status = call.settled.status
        counts[status] = counts.get(status, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:,} {status}" for status, count in ordered) or "none"
