"""Several engines as one: the run is that of one engine, whatever becomes of the replicas."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from rearank_cli.engines import Wanted, check_engine
from rearank_cli.engines.replicas import ReplicatedEngine, ReplicatedJudge, _Card, _devices, _LostError, _Pool
from rearank_cli.errors import EngineError
from rearank_cli.records import Completion, Prompt, Query, Sampling
from scripts.crash_test import marked_processes
from tests.end_to_end.conftest import with_default_signals
from tests.jobs import begun, traced_calls, wait_until

REARANK = [sys.executable, "-m", "rearank_cli"]
# Some 342 calls.
MANY_WINDOWS = ["--window", "4", "--step", "1", "--in-flight", "4"]
REPLICAS = ["--replicas", "2"]


def run(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*REARANK, "rerank", "run.trec", *options], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def bees(tmp_path: Path) -> Path:
    subprocess.run([*REARANK, "example", "bees"], cwd=tmp_path, check=True, capture_output=True)
    return (tmp_path / "bees").resolve()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("undisturbed")
    subprocess.run([*REARANK, "example", "bees"], cwd=folder, check=True, capture_output=True)
    done = run(folder / "bees", *MANY_WINDOWS)
    assert done.returncode == 0, done.stderr
    return (folder / "bees" / "run.rearank.trec").read_bytes()


@pytest.fixture
def held_up(bees: Path) -> Iterator[tuple["subprocess.Popen[str]", list[int]]]:
    """A job whose replicas have answered some calls and stand still with others; and their processes."""
    pytest.importorskip("ray")
    command = [*REARANK, "rerank", "run.trec", *MANY_WINDOWS, *REPLICAS, "--grace", "0.5"]
    try:
        with begun(command, bees, calls=5) as process:
            actors = marked_processes(bees, b"ray::EngineActor")
            for actor in actors:
                os.kill(actor, signal.SIGSTOP)
            assert process.poll() is None, process.communicate()
            assert len(actors) == 2
            yield process, actors
    finally:
        for left in marked_processes(bees):
            os.kill(left, signal.SIGKILL)


Held = tuple["subprocess.Popen[str]", list[int]]


def test_two_replicas_write_what_one_engine_writes(bees: Path) -> None:
    pytest.importorskip("ray")
    alone = run(bees, "-o", "alone.trec", "--traces", "alone.jsonl")
    assert alone.returncode == 0, alone.stderr
    # To standard output: of Ray, nothing may be there.
    done = run(bees, *REPLICAS, "-o", "-", "--traces", "two.jsonl", "--tag", "rearank")
    assert done.returncode == 0, done.stderr
    assert done.stdout.encode() == (bees / "alone.trec").read_bytes()
    assert answers(bees, "two.jsonl") == answers(bees, "alone.jsonl")
    ours = ("rearank: ", "run ", "before ", "after ")
    told = [line for line in done.stderr.splitlines() if not line.startswith(ours)]
    assert told == [], done.stderr
    assert not marked_processes(bees)


def test_a_lost_replica_changes_nothing(held_up: Held, bees: Path, undisturbed: bytes) -> None:
    process, (first, second) = held_up
    os.kill(first, signal.SIGKILL)
    os.kill(second, signal.SIGCONT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed
    assert "is lost: its process or its machine died; left: 1" in errors
    assert errors.count("is lost") == 1
    assert "raylet" not in output + errors
    assert all(call["status"] == "ok" for call in traced_calls(bees))
    assert not marked_processes(bees)


def test_when_none_is_left_the_way_on_is_told(held_up: Held, bees: Path, undisturbed: bytes) -> None:
    process, actors = held_up
    for actor in actors:
        os.kill(actor, signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 4, errors
    last = errors.strip().splitlines()[-1]
    assert "all 2 replicas are lost" in last
    assert "to go on: rearank rerank --resume run.trec" in last
    assert "Traceback" not in errors
    assert not marked_processes(bees)
    assert not (bees / "run.rearank.trec").exists()
    assert {call["status"] for call in traced_calls(bees)} == {"ok"}
    # It goes on with one engine: how many there were is nothing that an answer depends on.
    answered = len(traced_calls(bees))
    resumed = run(bees, *MANY_WINDOWS, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert f"rearank: {342 - answered} requests," in resumed.stderr
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed


def test_a_signal_leaves_no_process_behind(held_up: Held, bees: Path) -> None:
    process, actors = held_up
    process.send_signal(signal.SIGTERM)
    time.sleep(4)  # longer than the grace, and than Ray would have it live on
    for actor in actors:
        os.kill(actor, signal.SIGCONT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143, errors
    assert "Traceback" not in errors
    assert "SIGTERM" not in errors
    assert not marked_processes(bees)


def test_a_signal_while_ray_starts_leaves_no_process_behind(bees: Path) -> None:
    pytest.importorskip("ray")
    process = subprocess.Popen(
        [*REARANK, "rerank", "run.trec", *REPLICAS],
        cwd=bees,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=with_default_signals,  # noqa: PLW1509  # no threads here
    )
    wait_until(lambda: process.poll() is not None or bool(marked_processes(bees)))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert not marked_processes(bees)


def test_a_killed_job_leaves_nothing_that_the_next_attempt_does_not_end(
    held_up: Held, bees: Path, undisturbed: bytes
) -> None:
    process, _ = held_up
    process.kill()
    process.communicate(timeout=60)
    done = run(bees, *MANY_WINDOWS, *REPLICAS, "--resume")
    assert done.returncode == 0, done.stderr
    assert (bees / "run.rearank.trec").read_bytes() == undisturbed
    assert not marked_processes(bees)


def test_a_ray_that_was_there_is_used_and_left_alone(bees: Path) -> None:
    """As in a notebook on a cluster."""
    pytest.importorskip("ray")
    program = """
