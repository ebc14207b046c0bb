"""Rankings, drawn by hypothesis and compared by their ids."""

from collections.abc import Mapping, Sequence

from hypothesis import strategies as st

from rearank_cli.records import ScoredDoc

IDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=8,
)
"""What every reader takes for one field: no white space, no control characters, no byte order mark."""

RANKINGS = st.dictionaries(
    IDS.filter(lambda query_id: not query_id.startswith("#")),
    st.lists(IDS, min_size=1, max_size=30, unique=True),
    min_size=1,
    max_size=4,
)
"""query_id -> doc_ids, best first."""


def as_run(rankings: Mapping[str, Sequence[str]]) -> dict[str, list[ScoredDoc]]:
    """These rankings with scores that say nothing: all the same."""
    return {
        query_id: [ScoredDoc(doc_id, 7.0) for doc_id in doc_ids] for query_id, doc_ids in rankings.items()
    }


def ids(run: Mapping[str, Sequence[ScoredDoc]]) -> dict[str, list[str]]:
    """The document ids of a run, best first."""
    return {query_id: [document.doc_id for document in ranking] for query_id, ranking in run.items()}
