"""Two vLLM engines in two actors of Ray: the same run, when one of them dies, and when the job does."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from rearank_cli import rerank
from rearank_cli.engines import Engine, Wanted, start_engine
from rearank_cli.engines.processes import end_orphans
from rearank_cli.engines.vllm import VllmEngine
from rearank_cli.errors import EngineError
from rearank_cli.families import load_family
from rearank_cli.records import Completion, Prompt, Run, Sampling
from rearank_cli.trec import read_run
from rearank_cli.trec.qrels import read_qrels
from scripts.crash_test import engine_cores, engine_processes
from scripts.perfect import TINY, Perfection, PerfectJudge, PerfectVllm
from tests.end_to_end.conftest import Command, with_default_signals
from tests.jobs import wait_until

pytestmark = pytest.mark.vllm

EXAMPLE = Path(__file__).resolve().parents[2] / "rearank_cli" / "example"
TEXTS = {"docs": str(EXAMPLE / "docs.jsonl"), "queries": str(EXAMPLE / "queries.tsv"), "family": "rearank"}
MANY_WINDOWS = {"window": 10, "step": 5}


class PerfectReplicas(PerfectVllm):
    """Two engines held to what a perfect judge says. `disturb` is called at the beginning of each call."""

    def __init__(self, model: Path, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="engines", daemon=True).start()
        wanted = Wanted(str(model), engine_args={**TINY, "max_num_seqs": "8"})
        traces = [folder / "run.rearank.jsonl"]
        engine = self._await(start_engine("vllm", wanted, traces=traces, replicas=2))
        assert isinstance(engine, Engine)
        self._engine = cast("VllmEngine", engine)
        self.tokenizer, self.context = self._engine.tokenizer, self._engine.context
        self.capacity, self.version = self._engine.capacity, self._engine.version
        self.disturb: Callable[[], None] = lambda: None

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        self.disturb()
        return await super().complete(prompt, sampling)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replicas").resolve()


@pytest.fixture(scope="module")
def perfection() -> Perfection:
    return Perfection(read_run(EXAMPLE / "run.trec"), read_qrels(EXAMPLE / "qrels.trec"))


@pytest.fixture(scope="module")
def replicas(tiny_model: Path, folder: Path) -> Iterator[PerfectReplicas]:
    pytest.importorskip("ray")
    replicas = PerfectReplicas(tiny_model, folder)
    yield replicas
    replicas.shutdown()
    assert not engine_processes(folder)


@pytest.fixture(scope="module")
def perfect(perfection: Perfection) -> Run:
    return rerank(str(EXAMPLE / "run.trec"), **TEXTS, **MANY_WINDOWS, engine=PerfectJudge(perfection))


def at_call(number: int, disturb: Callable[[], None]) -> Callable[[], None]:
    """What disturbs one call, whichever of those that begin together it is."""
    begun = itertools.count(1)

    def look() -> None:
        if next(begun) == number:
            disturb()

    return look


def test_the_run_is_that_of_the_judge_whom_the_engines_are_held_to(
    replicas: PerfectReplicas, perfection: Perfection, perfect: Run, folder: Path
) -> None:
    assert len(engine_cores(folder)) == 2
    assert replicas.capacity == 16
    replicas.serve(load_family("rearank"), perfection)
    run = rerank(str(EXAMPLE / "run.trec"), **TEXTS, **MANY_WINDOWS, engine=replicas)
    assert dict(run) == dict(perfect)


def test_a_request_that_no_one_waits_for_is_ended_in_its_engine(
    replicas: PerfectReplicas, perfection: Perfection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixteen requests that fill both engines: were they not ended, each would have an answer in the end."""
    import ray

    prompt = Prompt(token_ids=tuple(replicas.tokenizer.encode("bees " * 50)))
    # Of these words it may say, and of no others, the end is none.
    endless = Sampling(max_tokens=16_000, watch=("a", "b"), only_watched=True)
    ended: list[object] = []
    cancel = ray.cancel

    def end(answer: object) -> None:
        ended.append(answer)
        cancel(answer)

    monkeypatch.setattr(ray, "cancel", end)

    async def give_up() -> set[str]:
        asking = [asyncio.ensure_future(replicas._engine.complete(prompt, endless)) for _ in range(16)]
        await asyncio.sleep(1)
        for one in asking:
            one.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
        quick = await asyncio.gather(
            *(replicas._engine.complete(prompt, Sampling(max_tokens=2)) for _ in range(16))
        )
        return {answer.finish_reason for answer in quick}

    assert replicas._await(give_up()) <= {"stop", "length"}
    assert len(ended) == 16
    for answer in ended:
        with pytest.raises(ray.exceptions.TaskCancelledError):
            ray.get(answer)


