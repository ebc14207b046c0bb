"""`rearank train data`: windows of a run, or examples of a teacher's traces."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.shared import Config, Debug, Docs, Overwrite, Queries, Quiet, Verbose, pairs
from rearank_cli.commands.train.judgments import judgments_of
from rearank_cli.errors import InputError, UsageError
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.records import Qrels, Run
    from rearank_cli.reranking.topics import Topic
    from rearank_cli.training.draws import Drawing
    from rearank_cli.training.examples import Sifted

log = logging.getLogger("rearank")

ROWS = ("verl", "trl")
EXAMPLES = ("sft", "messages", "preferences")

WINDOWS = "Windows drawn from a run"
TRACES = "Examples from traces"


def data(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A first-stage run; - is standard input.")
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="Texts and judgments from ir_datasets.",
            autocompletion=completion.judged_datasets,
        ),
    ] = None,
    docs: Docs = None,
    queries: Queries = None,
    qrels: Annotated[
        str | None, typer.Option(metavar="PATH", help="Judgments.", show_default="the dataset's")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Where the rows go; - is standard output.",
            show_default="train.parquet, or train.jsonl of traces",
        ),
    ] = None,
    output_format: Annotated[
        Literal["verl", "trl", "sft", "messages", "preferences"] | None,
        typer.Option(
            "--format",
            help="The rows: for verl, for TRL's GRPO; of traces sft (instruction, output, system), messages, "
            "or preferences where a window was asked more than once.",
            show_default="verl, or sft of traces",
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The listwise family that writes the prompts.",
            show_default="rearank, or the one the traces name",
            autocompletion=completion.families,
        ),
    ] = None,
    form: Annotated[
        Literal["training", "inference"],
        typer.Option(
            help="Prompts as the family's models were trained with, where that is known to differ.",
            rich_help_panel=WINDOWS,
        ),
    ] = "training",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the family, such as cut=300.",
            rich_help_panel=WINDOWS,
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="The model whose tokens a family cuts by; control tokens in texts are broken, too.",
        ),
    ] = None,
    draws: Annotated[
        int, typer.Option(min=1, help="Windows drawn for each query.", rich_help_panel=WINDOWS)
    ] = 100,
    size: Annotated[int, typer.Option(min=2, help="Documents in a window.", rich_help_panel=WINDOWS)] = 20,
    depth: Annotated[
        int,
        typer.Option(min=2, help="Documents of a query that windows are drawn of.", rich_help_panel=WINDOWS),
    ] = 100,
    minimum: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="The least nDCG@10 that a window has as it is drawn.", rich_help_panel=WINDOWS
        ),
    ] = 0.1,
    seed: Annotated[
        int, typer.Option(metavar="N", help="What windows are drawn by.", rich_help_panel=WINDOWS)
    ] = 0,
    level: Annotated[
        int,
        typer.Option(
            min=1, help="The least grade that is relevant to ReasonRank's reward.", rich_help_panel=WINDOWS
        ),
    ] = 1,
    data_source: Annotated[
        str,
        typer.Option(metavar="NAME", help="What verl's rows name as their source.", rich_help_panel=WINDOWS),
    ] = "rearank",
    split: Annotated[
        str,
        typer.Option(metavar="NAME", help="What verl's rows name as their split.", rich_help_panel=WINDOWS),
    ] = "train",
    missing: Annotated[
        Literal["error", "skip"],
        typer.Option(help="What to do about texts that are not to be found.", rich_help_panel=WINDOWS),
    ] = "error",
    input_order: Annotated[
        Literal["trec", "rank", "file"],
        typer.Option(help="What ranks the run, as with rearank rerank.", rich_help_panel=WINDOWS),
    ] = "trec",
    from_traces: Annotated[
        str | None,
        typer.Option(
            metavar="TRACES",
            help="Make examples of what a strong teacher answered, instead of drawing windows.",
            rich_help_panel=TRACES,
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The least nDCG@10 of an answer that is learned from, against the best order of its window.",
            rich_help_panel=TRACES,
        ),
    ] = 0.4,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Make training data of a first-stage run and judgments, as REARANK's was made, or of a teacher's traces.

    rearank train data bm25.trec --dataset msmarco-passage/trec-dl-2019/judged
    """
    from rearank_cli.corpus import open_corpus
    from rearank_cli.reranking.destinations import check_writable
    from rearank_cli.training.draws import Drawing, Filtered
    from rearank_cli.training.files import is_json_lines, write_json_lines, write_parquet
    from rearank_cli.training.prompts import find_tokenizer, training_family
    from rearank_cli.training.rows import Writing, are_integers, rows_of, schema_of
    from rearank_cli.trec import read_run

    source = from_traces or run
    if source is None:
        raise UsageError("give a first-stage run, or the traces of a teacher with --from-traces")
    if from_traces is not None and settings:
        raise UsageError("--set is for windows of a run: traces know the settings that were asked with")
    if [run, from_traces, qrels].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    allowed = EXAMPLES if from_traces else ROWS
    chosen = output_format or allowed[0]
    if chosen not in allowed:
        raise UsageError(
            f"--format {chosen} is for {'windows of a run' if from_traces else '--from-traces'}; "
            f"what is made of {'traces' if from_traces else 'a run'} is written as {' or '.join(allowed)}"
        )
    place = output or Path("train.jsonl" if from_traces else "train.parquet")
    check_writable(place, may_exist=overwrite)
    corpus = open_corpus(dataset=dataset, docs=docs, queries=queries)
    judgments = judgments_of(qrels, corpus)
    if from_traces is not None:
        scored_by = read_run(run, input_order) if run is not None else None
        _write_examples(place, source, corpus, judgments, scored_by, chosen, family, tokenizer, threshold)
        return
    first_stage = read_run(source, input_order)
    drawing = Drawing(draws, size, depth, minimum, seed)
    chosen_settings = pairs("--set", settings or [])
    name = family or "rearank"
    written_by = training_family(name, form, chosen_settings, dataset)
    uncut = {key: "none" for key in ("cut", "query-cut") if key in written_by.settings}
    writing = Writing(
        written_by,
        training_family(name, form, chosen_settings | uncut, dataset),
        chosen,  # type: ignore[arg-type]
        data_source,
        split,
        level,
        are_integers(list(first_stage)),
        find_tokenizer(written_by, tokenizer),
    )
    topics = _useful_topics(first_stage, judgments, corpus, drawing, missing)
    filtered = Filtered()
    rows = rows_of(topics, judgments, drawing, writing, filtered)
    if is_json_lines(place):
        write_json_lines(rows, place)
    else:
        write_parquet(rows, schema_of(writing), place)
    log.info(
        "windows: %s drawn -> %s with an nDCG@10 of %g or more -> %s that can be improved",
        f"{filtered.drawn:,}",
        f"{filtered.high_enough:,}",
        minimum,
        f"{filtered.improvable:,}",
    )
    _say_written(place, filtered.improvable)


