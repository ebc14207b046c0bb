"""The journal: what was asked, answered and read, call by call."""

from rearank_cli.traces.calls import Asker, call_record, seed_for
from rearank_cli.traces.journal import SCHEMA, Journal

__all__ = ["SCHEMA", "Asker", "Journal", "call_record", "seed_for"]
