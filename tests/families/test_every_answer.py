"""What holds for the answers of every family, whatever a model says."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rearank_cli.families import Family, family_names, load_family
from rearank_cli.records import Completion, Sampling, Status, Token

FAMILIES = {name: load_family(name) for name in family_names()}
FAMILIES["tfrank, thinking"] = load_family("tfrank", {"thinking": "on"})
FAMILIES["tfrank, label"] = load_family("tfrank", {"score": "label"})
FAMILIES["tfrank, yesno"] = load_family("tfrank", {"score": "yesno"})
FAMILIES["listwise, not thinking"] = load_family("listwise-reasoning", {"thinking": "off"})
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())

BEGUN = st.sampled_from([None, "", "<think>", "<think>\n"])
FRAGMENTS = st.sampled_from(
    [
        "<think>", "</think>", "<reason>", "</reason>", "<answer>", "</answer>", "<ANSWER>", "[", "]",
        " > ", " = ", "[1]", "[2]", "3", "20", "0", "10", "7", "99", "passage 1", "Passage 2", "yes",
        "no", "Yes", "yes(3)", "no(0)", " true", " false", "true", "(", ")", "```json\n", "\n```",
        '{"[1]": 5}', '{"[1]": 5, "[2]": NaN}', '{"1": 1e999}', "{", "}", "[1]]", "\n", " ", ".", "!",
        "²", "①", "9" * 30, "Therefore", "\x00", "\ud800", "😀", "٣",
    ]
)  # fmt: skip
TEXTS = st.lists(FRAGMENTS | st.text(max_size=3), max_size=10).map("".join)
LOGPROBS = st.floats(-1000, 0) | st.just(-math.inf)
WATCHED = ["A", "B", "yes", "no", "Yes", "NO", " true", " false", "0", "3", "4"]
TOKENS = st.lists(
    st.builds(Token, FRAGMENTS, LOGPROBS, st.dictionaries(st.sampled_from(WATCHED), LOGPROBS), LOGPROBS),
    max_size=6,
).map(tuple)
FINISH_REASONS = st.sampled_from(["stop", "length", "abort", "error", "tool_calls", ""])
COMPLETIONS = st.builds(Completion, TEXTS, FINISH_REASONS, st.none() | TEXTS, tokens=TOKENS)


def lengths(family: Family) -> st.SearchStrategy[int]:
    return st.integers(1, min(family.most_passages or 26, 26))


@every_family
@settings(deadline=None, max_examples=50)
@given(completion=COMPLETIONS, begun=BEGUN, data=st.data())
def test_any_answer_is_a_permutation_and_the_window_s_own_order_unless_answered(
    family, completion, begun, data
):
    n = data.draw(lengths(family))
    reading = family.read(completion, n, begun)
    assert sorted(reading.order) == list(range(n))
    if not reading.answered:
        assert (reading.order, reading.scores) == (list(range(n)), None)
    if completion.finish_reason not in ("stop", "length"):
        assert reading.status is Status.FAILED
    if family.gives == "score":
        assert reading.answered == (reading.scores is not None)
    for score in reading.scores or []:
        assert score is None or 0 <= score <= family.highest_score


@every_family
@settings(deadline=None, max_examples=50)
@given(thought=TEXTS, finish_reason=st.sampled_from(["stop", "length"]), tokens=TOKENS)
def test_nothing_in_a_thought_that_the_prompt_opened_is_an_answer(family, thought, finish_reason, tokens):
    if family.reader.__class__.__name__ == "LettersReader":
        return  # its one token is the answer; the text is not looked at
    thought = re.sub("</(think|reason)>", "", thought)
    reading = family.read(Completion(thought, finish_reason, tokens=tokens), 1, "<think>\n")
    assert not reading.answered


def expressible(family: Family) -> st.SearchStrategy[dict]:
    """What a family's models can say, as `write` takes it, and the number of passages."""
    if family.gives == "score":
        steps = {"IntegerReader": 10, "GradeReader": 4}.get(family.reader.__class__.__name__)
        unit = st.integers(0, steps).map(lambda step: step / steps) if steps else st.floats(0, 1)
        return unit.map(lambda share: {"scores": [share * family.highest_score]})
    if family.gives == "scores":
        tenths = st.lists(st.integers(0, 10).map(lambda tenth: tenth / 10), min_size=1, max_size=25)
        return tenths.map(lambda scores: {"order": list(range(len(scores))), "scores": scores})
    orders = lengths(family).flatmap(lambda n: st.permutations(range(n)))
    return orders.map(lambda order: {"order": list(order)})


