"""The built-in families: which models they list, how their authors set them, and how they are shown."""

from fnmatch import fnmatchcase

import pytest

from rearank_cli.errors import InputError, UsageError
from rearank_cli.families import family_for, family_names, load_family
from rearank_cli.families.portrait import portrait
from rearank_cli.records import Passage

FAMILIES = {name: load_family(name) for name in family_names()}
every_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES.keys())


def test_every_model_is_in_one_family():
    models = [model.name for family in FAMILIES.values() for model in family.models]
    assert sorted(set(models)) == sorted(models)


@pytest.mark.parametrize(
    ("model", "family", "base"),
    [
        ("liuwenhan/reasonrank-32B", "reasonrank", "Qwen/Qwen2.5-32B-Instruct"),
        ("liuwenhan/reasonrank-8B", "reasonrank-qwen3", "Qwen/Qwen3-8B"),
        ("ielabgroup/Rank-R1-14B-v0.1", "rank-r1", "Qwen/Qwen2.5-14B-Instruct"),
        ("ielabgroup/Rank-R1-32B-v0.2", "rank-r1-v0.2", "Qwen/Qwen3-32B"),
        ("ielabgroup/Setwise-SFT-3B-v0.1", "setwise-sft", "Qwen/Qwen2.5-3B-Instruct"),
        ("castorini/first_mistral", "first", "mistralai/Mistral-7B-Instruct-v0.3"),
        ("Alibaba-NLP/ERank-4B", "erank", "Qwen/Qwen3-4B"),
        ("Johnnyfans/TFRank-GRPO-Qwen3-0.6B", "tfrank", "Qwen/Qwen3-0.6B"),
        ("Johnnyfans/TFRank-SFT-Qwen2.5-7B-Instruct", "tfrank-qwen2.5", "Qwen/Qwen2.5-7B-Instruct"),
        ("jhu-clsp/rank1-llama3-8b-awq", "rank1", "jhu-clsp/rank1-llama3-8b"),
        ("castorini/rank_zephyr_7b_v1_full", "rankzephyr", "HuggingFaceH4/zephyr-7b-beta"),
        ("castorini/rank_vicuna_7b_v1", "rankvicuna", "lmsys/vicuna-7b-v1.5"),
        ("hltcoe/Rank-K-32B", "rank-k", "Qwen/QwQ-32B"),
        ("AQ-MedAI/Diver-GroupRank-7B", "grouprank", None),
        ("Qwen/Qwen3-Reranker-0.6B", "qwen3-reranker", "Qwen/Qwen3-0.6B-Base"),
        ("Qwen/Qwen3-8B", "listwise-reasoning", None),
    ],
)
def test_a_model_has_its_family(model, family, base):
    found = family_for(model)
    known = found.model(model)
    assert (found.name, known.base) == (family, base)
    assert known.adapter == model.startswith("ielabgroup/")


@every_family
def test_a_family_is_called_as_it_was_published(family):
    defaults = family.defaults
    setwise = family.gives == "best"
    assert (
        defaults.method
        == {
            "order": "full" if family.name == "coranking-order" else "sliding",
            "best": "setwise-heapsort",
            "worst": "exclusion",
            "score": "pointwise",
            "scores": "groupwise",
        }[family.gives]
    )
    assert defaults.top == (10 if setwise else None)
    assert defaults.passes == (2 if family.gives == "scores" else None)
    assert defaults.window <= (family.most_passages or defaults.depth)
    assert defaults.depth == {"iranker": 9, "coranking-order": 20}.get(family.name, 100)


@pytest.mark.parametrize(
    ("name", "dataset", "settings"),
    [
        ("reasonrank", None, {"cut": "512 tokens"}),
        ("reasonrank", "bright/biology", {"cut": "512 tokens"}),
        ("reasonrank", "msmarco-passage/trec-dl-2019/judged", {"cut": "100 tokens"}),
        ("reasonrank-qwen3", "beir/nfcorpus/test", {"cut": "100 tokens"}),
        ("rank-r1", None, {"cut": "512 tokens", "query-cut": "32 tokens"}),
        ("setwise-sft", "bright/aops", {"cut": "1024 tokens", "query-cut": "1024 tokens"}),
    ],
)
def test_a_collection_has_the_settings_that_its_authors_used_for_it(name, dataset, settings):
    assert load_family(name, dataset=dataset).settings == settings
    assert load_family(name, {"cut": "7 words"}, dataset).settings["cut"] == "7 words"


@pytest.mark.parametrize(
    ("name", "setting", "dataset", "value"),
    [
        ("erank", "instruction", None, "web"),
        ("erank", "instruction", "beir/scifact/test", "web"),
        ("erank", "instruction", "bright/biology-long", "bright"),
        ("erank", "instruction", "bright/pony-long", "pony"),
        ("erank", "instruction", "bright/theoremqa-theorems", "theoremqa"),
        ("rank1", "query-prompt", "beir/fiqa/test", "FiQA2018"),
        ("rank1", "query-prompt", "beir/webis-touche2020/v2", "Touche2020"),
        ("rank1", "query-prompt", "nano-beir/scidocs", "SCIDOCS"),
        ("rank1", "query-prompt", "bright/earth-science", "BrightRetrieval"),
        ("rank1", "query-prompt", "bright/leetcode", "BrightRetrieval_leetcode"),
    ],
)
def test_a_collection_has_the_wording_that_its_authors_used_for_it(name, setting, dataset, value):
    family = load_family(name, dataset=dataset)
    assert family.settings[setting] == family.named[setting][value]
    assert load_family(name, {setting: value}).settings[setting] == family.named[setting][value]


