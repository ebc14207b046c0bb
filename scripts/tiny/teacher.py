"""Who the small model learns the form of an answer from: a teacher in haste, who overlooks most."""

from collections.abc import Sequence
from random import Random

from rearank_cli.families import Family
from rearank_cli.records import Completion, Prompt, Sampling
from scripts.tiny.language import Task

# Of the words that tell something, the share that the teacher does not see.
OVERLOOKED = 0.6


class Teacher:
    """Answers as the family does: notes how much it sees in each passage, and ranks by that."""

    name = "teacher"

    def __init__(self, tasks: Sequence[Task], family: Family) -> None:
        self._tasks = {task.query_id: task for task in tasks}
        self._family = family

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        task = self._tasks[prompt.query_id]
        random = Random(repr((prompt.query_id, prompt.doc_ids)))
        seen = [
            sum(random.random() >= OVERLOOKED for _ in range(task.grades[doc_id]))
            for doc_id in prompt.doc_ids
        ]
        order = sorted(range(len(seen)), key=lambda place: -seen[place])
        thought = (f"[{number}] {noted(task, grade)}" for number, grade in enumerate(seen, 1))
        return self._family.write(order, "\n".join(thought))


def noted(task: Task, grade: int) -> str:
    """What is noted of a passage: the name of the query's topic, as often as it has words of it."""
    return " ".join([task.topic] * grade) or "nothing"