def _useful_topics(
    run: "Run", qrels: "Qrels", corpus: "Corpus", drawing: "Drawing", missing: str
) -> list["Topic"]:
    """The queries that windows are drawn of, with their texts; those that are dropped are told."""
    from rearank_cli.reranking.topics import load_topics, without
    from rearank_cli.training.draws import is_useful

    run = without(run, corpus.excluded())
    judged = [query_id for query_id in run if query_id in qrels]
    if not judged:
        raise InputError("none of the run's queries is judged; check that they belong together")
    heads = {
        query_id: [document.doc_id for document in run.ranked(query_id).head(drawing.depth)]
        for query_id in judged
    }
    useful = [query_id for query_id in judged if is_useful(heads[query_id], qrels[query_id])]
    log.info(
        "queries: %d -> %d judged -> %d with a relevant document in their first 10",
        len(run),
        len(judged),
        len(useful),
    )
    return load_topics(run.only(useful), corpus, depth=drawing.depth, missing=missing)  # type: ignore[arg-type]


def _write_examples(
    place: Path,
    traces: str,
    corpus: "Corpus",
    judgments: "Qrels",
    first_stage: "Run | None",
    form: str,
    family: str | None,
    tokenizer: str | None,
    threshold: float,
) -> None:
    from rearank_cli.traces import TraceFile
    from rearank_cli.training.examples import Examples, Told
    from rearank_cli.training.files import write_json_lines

    file = TraceFile(traces)
    query_ids = file.query_ids()
    shown = {
        doc_id
        for query_id in query_ids
        for call in file.calls(query_id)
        for doc_id in call.requests[0].doc_ids
    }
    told = Told(corpus.queries(query_ids), corpus.passages(shown), judgments, first_stage)
    examples = Examples(file, told, threshold=threshold, family=family, tokenizer=tokenizer)
    written = write_json_lines(examples.rows(form), place)  # type: ignore[arg-type]
    _tell_sifted(examples.sifted, form, threshold)
    _say_written(place, written)


def _tell_sifted(sifted: "Sifted", form: str, threshold: float) -> None:
    log.info(
        "calls: %s -> %s of judged queries -> %s answered in full%s",
        f"{sifted.calls:,}",
        f"{sifted.judged:,}",
        f"{sifted.whole:,}",
        "" if form == "preferences" else f" -> {sifted.good:,} with an nDCG@10 of {threshold:g} or more",
    )
    if form == "preferences":
        log.info(
            "windows: %s -> %s asked more than once -> %s with an nDCG@10 of %g or more, and a worse answer",
            f"{sifted.windows:,}",
            f"{sifted.asked_again:,}",
            f"{sifted.good:,}",
            threshold,
        )
    if sifted.cut:
        log.warning("%s calls are left out: passages were cut to fit the model's context", f"{sifted.cut:,}")
    if sifted.changed:
        log.warning(
            "%s calls are left out: their texts are not those of the collection", f"{sifted.changed:,}"
        )


def _say_written(place: Path, rows: int) -> None:
    log.info("%s%s rows", "" if str(place) == STDOUT else f"wrote {place}: ", f"{rows:,}")
    if not rows:
        log.warning("no row is left; look at the numbers above for what took them")
