"""`rearank train data --from-traces`: what a strong teacher answered, as examples to learn from."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Prompt
from rearank_cli.traces import TraceFile
from rearank_cli.training.answers import Asked, window_ndcg
from rearank_cli.training.examples import renumbered
from rearank_cli.trec import read_qrels
from tests.training.conftest import TEXTS

REARANK = load_family("rearank")


class Teacher:
    """Knows the judgments of the example, and now and then answers badly, too."""

    name = "teacher"

    def __init__(self, folder: Path, *, bad: float = 0.0) -> None:
        self.qrels = read_qrels(folder / "qrels.trec")
        self.bad = bad
        self.prompts: dict[str, list[dict[str, str]]] = {}

    async def complete(self, prompt: Prompt, sampling: Any) -> Completion:
        self.prompts[" ".join(prompt.doc_ids)] = prompt.messages
        random = Random(repr((prompt.doc_ids, sampling.seed)))
        grades = self.qrels[prompt.query_id]
        order = sorted(range(len(prompt.doc_ids)), key=lambda place: -grades.get(prompt.doc_ids[place], 0))
        if random.random() < self.bad:
            random.shuffle(order)
            if random.random() < 0.3:
                return Completion("Passage 3 is good, I cannot say more.")
        return REARANK.write(order, f"Passage {order[0] + 1} is best, [{order[-1] + 1}] worst; 12 are fair.")


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.open()]


def test_good_answers_become_records_with_the_prompt_that_was_sent(train, bees, rerank_bees):
    teacher = Teacher(bees, bad=0.5)
    traces = rerank_bees(teacher)
    assert train("data", "--from-traces", traces, *TEXTS, "--format", "messages").status == 0
    kept = records(bees / "train.jsonl")
    qrels = read_qrels(bees / "qrels.trec")
    good = 0
    for line in records(traces)[1:]:
        ranked = [line["doc_ids"][place] for place in line["order"]]
        quality = window_ndcg(ranked, qrels[line["query_id"]])
        if line["status"] == "ok" and line["listed"] == len(ranked) and quality >= 0.4:
            expected = [*teacher.prompts[" ".join(line["doc_ids"])],
                        {"role": "assistant", "content": line["response"]}]  # fmt: skip
            assert {"messages": expected} in kept
            good += 1
    assert good == len(kept) < len(records(traces)) - 1


def test_sft_records_have_the_last_turn_as_the_instruction(train, bees, rerank_bees):
    traces = rerank_bees(Teacher(bees))
    assert train("data", "--from-traces", traces, *TEXTS).status == 0
    assert (
        train("data", "--from-traces", traces, *TEXTS, "--format", "messages", "-o", "chats.jsonl").status
        == 0
    )
    for record, chat in zip(records(bees / "train.jsonl"), records(bees / "chats.jsonl"), strict=True):
        turns = [{"role": "system", "content": record["system"]}]
        for user, assistant in record["history"]:
            turns += [{"role": "user", "content": user}, {"role": "assistant", "content": assistant}]
        turns += [{"role": "user", "content": record["instruction"]},
                  {"role": "assistant", "content": record["output"]}]  # fmt: skip
        assert turns == chat["messages"]


def test_a_family_of_two_messages_needs_no_history(train, bees, rerank_bees):
    traces = rerank_bees(family="reasonrank", set={"cut": "50 words"})
    assert train("data", "--from-traces", traces, *TEXTS, "--threshold", "0").status == 0
    for record in records(bees / "train.jsonl"):
        assert list(record) == ["instruction", "output", "system"]
        assert record["output"].startswith("<think>")


def test_a_higher_threshold_keeps_fewer(train, bees, rerank_bees):
    traces = rerank_bees(Teacher(bees, bad=0.9))
    counts = []
    for threshold in ("0", "0.4", "0.8", "1"):
        place = f"{threshold}.jsonl"
        done = train("data", "--from-traces", traces, *TEXTS, "--threshold", threshold, "-o", place)
        counts.append(len(records(bees / place)))
        assert f"-> {counts[-1]} with an nDCG@10 of {threshold} or more" in done.err
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1] > 0


def test_of_answers_about_the_same_window_the_better_is_preferred(train, bees, rerank_bees):
    teacher = Teacher(bees, bad=0.6)
    traces = rerank_bees(teacher, permutations=4)
    done = train("data", "--from-traces", traces, *TEXTS, "--format", "preferences")
    pairs = records(bees / "train.jsonl")
    told = done.err.splitlines()[1]
    # Of one window all but one had no answer.
    assert told.startswith("rearank: windows: 29 -> 28 asked more than once -> ")
    assert len(pairs) >= 5
    prompts = {json.dumps(messages): doc_ids for doc_ids, messages in teacher.prompts.items()}
    qrels = read_qrels(bees / "qrels.trec")
    queries = {text: name for name, text in (line.split("\t") for line in
               (bees / "queries.tsv").read_text().splitlines())}  # fmt: skip
    for pair in pairs:
        doc_ids = prompts[json.dumps(pair["prompt"])].split()
        [query] = [name for text, name in queries.items() if f'"{text}"' in pair["prompt"][-1]["content"]]
        [query_id] = [query]
        qualities = []
        for side in ("chosen", "rejected"):
            [said] = pair[side]
            assert said["role"] == "assistant"
            reading = REARANK.read(Completion(said["content"]), len(doc_ids))
            assert reading.answered
            qualities.append(window_ndcg(reading.arrange(doc_ids), qrels[query_id]))
        assert qualities[0] > qualities[1]
        assert qualities[0] >= 0.4


def test_an_answer_is_told_in_the_identifiers_of_another_order(rerank_bees, bees):
    file = TraceFile(rerank_bees(Teacher(bees)))
    for _, answer in Asked(file).answers():
        doc_ids = list(answer.request.doc_ids)
        Random(1).shuffle(doc_ids)
        text = renumbered(answer, doc_ids)
        reading = REARANK.read(Completion(text), len(doc_ids))
        assert reading.arrange(doc_ids) == answer.request.ranked
        best = doc_ids.index(answer.request.ranked[0]) + 1
        assert f"Passage {best} is best" in text
        assert "12 are fair" in text
        assert renumbered(answer, answer.request.doc_ids) == answer.text


def test_what_was_shown_otherwise_is_left_out(train, bees, rerank_bees):
    traces = rerank_bees(Teacher(bees))
    docs = [json.loads(line) for line in (bees / "docs.jsonl").open()]
    shown = records(traces)[1]["doc_ids"][0]
    for doc in docs:
        doc["text"] += " changed" * (shown in doc.values())
    (bees / "docs.jsonl").write_text("".join(json.dumps(doc) + "\n" for doc in docs))
    done = train("data", "--from-traces", traces, *TEXTS, "--threshold", "0")
    assert done.status == 0
    assert "are left out: their texts are not those of the collection" in done.err
    texts = (bees / "train.jsonl").read_text()
    assert " changed" not in texts
    assert texts


def test_scores_of_the_first_stage_are_needed_by_a_family_that_shows_them(train, bees, rerank_bees):
    traces = rerank_bees(family="insertrank")
    arguments = ("data", "--from-traces", traces, *TEXTS, "--threshold", "0", "--format", "messages")
    done = train(*arguments)
    assert done.status == 2
    assert "give the run that was reranked, too" in done.err
    assert train("data", "run.trec", *arguments[1:]).status == 0
    for record in records(bees / "train.jsonl"):
        asked = record["messages"][-2]["content"]
        assert asked.count("BM25 score for passge [") == asked.count("] Title: ") > 0


def test_traces_of_another_family_than_the_one_of_its_name_are_refused(train, bees, rerank_bees):
    traces = rerank_bees()
    lines = traces.read_text().splitlines(keepends=True)
    attempt = json.loads(lines[0])
    attempt["asker"]["family"] = "0" * 16
    traces.write_text("".join([json.dumps(attempt) + "\n", *lines[1:]]))
    done = train("data", "--from-traces", traces, *TEXTS)
    assert done.status == 3
    assert "--family" in done.err


def test_a_family_of_ones_own_is_named_by_its_file(train, bees, rerank_bees):
    from importlib.resources import files

    own = files("rearank_cli.families").joinpath("rearank.toml").read_text()
    (bees / "mine.toml").write_text(own.replace('name = "rearank"', 'name = "mine"').replace("Rank", "Sort"))
    traces = rerank_bees(family=str(bees / "mine.toml"))
    assert "name its file with --family" in train("data", "--from-traces", traces, *TEXTS).err
    assert train("data", "--from-traces", traces, *TEXTS, "--family", "mine.toml").status == 0
    assert "Sort the passages" in (bees / "train.jsonl").read_text()


@pytest.mark.parametrize(
    ("response", "reasoning", "whole"),
    [
        ("<think>a</think><answer>[1]</answer>", "a", "<think>a</think><answer>[1]</answer>"),
        ("a</think><answer>[1]</answer>", "a", "<think>\na</think><answer>[1]</answer>"),
        ("<answer>[1]</answer>", "a", "<think>\na\n</think>\n\n<answer>[1]</answer>"),
        ("<answer>[1]</answer>", "", "<answer>[1]</answer>"),
        ("<think>never closed", "never closed", "<think>never closed"),
    ],
)
def test_an_answer_is_all_that_a_model_has_to_write(response, reasoning, whole, tmp_path):
    from tests.traces.lines import attempt, call, write_traces

    line = call(["d1"], response=response, reasoning=reasoning)
    file = TraceFile(write_traces(tmp_path / "t.jsonl", attempt(), line))
    [(_, answer)] = Asked(file).answers()
    assert answer.text == whole


def test_what_a_prompt_ended_with_belongs_to_the_answer(tmp_path):
    passages = [Passage("d1", "x"), Passage("d2", "y")]
    assert REARANK.prompt("q", passages).append == ""
    assert window_ndcg(["a", "b"], {"b": 1, "z": 3}) == pytest.approx(0.6309, abs=1e-4)


def test_a_cut_in_tokens_is_made_by_the_tokenizer_that_is_named(train, bees, rerank_bees, tmp_path):
    pytest.importorskip("transformers")
    from tests.tiny_model import make_tiny_model

    model = make_tiny_model(tmp_path / "model")
    traces = rerank_bees(family="reasonrank", set={"cut": "5 tokens"})
    arguments = ("data", "--from-traces", traces, *TEXTS, "--threshold", "0")
    assert "--tokenizer" in train(*arguments).err
    assert train(*arguments, "--tokenizer", model).status == 0
    for record in records(bees / "train.jsonl"):
        shown = [line for line in record["instruction"].splitlines() if line.startswith("[")]
        assert len(shown) > 2
        assert all(len(line.split()) <= 1 + 5 for line in shown)
