"""Judgments, and what they leave out."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from rearank_cli.corpus.irds import IrdsCorpus
from rearank_cli.errors import InputError, UsageError
from rearank_cli.records import Qrels
from rearank_cli.trec import read_qrels


class Judgments(NamedTuple):
    """Grades, what messages call them, and by query the documents that they exclude from evaluation."""

    name: str
    grades: Qrels
    excluded: Mapping[str, Collection[str]]


def read_judgments(qrels: str | Path | Qrels | None, dataset: str | None) -> Judgments:
    """The judgments of a file (`-` is standard input), of a mapping, or of a dataset of ir_datasets.

    Raises UsageError for both or neither, InputError where there are none.
    """
    if dataset is None:
        if qrels is None:
            raise UsageError("give the judgments with either --qrels or --dataset")
        if isinstance(qrels, Mapping):
            return Judgments("the judgments", qrels, {})
        return Judgments(str(qrels), read_qrels(qrels), {})
    if qrels is not None:
        raise UsageError("give the judgments with either --qrels or --dataset, not with both")
    corpus = IrdsCorpus(dataset)
    grades = corpus.qrels()
    if grades is None:
        raise InputError(f"{dataset} has no judgments; give them with --qrels")
    return Judgments(dataset, grades, corpus.excluded())
