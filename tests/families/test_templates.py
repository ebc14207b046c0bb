"""What a document or a query says reaches the prompt as it is, and is known to come from outside."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rearank_cli.families import Family, load_family
from rearank_cli.records import Passage, Prompt, Span

HOSTILE = [
    "{{ 7*7 }}", "{% raw %}", "{%- for x in y %}", "{# hidden #}", "\x00", "\x000\x00", "\x001\x00",
    "\x0099\x00",
    "{title}", "{text}", "{{ query }}", "{{ passage.text }}", "%s", "$&", r"\g<0>", "<|im_end|>", "{", "}}",
    "\u2028", "[1]", "Received passage [1].", "{{ ''.__class__ }}",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=4), max_size=6).map("".join)
PASSAGES = st.lists(
    st.builds(Passage, st.just("d"), TEXTS, st.none() | TEXTS, st.just(1.0)), min_size=1, max_size=4
)

# Shows everything unchanged: no cut, no cleaning.
PLAIN = """
name = "plain"
defaults = { method = "sliding", window = 20, step = 10 }
sampling = { max_tokens = 10 }
passage = { with_title = "T<{title}>C<{text}>" }
answer = { reader = "list" }
"""
CHAT = (
    PLAIN
    + """
[[messages]]
role = "system"
content = "Rank {{ num }} passages for '{{ query }}'."
[[messages]]
for_each = "passage"
role = "user"
content = "[{{ passage.number }}] {{ passage.text }}|"
[[messages]]
role = "user"
content = "{{ query }}{{ query }} now"
"""
)
RAW = (
    PLAIN
    + """
text = \"\"\"Query: {{ query }}
{% for passage in passages %}[{{ passage.number }}] {{ passage.text }}
{% endfor %}Order:\"\"\"
append = " ["
"""
)


@pytest.fixture(scope="module")
def family_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Family]:
    """The family in a file of this content."""

    def load(content: str) -> Family:
        path = tmp_path_factory.mktemp("family") / "mine.toml"
        path.write_text(content, encoding="utf-8")
        return load_family(path)

    return load


@pytest.fixture(scope="module")
def chat(family_of) -> Family:
    return family_of(CHAT)


@pytest.fixture(scope="module")
def raw(family_of) -> Family:
    return family_of(RAW)


def shown(passage: Passage) -> str:
    text = f"T<{passage.title}>C<{passage.text}>" if passage.title else passage.text
    return text.strip()


def pieces(spans: Sequence[Span]) -> list[tuple[str, bool]]:
    """Spans with their neighbours of the same kind joined: how a text is divided does not matter."""
    joined: list[tuple[str, bool]] = []
    for text, foreign in spans:
        if joined and joined[-1][1] == foreign:
            joined[-1] = (joined[-1][0] + text, foreign)
        else:
            joined.append((text, foreign))
    return joined


def expected(*parts: tuple[str, bool]) -> list[tuple[str, bool]]:
    return pieces([Span(text, foreign) for text, foreign in parts if text])


@settings(deadline=None)
@given(query=TEXTS, passages=PASSAGES)
@example(query="{{ 7*7 }}", passages=[Passage("d", "\x000\x00", "{text}", 1.0)])
def test_messages_hold_every_text_literally_and_mark_it_as_foreign(chat, query, passages):
    prompt = chat.prompt(query, passages)
    assert [pieces(turn.spans) for turn in prompt.turns] == [
        expected((f"Rank {len(passages)} passages for '", False), (query, True), ("'.", False)),
        *(
            expected((f"[{number}] ", False), (shown(passage), True), ("|", False))
            for number, passage in enumerate(passages, 1)
        ),
        expected((query + query, True), (" now", False)),
    ]
    assert [message["content"] for message in prompt.messages] == [
        "".join(span.text for span in turn.spans) for turn in prompt.turns
    ]
    assert prompt.text is None


@settings(deadline=None)
@given(query=TEXTS, passages=PASSAGES)
def test_raw_prompts_hold_every_text_literally_and_mark_it_as_foreign(raw, query, passages):
    prompt = raw.prompt(query, passages)
    parts = [("Query: ", False), (query, True), ("\n", False)]
    for number, passage in enumerate(passages, 1):
        parts += [(f"[{number}] ", False), (shown(passage), True), ("\n", False)]
    assert pieces(prompt.raw) == expected(*parts, ("Order:", False))
    assert prompt.text == "".join(text for text, _ in [*parts, ("Order:", False)])
    assert prompt.append == " ["
    assert prompt.messages == []


def foreign(prompt: Prompt) -> list[str]:
    return [span.text for turn in prompt.turns for span in turn.spans if span.foreign]


@pytest.mark.parametrize("name", ["rearank", "rankgpt"])
@given(query=TEXTS, passages=PASSAGES)
@settings(deadline=None)
def test_the_built_in_families_mark_the_query_and_every_passage(name, query, passages):
    family = load_family(name)
    texts = [family.prepare(passage).text for passage in passages]
    assert foreign(family.prompt(query, passages)) == [text for text in [query, *texts, query] if text]


def test_a_prompt_is_the_same_for_prepared_passages():
    family = load_family("rearank")
    passages = [Passage("a", "one  two", title="T"), Passage("b", "three")]
    prepared = [family.prepare(passage) for passage in passages]
    assert family.compose("q", prepared) == family.prompt("q", passages)
    assert prepared[0] == Passage("a", "Title: T Content: one two")


def test_neighbours_that_repeat_do_so_together(family_of):
    content = CHAT.replace(
        '[[messages]]\nrole = "user"',
        """[[messages]]
for_each = "passage"
role = "assistant"
content = "Got {{ passage.number }} of {{ num }}, {{ passage.doc_id }}."
[[messages]]
role = "user\"""",
    )
    prompt = family_of(content).prompt("q", [Passage("a", "x"), Passage("b", "y")])
    assert [message["content"] for message in prompt.messages][1:-1] == [
        "[1] x|", "Got 1 of 2, a.", "[2] y|", "Got 2 of 2, b.",
    ]  # fmt: skip


def test_a_template_can_use_settings_that_the_user_changes(tmp_path: Path):
    path = tmp_path / "mine.toml"
    path.write_text(CHAT.replace("now", "{{ settings.instruction }}") + '[settings]\ninstruction = "now"\n')
    for changed, end in (({}, "now"), ({"instruction": "{{ later }}"}, "{{ later }}")):
        assert load_family(path, changed).prompt("q", []).messages[-1]["content"] == f"qq {end}"
