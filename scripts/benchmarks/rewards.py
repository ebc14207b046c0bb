"""How many answers a second the rewards of training take, on one core."""

import argparse
import statistics
import time
from collections.abc import Callable

from rearank_cli.training.ground_truth import GroundTruth
from rearank_cli.training.rewards import rearank_reward, reasonrank_reward
from rearank_cli.training.verl_reward import compute_score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(arguments: argparse.Namespace, rounds: int = 9, answers: int = 2000) -> list[dict[str, object]]:
    """Answers of some 850 tokens about 20 passages of a query with 67 judgments."""
    doc_ids = [f"d{number}" for number in range(20)]
    qrels = {f"d{number}": number % 4 for number in range(0, 200, 3)}
    listed = " > ".join(f"[{number}]" for number in range(20, 0, -1))
    answer = f"<think>{'because of this ' * 220}</think>\n<answer> {listed} </answer>"
    teacher, relevant = list(range(1, 21)), [doc_id for doc_id in doc_ids if qrels.get(doc_id)]
    truth = GroundTruth.of("q", doc_ids, qrels).to_json()
    rewards: dict[str, Callable[[], object]] = {
        "rearank": lambda: rearank_reward(answer, doc_ids, qrels),
        "reasonrank": lambda: reasonrank_reward(answer, doc_ids, teacher, relevant),
        "rearank, as verl calls it, with the row's JSON": lambda: compute_score("x", answer, truth),
    }
    return [
        {"reward": name, "answers a second, median": round(answers / _seconds(reward, rounds, answers))}
        for name, reward in rewards.items()
    ]


def _seconds(reward: Callable[[], object], rounds: int, answers: int) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(answers):
            reward()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
