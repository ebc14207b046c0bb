"""The page: what a report tells, as one HTML file that needs nothing else."""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rearank_cli import __version__
from rearank_cli.report import numbers
from rearank_cli.report.contents import Report
from rearank_cli.report.data import Documents, index_data, query_data
from rearank_cli.report.drawings import drawings
from rearank_cli.report.embedding import embedded
from rearank_cli.report.facts import facts
from rearank_cli.report.overview import lacking, measure_rows, summary, tiles, topics

# In the order in which they are read; each uses what stands before it.
_SCRIPTS = (
    "elements",
    "texts",
    "search",
    "list",
    "query",
    "window",
    "slopes",
    "thought",
    "passages",
    "address",
    "theme",
    "keys",
    "begin",
)
_STYLES = (
    "colours",
    "base",
    "bar",
    "list",
    "overview",
    "query",
    "window",
    "help",
    "screens",
    "paper",
)


def render(report: Report) -> bytes:
    """The report as HTML, in UTF-8. The same report gives the same bytes."""
    environment = Environment(
        loader=PackageLoader("rearank_cli.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        signed=numbers.signed,
        tone=numbers.tone,
        probability=numbers.probability,
        counted=numbers.counted,
    )
    documents = Documents()
    script = '"use strict";\n(() => {\n' + _assets("script", _SCRIPTS, "js") + "})();\n"
    text = environment.get_template("report.html").render(
        report=report,
        title=_title(report),
        version=__version__,
        style=Markup(_assets("style", _STYLES, "css")),  # noqa: S704  # our own
        script=Markup(script),  # noqa: S704
        # Only this script may run, whatever a text turns out to be.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        tiles=tiles(report.rerankings[0], report) if len(report.rerankings) == 1 else [],
        summaries=[summary(each, place) for place, each in enumerate(report.rerankings)],
        topics=topics(report),
        lacking=lacking(report),
        rows=list(measure_rows(report)),
        charts=drawings(report),
        facts=[(each, list(facts(each))) for each in report.rerankings],
        index=embedded(index_data(report)),
        queries=[embedded(query_data(report, query_id, documents)) for query_id in report.queries],
        documents=[embedded(block) for block in documents.blocks(report)],
    )
    return text.encode("utf-8", "replace")


def _assets(folder: str, names: Sequence[str], suffix: str) -> str:
    """Files of the page, one after another."""
    place = files("rearank_cli.report").joinpath(folder)
    return "\n".join(place.joinpath(f"{name}.{suffix}").read_text(encoding="utf-8") for name in names)


def _title(report: Report) -> str:
    runs = list(dict.fromkeys(each.run for each in report.rerankings))
    if len(report.rerankings) == 1:
        return f"{runs[0]}, reranked"
    return f"{', '.join(runs)}, reranked in {len(report.rerankings)} ways"
