"""What models write: completions well-formed, cut off, damaged, lost in thought, or failed."""

import math
import random
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from rearank_cli.families import Family
from rearank_cli.families.letters import LettersReader
from rearank_cli.records import Completion, Token
from scripts.fuzzing.cases import expect


class Meant(NamedTuple):
    """What a well-formed answer was written for: an order of the passages, and scores."""

    order: list[int]
    scores: list[float] | None


class Answer(NamedTuple):
    """A completion of a prompt that ended with `begun` (None for the family's own).

    What is known of it: what it says, if known, or that it says nothing.
    """

    completion: Completion
    begun: str | None = None
    meant: Meant | None = None
    silent: bool = False


class Draw(NamedTuple):
    """What an answer is made from: chance, who is asked, about how many passages, after what."""

    rng: random.Random
    family: Family
    n: int
    begun: str | None

    @property
    def opening(self) -> str:
        return self.family.reader.thought_marks.open

    @property
    def closing(self) -> str:
        return self.family.reader.thought_marks.close

    @property
    def reads_tokens_alone(self) -> bool:
        return isinstance(self.family.reader, LettersReader)

    def end(self) -> str:
        return self.rng.choice(["stop", "stop", "stop", "length", "length"])

    def meant(self) -> Meant:
        highest = self.family.highest_score
        if self.family.gives in ("score", "scores") or self.rng.random() < 0.3:
            # In tenths, so that some are equal.
            scores = [highest * self.rng.randrange(11) / 10 for _ in range(self.n)]
            order = sorted(range(self.n), key=lambda position: -scores[position])
            return Meant(order, scores)
        return Meant(self.rng.sample(range(self.n), self.n), None)

    def written(self, reasoning: str = "") -> Completion:
        """A well-formed answer to something."""
        order, scores = self.meant()
        return self.family.write(order, reasoning, scores=scores)

    def answer_alone(self) -> str:
        """A well-formed answer without the thought before it."""
        return self.written().text.rpartition(self.closing)[2]


Maker = Callable[[Draw], Answer]

_FRAGMENTS = [
    "<think>", "</think>", "<reason>", "</reason>", "<answer>", "</answer>", "<think", "answer>", "</",
    "<Think>", "<ANSWER>", "</Answer>", "[", "]", " > ", ">", ",", ";", "=", " = ", " ", "\n", "\t", ".",
    "[1]", "[2]", "[3]", "3", "20", "30", "0", "00", "-1", "1.5", "1e3", "²", "①", "⑳", "₁", "½", "٣", "१२",
    "９", "9" * 30, "1" * 5000, "Passage", "passage 1", "passage 2", " percent", "\x00", "\ud800", "\u2028",
    "\u200b", "\ufeff", "\x1b[31m", "\r", "[] > []", "😀", "[A] > [B]", "A", "B", "true", " true", " false",
    "no", "yes", "Yes", "yes(3)", "No (0).", "yes(5)", "relevant", "5/5", "10", "11", "<answer>[2] > [1]",
    "<answer>7</answer>", "<answer>passage 2</answer>", "<answer>true</answer>", "[2] > [1]",
    "[3] > [1] > [2]", "{", "}", '{"order": [2, 1]}', '{"[1]": 5, "[2]": 3}', '"[1]": 5', "```", "```json",
    "**", "<|im_end|>",
]  # fmt: skip
_PROSE = ["I think that passage", "is better than", "because of", "percent.", "First,", "so the order is"]
_DECOYS = ["yes", "true", "7", "A", "passage 1", '{"[1]": 5}', "yes(3)", "[2] > [1]", "1 = 2"]
_FAILED = ["abort", "error", "tool_calls", "content_filter", ""]

_KEYS = [
    "[1]",
    "[1]",
    "[2]",
    "[2]",
    "[3]",
    "1",
    "2",
    " [1] ",
    "[1",
    "[0]",
    "[01]",
    "[99]",
    "-1",
    "²",
    "",
    "why",
]
_VALUES = [
    "5", "3", "10", "0", "-0.0", "11", "-1", "0.5", "7.25", "1e1", "1e999", "-1e999", "NaN", "Infinity",
    "9" * 400, "9" * 5000, "true", "false", "null", '"5"', '"\\ud800"', '"}"', "[5]", '{"score": 5}', "5,",
    "", "[" * 3000, "[" * 3000 + "]" * 3000,
]  # fmt: skip


def _soup(draw: Draw, without: Iterable[str] = ()) -> str:
    pieces = draw.rng.choices(_FRAGMENTS, k=draw.rng.randrange(14))
    if draw.rng.random() < 0.2:
        pieces.insert(draw.rng.randrange(len(pieces) + 1), draw.answer_alone())
    text = "".join(pieces)
    while found := [tag for tag in without if tag in text]:
        text = text.replace(found[0], "")  # which can make another one
    return text


def _prose(draw: Draw) -> str:
    """A line in which there is all that an answer is made of, and no answer."""
    number = f"[{draw.rng.randrange(1, 31)}]"
    return " ".join(
        f"{draw.rng.choice(_PROSE)} {draw.rng.choice([number, draw.rng.choice(_DECOYS)])}"
        for _ in range(draw.rng.randrange(1, 6))
    )


