"""Answers of models, read by every family, and the readings judged."""

import math
import random
from collections import defaultdict
from functools import cache

from rearank_cli.families import Family, family_names, load_family
from rearank_cli.families.grades import GradeReader
from rearank_cli.records import Reading, Status
from scripts.fuzzing.cases import WrongError, expect
from scripts.fuzzing.oracle import Said, heard
from scripts.fuzzing.writing import Answer, Meant, answer

_MOST_PASSAGES = 30


def answers(case: int) -> str:
    """Make an answer and have a family read it."""
    rng = random.Random(case)
    family = rng.choice(rng.choice(_families()))
    n = rng.randrange(1, min(_MOST_PASSAGES, family.most_passages or _MOST_PASSAGES) + 1)
    made = answer(rng, family, n)
    told = f"{family.name}, n={n}, begun={made.begun!r}: {made.completion!r}, {made.completion.tokens!r}"
    try:
        reading = family.read(made.completion, n, made.begun)
    except Exception as error:
        raise WrongError(f"{type(error).__name__}: {error}: {told}") from error
    try:
        _judge(family, made, n, reading)
    except WrongError as error:
        raise WrongError(f"{error}: {told} was read as {reading!r}") from None
    return reading.status


@cache
def _families() -> list[list[Family]]:
    """Every family, with the settings that change how it is read; those of one reader together."""
    by_reader: dict[type, list[Family]] = defaultdict(list)
    for name in family_names():
        settings = load_family(name).settings
        thinking = ["on", "off"] if "thinking" in settings else [None]
        parts = ["merge", "label", "yesno"] if "score" in settings else [None]
        for changed in ({"thinking": switch, "score": part} for switch in thinking for part in parts):
            family = load_family(name, {key: value for key, value in changed.items() if value})
            by_reader[type(family.reader)].append(family)
    return list(by_reader.values())


def _judge(family: Family, made: Answer, n: int, reading: Reading) -> None:
    expect(sorted(reading.order) == list(range(n)), "no permutation")
    _judge_scores(family, reading, n)
    completion = made.completion
    finished = completion.finish_reason in ("stop", "length")
    expect(finished or reading.status is Status.FAILED, "no response, and not failed")
    expect(not finished or reading.status is not Status.FAILED, "a response, and failed")
    expect(reading.status is not Status.TRUNCATED or completion.finish_reason == "length", "not cut off")
    if made.silent:
        expect(not reading.answered, "an order that no one gave")
    if made.meant:
        _judge_what_was_meant(family, made.meant, reading)
    begun = family.template.begun if made.begun is None else made.begun
    said = heard(family, completion, n, begun)
    if reading.answered:
        _compare(reading, said)
    else:
        expect(reading.order == list(range(n)), "an order without an answer")
        expect(not said or not said.surely, "the answer was not read")


def _judge_scores(family: Family, reading: Reading, n: int) -> None:
    scores = reading.scores
    expect(reading.answered or scores is None, "scores without an answer")
    if scores is None:
        expect(not reading.answered or family.gives not in ("score", "scores"), "an answer without scores")
        return
    expect(len(scores) == n, "scores of something else")
    expect(
        all(score is None or 0 <= score <= family.highest_score for score in scores), "a score that cannot be"
    )
    in_order = [scores[position] for position in reading.order]
    keys = [-math.inf if score is None else score for score in in_order]
    expect(keys == sorted(keys, reverse=True), "an order that is not that of the scores")


def _judge_what_was_meant(family: Family, meant: Meant, reading: Reading) -> None:
    """Whether a well-formed answer reads as what it was written for, as far as its family can say it."""
    expect(reading.status is Status.OK, "a well-formed answer was not read")
    match family.gives:
        case "order":
            expect(reading.order == meant.order, "not the order given")
        case "best":
            expect(reading.order[0] == meant.order[0], "not the best one")
        case "worst":
            expect(reading.order[-1] == meant.order[-1], "not the worst one")
        case "score" | "scores":
            for read, written in zip(reading.scores or [], meant.scores or [], strict=True):
                expect(read is not None and abs(read - written) <= _coarseness(family), "not the score given")


def _coarseness(family: Family) -> float:
    """How far the nearest score that a family can write is from any."""
    if isinstance(family.reader, GradeReader):
        return {"label": 1 / 8, "merge": 5 / 16, "yesno": 1 / 2}[family.reader.part] + 1e-9
    return family.highest_score / 20 + 1e-6


def _compare(reading: Reading, said: Said | None) -> None:
    if said is None:
        raise WrongError("an answer from nowhere")
    expect(said.order is None or reading.order == said.order, "not the order in the answer")
    expect((reading.scores is None) == (said.scores is None), "scores from nowhere")
    for read, given in zip(reading.scores or [], said.scores or [], strict=True):
        if given is not None and math.isnan(given):
            continue  # unknown
        expect(
            read == given or (read is not None and given is not None and abs(read - given) < 1e-6),
            "not the score in the answer",
        )
