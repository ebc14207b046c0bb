"""The report: what reranking did, in one HTML file."""

from rearank_cli.report.collecting import Judgments, Sources, collect
from rearank_cli.report.contents import Report
from rearank_cli.report.page import render

__all__ = ["Judgments", "Report", "Sources", "collect", "render"]
