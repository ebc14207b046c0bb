"""`rearank train`: training data, rewards and launch files, for those who train rerankers."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rearank_cli.commands import completion
from rearank_cli.commands.help import Command, Group, help_of
from rearank_cli.commands.shared import Config, Debug, Quiet, Verbose
from rearank_cli.errors import InputError, UsageError
from rearank_cli.trec.outputs import STDOUT
from rearank_cli.trec.streams import STDIN

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.records import Qrels, Run
    from rearank_cli.reranking.topics import Topic
    from rearank_cli.training.draws import Drawing
    from rearank_cli.training.examples import Sifted
    from rearank_cli.training.survey import Survey

log = logging.getLogger("rearank")

ROWS = ("verl", "trl")
EXAMPLES = ("sft", "messages", "preferences")

WINDOWS = "Windows drawn from a run"
TRACES = "Examples from traces"

train = typer.Typer(name="train", cls=Group, no_args_is_help=True)

_DATASET = typer.Option(
    metavar="ID", help="Texts and judgments from ir_datasets.", autocompletion=completion.judged_datasets
)


def data(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="A first-stage run; - is standard input.")
    ] = None,
    dataset: Annotated[str | None, _DATASET] = None,
    docs: Annotated[Path | None, typer.Option(help="Documents: .jsonl, .tsv or a BEIR folder.")] = None,
    queries: Annotated[Path | None, typer.Option(help="Queries: .jsonl or .tsv.")] = None,
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
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
    judgments = _judgments(qrels, corpus)
    if from_traces is not None:
        scored_by = read_run(run, input_order) if run is not None else None
        _write_examples(place, source, corpus, judgments, scored_by, chosen, family, tokenizer, threshold)
        return
    first_stage = read_run(source, input_order)
    drawing = Drawing(draws, size, depth, minimum, seed)
    pairs = _pairs(settings or [])
    name = family or "rearank"
    written_by = training_family(name, form, pairs, dataset)
    uncut = {key: "none" for key in ("cut", "query-cut") if key in written_by.settings}
    writing = Writing(
        written_by,
        training_family(name, form, pairs | uncut, dataset),
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


def reward(
    traces: Annotated[
        str,
        typer.Argument(metavar="TRACES", help="What rearank rerank left beside a run; - is standard input."),
    ],
    qrels: Annotated[str | None, typer.Option(metavar="PATH", help="Judgments.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="ID",
            help="The ir_datasets collection that has the judgments.",
            autocompletion=completion.judged_datasets,
        ),
    ] = None,
    by: Annotated[
        Literal["rearank", "reasonrank"], typer.Option("--reward", help="The paper whose reward it is.")
    ] = "rearank",
    gain: Annotated[
        Literal["normalised", "ndcg", "difference"],
        typer.Option(
            metavar="NAME",
            help="rearank: the possible gain in nDCG@10 that is made, nDCG@10 itself, or its difference. "
            "One of normalised, ndcg, difference.",
        ),
    ] = "normalised",
    clip: Annotated[bool, typer.Option("--clip", help="rearank: the gain ends at 0 and 1.")] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="rearank: a well-formed ranking has every identifier, once.")
    ] = False,
    recall_weight: Annotated[float, typer.Option(help="reasonrank: the weight of recall@10.")] = 0.2,
    overlap_weight: Annotated[
        float, typer.Option(help="reasonrank: the weight of the overlap with the best order.")
    ] = 0.1,
    level: Annotated[int, typer.Option(min=1, help="reasonrank: the least grade that is relevant.")] = 1,
    family: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="The family that was asked.",
            show_default="the one the traces name",
            autocompletion=completion.families,
        ),
    ] = None,
    output_format: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print the numbers.")
    ] = "table",
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Reward what a model already answered, part by part: what training would see, before any is spent.

    rearank train reward run.rearank.jsonl --qrels qrels.trec
    """
    import orjson

    from rearank_cli.traces import TraceFile
    from rearank_cli.training.bars import as_text
    from rearank_cli.training.survey import survey

    if (qrels is None) == (dataset is None):
        raise UsageError("give the judgments with either --qrels or --dataset")
    if [traces, qrels].count(STDIN) > 1:
        raise UsageError("standard input (-) can be read only once")
    judgments = _judgments(qrels, _corpus_of_judgments(dataset))
    options = {
        "gain": gain,
        "clip": clip,
        "complete": complete,
        "recall_weight": recall_weight,
        "overlap_weight": overlap_weight,
    }
    surveyed = survey(TraceFile(traces), judgments, by, family=family, level=level, options=options)
    if output_format == "json":
        typer.echo(orjson.dumps(surveyed.as_dict(), option=orjson.OPT_INDENT_2).decode())
    else:
        typer.echo(as_text(surveyed), nl=False)
    _tell(surveyed)


