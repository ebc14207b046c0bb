"""The journal: what was asked, answered and read, request by request."""

from rearank_cli.traces.calls import Asker, Call, PastRequest, Request, digest
from rearank_cli.traces.history import History
from rearank_cli.traces.journal import Journal, read_traces

__all__ = ["Asker", "Call", "History", "Journal", "PastRequest", "Request", "digest", "read_traces"]
