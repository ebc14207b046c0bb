"""Parts of a run put together again: every query in exactly one of them, with all its documents."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rearank_cli.errors import InputError
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.trec.findings import shown
from rearank_cli.trec.lines import split_lines
from rearank_cli.trec.runs import escape_id, read_run
from rearank_cli.trec.streams import describe

_NAMED = 3


class Part(NamedTuple):
    """Some queries of a run in their new order, and what messages call the file that has them."""

    name: str
    run: Run


def read_part(path: str | Path) -> Part:
    """Read a part. The file of a shard that had no queries is empty, and no error. Raises InputError."""
    # A pipe can be read only once; whoever pipes a part in has one that is not empty.
    if Path(path).is_file() and next(split_lines(path), None) is None:
        return Part(describe(path), Run({}))
    return Part(describe(path), read_run(path))


def merge_parts(
    before: Run,
    parts: Sequence[Part],
    *,
    name: str,
    tag: str | None = None,
    excluded: Mapping[str, Collection[str]] | None = None,
) -> Run:
    """Put the parts of a reranked run together, in the order of the run as it was (`before`, `name`).

    A part may be empty. Documents that a dataset excludes from evaluation (`excluded`, None where no
    one said) may be missing. The tag is that of the parts. Raises InputError for queries that are in
    two parts, in none or not in the run, for documents lost or invented, and for tags that differ; all
    of it at once.
    """
    before, excluded = _as_written(before, parts, excluded)
    problems = [
        *_overlaps(parts),
        *_gaps(before, parts, name, excluded or {}),
        *_strangers(before, parts, name),
        *_documents(before, parts, name, excluded),
    ]
    tags: dict[str, str] = {}
    for part in parts:
        if part.run:
            tags.setdefault(part.run.tag, part.name)
    if tag is None and len(tags) > 1:
        differing = [f"{shown(each)} in {part}" for each, part in tags.items()]
        problems.append(f"the parts have different tags: {_listed(differing)}; choose one with --tag")
    if problems:
        raise InputError("; ".join(problems))
    rankings = {query_id: part.run.ranked(query_id) for part in parts for query_id in part.run}
    merged = {query_id: rankings[query_id] for query_id in before if query_id in rankings}
    return Run(merged, tag if tag is not None else next(iter(tags), ""))


def has_own_scores(run: Run) -> bool:
    """Whether any score is not N-rank+1, so that the scores say more than the ranks."""
    rankings = map(run.ranked, run)
    return any(ranking.scores() != list(range(len(ranking), 0, -1)) for ranking in rankings)


def _as_written(
    before: Run, parts: Sequence[Part], excluded: Mapping[str, Collection[str]] | None
) -> tuple[Run, Mapping[str, Collection[str]] | None]:
    """The run and what is excluded, with the ids as the parts have them: escaped, where any of those is."""
    ids = {document.doc_id for ranking in before.values() for document in ranking}.union(before)
    changed = {escaped for each in ids if (escaped := escape_id(each)) != each} - ids
    if not changed or not any(
        query_id in changed or any(document.doc_id in changed for document in ranking)
        for part in parts
        for query_id, ranking in part.run.items()
    ):
        return before, excluded
    escaped_run = {
        escape_id(query_id): [ScoredDoc(escape_id(doc_id), score) for doc_id, score in ranking]
        for query_id, ranking in before.items()
    }
    if excluded is not None:
        excluded = {escape_id(query_id): {*map(escape_id, ids)} for query_id, ids in excluded.items()}
    return Run(escaped_run, before.tag), excluded


def _overlaps(parts: Sequence[Part]) -> Iterator[str]:
    first: dict[str, str] = {}
    twice = defaultdict(list)
    for part in parts:
        for query_id in part.run:
            if first.setdefault(query_id, part.name) != part.name:
                twice[first[query_id], part.name].append(query_id)
    if twice:
        pairs = [f"{one} and {other} both have {_queries(ids)}" for (one, other), ids in twice.items()]
        yield f"{_listed(pairs)}; parts that overlap are not merged"


def _gaps(
    before: Run, parts: Sequence[Part], name: str, excluded: Mapping[str, Collection[str]]
) -> Iterator[str]:
    found = {query_id for part in parts for query_id in part.run}
    gaps = [
        query_id
        for query_id, ranking in before.items()
        if query_id not in found
        and any(document.doc_id not in excluded.get(query_id, ()) for document in ranking)
    ]
    if gaps:
        yield (
            f"no part has {_queries(gaps)} of {name} ({len(gaps)} of {len(before)}): "
            "a shard has not finished, or was not named"
        )


def _strangers(before: Run, parts: Sequence[Part], name: str) -> Iterator[str]:
    unknown = {part.name: [query_id for query_id in part.run if query_id not in before] for part in parts}
    named = [f"{_queries(ids)} of {part}" for part, ids in unknown.items() if ids]
    if named:
        yield f"{_listed(named)}: not in {name}"


def _documents(
    before: Run, parts: Sequence[Part], name: str, excluded: Mapping[str, Collection[str]] | None
) -> Iterator[str]:
    lost: list[str] = []
    invented: list[str] = []
    for part in parts:
        for query_id, ranking in part.run.items():
            if query_id not in before:
                continue
            had = {document.doc_id for document in before[query_id]}
            has = {document.doc_id for document in ranking}
            missing = had - has if excluded is None else had - has - {*excluded.get(query_id, ())}
            lost += [_document(doc_id, query_id, part) for doc_id in sorted(missing)]
            invented += [_document(doc_id, query_id, part) for doc_id in sorted(has - had)]
    if lost:
        hint = " (those that a dataset excludes from evaluation are let go with --dataset)"
        yield f"documents of {name} are lost: {_listed(lost)}{hint if excluded is None else ''}"
    if invented:
        yield f"documents are not in {name}: {_listed(invented)}"


def _document(doc_id: str, query_id: str, part: Part) -> str:
    return f"{shown(doc_id)} of query {shown(query_id)} in {part.name}"


def _queries(ids: Sequence[str]) -> str:
    return f"{'query' if len(ids) == 1 else 'queries'} {_listed([*map(shown, ids)])}"


def _listed(items: Sequence[str]) -> str:
    listed = ", ".join(items[:_NAMED])
    return listed if len(items) <= _NAMED else f"{listed} and {len(items) - _NAMED:,} more"