def test_rank1_shows_the_query_alone_where_its_authors_worded_nothing():
    for dataset in (None, "msmarco-passage/trec-dl-2019/judged", "beir/quora/test"):
        text = load_family("rank1", dataset=dataset).prompt("why", [Passage("d", "x")]).text
        assert "\nQuery: why\nPassage: x\n" in text


def test_a_user_s_own_wording_goes_around_the_query():
    family = load_family("rank1", {"query-prompt": "Claim: FILL_QUERY_HERE!"})
    assert "\nQuery: Claim: why!\n" in family.prompt("why", [Passage("d", "x")]).text


@every_family
def test_every_pattern_of_collections_is_of_collections_that_exist(family, irds_home):
    registry = pytest.importorskip("ir_datasets").registry
    known = list(registry._registered)
    for patterns, _ in family.collections:
        for pattern in patterns:
            assert any(fnmatchcase(dataset, pattern) for dataset in known), pattern


@pytest.mark.parametrize(
    ("name", "settings", "hint"),
    [
        ("tfrank", {"score": "both"}, "setting score: it is one of merge, label, yesno, not 'both'"),
        ("tfrank", {"thinking": "maybe"}, "setting thinking: it is one of on, off, not 'maybe'"),
        ("listwise-reasoning", {"thinking": "true"}, "setting thinking: it is one of on, off"),
        ("rank-r1", {"query-cut": "many"}, "setting query-cut: a cut is a number of"),
    ],
)
def test_a_setting_that_cannot_be_is_a_usage_error(name, settings, hint):
    with pytest.raises(UsageError, match=hint):
        load_family(name, settings)


def test_a_grade_can_be_scored_in_three_ways_only(tmp_path):
    path = tmp_path / "mine.toml"
    content = """
name = "mine"
text = "{{ query }}"
defaults = { method = "pointwise", window = 1, step = 1 }
sampling = { max_tokens = 9, logprobs = 20 }
settings = { score = "merge" }
answer = { reader = "grade" }
"""
    for allowed in ("", 'allowed = { score = ["merge", "best"] }'):
        path.write_text(content + allowed, encoding="utf-8")
        with pytest.raises(
            InputError, match=r"allowed\.score of a grade must be some of merge, label, yesno"
        ):
            load_family(path)


def test_thinking_is_switched_by_a_setting():
    thinking, silent = (load_family("listwise-reasoning", {"thinking": value}) for value in ("on", "off"))
    passages = [Passage("d", "x")]
    assert thinking.prompt("q", passages).chat_args == (("enable_thinking", True),)
    assert silent.prompt("q", passages).chat_args == (("enable_thinking", False),)
    assert thinking.write([0], "a").text == "<think>\na\n</think>\n\n<answer> [1] </answer>"
    assert silent.write([0], "a").text == "<answer> [1] </answer>"
    assert thinking.digest != silent.digest


@every_family
def test_a_portrait_says_all_there_is_to_know_and_fits_a_terminal(family):
    lines = portrait(family).splitlines()
    facts = lines[: lines.index("")]
    said = " ".join(" ".join(facts).split())
    assert max(map(len, facts)) <= 100
    for text in (*family.ours, *family.results, family.source, family.defaults.method):
        assert " ".join(text.split()) in said
    for model in family.models:
        assert model.name in said
    for key in (*family.settings, *family.engine):
        assert f"{key}=" in said
    for patterns, _ in family.collections:
        assert ", ".join(patterns) in said


@every_family
def test_a_portrait_shows_the_request_to_the_byte(family):
    shown = portrait(family)
    passages = [
        Passage(
            "d1", "A purr is made by muscles of the larynx that open and close the glottis.", "Purring", 12.5
        ),
        Passage("d2", "Dogs wag their tails to the right when they see their owner.", score=9.25),
    ]
    prompt = family.prompt("why do cats purr", passages[: family.most_passages])
    for message in prompt.messages:
        assert f"\n\n--- {message['role']}\n{message['content']}\n" in shown
    assert prompt.text is None or f"\n{prompt.text}\n" in shown
    assert not prompt.append or f"\n--- appended: {prompt.append}\n" in shown
    assert "--- a well-formed answer\n" in shown
    if len(prompt.doc_ids) == 1:
        assert "The request for a query and one passage:" in shown


def test_a_portrait_names_a_published_text_that_is_set():
    assert "setting     instruction=web\n" in portrait(load_family("erank"))
    shown = portrait(load_family("erank", {"instruction": "Find cats."}))
    assert "setting     instruction=Find cats.\n" in shown
    assert "collection  bright/aops: instruction=aops\n" in shown
    assert "setting     score=merge (one of merge, label, yesno)\n" in portrait(load_family("tfrank"))
    assert "--- read with the probabilities of ' true', ' false'" in portrait(load_family("rank1"))
    assert "as many tokens as a whole answer has" in portrait(load_family("rankzephyr"))
    assert "(adapter for Qwen/Qwen3-32B)" in portrait(load_family("rank-r1-v0.2"))