def _anything(draw: Draw) -> Answer:
    reasoning = _soup(draw) if draw.rng.random() < 0.1 else None
    return Answer(Completion(_soup(draw), draw.end(), reasoning))


def _lost(draw: Draw) -> Answer:
    """What a model writes that has lost itself: the same again and again, alone or within an answer."""
    again = draw.rng.choice([draw.rng.choice(_FRAGMENTS), draw.rng.choice([" ", "\n", "\t"])])
    again = (again * 100_000)[:100_000]
    text = draw.rng.choice(["", draw.written(_prose(draw)).text])
    places = [found.start() for found in re.finditer(r"\b|(?=[<>`{}()\[\]])|\Z", text)]
    place = draw.rng.choice([draw.rng.choice(places), len(text)])
    after = draw.rng.choice([text[place:], draw.rng.choice(_FRAGMENTS), "</answer>", ""])
    return Answer(Completion(text[:place] + again + after, draw.end()))


def _failed(draw: Draw) -> Answer:
    completion = draw.rng.choice([Completion(_soup(draw)), draw.written()])
    return Answer(replace(completion, finish_reason=draw.rng.choice(_FAILED)), silent=True)


def _well_formed(draw: Draw) -> Answer:
    order, scores = draw.meant()
    other = draw.family.reader.thought_marks.also
    reasoning = _soup(draw, [other.open] if other else [])
    if draw.family.gives in ("best", "worst") and scores is None and draw.rng.random() < 0.3:
        choice = order[0] if draw.family.gives == "best" else order[-1]
        return Answer(draw.family.write(choice=choice, reasoning=reasoning), meant=Meant(order, None))
    by_scores_alone = scores is not None and draw.rng.random() < 0.5
    written = draw.family.write(None if by_scores_alone else order, reasoning, scores=scores)
    return Answer(written, meant=Meant(order, scores))


def _thought_apart(draw: Draw) -> Answer:
    """An answer whose thought a server returned apart from it, whoever had opened it."""
    meant = draw.meant()
    written = draw.family.write(meant.order, scores=meant.scores)
    text = written.text.rpartition(draw.closing)[2]
    completion = replace(written, text=text, tokens=written.tokens[-1:], reasoning=_soup(draw))
    return Answer(completion, draw.begun, meant)


def _damaged(draw: Draw) -> Answer:
    text = draw.written(_prose(draw)).text
    for _ in range(draw.rng.randrange(4)):
        start = draw.rng.randrange(len(text) + 1)
        end = min(len(text), start + draw.rng.choice([0, 0, 1, 1, 2, 8]))
        text = text[:start] + draw.rng.choice(["", "", *draw.rng.choices(_FRAGMENTS, k=4)]) + text[end:]
    return Answer(Completion(text, draw.end()))


def _cut(draw: Draw) -> Answer:
    """A well-formed answer that ran out of tokens, or whose model ended before it had closed its thought."""
    text = draw.written(_prose(draw)).text
    thought = text.find(draw.closing)
    if thought > 0 and draw.rng.random() < 0.5:
        end, finish_reason = draw.rng.randrange(thought + len(draw.closing)), draw.end()
    else:
        end, finish_reason = draw.rng.randrange(len(text.rstrip())), "length"
    return Answer(Completion(text[:end], finish_reason), draw.begun, silent=True)


def _open_thought(draw: Draw) -> Answer:
    before = draw.rng.choice(
        [
            *("", "\n", "Well. ", f"{draw.opening}[1]{draw.closing}", f"[2] > [1]{draw.closing}\n"),
            f"{draw.answer_alone()}{draw.closing}",
        ]
    )
    thought = draw.rng.choice(["", _prose(draw)]) + _soup(draw, ["</think>", "</reason>"])
    return Answer(Completion(f"{before}{draw.opening}{thought}", draw.end()), draw.begun, silent=True)


def _thought_opened_by_prompt(draw: Draw) -> Answer:
    """A thought that a chat template opened, never closed: whatever the family's own marks are."""
    text = _prose(draw) + _soup(draw, ["</think>", "</reason>"])
    return Answer(Completion(text, draw.end()), "<think>\n", silent=True)


def _nothing_after_thought(draw: Draw) -> Answer:
    other = draw.family.reader.thought_marks.also
    soup = _soup(draw, [other.open] if other else [])
    text = f"{draw.rng.choice([draw.opening, ''])}{soup}{_prose(draw)}{draw.closing}"
    after = draw.rng.choice(["", " ", "\n", " Done."])
    return Answer(Completion(text + after, draw.end()), draw.begun, silent=True)


def _only_prose(draw: Draw) -> Answer:
    thought = f"{draw.opening}{_prose(draw)}{draw.closing}" if draw.rng.random() < 0.5 else ""
    return Answer(Completion(thought + _prose(draw), draw.end()), silent=True)


