"""Families by name, by model, and from a user's own TOML file."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from rearank_cli.errors import InputError, UsageError
from rearank_cli.families import Family, family_for, family_names, load_family
from rearank_cli.records import Completion, Passage, Sampling

CHAT = """
name = "mine"
title = "My own"

[models."me/my-model"]
base = "Qwen/Qwen3-8B"

[defaults]
method = "sliding"
window = 10
step = 5

[sampling]
temperature = 0.5
max_tokens = 100
stop = ["\\n\\n"]

[settings]
cut = "2 words"
tone = "kind"

[answer]
reader = "list"

[[messages]]
role = "user"
content = "Be {{ settings.tone }}. {{ query }}: {{ num }}"

[[messages]]
for_each = "passage"
role = "user"
content = "({{ passage.number }}) {{ passage.text }}"
"""
TEMPLATE = "a template in it is malformed"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Family]:
    """Load a family from a file of this content, with settings that a user changed."""

    def load(content: str | bytes, **settings: str) -> Family:
        path = tmp_path / "mine.toml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return load_family(path, settings)

    return load


def test_a_user_s_own_family_works_without_any_python(load):
    family = load(CHAT)
    assert (family.name, family.defaults.window, family.defaults.step, family.defaults.depth) == (
        "mine",
        10,
        5,
        100,
    )
    assert family.sampling == Sampling(temperature=0.5, max_tokens=100, stop=("\n\n",))
    assert [(model.name, model.base) for model in family.models] == [("me/my-model", "Qwen/Qwen3-8B")]
    prompt = family.prompt("why", [Passage("a", "one two three", title="T"), Passage("b", "four")])
    assert [message["content"] for message in prompt.messages] == ["Be kind. why: 2", "(1) T one", "(2) four"]
    assert family.read(family.write([1, 0]), 2).order == [1, 0]
    assert family.read(Completion("[2] > [1]"), 2).order == [1, 0]


def test_a_raw_prompt_has_a_text_and_what_is_appended_to_it(load):
    content = CHAT[: CHAT.index("[[messages]]")]
    family = load('text = "Q: {{ query }} ({{ passages[1].doc_id }})"\nappend = " ["\n' + content)
    prompt = family.prompt("why", [Passage("a", ""), Passage("b", "")])
    assert (prompt.text, prompt.append, prompt.messages) == ("Q: why (b)", " [", [])


def test_a_chat_can_have_something_appended_too(load):
    prompt = load('append = "<think>"\n' + CHAT).prompt("q", [])
    assert prompt.append == "<think>"
    assert prompt.messages


def test_settings_reach_the_prompt_and_the_digest(load):
    kind, stern = load(CHAT), load(CHAT, tone="stern")
    assert stern.prompt("q", []).messages[0]["content"] == "Be stern. q: 0"
    assert stern.settings == {"cut": "2 words", "tone": "stern"}
    assert len({kind.digest, stern.digest, load(CHAT, cut="3 words").digest}) == 3
    assert load(CHAT, tone="kind").digest == kind.digest


def test_the_digest_changes_with_what_reaches_the_model_and_with_nothing_else(load):
    digest = load(CHAT).digest
    assert load(CHAT.replace("My own", "Somebody's") + "\n# a comment\n").digest == digest
    assert load(CHAT.replace("passage.number }})", "passage.number }}]")).digest != digest
    assert load(CHAT.replace('reader = "list"', 'reader = "list"\ntags = true')).digest != digest


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param('title = "My own"', 'titel = "My own"', "titel: there is no such key", id="unknown key"),
        pytest.param("[[messages]]", "[[other]]", "other: there is no such key", id="unknown table"),
        pytest.param("max_tokens = 100\n", "", "sampling.max_tokens: this key is missing", id="missing key"),
        pytest.param("window = 10", "windows = 10",
                     "defaults.window: this key is missing; defaults.windows: there is no such key",
                     id="misspelt key"),
        pytest.param("window = 10", 'window = "10"', "defaults.window: Input should be a valid", id="type"),
        pytest.param("window = 10", "window = 0", "defaults.window: Input should be greater", id="range"),
        pytest.param("temperature = 0.5", "temperature = nan", "sampling.temperature: ", id="not a number"),
        pytest.param('role = "user"', 'role = "User"', "messages.0.role: Input should be", id="role"),
        pytest.param('reader = "list"', 'reader = "lists"', "answer: the reader is not known", id="reader"),
        pytest.param('"passage"', '"query"', "messages.1.for_each: Input should be 'passage'", id="for_each"),
        pytest.param('name = "mine"', 'name = "My Own"', "name: String should match", id="name"),
        pytest.param('name = "mine"', 'name = "mine"\ntext = "{{ query }}"',
                     "the file: give either [[messages]] or a raw prompt in 'text'", id="two prompts"),
        pytest.param('cut = "2 words"', 'cut = "2 lines"', "settings.cut: a cut is a number of", id="cut"),
        pytest.param('name = "mine"', "name = mine", "not TOML: Invalid value (at line 2", id="TOML"),
        pytest.param("{{ query }}", "{{ query }", TEMPLATE, id="Jinja"),
        pytest.param("{{ query }}", "{% if query %}", TEMPLATE, id="Jinja block"),
        pytest.param("{{ query }}", "{{ qeury }}", f"{TEMPLATE}: 'qeury' is undefined", id="variable"),
        pytest.param("{{ query }}", "{{ passage.text }}", f"{TEMPLATE}: 'passage' is undefined",
                     id="a passage where there is none"),
        pytest.param("passage.text", "passage.title", TEMPLATE, id="attribute"),
        pytest.param("settings.tone", "settings.mood", TEMPLATE, id="setting"),
        pytest.param("{{ query }}", "{{ query.__class__ }}", TEMPLATE, id="sandbox"),
        pytest.param("{{ query }}", "{% set x %}{{ query }}{% endset %}{{ x }}",
                     f"{TEMPLATE}: {{% set %}} blocks", id="set block"),
        pytest.param("Be ", "Be\\u0000 ", f"{TEMPLATE}: a template cannot hold a NUL", id="NUL"),
    ],
)  # fmt: skip
def test_a_malformed_file_is_one_error_that_says_what_and_where(load, old, new, message):
    assert old in CHAT
    with pytest.raises(InputError, match=re.escape(f"mine.toml: {message}")) as raised:
        load(CHAT.replace(old, new))
    assert "\n" not in str(raised.value)


def test_all_that_is_wrong_with_a_file_is_said_at_once(load):
    with pytest.raises(InputError, match=r"step: this key is missing; .*max_tokens: this key is missing"):
        load(CHAT.replace("step = 5", "").replace("max_tokens = 100", ""))


def test_a_file_without_prompt_is_an_error(load):
    with pytest.raises(InputError, match="give either"):
        load(CHAT[: CHAT.index("[[messages]]")])


def test_a_file_that_cannot_be_read_is_an_error(load, tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.toml cannot be read: No such file"):
        load_family(tmp_path / "nowhere.toml")
    with pytest.raises(InputError, match=r"mine\.toml is not UTF-8"):
        load(CHAT.encode() + b"# \xe9\n")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("rearnk", "did you mean rearank"),
        ("t5", f"it is one of {', '.join(family_names())}, or a .toml file"),
    ],
)
def test_an_unknown_family_is_a_usage_error_with_a_hint(name, hint):
    with pytest.raises(UsageError, match=f"unknown family '{name}'; {hint}"):
        load_family(name)


def test_an_unknown_setting_is_a_usage_error_that_lists_the_known_ones(load):
    with pytest.raises(UsageError, match=r"family mine has no setting mood, size; it has: cut, tone"):
        load(CHAT, mood="kind", size="big")
    with pytest.raises(UsageError, match=r"has no setting cut; it has: none"):
        load(
            CHAT.replace('[settings]\ncut = "2 words"\ntone = "kind"', "").replace("settings.tone", "num"),
            cut="3",
        )


def test_every_built_in_family_loads_and_is_found_by_its_models():
    assert {"rearank", "rankgpt"} <= set(family_names())
    for name in family_names():
        family = load_family(name)
        assert family.name == name
        assert load_family(Path(name)).digest == family.digest
        for model in family.models:
            assert family_for(model.name).name == name


def test_a_model_has_the_family_that_lists_it_with_the_user_s_settings():
    assert family_for("le723z/Rearank-7B", settings={"cut": "none"}).settings["cut"] == "none"
    assert family_for("any/thing", "rankgpt").name == "rankgpt"


@pytest.mark.parametrize(
    "model",
    [
        "/models/le723z/Rearank-7B",
        "/models/Rearank-7B",
        "Rearank-7B",
        "le723z/Rearank-7B/",
        "le723z/rearank-7b",
        "",
    ],
)
def test_a_family_is_never_guessed_from_a_part_of_a_name(model):
    with pytest.raises(
        UsageError, match=r"no family lists the model .* --family \(one of .*rearank.*, or a \.toml file\)"
    ):
        family_for(model)
