"""The journal: what was asked, answered and read, request by request."""

from rearank_cli.traces.calls import Asker, Call, PastRequest, Request, digest
from rearank_cli.traces.history import History
from rearank_cli.traces.journal import Journal, read_traces
from rearank_cli.traces.reading import TracedCall, TracedRequest, TraceFile

__all__ = [
    "Asker",
    "Call",
    "History",
    "Journal",
    "PastRequest",
    "Request",
    "TraceFile",
    "TracedCall",
    "TracedRequest",
    "digest",
    "read_traces",
]
