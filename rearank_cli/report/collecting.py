"""From trace files, their runs, texts and judgments to what a report tells."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rearank_cli.corpus import Corpus
from rearank_cli.errors import InputError
from rearank_cli.evaluation import evaluate_runs, name_runs, parse_measures
from rearank_cli.evaluation.comparison import compare_runs
from rearank_cli.records import Passage, Qrels, Run
from rearank_cli.report.contents import Measured, Report, Reranking
from rearank_cli.report.finding import find_runs
from rearank_cli.report.retracing import read_traced, retrace
from rearank_cli.trec.runs import Order
from rearank_cli.trec.streams import describe
from rearank_cli.words import counted, did_you_mean


@dataclass(frozen=True)
class Judgments:
    """Grades, and what messages call them."""

    name: str
    grades: Qrels


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What there is beside the traces: runs, texts, judgments, each perhaps not at hand.

    `query_ids` are those that are to be told of, where that is not all.
    """

    runs: Sequence[str] = ()
    corpus: Corpus | None = None
    judgments: Judgments | None = None
    measures: Sequence[str] = ()
    input_order: Order = "trec"
    query_ids: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)


def collect(traces: Sequence[str], sources: Sources) -> Report:
    """Gather what a report on these trace files tells.

    Raises InputError and UsageError for files that cannot be read or do not belong together.
    """
    names = name_runs([describe(path) for path in traces])
    traced = [read_traced(path, name) for path, name in zip(traces, names, strict=True)]
    for each in traced:
        if not each.file.runs:
            raise InputError(f"{describe(each.path)} has no call in it: there is nothing to report yet")
    attempts = [each.file.attempts[-1] for each in traced]
    runs = find_runs(traces, attempts, sources.runs, sources.input_order)
    rerankings = [retrace(each, run, sources.input_order) for each, run in zip(traced, runs, strict=True)]
    notes = [*sources.notes]
    if sources.query_ids:
        there = len({query_id for each in rerankings for query_id in each.calls})
        rerankings = _only(rerankings, sources.query_ids)
        picked = len(set(sources.query_ids))
        notes.append(f"{picked:,} of {there:,} queries, picked by hand: means and tests are of these alone.")
    notes = [*notes, *_of_runs(rerankings), *_of_missing_calls(rerankings)]
    query_ids = list(dict.fromkeys(query_id for each in rerankings for query_id in each.calls))
    report = Report(rerankings, dict.fromkeys(query_ids), notes=notes)
    if sources.judgments:
        _check_topics(report, sources.judgments)
    if sources.corpus:
        report = _with_texts(report, sources.corpus)
    if sources.judgments:
        report = _with_measures(report, sources.judgments, sources.measures)
    return report


def _only(rerankings: Sequence[Reranking], query_ids: Sequence[str]) -> list[Reranking]:
    """What became of these queries. Raises InputError for one that is in none of the traces, and for
    traces that have none of them.
    """
    known = dict.fromkeys(query_id for each in rerankings for query_id in each.calls)
    names = ", ".join(each.name for each in rerankings)
    for query_id in query_ids:
        if query_id not in known:
            guess = did_you_mean(query_id, known)
            hint = f"; {guess}" if guess else ""
            have = "has" if len(rerankings) == 1 else "have"
            there = counted(len(known), "query", "queries")
            raise InputError(f"{names} {have} no query '{query_id}'{hint} ({there} in all)")
    for each in rerankings:
        if each.calls.keys().isdisjoint(query_ids):
            raise InputError(f"{each.name} has no query of {', '.join(query_ids)}; leave it out")
    return [each.only(query_ids) for each in rerankings]


def _of_runs(rerankings: Sequence[Reranking]) -> list[str]:
    return [
        f"{each.run}, the run that {each.name} is of, is not at hand: final rankings, changes and measures "
        "are not shown, and calls of earlier attempts may be among those that are. Name it with --run."
        for each in rerankings
        if each.before is None
    ]


