"""The whole way on the real judgments of TREC DL 2019: windows, answers, rewards, examples."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from rearank_cli import rerank
from rearank_cli.records import Run, ScoredDoc
from rearank_cli.training.answers import window_ndcg
from rearank_cli.training.ground_truth import GroundTruth
from tests.training.conftest import Train

DATASET = "msmarco-passage/trec-dl-2019/judged"


@pytest.mark.shared
def test_windows_are_answered_rewarded_and_learned_from(
    train: Train, shared: Path, irds_home: Path, bees: Path
) -> None:
    first_stage = shared / "data" / "runs" / "dl19.bm25.trec.gz"
    done = train("data", first_stage, "--dataset", DATASET, "--draws", "4", "--form", "inference")
    assert done.status == 0
    assert "queries: 43 -> 43 judged -> 42 with a relevant document in their first 10" in done.err
    rows = pq.read_table(bees / "train.parquet").to_pylist()
    assert 100 < len(rows) <= 168
    for row in rows:
        assert row["metrics"]["NDCG@10"] < row["best_metrics"]["NDCG@10"]
        assert isinstance(row["hits"][0]["qid"], int)
    # The windows as runs, one of each query in every run; one call answers a window.
    runs: list[dict[str, list[ScoredDoc]]] = []
    for row in rows:
        query_id = str(row["hits"][0]["qid"])
        if not runs or query_id in runs[-1]:
            runs.append({})
        ranking = [ScoredDoc(hit["docid"], hit["score"]) for hit in row["hits"]]
        next(run for run in runs if query_id not in run)[query_id] = ranking
    with (bees / "all.jsonl").open("wb") as together:
        for number, rankings in enumerate(filter(None, runs)):
            place = bees / f"{number}.jsonl"
            rerank(Run(rankings), dataset=DATASET, engine="lexical", traces=place)
            shutil.copyfileobj(place.open("rb"), together)
    done = train("reward", "all.jsonl", "--dataset", DATASET, "--format", "json")
    told = json.loads(done.out)
    # No window is without room to improve, and every one has an answer.
    assert (told["answers"], told["without_room_to_improve"]) == (len(rows), 0)
    assert told["parts"]["response_format"]["mean"] == told["parts"]["ranking_format"]["mean"] == 1
    done = train("data", "--from-traces", "all.jsonl", "--dataset", DATASET, "--format", "messages")
    examples = [json.loads(line)["messages"] for line in (bees / "train.jsonl").open()]
    assert f"-> {len(examples)} with an nDCG@10 of 0.4 or more" in done.err
    assert 10 < len(examples) < len(rows)
    asked = {json.dumps(row["prompt"]): row for row in rows}
    for messages in examples:
        row = asked[json.dumps(messages[:-1])]
        truth = GroundTruth.from_json(row["reward_model"]["ground_truth"])
        listed = messages[-1]["content"].rpartition("<answer>")[2].replace("</answer>", "").split(">")
        ranked = [truth.doc_ids[int(identifier.strip(" []")) - 1] for identifier in listed]
        assert window_ndcg(ranked, truth.qrels) >= 0.4