def configure(
    trainer: Annotated[Literal["verl", "trl"], typer.Argument(metavar="TRAINER", help="verl or trl.")],
    training_data: Annotated[
        Path, typer.Option("--data", metavar="PATH", help="What rearank train data wrote.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the files go.")
    ] = Path("training"),
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", metavar="NAME", help="What is trained.", show_default="the paper's"),
    ] = None,
    recipe: Annotated[
        Literal["rearank", "reasonrank"],
        typer.Option(
            metavar="NAME", help="The paper whose settings and reward they are: rearank, reasonrank."
        ),
    ] = "rearank",
    validation: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Rows to validate on, for verl; made like the data.")
    ] = None,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs of each machine.")] = 8,
    nodes: Annotated[int, typer.Option(min=1, help="Machines.")] = 1,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
    config: Config = None,
) -> None:
    """Write what starts a training with verl or TRL: the papers' settings, the data and the reward in them.

    rearank train config verl --data train.parquet -o training
    """
    from rearank_cli.training.launching import Launch, write_launch

    for path in (training_data, validation):
        if path is not None and not path.is_file():
            raise InputError(f"{path}: no such file; make it with: rearank train data RUN -o {path}")
    if validation is not None and trainer == "trl":
        raise UsageError("--validation is for verl; TRL's script validates on nothing")
    launch = Launch(output, training_data, validation, recipe, model, gpus, nodes)
    paths = write_launch(trainer, launch, overwrite=overwrite)
    log.info("wrote %s", ", ".join(map(str, paths)))
    log.info("start it with: %s", output / "train.sh")


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


def _tell(surveyed: "Survey") -> None:
    """What the numbers are of."""
    log.info(
        "%s answers to windows of %d queries, by the reward of %s",
        f"{surveyed.answers:,}",
        surveyed.queries,
        {"rearank": "REARANK", "reasonrank": "ReasonRank"}[surveyed.reward],
    )
    if surveyed.unjudged:
        log.info("%s calls are of queries without judgments", f"{surveyed.unjudged:,}")
    if surveyed.unanswered:
        log.info("%s calls had no response", f"{surveyed.unanswered:,}")
    if surveyed.without_room:
        log.info(
            "%s answers are to windows that no order improves: train data draws none of these",
            f"{surveyed.without_room:,}",
        )
    groups = surveyed.groups
    if groups.windows:
        log.info(
            "windows asked more than once: %s, of which %s (%.0f %%) have only equal answers, "
            "and teach GRPO nothing; mean spread %.4f",
            f"{groups.windows:,}",
            f"{groups.equal:,}",
            100 * groups.equal / groups.windows,
            groups.deviation,
        )
    elif surveyed.answers:
        log.info("no window was shown twice in the same order: there is nothing that GRPO would compare")


def _say_written(place: Path, rows: int) -> None:
    log.info("%s%s rows", "" if str(place) == STDOUT else f"wrote {place}: ", f"{rows:,}")
    if not rows:
        log.warning("no row is left; look at the numbers above for what took them")


def _judgments(qrels: str | None, corpus: "Corpus | None") -> "Qrels":
    from rearank_cli.trec import read_qrels

    if qrels is not None:
        return read_qrels(qrels)
    grades = corpus.qrels() if corpus else None
    if not grades:
        raise InputError(
            f"{corpus.name if corpus else 'the collection'} has no judgments; give them with --qrels"
        )
    return grades


def _corpus_of_judgments(dataset: str | None) -> "Corpus | None":
    from rearank_cli.corpus import open_corpus

    return open_corpus(dataset=dataset) if dataset is not None else None


def _pairs(given: list[str]) -> dict[str, str]:
    wrong = [pair for pair in given if "=" not in pair]
    if wrong:
        raise UsageError(f"--set {wrong[0]}: give it as KEY=VALUE")
    return dict(pair.split("=", 1) for pair in given)


def of_models() -> None:
    """Train rerankers with verl or TRL: their data, their rewards, and what starts them.

    rearank train data bm25.trec --qrels qrels.trec && rearank train config verl --data train.parquet
    """


train.callback(help=help_of(of_models))(of_models)
for name, command in (("data", data), ("reward", reward), ("config", configure)):
    train.command(name, cls=Command, help=help_of(command))(command)
