"""What came of the collections, as a table for people or an object for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from textwrap import fill
from typing import Any

from scripts.reproduction import words
from scripts.reproduction.asking import Asking, is_finished
from scripts.reproduction.comparison import Mean, Row, compared_model, means
from scripts.reproduction.published import FIRST_STAGE, GROUPS, Collection
from scripts.reproduction.scoring import Score

_HEADER = ["collection", "queries", "first stage", "paper", "reranked", "paper", "difference", "-c", "remark"]
_WIDTH = 110
_AVERAGES = (
    "Numbers are nDCG@10 x 100, means over the queries that the run has, as the papers average; -c counts "
    "the other judged queries as 0, as trec_eval -c and rearank evaluate do."
)


def as_text(rows: Sequence[Row], asking: Asking) -> str:
    """The table, under what it is of, and above what to know about it."""
    reranked = [row for row in rows if row.outcome.reranked]
    notes = list(dict.fromkeys(note for row in reranked for note in row.notes))
    lines = [_HEADER]
    for row in rows:
        marks = [f"[{notes.index(note) + 1}]" for note in row.notes] if row.outcome.reranked else []
        lines.append(_cells(row, marks))
    lines += map(_mean_cells, means(rows, asking))
    below = [f"[{number}] {note}" for number, note in enumerate(notes, 1)]
    if reranked:
        below = [_AVERAGES, asking.paper.ours, *below]
    below = [fill(part, _WIDTH, subsequent_indent="    " * part.startswith("[")) for part in below]
    return "\n".join(
        [*_heading([row.collection for row in rows], asking), "", align(lines), "", *below]
    ).rstrip()


def listing(chosen: Sequence[Collection], asking: Asking) -> str:
    """What would be done, and from what, beside what was published; nothing is done."""
    lines = [["collection", "queries", "texts", "first stage", "paper", "reranked", "paper", "state"]]
    for collection in chosen:
        texts = asking.texts(collection)
        lines.append(
            [
                collection.name,
                str(collection.queries),
                texts[1] if texts else "-",
                asking.first_stage(collection) if texts else "-",
                _number(asking.paper.published(collection, FIRST_STAGE)),
                "-",
                _number(asking.paper.published(collection, compared_model(asking))),
                _state(collection, asking) if texts else collection.why,
            ]
        )
    return "\n".join([*_heading(chosen, asking), "", align(lines)])


def as_object(rows: Sequence[Row], asking: Asking) -> dict[str, Any]:
    """All there is, for a program: numbers unrounded."""
    return {
        "paper": asking.paper.name,
        "citation": asking.paper.paper,
        "compared_with": compared_model(asking),
        "engine": asking.engine,
        "model": None if asking.engine == "lexical" else asking.model,
        "passed_on": list(asking.passed_on),
        "measure": "ndcg@10 x 100",
        "rows": [_told(row, asking) for row in rows],
        "means": [asdict(mean) for mean in means(rows, asking)],
    }


def _told(row: Row, asking: Asking) -> dict[str, Any]:
    collection, outcome = row.collection, row.outcome
    part = asking.paper.parts[collection.part]
    return {
        "collection": collection.name,
        "title": collection.title,
        "group": collection.group,
        "dataset": collection.dataset,
        "source": part.source,
        "status": outcome.status,
        "first_stage": _beside(outcome.first_stage, row.first_published),
        "reranked": _beside(outcome.reranked, row.published),
        "difference": row.difference,
        "elsewhere": part.elsewhere.get(compared_model(asking), {}).get(collection.name),
        "elsewhere_source": part.elsewhere_source or None,
        "seconds": outcome.seconds,
        "remarks": list(row.remarks),
        "notes": list(row.notes),
    }


def _beside(score: Score | None, published: float | None) -> dict[str, Any]:
    return {"ours": asdict(score) if score else None, "published": published}


def _heading(chosen: Sequence[Collection], asking: Asking) -> list[str]:
    paper = asking.paper
    parts = {collection.part: paper.parts[collection.part] for collection in chosen}
    published = "; ".join(f"{part.source}: from {part.first_stage}" for part in parts.values())
    asked = "the lexical judge, no model" if asking.engine == "lexical" else asking.model
    options = " ".join([*words.as_words(paper.options, asking.passed_on), *asking.passed_on])
    lines = [
        f"{paper.title}: {paper.paper}",
        f"paper  {compared_model(asking)} ({published})",
        f"ours   {asked} ({options})",
    ]
    return [fill(line, _WIDTH, subsequent_indent=" " * 7) for line in lines]


def _cells(row: Row, marks: Sequence[str]) -> list[str]:
    first, reranked = row.outcome.first_stage, row.outcome.reranked
    return [
        row.collection.name,
        _queries(reranked or first),
        _number(first.mean if first else None),
        _number(row.first_published),
        _number(reranked.mean if reranked else None),
        _number(row.published),
        _signed(row.difference),
        _number(reranked.complete if reranked else None),
        " ".join(["; ".join(row.remarks), *marks]).strip(),
    ]


def _mean_cells(mean: Mean) -> list[str]:
    return [
        f"{GROUPS[mean.group]}, mean",
        f"{mean.done} of {mean.of}",
        _number(mean.first),
        _number(mean.first_published),
        _number(mean.reranked),
        _number(mean.published),
        _signed(mean.difference),
        _number(mean.complete),
        "" if mean.done == mean.of else f"of {mean.done} collections, the paper's too",
    ]


def _queries(score: Score | None) -> str:
    if score is None:
        return "-"
    return str(score.queries) if score.queries == score.judged else f"{score.queries} of {score.judged}"


def _state(collection: Collection, asking: Asking) -> str:
    place = asking.place(collection)
    if not (place / "settings.json").exists():
        return "to do"
    return "finished" if is_finished(asking, collection) else "begun, or of other settings"


def align(lines: Sequence[Sequence[str]]) -> str:
    """Columns of equal width: words to the left, numbers to the right."""
    columns = list(zip(*lines, strict=True))
    widths = [max(map(len, column)) for column in columns]
    rights = [all(_is_number(cell) for cell in column[1:]) for column in columns]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, rights, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.lstrip("+-")[:1].isdigit()


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2f}"
