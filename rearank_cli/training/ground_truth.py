"""What a row of training data knows of its answer: enough to reward any response, with no other file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rearank_cli.training.rewards import best_order


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """The documents of a window in the order shown, and what is known of them.

    `qrels` has all judged documents of the query, for the ideal that nDCG is measured by. `teacher`
    is an order of identifiers, from 1, and `relevant` the doc_ids that count as relevant: ReasonRank's
    reward needs them.
    """

    query_id: str
    doc_ids: Sequence[str]
    qrels: Mapping[str, int]
    teacher: Sequence[int]
    relevant: Sequence[str]

    @classmethod
    def of(
        cls, query_id: str, doc_ids: Sequence[str], qrels: Mapping[str, int], level: int = 1
    ) -> "GroundTruth":
        """That of a window and the judgments of its query, which are the teacher too.

        Relevant are those shown with a grade from `level` up: ReasonRank's labels are of the passages in
        the list, and its recall counts no others.
        """
        teacher = [position + 1 for position in best_order(doc_ids, qrels)]
        relevant = [doc_id for doc_id in doc_ids if qrels.get(doc_id, 0) >= level]
        return cls(query_id, list(doc_ids), dict(qrels), teacher, relevant)

    @classmethod
    def from_json(cls, text: str) -> "GroundTruth":
        """Read what `to_json` wrote. Raises ValueError for anything else."""
        try:
            return cls(**json.loads(text))
        except TypeError as error:
            raise ValueError(f"no ground truth of rearank train data ({error}): {text[:80]!r}") from None

    def to_json(self) -> str:
        """As one string, so that rows of all collections have one type."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))