def test_an_engine_that_is_ended_from_outside_changes_nothing(
    replicas: PerfectReplicas, perfection: Perfection, perfect: Run, folder: Path
) -> None:
    """By SIGTERM: what is in flight comes back cut off, what is new turned down, and as if all were well."""

    replicas.serve(load_family("rearank"), perfection)
    replicas.disturb = at_call(20, lambda: os.kill(engine_cores(folder)[0], signal.SIGTERM))
    run = rerank(str(EXAMPLE / "run.trec"), **TEXTS, **MANY_WINDOWS, engine=replicas)
    assert dict(run) == dict(perfect)
    # It may be busy with its end, while the other one answers all the rest.
    wait_until(lambda: len(engine_cores(folder)) == 1)


def test_the_death_of_the_last_engine_is_told(
    replicas: PerfectReplicas, perfection: Perfection, folder: Path
) -> None:
    replicas.serve(load_family("rearank"), perfection)
    replicas.disturb = at_call(20, lambda: os.kill(engine_cores(folder)[0], signal.SIGKILL))
    with pytest.raises(EngineError, match=r"all 2 replicas are lost; the last one: vLLM died"):
        rerank(str(EXAMPLE / "run.trec"), **TEXTS, **MANY_WINDOWS, engine=replicas)


@pytest.mark.skipif("REARANK_LONG" not in os.environ, reason="minutes long: set REARANK_LONG=1")
def test_a_job_that_is_killed_and_then_stopped_leaves_no_process(bees: Path, tiny_model: Path) -> None:
    pytest.importorskip("ray")
    bees = bees.resolve()
    command = [sys.executable, "-m", "rearank_cli", "rerank", "run.trec", "--engine", "vllm", "--resume"]
    options = ["-m", str(tiny_model), "--family", "rearank", "--replicas", "2", "--in-flight", "2"]
    long = ["--window", "4", "--step", "1", "--max-tokens", "200", "--grace", "1"]

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*command, *options, *long, "--engine-arg", "enforce_eager=true"],
            cwd=bees,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=with_default_signals,  # noqa: PLW1509
        )

    traces = bees / "run.rearank.jsonl"

    def answered() -> int:
        return traces.read_bytes().count(b'"type":"call"') if traces.is_file() else 0

    first = second = start()
    try:
        wait_until(lambda: first.poll() is not None or answered() > 2, seconds=240)
        assert len(engine_cores(bees)) == 2, first.communicate()
        first.kill()
        first.communicate(timeout=60)
        before = answered()
        second = start()
        wait_until(lambda: second.poll() is not None or answered() > before + 2, seconds=240)
        assert len(engine_cores(bees)) == 2, second.communicate()
        second.terminate()
        _, errors = second.communicate(timeout=120)
        assert second.returncode == 143, errors
        assert "Traceback" not in errors
        assert not engine_processes(bees)
    finally:
        second.kill()
        end_orphans([traces])


def test_more_replicas_than_there_is_room_for_is_told(rearank: Command, bees: Path, tiny_model: Path) -> None:
    pytest.importorskip("ray")
    model = ["--engine", "vllm", "-m", str(tiny_model), "--family", "rearank"]
    done = rearank("rerank", "run.trec", *model, "--replicas", "1000", cwd=bees)
    assert done.returncode == 4, done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("rearank: 1000 replicas with 1 ")
    assert "that is room for" in last
    assert not engine_processes(bees)
