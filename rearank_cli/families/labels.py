"""Answers that choose one passage by its label: `<answer>[3]</answer>`, `<answer>passage 3</answer>`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rearank_cli.families.answers import END_TAG, find_answer
from rearank_cli.families.reader import Reader, literal, missing
from rearank_cli.records import Completion, Gives, Reading, Status


@dataclass(frozen=True)
class LabelReader(Reader):
    """Reads and writes the label of the best passage of a window: it comes first, the rest as it was.

    `label` is how a passage is named, `{number}` being its place in the window, from 1.
    """

    gives: ClassVar[Gives] = "best"

    label: str = "[{number}]"

    def read(self, completion: Completion, n: int, begun: str) -> Reading:
        """The passage chosen of n. Anything but exactly one label is no answer."""
        found = find_answer(completion, begun, self.thought_marks, self._is_label)
        if found.answer is None:
            return found.nothing(n)
        labels = {self._named(position).lower(): position for position in range(n)}
        chosen = labels.get(found.answer.strip().lower())
        if chosen is None:
            return found.nothing(n, Status.UNREADABLE)
        return Reading(Status.OK, self._ordered(chosen, n), reasoning=found.reasoning, listed=self._listed(n))

    def _is_label(self, text: str) -> bool:
        number = re.escape(self.label).replace(re.escape("{number}"), r"\d+")
        return bool(re.fullmatch(number, text.strip(), re.IGNORECASE))

    def _named(self, position: int) -> str:
        return self.label.replace("{number}", str(position + 1))

    def _ordered(self, chosen: int, n: int) -> list[int]:
        return [chosen, *missing([chosen], n)]

    def _listed(self, n: int) -> int | None:
        return 1

    def _chosen(self, order: Sequence[int]) -> int:
        return order[0]

    def pattern(self, n: int) -> str:
        """The rest of an answer: a label."""
        labels = "|".join(literal(self._named(position)) for position in range(n))
        return f"({labels}){END_TAG if self.tags else ''}"

    def write(self, order: Sequence[int], scores: Sequence[float] | None, reasoning: str) -> Completion:
        """The completion of a model that chooses the passage for which this order was made."""
        answer = self._named(self._chosen(order)) if order else ""
        return self._completion(reasoning, answer)


@dataclass(frozen=True)
class WorstLabelReader(LabelReader):
    """Reads and writes the label of the worst passage of a window: it comes last, the rest as it was."""

    gives: ClassVar[Gives] = "worst"

    def _ordered(self, chosen: int, n: int) -> list[int]:
        return [*missing([chosen], n), chosen]

    def _listed(self, n: int) -> int | None:
        # All of it: the others are better than the one that was named.
        return None

    def _chosen(self, order: Sequence[int]) -> int:
        return order[-1]
