"""`rearank train reward`: what a reward makes of answers in traces."""

import json
from pathlib import Path
from statistics import fmean

import pytest

from rearank_cli.training.rewards import rearank_reward
from rearank_cli.trec import read_qrels
from tests.traces.lines import attempt, call, thinking, write_traces
from tests.training.conftest import Train

QRELS = "q1 0 c 1\nq2 0 a 1\n"


@pytest.fixture
def traces(bees: Path) -> Path:
    (bees / "three.qrels").write_text(QRELS)
    best, worst = thinking("so", "[3] > [1] > [2]"), thinking("so", "[1] > [2] > [3]")
    return write_traces(
        bees / "three.jsonl",
        attempt(),
        call(order=[2, 0, 1], **best),
        call(sample=1, **worst),
        call(sample=2, status="unreadable", response="what?"),
        call(sample=2, try_=1, order=[2, 0, 1], **best),
        call(sample=3, status="failed", finish_reason="error"),
        call(query_id="q2", **worst),
        call(query_id="q2", sample=1, **worst),
        call(query_id="q3", **worst),
    )


def test_every_answer_is_rewarded_part_by_part(train: Train, traces: Path) -> None:
    done = train("reward", traces, "--qrels", "three.qrels", "--format", "json")
    told = json.loads(done.out)
    assert (told["answers"], told["unanswered"], told["unjudged"]) == (5, 1, 1)
    # The best order of three; the order shown; and an answer without any, as it first came.
    assert told["parts"]["score"]["mean"] == pytest.approx((1 + 0.2 + 0 + 0.2 + 0.2) / 5)
    assert told["parts"]["ndcg"]["mean"] == pytest.approx(1 / 5)
    assert told["parts"]["response_format"]["mean"] == pytest.approx(4 / 5)
    assert told["parts"]["ranking_format"]["most"] == 1
    assert told["by_status"]["ok"] == {"answers": 4, "mean": pytest.approx(0.4)}
    assert told["by_status"]["unreadable"] == {"answers": 1, "mean": 0}
    assert told["without_room_to_improve"] == 2


def test_groups_are_what_grpo_would_compare(train: Train, traces: Path) -> None:
    groups = json.loads(train("reward", traces, "--qrels", "three.qrels", "--format", "json").out)["groups"]
    assert (groups["windows"], groups["answers"], groups["all_equal"]) == (2, 5, 1)
    done = train("reward", traces, "--qrels", "three.qrels")
    assert "windows asked more than once: 2, of which 1 (50 %) have only equal answers" in done.err


def test_histograms_hold_every_answer_where_it_belongs(train: Train, traces: Path) -> None:
    told = json.loads(train("reward", traces, "--qrels", "three.qrels", "--format", "json").out)
    for part in told["parts"].values():
        assert sum(each["count"] for each in part["histogram"]) == told["answers"]
    [zero, *_, one] = told["parts"]["score"]["histogram"]
    assert (zero["above"], zero["up_to"], zero["count"]) == (pytest.approx(-0.2), 0, 1)
    assert (one["above"], one["up_to"], one["count"]) == (pytest.approx(0.8), 1, 1)
    printed = train("reward", traces, "--qrels", "three.qrels").out
    assert "  0.8 to  1.0         1  #############\n" in printed
    assert max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize(
    ("options", "mean"),
    [
        (["--gain", "ndcg"], 0.2 * 4 / 5 + 0.8 * (1 + 0.5 + 0.5 + 1 + 1) / 5),
        (["--gain", "difference"], 0.2 * 4 / 5 + 0.8 * 0.5 / 5),
        (["--complete"], (1 + 0.2 * 3) / 5),
        (
            ["--reward", "reasonrank", "--recall-weight", "0", "--overlap-weight", "0"],
            (1 + 0.5 - 1 + 1 + 1) / 5,
        ),
    ],
)
def test_the_rewards_have_their_options(options: list[str], mean: float, train: Train, traces: Path) -> None:
    told = json.loads(train("reward", traces, "--qrels", "three.qrels", "--format", "json", *options).out)
    assert told["parts"]["score"]["mean"] == pytest.approx(mean)


def test_a_reward_far_below_is_told_with_those_of_minus_one(train: Train, bees: Path) -> None:
    doc_ids = ["a", *(f"x{number}" for number in range(8)), "b"]
    (bees / "q").write_text("q1 0 a 1\nq1 0 b 1\n")
    places = [*range(1, 9), 9, 0]
    answer = " > ".join(f"[{place + 1}]" for place in places)
    line = call(doc_ids, places, **thinking("so", answer))
    write_traces(bees / "low.jsonl", attempt(), line, call(["a", "b", "c"], **thinking("so", "[1]")))
    told = json.loads(train("reward", "low.jsonl", "--qrels", "q", "--format", "json").out)
    expected = rearank_reward(line["response"], doc_ids, {"a": 1, "b": 1})["score"]
    assert told["parts"]["score"]["least"] == pytest.approx(expected)
    assert expected < -1
    assert told["parts"]["score"]["histogram"][0] == {"above": None, "up_to": -1, "count": 1}
    assert "   up to -1.0         1  ####" in train("reward", "low.jsonl", "--qrels", "q").out


def test_traces_without_a_judged_query_have_no_numbers(train: Train, traces: Path, bees: Path) -> None:
    (bees / "other.qrels").write_text("q9 0 a 1\n")
    done = train("reward", traces, "--qrels", "other.qrels")
    assert (done.status, done.out.strip()) == (0, "")
    assert "0 answers to windows of 0 queries" in done.err
    assert (
        json.loads(train("reward", traces, "--qrels", "other.qrels", "--format", "json").out)["parts"] == {}
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["three.jsonl"], "--qrels or --dataset"),
        (["three.qrels", "--qrels", "three.qrels"], "not a line of a trace file"),
        (["-", "--qrels", "-"], "only once"),
        (["three.jsonl", "--qrels", "three.qrels", "--family", "rank1"], "does not answer with lists"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], said: str, train: Train, traces: Path) -> None:
    done = train("reward", *arguments)
    assert done.status in (2, 3)
    assert said in done.err


def test_what_is_rewarded_is_what_was_answered(train: Train, bees: Path, rerank_bees) -> None:
    traces = rerank_bees()
    qrels = read_qrels(bees / "qrels.trec")
    scores = [
        rearank_reward(line["response"], line["doc_ids"], qrels[line["query_id"]])["score"]
        for line in map(json.loads, traces.read_text().splitlines()[1:])
    ]
    told = json.loads(train("reward", traces, "--qrels", "qrels.trec", "--format", "json").out)
    assert told["answers"] == len(scores)
    assert told["parts"]["score"]["mean"] == pytest.approx(fmean(scores))