import ray, rearank_cli
ray.init("local", num_cpus=1, include_dashboard=False, log_to_driver=False)
texts = {"docs": "docs.jsonl", "queries": "queries.tsv"}
run = rearank_cli.rerank("run.trec", **texts, family="rearank", engine="lexical", replicas=3)
print(len(run) + ray.get(ray.remote(lambda: 30).remote()))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=bees, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == "42"


def test_ray_that_is_not_installed_is_told_before_all_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(EngineError, match=r"pip install 'rearank\[ray\]'"):
        check_engine("lexical", Wanted(""), replicas=2)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("127.0.0.1:1", "there is no Ray cluster at 127.0.0.1:1: Connection refused"),
        ("head", "'head' is no address of a Ray cluster: give auto, or HOST:PORT"),
        ("ray://head:10001", "run rearank on a machine of the cluster"),
        ("auto", "the Ray cluster at auto cannot be joined"),
    ],
)
def test_a_cluster_that_is_not_there_is_told(bees: Path, address: str, told: str) -> None:
    pytest.importorskip("ray")
    done = run(bees, *REPLICAS, "--ray-address", address)
    assert done.returncode == 4, done.stderr
    assert told in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_replica_takes_the_gpus_that_its_engine_is_spread_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rearank_cli.engines.installation.on_cpu", lambda: False)
    family = {"tensor_parallel_size": "8", "data_parallel_size": "2"}
    assert _devices("vllm", Wanted("model")) == ("GPU", 1)
    assert _devices("vllm", Wanted("model", family_args=family)) == ("GPU", 16)
    given = {"tensor-parallel-size": "4"}
    assert _devices("vllm", Wanted("model", family_args=family, engine_args=given)) == ("GPU", 8)
    assert _devices("lexical", Wanted("")) == ("CPU", 0)


# Of the rest, what Ray does is played: deaths that are hard to time.


class FakeReplica:
    """Answers with its number; dies of what it cannot bear."""

    def __init__(
        self,
        number: int,
        *,
        dies_of: object = None,
        seconds: float = 0.0,
        gives_up: Sequence[Completion] = (),
    ) -> None:
        self.number, self.host, self.in_flight = number, "", 0
        self.dies_of, self.seconds, self.gives_up = dies_of, seconds, list(gives_up)
        self.asked: list[Any] = []
        self.killed = False
        self.doubt: Any = None

    async def call(self, method: str, *arguments: Any) -> Any:
        self.asked.append(arguments[1])
        await asyncio.sleep(self.seconds)
        if self.killed or self.dies_of in (arguments[1], getattr(arguments[1], "query_id", None)):
            raise _LostError("it died of it")
        if self.gives_up:
            return self.gives_up.pop()
        return Completion(str(self.number))

    def kill(self) -> None:
        self.killed = True


# What a dying engine says of what it has, and of what it is asked from then on.
GIVEN_UP = [Completion("cut sh", finish_reason="abort"), Completion("", finish_reason="error")]
REFUSED = Completion("", finish_reason="error", error="the prompt is too long")


def replicated(*replicas: FakeReplica) -> ReplicatedEngine:
    pool = _Pool(None)  # type: ignore[arg-type]
    pool._living, pool._wanted = list(replicas), len(replicas)  # type: ignore[arg-type]
    return ReplicatedEngine("fake", pool, None, [_Card(100, 4, None)] * len(replicas))  # type: ignore[arg-type]


def prompt(query_id: str) -> Prompt:
    return Prompt(query_id=query_id, doc_ids=("a", "b"), token_ids=(1, 2))


async def test_calls_go_to_the_replica_with_the_fewest() -> None:
    slow, quick = FakeReplica(1, seconds=0.2), FakeReplica(2, seconds=0.01)
    engine = replicated(slow, quick)
    slots = asyncio.Semaphore(4)

    async def ask(number: int) -> None:
        async with slots:
            await engine.complete(prompt(str(number)), Sampling())

    await asyncio.gather(*map(ask, range(40)))
    assert len(quick.asked) > 4 * len(slow.asked)