@every_family
@settings(deadline=None, max_examples=50)
@given(data=st.data(), reasoning=TEXTS)
def test_what_is_written_is_read_back_whatever_was_thought(family, data, reasoning):
    said = data.draw(expressible(family))
    n = len(said.get("order", [0]))
    completion = family.write(reasoning=reasoning, **said)
    reading = family.read(completion, n)
    assert (reading.status, reading.answered) == (Status.OK, True)
    if family.gives == "order":
        assert reading.order == said["order"]
    if family.gives == "best":
        assert reading.stated == said["order"][:1]
        assert reading.order[1:] == sorted(said["order"][1:])
    if family.gives == "worst":
        assert reading.order == [*sorted(said["order"][:-1]), said["order"][-1]]
    if family.gives == "scores":
        assert reading.scores == said["scores"]
    if family.gives == "score":
        # Grades have no even steps, so the nearest one is written.
        again = family.read(family.write(scores=reading.scores), 1)
        assert again.scores == pytest.approx(reading.scores, abs=1e-8)
        if "tfrank" not in family.name:
            assert reading.scores == pytest.approx(said["scores"], abs=1e-8)


@every_family
@settings(deadline=None, max_examples=50)
@given(text=TEXTS, begun=BEGUN, data=st.data())
def test_an_answer_that_is_finished_by_force_is_read_whatever_was_there_before(family, text, begun, data):
    n = data.draw(lengths(family))
    before = (family.template.begun if begun is None else begun) + family.begin_answer(text, begun)
    reading = family.read(forced(family, family.finish_for(family.sampling, n), data), n, before)
    assert reading.answered
    assert reading.status is Status.OK or reading.listed is not None


def forced(family: Family, sampling: Sampling, data: st.DataObject) -> Completion:
    """An answer that a sampling allows: nothing but the pattern, or one of the watched tokens."""
    assert sampling.stop == ()
    if sampling.pattern is not None:
        return Completion(data.draw(st.from_regex(sampling.pattern, fullmatch=True)))
    assert sampling.only_watched
    assert sampling.max_tokens == 1
    assert sampling.logprobs is not None
    watched = {text: data.draw(st.floats(-20, 0)) for text in sampling.watch}
    word = max(watched, key=lambda text: watched[text])
    return Completion(word, "length", tokens=(Token(word, watched[word], watched, -20),))


@every_family
def test_the_engine_is_asked_for_as_many_tokens_as_are_read(family):
    """An engine refuses more than it was started for, and 20 is what vLLM is started for by itself."""
    if family.sampling.logprobs is None:
        assert "logprobs_mode" not in family.engine
    else:
        assert family.engine["logprobs_mode"] == '"processed_logprobs"'
        assert family.sampling.logprobs <= int(family.engine.get("max_logprobs", "20"))


@every_family
@pytest.mark.parametrize("n", [1, 2, 20])
def test_vllm_can_force_the_pattern(family, n):
    """vLLM's own regular expressions are fewer than Python's."""
    xgrammar = pytest.importorskip("xgrammar", reason="xgrammar comes with vLLM")
    pattern = family.finish_for(family.sampling, min(n, family.most_passages or n)).pattern
    if pattern is not None:
        xgrammar.Grammar.from_regex(pattern)
