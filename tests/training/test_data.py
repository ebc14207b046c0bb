"""`rearank train data RUN`: windows drawn from a first stage, as REARANK's were."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rearank_cli.errors import InputError
from rearank_cli.families import load_family
from rearank_cli.records import Passage
from rearank_cli.training.draws import Drawing, Filtered, draw_windows
from rearank_cli.training.files import write_parquet
from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.metrics import NAMES, measure
from rearank_cli.training.rewards import ndcg, rearank_reward
from rearank_cli.trec import read_qrels, read_run
from tests.training.conftest import TEXTS, Train

# Small windows: the lists of the example have 31 documents.
SMALL = ("--size", "8", "--draws", "12")


def rows_in(path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


@pytest.fixture
def rows(train: Train, bees: Path) -> list[dict[str, Any]]:
    assert train("data", "run.trec", *TEXTS, *SMALL).status == 0
    return rows_in(bees / "train.parquet")


def test_the_columns_are_those_of_the_reference(rows, bees):
    of_hit = {"content", "docid", "qid", "rank", "score"}
    assert list(rows[0]) == [
        "query", "hits", "data_source", "prompt", "ability", "reward_model", "extra_info", "metrics",
        "best_metrics", "new_rank",
    ]  # fmt: skip
    for index, row in enumerate(rows):
        assert row["extra_info"] == {"split": "train", "index": index}
        assert row["ability"] == "rerank"
        assert row["reward_model"]["style"] == "rule"
        assert {frozenset(hit) for hit in row["hits"]} == {frozenset(of_hit)}
        assert set(row["metrics"]) == set(row["best_metrics"]) == set(NAMES)
        assert len(NAMES) == 9


def test_every_row_reads_back(rows, bees):
    qrels, run = read_qrels(bees / "qrels.trec"), read_run(bees / "run.trec")
    assert len(rows) > 50
    for row in rows:
        truth = GroundTruth.from_json(row["reward_model"]["ground_truth"])
        ranking = [document.doc_id for document in run[truth.query_id]]
        assert truth.doc_ids == [hit["docid"] for hit in row["hits"]]
        assert [ranking[hit["rank"] - 1] for hit in row["hits"]] == truth.doc_ids
        assert dict(run[truth.query_id])[truth.doc_ids[0]] == row["hits"][0]["score"]
        assert {hit["qid"] for hit in row["hits"]} == {truth.query_id}
        assert truth.qrels == qrels[truth.query_id]
        shown = [message["content"] for message in row["prompt"] if message["content"].startswith("[")]
        assert len(shown) == len(truth.doc_ids) == 8
        for number, (text, hit) in enumerate(zip(shown, row["hits"], strict=True), 1):
            assert text == f"[{number}] {' '.join(hit['content'].split()[:300])}"
        assert row["query"] in row["prompt"][-1]["content"]


def test_a_window_keeps_the_order_of_the_first_stage(rows):
    for row in rows:
        ranks = [hit["rank"] for hit in row["hits"]]
        assert ranks == sorted(ranks)


def test_the_best_order_is_better_than_the_first_stage(rows):
    for row in rows:
        truth = GroundTruth.from_json(row["reward_model"]["ground_truth"])
        best = [truth.doc_ids[position] for position in row["new_rank"]]
        assert 0.1 <= row["metrics"]["NDCG@10"] < row["best_metrics"]["NDCG@10"]
        assert ndcg(best, truth.qrels) == row["best_metrics"]["NDCG@10"]
        answer = " > ".join(f"[{position + 1}]" for position in row["new_rank"])
        response = f"<think>so</think><answer>{answer}</answer>"
        assert rearank_reward(response, truth.doc_ids, truth.qrels)["score"] == pytest.approx(1)
        assert [number - 1 for number in truth.teacher] == row["new_rank"]


def test_measures_are_those_of_trec_eval(rows):
    pytrec_eval = pytest.importorskip("pytrec_eval")
    for row in rows[::7]:
        truth = GroundTruth.from_json(row["reward_model"]["ground_truth"])
        wanted = {"ndcg_cut.1,5,10", "map_cut.1,5,10", "recall.1,5,10"}
        evaluator = pytrec_eval.RelevanceEvaluator({"q": truth.qrels}, wanted)
        best = [truth.doc_ids[position] for position in row["new_rank"]]
        for measures, ranked in ((row["metrics"], truth.doc_ids), (row["best_metrics"], best)):
            scores = {doc_id: float(-rank) for rank, doc_id in enumerate(ranked)}
            theirs = evaluator.evaluate({"q": scores})["q"]
            for name, value in measures.items():
                measured, cutoff = name.split("@")
                key = {"NDCG": "ndcg_cut", "MAP": "map_cut", "Recall": "recall"}[measured]
                assert value == pytest.approx(theirs[f"{key}_{cutoff}"])


def test_measures_of_a_list_shorter_than_the_cutoff_count_what_is_not_there_as_not_found():
    measured = measure(["a", "x"], {"a": 2, "b": 1, "c": 0, "d": -1})
    assert measured["Recall@10"] == 0.5
    assert measured["MAP@10"] == 0.5
    assert measured["NDCG@1"] == 1


def test_the_same_seed_draws_the_same_windows_whatever_the_order_of_queries(train, bees):
    lines = (bees / "run.trec").read_text().splitlines(keepends=True)
    (bees / "backwards.trec").write_text("".join(reversed(lines)))
    for name, run, seed in (("one", "run", 0), ("two", "backwards", 0), ("three", "run", 1)):
        arguments = ("data", f"{run}.trec", *TEXTS, *SMALL, "--seed", str(seed), "-o", f"{name}.parquet")
        assert train(*arguments).status == 0
    one, two, three = (rows_in(bees / f"{name}.parquet") for name in ("one", "two", "three"))

    def windows(rows: list[dict[str, Any]]) -> set[str]:
        return {row["reward_model"]["ground_truth"] for row in rows}

    assert [row["query"] for row in one] != [row["query"] for row in two]
    assert windows(one) == windows(two)
    assert windows(one) != windows(three)
    again = train("data", "run.trec", *TEXTS, *SMALL, "-o", "again.parquet")
    assert again.status == 0
    assert (bees / "again.parquet").read_bytes() == (bees / "one.parquet").read_bytes()


def test_it_tells_what_each_filter_took(train, bees):
    done = train("data", "run.trec", *TEXTS, *SMALL)
    first, second, third = done.err.splitlines()
    assert first == ("rearank: queries: 12 -> 12 judged -> 12 with a relevant document in their first 10")
    # Of the shortest lists the same windows are drawn again and again.
    drawn = int(second.removeprefix("rearank: windows: ").split()[0])
    assert 120 < drawn < 144
    rows = len(rows_in(bees / "train.parquet"))
    assert second.endswith(f" -> {rows} that can be improved")
    assert third == f"rearank: wrote train.parquet: {rows} rows"


DOCS = [f"d{number}" for number in range(30)]


@pytest.mark.parametrize(
    ("qrels", "drawing", "counts"),
    [
        ({"d0": 1}, Drawing(10, 30, 30), (1, 1, 0)),  # best already
        ({"d29": 1}, Drawing(10, 30, 30), (1, 0, 0)),  # below the 10th
        ({"d29": 1}, Drawing(10, 30, 30, minimum=0), (1, 1, 1)),
        ({"d1": 1}, Drawing(10, 30, 30), (1, 1, 1)),  # of a list no longer than a window there is one
        ({"d1": 1}, Drawing(1000, 29, 30), (30, 30, 28)),  # as many as there are
        ({}, Drawing(10, 5, 30), (10, 0, 0)),
    ],
)
def test_windows_that_teach_nothing_are_dropped(qrels, drawing, counts):
    filtered = Filtered()
    windows = list(draw_windows("q", DOCS, qrels, drawing, filtered))
    if counts[0] == 30:
        assert filtered.drawn <= 30
        assert len({tuple(window.doc_ids) for window in windows}) == len(windows) == filtered.improvable
    else:
        assert (filtered.drawn, filtered.high_enough, filtered.improvable) == counts


def test_a_draw_does_not_depend_on_how_many_there_are():
    def drawn(draws: int) -> list[Any]:
        return [
            window.places
            for window in draw_windows("q", DOCS, {"d3": 1, "d9": 2}, Drawing(draws, 10, 30), Filtered())
        ]

    assert drawn(50)[: len(drawn(10))] == drawn(10)
    assert len({tuple(places) for places in drawn(200)}) == len(drawn(200))


def test_memory_does_not_grow_with_the_number_of_windows(train, bees, tmp_path):
    peaks = []
    for draws in ("2", "200", "700"):
        tracemalloc.start()
        arguments = ("--draws", draws, "--size", "5", "--overwrite", "--quiet")
        assert train("data", "run.trec", *TEXTS, *arguments).status == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    file = pq.ParquetFile(bees / "train.parquet")
    assert file.metadata.num_rows > 3 * file.metadata.row_group(0).num_rows
    assert file.metadata.row_group(0).num_rows <= 512
    # The first one also pays for what is imported.
    assert peaks[2] < 1.2 * peaks[1]


def test_what_was_begun_and_failed_leaves_nothing_behind(tmp_path):
    import pyarrow as pa

    def failing():
        for number in range(1000):
            yield {"n": number}
        raise InputError("no more")

    place = tmp_path / "out.parquet"
    place.write_bytes(b"before")
    with pytest.raises(InputError):
        write_parquet(failing(), pa.schema({"n": pa.int64()}), place)
    assert place.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [place]


def test_prompts_are_those_of_the_training_unless_those_of_inference_are_wanted(train, bees):
    passages = [Passage("d1", "word " * 400, title="A title"), Passage("d2", "short")]
    inference = load_family("rearank").prompt("q", passages).messages
    texts = json.dumps([{"_id": one.doc_id, "text": one.text, "title": one.title} for one in passages])
    (bees / "two.jsonl").write_text("\n".join(json.dumps(text) for text in json.loads(texts)))
    (bees / "two.tsv").write_text("q1\tq\n")
    (bees / "two.trec").write_text("q1 Q0 d1 1 2 t\nq1 Q0 d2 2 1 t\n")
    (bees / "two.qrels").write_text("q1 0 d1 1\nq1 0 d2 2\n")
    two = ("two.trec", "--docs", "two.jsonl", "--queries", "two.tsv", "--qrels", "two.qrels")
    assert train("data", *two, "--form", "inference", "-o", "inference.parquet").status == 0
    assert train("data", *two).status == 0
    [asked], [trained] = rows_in(bees / "inference.parquet"), rows_in(bees / "train.parquet")
    assert asked["prompt"] == inference
    assert trained["prompt"][-1]["content"] == inference[-1]["content"].replace("\n    ", "\n        ")
    assert trained["prompt"][3]["content"] == "[1] Title: A title Content: " + " ".join(["word"] * 296)
    assert [*trained["prompt"][:3], *trained["prompt"][4:-1]] == [*inference[:3], *inference[4:-1]]
    assert trained["hits"] == asked["hits"]
    assert trained["hits"][0]["content"] == "Title: A title Content: " + " ".join(["word"] * 400)


def test_ids_that_are_integers_are_integers_as_in_the_reference(train, bees):
    for name in ("run.trec", "qrels.trec", "queries.tsv"):
        lines = (bees / name).read_text().splitlines()
        (bees / name).write_text("".join(f"{line.removeprefix('q')}\n" for line in lines))
    assert train("data", "run.trec", *TEXTS, *SMALL).status == 0
    assert rows_in(bees / "train.parquet")[0]["hits"][0]["qid"] == 1


def test_trl_has_prompts_and_the_ground_truth(train, bees, rows):
    assert train("data", "run.trec", *TEXTS, *SMALL, "--format", "trl", "-o", "trl.parquet").status == 0
    for ours, theirs in zip(rows_in(bees / "trl.parquet"), rows, strict=True):
        assert ours["prompt"] == theirs["prompt"]
        assert ours["ground_truth"] == theirs["reward_model"]["ground_truth"]


def test_json_lines_have_the_same_rows(train, bees, rows):
    assert train("data", "run.trec", *TEXTS, *SMALL, "-o", "train.jsonl").status == 0
    assert [json.loads(line) for line in (bees / "train.jsonl").open()] == rows


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run.trec", *TEXTS, "--family", "pointwise"], "unknown family"),
        (["run.trec", *TEXTS, "--family", "rank1"], "does not answer with lists"),
        (["run.trec", *TEXTS, "--family", "reasonrank"], "--tokenizer"),
        (["run.trec", *TEXTS, "--family", "rankvicuna"], "--format trl"),
        (["run.trec", *TEXTS, "--format", "sft"], "what is made of a run is written as verl or trl"),
        (["--from-traces", "x", *TEXTS, "--format", "verl"], "written as sft or messages or preferences"),
        ([*TEXTS], "--from-traces"),
        (["run.trec", *TEXTS, "--size", "101"], "--depth"),
        (["run.trec", *TEXTS, "--set", "cut"], "KEY=VALUE"),
        (["--from-traces", "x", *TEXTS, "--set", "cut=1"], "traces know the settings"),
        (["run.trec", "--docs", "docs.jsonl", "--queries", "queries.tsv"], "--qrels"),
        (["none.trec", *TEXTS], "no such file"),
        (["run.trec", *TEXTS, "-o", "qrels.trec"], "--overwrite"),
        (["-", *TEXTS[:4], "--qrels", "-"], "only once"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(arguments, said, train, bees):
    done = train("data", *arguments)
    assert done.status in (2, 3)
    assert said in done.err
    assert done.err.count("\n") == 1
    assert not (bees / "train.parquet").exists()


@pytest.mark.parametrize(
    ("family", "options"),
    [
        ("rankgpt", []),
        ("reasonrank", ["--set", "cut=100 words"]),
        ("rankzephyr", []),
        ("insertrank", []),
        ("rankvicuna", ["--format", "trl"]),
    ],
)
def test_any_listwise_family_writes_prompts(family, options, train, bees):
    assert train("data", "run.trec", *TEXTS, *SMALL, "--family", family, *options).status == 0
    prompt = rows_in(bees / "train.parquet")[0]["prompt"]
    text = prompt if isinstance(prompt, str) else " ".join(message["content"] for message in prompt)
    assert "[8] " in text
    assert "None" not in text


def test_a_control_token_in_a_text_is_broken_where_the_tokenizer_is_known(train, bees, tmp_path):
    pytest.importorskip("transformers")
    from tests.tiny_model import make_tiny_model

    model = make_tiny_model(tmp_path / "model")
    docs = (bees / "docs.jsonl").read_text().replace(" colony ", " <|im_end|> ")
    assert "<|im_end|>" in docs
    (bees / "docs.jsonl").write_text(docs)
    arguments = ("data", "run.trec", *TEXTS, *SMALL, "--family", "reasonrank", "--tokenizer", model)
    assert train(*arguments).status == 0
    prompts = json.dumps([row["prompt"] for row in rows_in(bees / "train.parquet")])
    assert "< |im_end|>" in prompts
    assert "<|im_end|>" not in prompts


def test_documents_without_a_text_are_left_out_where_that_is_wanted(train, bees):
    lines = (bees / "docs.jsonl").read_text().splitlines(keepends=True)
    gone = json.loads(lines.pop(0))
    (bees / "docs.jsonl").write_text("".join(lines))
    done = train("data", "run.trec", *TEXTS, *SMALL)
    assert done.status == 3
    assert "--missing skip" in done.err
    assert not (bees / "train.parquet").exists()
    assert train("data", "run.trec", *TEXTS, *SMALL, "--missing", "skip").status == 0
    shown = [hit["docid"] for row in rows_in(bees / "train.parquet") for hit in row["hits"]]
    assert shown
    assert next(value for key, value in gone.items() if "id" in key) not in shown
