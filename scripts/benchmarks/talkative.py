"""An engine that reasons at length about what it is shown, and moves passages as if it had understood."""

import random
import re
from pathlib import Path

import orjson

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Prompt, Sampling
from scripts.benchmarks import texts

# What REARANK's reasoning looks like: passages by their numbers, alone and together, and now and then none.
_SENTENCES = (
    "Passage [{a}] directly addresses the question, since it explains {w}.",
    "[{a}] and [{b}] both mention {w}, but [{b}] says more about how it works.",
    "The query asks for {w}, so what matters is whether a passage states it, not whether it repeats it.",
    "Passages {a}, {b} and {c} are about {w}, which is related and does not answer it.",
    "Comparing [{a}] with [{b}], the former is more specific: {w}.",
    "However, [{c}] only touches on {w} in passing.",
    "That leaves [{a}], which covers {w} in depth, ahead of [{b}].",
    "I should be careful here: {w} is not the same thing as what was asked.",
)


class Talkative:
    """Reasons in about `words` words; a few answers in a hundred run out of tokens or repeat themselves.

    It knows which documents are relevant, and puts one that it looks at closely where it belongs.
    """

    name = "talkative"

    def __init__(self, relevant: frozenset[str], *, words: int = 640, seed: int = 0) -> None:
        self._family = load_family("rearank")
        self._relevant = relevant
        self._words = words
        self._seed = seed

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        """An answer that is a function of the prompt and the engine's seed."""
        rng = random.Random(f"{self._seed} {prompt.query_id} {prompt.doc_ids}")
        n = len(prompt.doc_ids)
        reasoning = self._reasoning(rng, n)
        noise = [rng.gauss(0, 6) for _ in range(n)]
        good = [prompt.doc_ids[i] in self._relevant for i in range(n)]
        order = sorted(range(n), key=lambda i: i + noise[i] - 12 * good[i])
        text = self._family.write(order, reasoning).text
        tokens = round(len(text) / 4.6)
        if rng.random() < 0.02:
            return Completion(text[: len(text) // 2], "length", None, 160 * n, tokens // 2, 40 * n)
        if rng.random() < 0.04:
            text = re.sub(r" > \[\d+\](?= > )", "", text, count=1)
        return Completion(text, "stop", None, 160 * n, tokens, 40 * n)

    def _reasoning(self, rng: random.Random, n: int) -> str:
        written: list[str] = []
        words = 0
        while words < self._words:
            a, b, c = (rng.randint(1, n) for _ in range(3))
            about = texts.english(rng.randint(3, 9), rng.randint(0, 1 << 30)).strip(".,").lower()
            sentence = rng.choice(_SENTENCES).format(a=a, b=b, c=c, w=about)
            words += sentence.count(" ") + 1
            written.append(sentence + ("\n\n" if rng.random() < 0.15 else " "))
        return "".join(written).strip()


def write_collection(folder: Path, *, queries: int, depth: int, words: int = 60) -> frozenset[str]:
    """Write a run of so many queries, its texts and its judgments; returns what is relevant."""
    rng = random.Random(7)
    relevant: set[str] = set()
    with (
        (folder / "run.trec").open("w", encoding="utf-8") as run,
        (folder / "docs.jsonl").open("wb") as docs,
        (folder / "queries.tsv").open("w", encoding="utf-8") as topics,
        (folder / "qrels.trec").open("w", encoding="utf-8") as qrels,
    ):
        for number in range(queries):
            query_id = str(100_000 + 7919 * number)
            topics.write(f"{query_id}\t{texts.english(7, -number - 1)}\n")
            for rank in range(1, depth + 1):
                doc_id = f"msmarco_passage_{number % 70:02}_{rank * 7919 + number}"
                title = texts.english(4, number * 1000 + rank + 1)
                text = texts.english(words, number * 1000 + rank)
                docs.write(orjson.dumps({"_id": doc_id, "title": title, "text": text}) + b"\n")
                run.write(f"{query_id} Q0 {doc_id} {rank} {depth - rank + 1} bm25\n")
                if rng.random() < 0.5:
                    grade = rng.choices((0, 1, 2, 3), (6, 2, 1 + 20 / (rank + 10), 20 / (rank + 10)))[0]
                    qrels.write(f"{query_id} 0 {doc_id} {grade}\n")
                    if grade >= 2:
                        relevant.add(doc_id)
    return frozenset(relevant)