def _json(draw: Draw) -> Answer:
    """JSON of every kind, as the answer about several passages may be."""
    pairs = (
        f'"{draw.rng.choice(_KEYS)}": {draw.rng.choice(_VALUES[: draw.rng.choice([4, 12, None])])}'
        for _ in range(draw.rng.randrange(5))
    )
    text = "{" + ", ".join(pairs) + "}"
    for _ in range(draw.rng.randrange(3)):
        before, after = draw.rng.choice(
            [("```json\n", "\n```"), ("```", "```"), ("", " "), ('{"all": ', "}"), ("[", "]"), (text, "")]
        )
        text = before + text + after
    tags = draw.rng.choice([("", ""), ("<answer>", "</answer>"), ("<answer>", "")])
    thought = f"{draw.opening}{_prose(draw)}{draw.closing}" if draw.rng.random() < 0.5 else ""
    return Answer(Completion(f"{thought}{tags[0]}{text}{tags[1]}", draw.end()))


def _forced(draw: Draw) -> Answer:
    """The answer that a model was made to give after whatever it had written, and nothing but this answer."""
    family, reader = draw.family, draw.family.reader
    before = draw.rng.choice([_soup(draw), _prose(draw), _cut(draw).completion.text])
    own = family.template.begun if draw.begun is None else draw.begun
    begun = own + family.begin_answer(before, own)
    meant = draw.meant()
    # Ties are not among what a model is made to write.
    written = family.write(meant.order, scores=meant.scores if family.gives in ("score", "scores") else None)
    text = written.text
    if reader.tags:
        text = text.rpartition("<answer>")[2]
    elif reader.thought:
        text = text.rpartition(draw.closing)[2].lstrip("\n")
    pattern = family.finish_for(family.sampling, draw.n).pattern
    expect(pattern is None or re.fullmatch(pattern, text), f"{pattern!r} does not allow {text!r}")
    completion = replace(written, text=text, tokens=written.tokens[-1:])
    return Answer(completion, begun, meant)


def _forced_but_not_answered(draw: Draw) -> Answer:
    """A forced finish that ran out of tokens before its answer began."""
    own = draw.family.template.begun if draw.begun is None else draw.begun
    begun = own + draw.family.begin_answer(_soup(draw), own)
    return Answer(Completion("", draw.end()), begun, silent=True)


# These take hundreds of times as long as the others.
_LOST = 0.002
_MAKERS: list[Maker] = [
    *(_anything, _damaged, _damaged, _damaged, _cut, _cut, _open_thought, _thought_opened_by_prompt, _json),
    *(
        _well_formed,
        _thought_apart,
        _failed,
        _nothing_after_thought,
        _only_prose,
        _forced,
        _forced_but_not_answered,
    ),
]


def answer(rng: random.Random, family: Family, n: int) -> Answer:
    """An answer of any kind about n passages."""
    draw = Draw(rng, family, n, rng.choice([None, None, None, "", "<think>\n", "<think>"]))
    made = (_lost if rng.random() < _LOST else rng.choice(_MAKERS))(draw)
    if made.begun is None and made.meant is None and not made.silent:
        made = made._replace(begun=draw.begun)
    if draw.reads_tokens_alone:
        # Whatever the text is: nothing in it counts, and what the tokens say the oracle knows.
        made = made._replace(silent=made.silent and made.completion.finish_reason in _FAILED)
    if made.meant is None:
        made = made._replace(completion=replace(made.completion, tokens=_tokens(draw, made.completion.text)))
    return made


# --- tokens


_LOGPROBS = [0.0, -1e-9, -0.1, -0.7, -3.0, -30.0, -9999.0, -math.inf]
"""-9999 is what some servers write for a token that cannot be."""


def _tokens(draw: Draw, text: str) -> tuple[Token, ...]:
    """The tokens of a text, as an engine may tell them: none, true ones, or ones that do not add up."""
    rng = draw.rng
    # Most families never ask for them.
    if rng.random() < (0.2 if draw.family.sampling.logprobs else 0.9):
        return ()
    places = sorted(rng.randrange(len(text) + 1) for _ in range(min(40, len(text) // 2)))
    if rng.random() < 0.5:
        # Words and punctuation marks apart, as tokenizers have them.
        places = [found.start() for found in re.finditer(r"(?= ?\b)|(?=[^\w\s])", text[-200:])]
        places = [place + max(0, len(text) - 200) for place in places]
    bounds = [0, *places, len(text)]
    texts = [text[start:end] for start, end in pairwise(bounds)]
    if rng.random() < 0.2:
        place = rng.randrange(len(texts))
        texts[place : place + 1] = rng.choice([[], [""], ["�"], [texts[place]] * 2, ["\n", ""], [text]])
    watch = draw.family.sampling_for(draw.family.sampling, draw.n).watch
    return tuple(_token(rng, piece, watch) for piece in texts)


def _token(rng: random.Random, text: str, watch: tuple[str, ...]) -> Token:
    logprobs = _LOGPROBS if rng.random() < 0.2 else _LOGPROBS[:5]
    seen = watch if rng.random() < 0.6 else rng.sample(watch, rng.randrange(len(watch) + 1))
    watched = {word: rng.choice(logprobs) for word in seen}
    return Token(text, rng.choice(logprobs), watched, min([*watched.values(), rng.choice(logprobs)]))