async def test_all_calls_of_a_lost_replica_are_answered_by_another() -> None:
    replicas = [FakeReplica(1, dies_of="q3", seconds=0.05), FakeReplica(2, seconds=0.05)]
    engine = replicated(*replicas)
    answers = await asyncio.gather(*(engine.complete(prompt(f"q{n}"), Sampling()) for n in range(1, 9)))
    assert {answer.finish_reason for answer in answers} == {"stop"}
    assert answers[2].text == "2"


async def test_a_call_that_kills_is_not_tried_on_a_fourth() -> None:
    replicas = [FakeReplica(number, dies_of="poison") for number in (1, 2, 3, 4)]
    engine = replicated(*replicas)
    deadly = await engine.complete(prompt("poison"), Sampling())
    assert (deadly.finish_reason, deadly.error) == ("error", "3 replicas died while they answered this")
    # Nor when it is asked once more, as failed calls are.
    assert (await engine.complete(prompt("poison"), Sampling(seed=1))).finish_reason == "error"
    assert (await engine.complete(prompt("harmless"), Sampling())).text == "4"


@pytest.mark.parametrize("given_up", GIVEN_UP, ids=["aborted", "turned-down"])
async def test_what_a_dying_engine_gives_up_is_answered_by_another_replica(given_up: Completion) -> None:
    """For some seconds it does so with whatever it is asked."""
    dying, other = FakeReplica(1, gives_up=[given_up] * 99), FakeReplica(2)
    engine = replicated(dying, other)
    for number in range(4):
        assert (await engine.complete(prompt(f"q{number}"), Sampling())).text == "2"
    # It was set aside: what it was asked after the first call was asked to examine it.
    assert len(dying.asked) <= 2


async def test_what_an_engine_refuses_with_a_reason_no_other_replica_is_asked() -> None:
    refusing, other = FakeReplica(1, gives_up=[REFUSED]), FakeReplica(2)
    assert await replicated(refusing, other).complete(prompt("q1"), Sampling()) == REFUSED
    assert (len(refusing.asked), other.asked) == (1, [])


@pytest.mark.parametrize("given_up", GIVEN_UP, ids=["aborted", "turned-down"])
async def test_an_engine_that_lives_on_is_believed_when_it_gives_up_again(given_up: Completion) -> None:
    engine = FakeReplica(1)
    answered = engine.call

    async def gives_this_up(method: str, *arguments: Any) -> Any:
        answer = await answered(method, *arguments)
        return answer if len(arguments[1].token_ids) == 1 else given_up

    engine.call = gives_this_up  # type: ignore[method-assign]
    assert await replicated(engine).complete(prompt("q1"), Sampling()) == given_up
    assert not engine.killed


async def test_a_replica_that_dies_after_an_abort_is_lost() -> None:
    dying = FakeReplica(1, gives_up=GIVEN_UP[:1])
    answered = dying.call

    async def dies_after_that(method: str, *arguments: Any) -> Any:
        if not dying.gives_up:
            raise _LostError("EngineCore encountered an issue")
        return await answered(method, *arguments)

    dying.call = dies_after_that  # type: ignore[method-assign]
    with pytest.raises(EngineError, match="all 1 replicas are lost; the last one: EngineCore"):
        await replicated(dying).complete(prompt("q1"), Sampling())
    assert dying.killed


async def test_none_left_is_one_sentence() -> None:
    engine = replicated(FakeReplica(1, dies_of="q1"), FakeReplica(2, dies_of="q1"))
    with pytest.raises(EngineError, match="all 2 replicas are lost; the last one: it died of it"):
        await engine.complete(prompt("q1"), Sampling())


async def test_a_deadly_window_of_a_judge_is_an_error_of_that_window_alone() -> None:
    replicas = [FakeReplica(number, dies_of="poison") for number in (1, 2, 3, 4)]
    pool = _Pool(None)  # type: ignore[arg-type]
    pool._living, pool._wanted = list(replicas), 4  # type: ignore[arg-type]
    judge = ReplicatedJudge("fake", pool)
    with pytest.raises(Exception, match="3 replicas died") as raised:
        await judge.judge(Query("poison", "?"), [], [])
    assert not isinstance(raised.value, EngineError)


def answers(folder: Path, name: str) -> list[dict[str, Any]]:
    """What was asked and answered, in no particular order, without when and how long."""
    kept = [
        {key: value for key, value in call.items() if key not in ("seconds", "ended")}
        for call in traced_calls(folder, name)
    ]
    return sorted(kept, key=lambda call: (call["key"], orjson.dumps(call["doc_ids"])))
