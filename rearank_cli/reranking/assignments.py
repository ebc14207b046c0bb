"""Assignments: a run with everything that reranking it takes."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rearank_cli.corpus import Corpus
from rearank_cli.families import Family
from rearank_cli.records import Passage, Query, Run
from rearank_cli.reranking.destinations import Destination
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.shards import parse_shard
from rearank_cli.reranking.topics import Topic, load_topics, select, without
from rearank_cli.traces import Asker
from rearank_cli.trec import read_run
from rearank_cli.trec.runs import check_ids
from rearank_cli.trec.streams import STDIN, describe


@dataclass(frozen=True)
class Chosen:
    """A run as it was read: the queries that were asked for. `digest` is the SHA-256 of its file."""

    name: str
    digest: str
    run: Run
    destination: Destination


@dataclass(frozen=True)
class Assignment:
    """A run, its topics, and where the results go.

    `digest` is the SHA-256 of the run file; `left_out` are the documents and queries that are not
    shown to the model, as the traces tell of them, so that they can be replayed without the texts.
    """

    name: str
    digest: str
    before: Run
    topics: list[Topic]
    destination: Destination
    left_out: Mapping[str, Any] = field(default_factory=dict)


def identity(family: Family, asker: Asker, run: Chosen | Assignment) -> dict[str, Any]:
    """What must be the same in every attempt on one trace file."""
    return {
        "family": family.name,
        "run_sha256": run.digest,
        "model": asker.model,
        "revision": asker.revision,
        "adapter": asker.adapter,
    }


def choose(
    runs: Sequence[str | Path | Run], places: Sequence[Destination], options: RerankOptions
) -> list[Chosen]:
    """Read the runs. Raises InputError."""
    return [Chosen(*_read(run, options), place) for run, place in zip(runs, places, strict=True)]


def assign(chosen: Sequence[Chosen], corpus: Corpus, depth: int, options: RerankOptions) -> list[Assignment]:
    """Fetch the texts of the runs' first `depth` documents. Raises InputError."""
    excluded = corpus.excluded()
    assignments = []
    for given in chosen:
        before = without(given.run, excluded)
        topics = load_topics(before, corpus, depth=depth, missing=options.missing)
        left_out = _left_out(given.run, before, topics, depth)
        assignments.append(Assignment(given.name, given.digest, before, topics, given.destination, left_out))
    return assignments


def reassign(
    run: str | Path | Run, place: Destination, depth: int, left_out: Mapping[str, Any], options: RerankOptions
) -> Assignment:
    """Read a run only: which texts there were, an earlier attempt has told. Raises InputError."""
    name, digest, selected = _read(run, options)
    before = without(selected, left_out.get("excluded", {}))
    no_query, no_text = set(left_out.get("queries", ())), set(left_out.get("documents", ()))
    topics = [
        Topic(
            query_id,
            before.ranked(query_id),
            None if query_id in no_query else Query(query_id, ""),
            [
                Passage(document.doc_id, "")
                for document in before.ranked(query_id).head(depth)
                if document.doc_id not in no_text
            ],
        )
        for query_id in before
    ]
    return Assignment(name, digest, before, topics, place, left_out)


def _read(given: str | Path | Run, options: RerankOptions) -> tuple[str, str, Run]:
    """The name, the digest and the chosen queries of a run."""
    if isinstance(given, Run):
        name, run = given.tag or "run", given
    else:
        name, run = describe(given), read_run(given, options.input_order)
    shard = parse_shard(options.shard) if options.shard else None
    selected = select(run, query_ids=options.query, shard=shard, limit=options.limit, name=name)
    if not options.escape_ids:
        # Now, and not when hours of answers are to be written.
        check_ids(selected)
    if isinstance(given, Run):
        return name, _digest(run), selected
    if str(given) == STDIN or not Path(given).is_file():  # a pipe can be read only once
        return str(given) if str(given) == STDIN else Path(given).name, _digest(run), selected
    with Path(given).open("rb") as file:
        return Path(given).name, hashlib.file_digest(file, "sha256").hexdigest(), selected


def _digest(run: Run) -> str:
    """What identifies a run that came from no file: its rankings."""
    digest = hashlib.sha256()
    for query_id in run:
        digest.update(f"{query_id}\t{' '.join(run.ranked(query_id).doc_ids())}\n".encode())
    return digest.hexdigest()


def _left_out(selected: Run, before: Run, topics: Sequence[Topic], depth: int) -> dict[str, Any]:
    """Queries and documents without a text, and documents that were removed; empty kinds left out."""
    shown = {passage.doc_id for topic in topics for passage in topic.candidates}
    heads = (document.doc_id for topic in topics for document in topic.ranking.head(depth))
    removed = {
        query_id: sorted(
            set(selected.ranked(query_id).doc_ids()).difference(before.ranked(query_id).doc_ids())
        )
        for query_id in selected
        if len(selected.ranked(query_id)) > len(before.ranked(query_id))
    }
    kinds = {
        "queries": [topic.query_id for topic in topics if topic.query is None],
        "documents": sorted(set(heads) - shown),
        "excluded": removed,
    }
    return {kind: ids for kind, ids in kinds.items() if ids}
