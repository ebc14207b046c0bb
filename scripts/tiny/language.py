"""A made-up language whose words have topics, and ranking tasks in it.

What a passage is about cannot be seen from its letters: it shares no word with the query. Who knows the
topics of the words can rank.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from random import Random
from zlib import crc32

_TOPICS = 12
_WORDS_OF_A_TOPIC = 8
_QUERY_WORDS = 3
_PASSAGE_WORDS = 4
CANDIDATES = 10
# How many words of the query's topic a passage has, which is its grade; and how often.
_GRADES = (0, 1, 2, 3)
_SHARES = (0.5, 0.2, 0.15, 0.15)


@dataclass(frozen=True)
class Task:
    """A query with its candidates, in no order, and their grades. `topic` is the name of the query's."""

    query_id: str
    query: str
    topic: str
    passages: dict[str, str]
    grades: dict[str, int]


class Language:
    """Words by topics, the same ones each time."""

    def __init__(self) -> None:
        random = Random("rearank")
        syllables = ["".join(pair) for pair in product("bdfgklmnprstvz", "aeiou")]
        words = ["".join(pair) for pair in product(syllables, repeat=2)]
        chosen = random.sample(words, _TOPICS * _WORDS_OF_A_TOPIC)
        self.topics = [chosen[start::_TOPICS] for start in range(_TOPICS)]

    @property
    def words(self) -> list[str]:
        """All words."""
        return [word for topic in self.topics for word in topic]

    def tasks(self, name: str, count: int, seed: int, *, held_out: bool = False) -> list[Task]:
        """So many tasks; their ids begin with `name`. No query of those held out is one of the others."""
        random = Random(repr((name, seed)))
        return [self._task(f"{name}{number}", random, held_out) for number in range(1, count + 1)]

    def _task(self, query_id: str, random: Random, held_out: bool) -> Task:
        while True:
            topic, *others = random.sample(range(_TOPICS), 6)
            words = random.sample(self.topics[topic], _WORDS_OF_A_TOPIC)
            asked, telling = words[:_QUERY_WORDS], words[_QUERY_WORDS:]
            if is_held_out(asked) == held_out:
                break
        passages, grades = {}, {}
        for number, grade in enumerate(random.choices(_GRADES, _SHARES, k=CANDIDATES), 1):
            doc_id = f"{query_id}-{number}"
            passages[doc_id] = " ".join(self._passage(telling, grade, others, random))
            grades[doc_id] = grade
        return Task(query_id, " ".join(asked), self.topics[topic][0], passages, grades)

    def _passage(self, telling: list[str], grade: int, others: list[int], random: Random) -> list[str]:
        """Words of which as many tell something as the grade says, and the rest is of two other topics."""
        beside = [word for other in random.sample(others, 2) for word in self.topics[other]]
        words = random.sample(telling, grade) + random.sample(beside, _PASSAGE_WORDS - grade)
        random.shuffle(words)
        return words


def is_held_out(asked: Iterable[str]) -> bool:
    """Whether a query of these words, in any order, is one of the tenth that no model is trained on."""
    return crc32(" ".join(sorted(asked)).encode()) % 10 == 0
