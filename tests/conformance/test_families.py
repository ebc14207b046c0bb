"""Every family's prompt is its authors', to the byte.

`conformance/families.json` was computed by running the reference implementations. `prompts.json` holds
the published prompt strings: they are filled in here as the authors' code fills them in.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rearank_cli.families import load_family
from rearank_cli.records import Passage, Prompt

QUERY = "why do {cats} purr?"
PASSAGES = [
    Passage("d1", "muscles of the larynx\nand the glottis", title="Purring", score=12.3456),
    Passage("d2", "Dogs wag [3] their tails.", score=9.0),
    Passage("d3", "{docs} %s \\1", score=-0.5),
]
# As most authors join them; the texts hold nothing that any of them cleans away.
SHOWN = ["Purring muscles of the larynx\nand the glottis", "Dogs wag [3] their tails.", "{docs} %s \\1"]
LABELLED = ["Title: Purring Content: " + PASSAGES[0].text, *SHOWN[1:]]
WORDS = [" ".join(text.split()).replace("[3]", "(3)") for text in LABELLED]

Published = Callable[[str], str]


@pytest.fixture(scope="module")
def cases(shared: Path) -> dict[str, list[dict[str, Any]]]:
    return json.loads((shared / "conformance" / "families.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def published(shared: Path) -> Published:
    """A published prompt string by its name."""
    prompts = json.loads((shared / "conformance" / "prompts.json").read_text(encoding="utf-8"))
    return lambda name: prompts[name]["text"]


@pytest.mark.parametrize("name", ["reasonrank", "reasonrank-qwen3", "rankzephyr", "first", "rank1"])
def test_prompts_are_the_reference_s_byte_for_byte(cases, name):
    family = load_family(name)
    assert cases[name]
    for case in cases[name]:
        prompt = family.prompt(case["query"], [Passage(**passage) for passage in case["passages"]])
        assert prompt.messages == case.get("messages", [])
        assert prompt.text == case.get("prompt")
        assert prompt.append == case.get("append", "")


def prompt_of(name: str, passages: list[Passage] = PASSAGES, **settings: str) -> Prompt:
    return load_family(name, settings).prompt(QUERY, passages)


def chat(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


def numbered(form: str, texts: list[str] = SHOWN) -> list[str]:
    return [form.format(number=number, text=text) for number, text in enumerate(texts, 1)]


@pytest.mark.parametrize(("family", "prompts"), [("rank-r1", "rank_r1_v0.1"), ("setwise-sft", "setwise_sft")])
def test_setwise_labels_have_no_colon_as_in_training(published, family, prompts):
    docs = "\n".join(numbered("[{number}] {text}"))
    user = published(f"{prompts}.prompt_user").format(query=QUERY, docs=docs)
    assert prompt_of(family).messages == chat(
        ("system", published(f"{prompts}.prompt_system")), ("user", user)
    )


def test_the_second_rank_r1_has_a_colon_and_blank_lines(published):
    form = published("rank_r1_v0.2.doc_prefix").format(num="{number}") + "{text}"
    docs = published("rank_r1_v0.2.doc_separator").join(numbered(form))
    user = published("rank_r1_v0.2.prompt_user").format(query=QUERY, docs=docs)
    assert prompt_of("rank-r1-v0.2").messages == chat(
        ("system", published("rank_r1_v0.2.prompt_system")), ("user", user)
    )


def test_erank_s_prompt_is_one_message(published):
    expected = published("erank.user").format(instruction="I", query=QUERY, doc=SHOWN[0])
    assert prompt_of("erank", PASSAGES[:1], instruction="I").messages == chat(("user", expected))


def test_tfrank_s_prompt_is_raw_with_and_without_thinking(published):
    def wrapped(user: str) -> str:
        filled = user.replace("{query}", QUERY).replace("{document}", SHOWN[0])
        wrapper = published("tfrank.completion_wrapper(no think)")
        system = published("tfrank.system")
        return wrapper.replace("{system}", system).replace("{user incl. ' /no think'}", filled)

    user = published("tfrank.user(no think)")
    block = "<think>\n\n</think>\n\n"
    assert prompt_of("tfrank", PASSAGES[:1]).text == wrapped(user)
    thinking = wrapped(user.removesuffix(" /no think") + " /think").removesuffix(block)
    assert prompt_of("tfrank", PASSAGES[:1], thinking="on").text == thinking
    silent = wrapped(user.removesuffix(" /no think")).removesuffix(block)
    assert prompt_of("tfrank-qwen2.5", PASSAGES[:1]).text == silent


@pytest.mark.parametrize("dataset", ["SciFact", "NFCorpus", "BrightRetrieval_leetcode"])
def test_rank1_words_the_query_as_a_collection_has_it(published, dataset):
    query = published(f"rank1.dataset_prompt.{dataset}").replace("FILL_QUERY_HERE", QUERY)
    expected = published("rank1.prompt").format(query=query, doc=SHOWN[0])
    assert prompt_of("rank1", PASSAGES[:1], **{"query-prompt": dataset}).text == expected


def test_rank1_has_all_of_its_authors_wordings(published, shared):
    prompts = json.loads((shared / "conformance" / "prompts.json").read_text(encoding="utf-8"))
    named = {
        f"rank1.dataset_prompt.{name}": text
        for name, text in load_family("rank1").named["query-prompt"].items()
    }
    assert named == {
        name: prompt["text"] for name, prompt in prompts.items() if name.startswith("rank1.dataset_prompt.")
    }


def test_iranker_s_prompt_opens_the_thought(published):
    passages = "\n".join(numbered("passage {number}: {text}"))
    query = published("iranker.passage_template").format(query=QUERY, passages_text=passages)
    prompt = prompt_of("iranker")
    assert prompt.text == published("iranker.prefix").format(query=query)
    assert prompt.begun == "<think>"


def test_coranking_s_adjuster_has_the_prompt_that_survives(published):
    def filled(name: str) -> str:
        return published(f"reasonrank.RANK_GPT_align_{name}(CoRanking adjuster)").format(num=3, query=QUERY)

    texts = [text.replace("[3]", "(3)") for text in LABELLED]
    passages = "".join(f"{line}\n" for line in numbered("[{number}] {text}", texts))
    assert prompt_of("coranking-order").messages == chat(
        ("user", f"{filled('prefix')}\n{passages}{filled('post')}")
    )


def test_rankvicuna_s_prompt_is_rankzephyr_s_with_another_example_in_vicuna_s_form(published):
    prefix, post = (
        published(f"rankzephyr_original.user_{part}").format(num=3, query=QUERY)
        for part in ("prefix(numeric)", "post(numeric, variable_passages)")
    )
    passages = "".join(f"{line}\n" for line in numbered("[{number}] {text}", WORDS))
    user = f"{prefix}\n{passages}{post}".replace("[2] > [1]", "[4] > [2]")
    raw = prompt_of("rankvicuna").text
    assert raw is not None
    system, _, rest = raw.partition(" USER: ")
    assert rest == f"{user} ASSISTANT:"
    assert re.fullmatch(r"A chat between a curious user .* to the user's questions\.", system)


def test_rankgpt_acknowledges_every_passage(published):
    def filled(name: str, **values: Any) -> str:
        return published(f"rank_llm.rank_gpt.{name}").format(num=3, query=QUERY, **values)

    acknowledged = []
    for number, text in enumerate([" ".join(text.split()) for text in LABELLED], 1):
        acknowledged += [
            ("user", filled("body_user", rank=number, candidate=text)),
            ("assistant", filled("body_assistant", rank=number)),
        ]
    assert prompt_of("rankgpt-acks").messages == chat(
        ("system", filled("system_message")),
        ("user", filled("prefix_user")),
        ("assistant", filled("prefix_assistant")),
        *acknowledged,
        ("user", filled("suffix_user")),
    )


def test_rank_k_s_prompt_keeps_its_first_and_last_line_end(published):
    docs = "\n\n".join(numbered("[{number}] {text}"))
    expected = published("rank_k.user").format(query=QUERY, docs=docs)
    assert expected.startswith("\n")
    assert expected.endswith("\n")
    assert prompt_of("rank-k").messages == chat(("user", expected))


def test_grouprank_s_passages_are_one_line_each(published):
    texts = [re.sub("\n+", " ", text)[:3000] for text in SHOWN]
    passages = "".join(f"{line}\n\n" for line in numbered("[{number}]. {text}", texts))
    user = published("grouprank.user_pyformat").format(TOPK=3, QUERY=QUERY, PASSAGES=passages)
    assert prompt_of("grouprank").messages == chat(("system", published("grouprank.system")), ("user", user))
    long = prompt_of("grouprank", [Passage("d", "a\n\n\n" + 4000 * "x")])
    assert f"[1]. a {2998 * 'x'}\n\n" in long.messages[1]["content"]


def test_qwen3_reranker_s_prompt_is_raw(published):
    expected = published("qwen3_reranker.completion").format(instruction="I", query=QUERY, document=SHOWN[0])
    assert prompt_of("qwen3-reranker", PASSAGES[:1], instruction="I").text == expected


def test_insertrank_shows_first_stage_scores_with_three_decimals(published):
    def filled(name: str, **values: Any) -> str:
        return published(f"rank_llm.insert_rank.{name}").format(num=3, query=QUERY, **values)

    scores = ["12.346", "9.000", "-0.500"]
    body = "".join(
        filled("body", rank=rank, candidate=text, score=score)
        for rank, (text, score) in enumerate(zip(WORDS, scores, strict=True), 1)
    )
    assert prompt_of("insertrank").messages == chat(
        ("system", filled("system_message")), ("user", filled("prefix") + body + filled("suffix"))
    )
    assert "BM25 score for" not in prompt_of("insertrank", [Passage("d", "x")]).messages[1]["content"]


# From here on: where today's rank_llm differs from what the models were trained with.


@pytest.mark.parametrize("name", ["reasonrank", "rankzephyr", "first", "rankvicuna"])
def test_a_blank_line_stands_before_the_passages_where_the_port_has_none(name):
    prompt = prompt_of(name)
    shown = prompt.text or prompt.messages[-1]["content"]
    assert re.search(r"search query: .*\.\n\n\[[1A]\] ", shown)
