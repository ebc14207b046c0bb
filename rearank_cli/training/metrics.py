"""What a row of REARANK's data has of an order: nDCG, average precision and recall at 1, 5 and 10."""

from collections.abc import Mapping, Sequence

from rearank_cli.training.rewards import ndcg

CUTOFFS = (1, 5, 10)
NAMES = tuple(f"{name}@{cutoff}" for name in ("NDCG", "MAP", "Recall") for cutoff in CUTOFFS)


def measure(ranked: Sequence[str], qrels: Mapping[str, int]) -> dict[str, float]:
    """The measures of doc_ids, best first, by their names in the data.

    As pytrec_eval has them (ndcg_cut, map_cut, recall): whatever has a grade from 1 up is relevant, and
    what is not in the list counts as not found.
    """
    relevant = sum(grade > 0 for grade in qrels.values())
    found, precisions = 0, 0.0
    average_precision, recall = dict.fromkeys(CUTOFFS, 0.0), dict.fromkeys(CUTOFFS, 0.0)
    for rank in range(1, CUTOFFS[-1] + 1):
        if rank <= len(ranked) and qrels.get(ranked[rank - 1], 0) > 0:
            found += 1
            precisions += found / rank
        if rank in recall and relevant:
            average_precision[rank] = precisions / relevant
            recall[rank] = found / relevant
    gains = [ndcg(ranked, qrels, cutoff) for cutoff in CUTOFFS]
    return dict(zip(NAMES, [*gains, *average_precision.values(), *recall.values()], strict=True))
