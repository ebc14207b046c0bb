"""Where the grades come from: a file of its own, or the collection."""

from typing import TYPE_CHECKING

from rearank_cli.errors import InputError

if TYPE_CHECKING:
    from rearank_cli.corpus import Corpus
    from rearank_cli.records import Qrels


def judgments_of(qrels: str | None, corpus: "Corpus | None") -> "Qrels":
    """Read judgments from a file where one is given, else from the collection.

    Raises InputError where the collection has none.
    """
    from rearank_cli.trec import read_qrels

    if qrels is not None:
        return read_qrels(qrels)
    grades = corpus.qrels() if corpus else None
    if not grades:
        raise InputError(
            f"{corpus.name if corpus else 'the collection'} has no judgments; give them with --qrels"
        )
    return grades