def _of_missing_calls(rerankings: Sequence[Reranking]) -> list[str]:
    notes = []
    for each in rerankings:
        if missing := sum(asked.status is None for asked in each.asked):
            calls = f"{missing:,} of {len(each.asked):,} calls"
            notes.append(f"{calls} are not in {each.name}: their windows keep the order they had.")
    return notes


def _with_texts(report: Report, corpus: Corpus) -> Report:
    texts = corpus.queries(list(report.queries))
    wanted = _doc_ids(report)
    passages: Mapping[str, Passage] = corpus.passages(wanted)
    if not texts and not passages:
        raise InputError(
            f"{corpus.name} has no query and no document of {_named(report)}, which begins with query "
            f"{next(iter(report.queries))}; is it the collection that was reranked?"
        )
    notes = list(report.notes)
    for kind, known, asked in (("queries", texts, report.queries), ("documents", passages, wanted)):
        if missing := len(asked) - len(known):
            notes.append(
                f"{missing:,} of {len(asked):,} {kind} are not in {corpus.name}: their ids stand alone."
            )
    queries = {query_id: texts.get(query_id) for query_id in report.queries}
    return replace(report, queries=queries, passages=passages, notes=notes)


def _doc_ids(report: Report) -> Collection[str]:
    """Every document that was a candidate of a query."""
    wanted: dict[str, None] = {}
    for reranking in report.rerankings:
        for query_id, calls in reranking.calls.items():
            for asked in calls:
                wanted.update(dict.fromkeys(asked.window.doc_ids))
            if reranking.before is not None:
                head = reranking.before.ranked(query_id).head(reranking.depth)
                wanted.update((document.doc_id, None) for document in head)
    return wanted.keys()


def _check_topics(report: Report, judgments: Judgments) -> None:
    # The part of a run that was reranked may be without judgments; all of it is not.
    if all(each.is_whole for each in report.rerankings) and judgments.grades.keys().isdisjoint(
        report.queries
    ):
        judged = (
            f"the other with {next(iter(judgments.grades))}" if judgments.grades else "the other is empty"
        )
        raise InputError(
            f"{_named(report)} and {judgments.name} have no topic in common: one begins with "
            f"{next(iter(report.queries))}, {judged}; are both of the same collection?"
        )


def _named(report: Report) -> str:
    return ", ".join(each.name for each in report.rerankings)


def _with_measures(report: Report, judgments: Judgments, measures: Sequence[str]) -> Report:
    parsed = parse_measures(measures)
    names = [measure.name for measure in parsed]
    notes = list(report.notes)
    measured = []
    if judgments.grades.keys().isdisjoint(report.queries):
        notes.append(f"None of the queries is judged in {judgments.name}.")
    else:
        measured = [_measured(group, judgments, names) for group in _of_one_run(report.rerankings)]
    return replace(
        report,
        judgments=judgments.grades,
        judgments_name=judgments.name,
        measures=names if measured else (),
        measured=measured,
        level=max(measure.level for measure in parsed),
        notes=notes,
    )


def _of_one_run(rerankings: Sequence[Reranking]) -> list[list[Reranking]]:
    """The rerankings with a run, together where they reranked the same queries of the same one."""
    groups: dict[tuple[object, ...], list[Reranking]] = {}
    for each in rerankings:
        if each.before is not None:
            groups.setdefault((each.attempt["run_sha256"], *each.before), []).append(each)
    return list(groups.values())


def _measured(group: Sequence[Reranking], judgments: Judgments, measures: Sequence[str]) -> Measured:
    before = group[0].before or Run({})
    # As `rearank rerank` does: of a part of a run, only its own topics count.
    judged = {
        query_id: grades
        for query_id, grades in judgments.grades.items()
        if group[0].is_whole or query_id in before
    }
    names = [each.name for each in group]
    baseline = group[0].run if group[0].run not in names else f"{group[0].run} (first stage)"
    runs = {baseline: before, **{each.name: each.after or Run({}) for each in group}}
    evaluations = evaluate_runs(runs, judged, measures, qrels_name=judgments.name)
    return Measured(names, evaluations, compare_runs(evaluations, "student"))
