"""Reranking in PyTerrier's pipelines: `bm25 >> pt.text.get_text(index, "text") >> Rearank()`."""

from collections.abc import Mapping
from typing import Any

from rearank_cli import Reranker, rerank
from rearank_cli.errors import InputError
from rearank_cli.records import Passage

try:
    import pandas as pd
    import pyterrier as pt
except ImportError as error:
    raise ImportError(
        "rearank_cli.pyterrier needs PyTerrier; install it with: pip install 'rearank[pyterrier]'"
    ) from error


class Rearank(pt.Transformer):  # type: ignore[misc]  # PyTerrier has no types
    """Orders the documents of every query anew; the options are those of `rearank_cli.rerank`.

    In goes a frame with the columns qid, query, docno and text, and title where there is one; in the
    order of rank, or else of score. Out comes a new one with another score and rank, all other columns
    as they were, and the queries in the order they had. With `dataset` or `docs` the texts come from
    there, and the frame needs none; documents that the dataset excludes from evaluation are left out.
    Every call of `transform` loads the model and ends it; with a `Reranker` in the place of the model's
    name it stays loaded, for all transformers that are given the same one.
    """

    def __init__(self, model: str | Reranker | None = None, **options: Any) -> None:
        self.model = model
        self.options = options

    def __repr__(self) -> str:
        model = [] if self.model is None else [repr(self.model)]
        return (
            f"Rearank({', '.join([*model, *(f'{name}={value!r}' for name, value in self.options.items())])})"
        )

    def transform(self, inp: pd.DataFrame) -> pd.DataFrame:
        """The frame in its new order. Raises the errors of `rearank_cli.errors`."""
        kept = self.model if isinstance(self.model, Reranker) else None
        given = {**(kept.options if kept else {"model": self.model}), **self.options}
        # None is what is not given, and takes back what a Reranker was given.
        given = {word: value for word, value in given.items() if value is not None}
        own_texts = not {"dataset", "docs"} & given.keys()
        needed = ["query", "text"] if own_texts else ["query"]
        pt.validate.result_frame(inp, extra_columns=needed, context=self)
        if inp.empty:
            return inp.assign(score=pd.Series(dtype="float64"), rank=pd.Series(dtype="int64"))
        frame = _in_order(inp.assign(qid=inp["qid"].astype(str), docno=inp["docno"].astype(str)))
        queries = _one_each(frame, "qid", _queries(frame))
        if not ("queries" in given or given.get("missing") == "skip"):
            _check_queries(frame, queries)
        texts: dict[str, Any] = {"queries": queries}
        if own_texts:
            texts["docs"] = _one_each(frame, "docno", _passages(frame))
        before: dict[str, list[tuple[str, float]]] = {}
        for qid, docno, score in zip(frame["qid"], frame["docno"], frame["score"], strict=True):
            before.setdefault(qid, []).append((docno, score))
        unset = dict.fromkeys(kept.options if kept else ())
        after = (kept.rerank if kept else rerank)(before, **unset | texts | given)
        rows = {key: row for row, key in enumerate(zip(frame["qid"], frame["docno"], strict=True))}
        new = [
            (rows[qid, document.doc_id], document.score, rank)
            for qid in after
            for rank, document in enumerate(after[qid], pt.model.FIRST_RANK)
        ]
        places, scores, ranks = zip(*new, strict=True) if new else ((), (), ())
        ordered = frame.iloc[list(places)].reset_index(drop=True)
        return ordered.assign(score=pd.Series(scores, dtype="float64"), rank=pd.Series(ranks, dtype="int64"))


def _in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The queries in the order they have, the best documents of each first, and a score for each."""
    places = {qid: place for place, qid in enumerate(frame["qid"].unique())}
    if "rank" in frame:
        frame = frame.sort_values("rank", kind="stable")
    elif "score" in frame:
        frame = frame.sort_values("score", kind="stable", ascending=False)
    frame = frame.sort_values("qid", kind="stable", key=lambda qids: qids.map(places))
    return frame if "score" in frame else frame.assign(score=range(len(frame), 0, -1))


def _queries(frame: pd.DataFrame) -> list[Any]:
    known = frame["query"].notna()
    return [query if given else None for query, given in zip(frame["query"], known, strict=True)]


def _check_queries(frame: pd.DataFrame, queries: Mapping[str, Any]) -> None:
    if without := [qid for qid in frame["qid"].unique() if qid not in queries]:
        raise InputError(
            f"qid '{without[0]}' has no query in the frame; give it one, or missing=\"skip\" to leave its "
            "documents as they are"
        )


def _passages(frame: pd.DataFrame) -> list[Passage | None]:
    titles = frame["title"] if "title" in frame else [None] * len(frame)
    return [
        Passage(docno, text, title if isinstance(title, str) else None) if isinstance(text, str) else None
        for docno, text, title in zip(frame["docno"], frame["text"], titles, strict=True)
    ]


def _one_each(frame: pd.DataFrame, column: str, values: Any) -> Mapping[str, Any]:
    """What belongs to each id; those without a text are left out, and missed later."""
    found: dict[str, Any] = {}
    for key, value in zip(frame[column], values, strict=True):
        if value is not None and found.setdefault(key, value) != value:
            raise InputError(
                f"{column} '{key}' has several texts in the frame; an id can stand for one text only"
            )
    return found
