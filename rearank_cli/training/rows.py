"""Rows of training data, as verl and TRL read them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Literal

from rearank_cli.errors import UsageError
from rearank_cli.families import Family
from rearank_cli.records import Passage, Prompt, Qrels
from rearank_cli.reranking.topics import Topic
from rearank_cli.training.draws import Drawing, Drawn, Filtered, draw_windows
from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.metrics import NAMES, measure
from rearank_cli.training.prompts import Prompter

Format = Literal["verl", "trl"]


@dataclass(frozen=True)
class Writing:
    """How rows are written: by what family, for which trainer, and what they say of themselves.

    `plain` is the same family without a cut, for the content of hits. `level` is the least grade that is
    relevant to ReasonRank's reward. `integer_ids` says that all query ids are integers, as in the reference.
    """

    family: Family
    plain: Family
    format: Format = "verl"
    data_source: str = "rearank"
    split: str = "train"
    level: int = 1
    integer_ids: bool = False
    tokenizer: Any = None

    def __post_init__(self) -> None:
        family = self.family
        prompt = family.prompt("", [Passage("d1", "")])
        if prompt.append:
            raise UsageError(f"the family {family.name} begins the model's answer, which rows cannot say")
        if self.format == "verl" and prompt.text is not None:
            raise UsageError(
                f"the family {family.name} sends raw text, and verl reads chats; give --format trl, "
                "or another family"
            )


def rows_of(
    topics: Sequence[Topic], qrels: Qrels, drawing: Drawing, writing: Writing, filtered: Filtered
) -> Iterator[dict[str, Any]]:
    """The rows of all queries, one window after another: no more than one query's are in memory."""
    indices = count()
    for topic in topics:
        if topic.query is None or len(topic.candidates) < 2:
            continue
        passages = {passage.doc_id: passage for passage in topic.candidates}
        prompter = Prompter(writing.family, topic.query.text, passages, writing.tokenizer)
        ranks = {doc_id: rank for rank, doc_id in enumerate(topic.ranking.doc_ids(), 1)}
        contents = {doc_id: writing.plain.prepare(passage).text for doc_id, passage in passages.items()}
        judged = qrels[topic.query_id]
        for window in draw_windows(topic.query_id, list(passages), judged, drawing, filtered):
            truth = GroundTruth.of(topic.query_id, window.doc_ids, judged, writing.level).to_json()
            prompt = prompter.prompt(window.doc_ids)
            index = next(indices)
            if writing.format == "trl":
                yield {
                    "prompt": prompt_of(prompt),
                    "ground_truth": truth,
                    "query_id": topic.query_id,
                    "index": index,
                }
            else:
                hits = [
                    {
                        "content": contents[doc_id],
                        "docid": doc_id,
                        "qid": int(topic.query_id) if writing.integer_ids else topic.query_id,
                        "rank": ranks[doc_id],
                        "score": passages[doc_id].score,
                    }
                    for doc_id in window.doc_ids
                ]
                yield _verl_row(topic.query.text, hits, prompt, truth, window, judged, writing, index)


def _verl_row(
    query: str,
    hits: list[dict[str, Any]],
    prompt: Prompt,
    truth: str,
    window: Drawn,
    judged: Mapping[str, int],
    writing: Writing,
    index: int,
) -> dict[str, Any]:
    return {
        "query": query,
        "hits": hits,
        "data_source": writing.data_source,
        "prompt": prompt.messages,
        "ability": "rerank",
        "reward_model": {"style": "rule", "ground_truth": truth},
        "extra_info": {"split": writing.split, "index": index},
        "metrics": measure(window.doc_ids, judged),
        "best_metrics": measure(window.ideal, judged),
        "new_rank": list(window.best),
    }


def prompt_of(prompt: Prompt) -> list[dict[str, str]] | str:
    """A prompt as TRL reads it: the turns of a chat, or a raw text."""
    return prompt.messages if prompt.text is None else prompt.text


def are_integers(query_ids: Sequence[str]) -> bool:
    """Whether ids can be written as integers, and read back the same."""
    return all(query_id.isascii() and query_id.isdigit() and str(int(query_id)) == query_id
               for query_id in query_ids)  # fmt: skip


def schema_of(writing: Writing) -> Any:
    """The columns with their types, which must not depend on what is in the first rows."""
    import pyarrow as pa

    text, whole, real = pa.string(), pa.int64(), pa.float64()
    chat = pa.list_(pa.struct({"role": text, "content": text}))
    raw = writing.family.prompt("", [Passage("d1", "")]).text is not None
    if writing.format == "trl":
        return pa.schema(
            {"prompt": text if raw else chat, "ground_truth": text, "query_id": text, "index": whole}
        )
    qid = whole if writing.integer_ids else text
    hit = {"content": text, "docid": text, "qid": qid, "rank": whole, "score": real}
    measures = pa.struct(dict.fromkeys(NAMES, real))
    return pa.schema(
        {
            "query": text,
            "hits": pa.list_(pa.struct(hit)),
            "data_source": text,
            "prompt": chat,
            "ability": text,
            "reward_model": pa.struct({"style": text, "ground_truth": text}),
            "extra_info": pa.struct({"split": text, "index": whole}),
            "metrics": measures,
            "best_metrics": measures,
            "new_rank": pa.list_(whole),
        }
    )
