"""`--engine openai` with a real server of vLLM: as in this process, or as chats without the tokenizer."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

pytest.importorskip("openai", reason="the openai client is not installed")

from rearank_cli import rerank
from rearank_cli.engines import Needs, Wanted
from rearank_cli.engines.openai.server import Server
from rearank_cli.families import load_family
from rearank_cli.records import ScoredDoc
from rearank_cli.trec import read_run
from rearank_cli.trec.qrels import read_qrels
from scripts.perfect import _BIAS, Perfection, PerfectJudge, PerfectVllm
from tests.end_to_end.conftest import Command, with_default_signals
from tests.engines.fake_server import FakeServer, Reply, models, says

pytestmark = pytest.mark.vllm

MODEL = "tiny-on-a-server"


class Running(NamedTuple):
    """A server's address, the folder of its model, and how to kill it."""

    url: str
    model: Path
    kill: Callable[[], None]


@pytest.fixture(scope="module")
def vllm(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(tiny_model)]
    place = ["--served-model-name", MODEL, "--host", "127.0.0.1", "--port", str(port)]
    sizes = ["--enforce-eager", "--max-logprobs", "30", "--logprobs-mode", "processed_logprobs"]
    with log.open("wb") as output:
        # In a session of its own: the engine's processes outlive a server that is killed alone.
        process = subprocess.Popen(
            [*program, *place, *sizes], stdout=output, stderr=output, start_new_session=True
        )

    def kill() -> None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        process.wait()

    try:
        root = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 480
        while not answers(f"{root}/health"):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        yield Running(f"{root}/v1", tiny_model, kill)
    finally:
        kill()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


class SteeredServer(Server):
    """A server with a bias on some tokens of a prompt: its log-probabilities are its own."""

    async def _ask(self, path: str, body: dict[str, Any]) -> object:
        bias = {"logit_bias": dict(_BIAS.get() or {})}
        return await super()._ask(path, {**body, **bias})


class PerfectServer(PerfectVllm):
    """The same as `PerfectVllm`, and the engine is a server."""

    name = "openai"

    def __init__(self, wanted: Wanted) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="client", daemon=True).start()
        engine = self._await(SteeredServer.start(wanted))
        self._engine = engine
        self.tokenizer, self.context, self.capacity = engine.tokenizer, engine.context, None
        self.version = engine.version


def perfectly(vllm: Running, folder: Path, family: str, **options: Any) -> tuple[PerfectServer, list[Any]]:
    """Rerank with a server that is held to a perfect judge's answers: the order must be that judge's."""
    before, qrels = read_run(folder / "run.trec"), read_qrels(folder / "qrels.trec")
    opinion = Perfection(before, qrels)
    texts = {"docs": folder / "docs.jsonl", "queries": folder / "queries.tsv", "limit": 3}
    needs = Needs(logprobs=load_family(family).sampling.logprobs, forced_finish=True)
    engine = PerfectServer(Wanted(MODEL, base_url=vllm.url, needs=needs))
    try:
        engine.serve(load_family(family), opinion)
        reached = rerank(
            folder / "run.trec",
            family=family,
            engine=engine,
            output=folder / "server.trec",
            traces=folder / "server.jsonl",
            **texts,
            **options,
        )
    finally:
        engine.shutdown()
    judged = rerank(
        folder / "run.trec",
        family=family,
        engine=PerfectJudge(opinion),
        output=folder / "judge.trec",
        traces=folder / "judge.jsonl",
        **texts,
        **options,
    )

    def seen(query_id: str, ranking: list[ScoredDoc]) -> list[Any]:
        # A model is never as sure of two passages, and a judge is: between their grades all is settled.
        scores = load_family(family).gives == "score"
        return [opinion.grade(query_id, doc.doc_id) if scores else doc for doc in ranking]

    assert {query: seen(query, reached[query]) for query in reached} == {
        query: seen(query, judged[query]) for query in judged
    }
    assert any(reached[query] != list(before[query]) for query in reached)
    _, *calls = [orjson.loads(line) for line in (folder / "server.jsonl").open("rb")]
    assert {call["status"] for call in calls} == {"ok"}
    return engine, calls


@pytest.mark.parametrize(
    ("family", "options"),
    [("rearank", {}), ("first", {"window": 8, "step": 4}), ("qwen3-reranker", {"depth": 12})],
)
def test_with_its_tokenizer_a_server_answers_as_vllm_does_in_process(vllm, bees, family, options):
    engine, calls = perfectly(vllm, bees, family, **options)
    assert engine.version.startswith("vllm 0.")
    # Prompts are made here, token by token, and cut to fit.
    assert engine.tokenizer is not None
    assert engine.context == 16384
    assert len(calls) == engine.calls


def test_without_its_tokenizer_it_is_sent_chats(vllm, bees):
    hidden = vllm.model / "tokenizer.json"
    with_name = hidden.rename(hidden.with_suffix(".hidden"))
    try:
        engine, _ = perfectly(vllm, bees, "rearank")
    finally:
        with_name.rename(hidden)
    assert (engine.tokenizer, engine.context) == (None, None)


def test_the_command_makes_answers_that_ran_out_of_tokens_finish(
    rearank: Command, bees: Path, vllm: Running
) -> None:
    options = ["--engine", "openai", "--base-url", vllm.url, "-m", MODEL, "--family", "rearank"]
    done = rearank("rerank", "run.trec", *options, "--max-tokens", "30", "--limit", "2", cwd=bees)
    assert done.returncode == 0, done.stderr
    assert "6 truncated, of these 6 made to finish" in done.stderr
    attempt, *calls = [orjson.loads(line) for line in (bees / "run.rearank.jsonl").open("rb")]
    assert (attempt["engine"], attempt["model"]) == ("openai", MODEL)
    assert attempt["engine_version"].endswith(f" at {vllm.url}")
    finished = [call["response"] for call in calls if call["forced"]]
    assert len(finished) == 6
    assert all(response.endswith("] </answer>") for response in finished)


def test_a_family_that_the_server_cannot_serve_is_refused_before_the_first_call(
    rearank: Command, bees: Path
) -> None:
    with FakeServer({"/v1/models": models(MODEL)}).running() as fake:
        options = ["--engine", "openai", "--base-url", fake.url, "-m", MODEL, "--family", "first"]
        done = rearank("rerank", "run.trec", *options, cwd=bees)
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "begins the model's answer itself, which only vLLM's servers allow" in done.stderr
    assert not list(bees.glob("run.rearank.trec"))
    assert fake.paths() == ["/v1/models"]


def test_a_server_that_dies_fails_calls_and_another_one_goes_on(
    rearank: Command, bees: Path, vllm: Running
) -> None:
    """Comes last: afterwards there is no server."""
    job_line = ["rerank", "run.trec", "--engine", "openai", "-m", MODEL, "--family", "rearank"]
    job_line += ["--limit", "3", "--max-tokens", "300"]
    few = ["--in-flight", "3", "--retries", "0"]
    job = subprocess.Popen(
        [sys.executable, "-m", "rearank_cli", *job_line, *few, "--base-url", vllm.url],
        cwd=bees,
        text=True,
        stderr=subprocess.PIPE,
        preexec_fn=with_default_signals,  # noqa: PLW1509  # no threads here
    )
    try:
        deadline = time.monotonic() + 120
        while job.poll() is None and len(traced(bees)) < 4:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        vllm.kill()
        _, errors = job.communicate(timeout=120)
    finally:
        job.kill()
    assert job.returncode == 5, errors
    assert "Traceback" not in errors
    first = traced(bees)
    failed = [call for call in first if call["status"] == "failed"]
    assert failed
    assert all("no connection" in call["error"] for call in failed)
    assert {call["status"] for call in first} == {"truncated", "failed"}

    def answer(body: Any) -> Reply:
        n = int(re.findall(r"Rank the (\d+) passages", body["messages"][1]["content"])[0])
        return says(load_family("rearank").write(range(n)).text)(body)

    with FakeServer({"/v1/models": models(MODEL), "/v1/chat/completions": answer}).running() as fake:
        # What was cut off between its two requests cannot be finished by a server without grammars.
        more = ["--resume", "--max-failed", "0.5"]
        done = rearank(*job_line, *more, "--base-url", fake.url, cwd=bees)
    assert done.returncode == 0, done.stderr
    added = traced(bees)[len(first) :]
    assert {call["status"] for call in added} == {"ok"}
    assert len(added) == fake.paths().count("/v1/chat/completions")
    # What the first server had answered was not asked again.
    kept = {call["key"] for call in first if call["status"] != "failed"}
    assert kept.isdisjoint(call["key"] for call in added)


def traced(folder: Path) -> list[dict[str, Any]]:
    path = folder / "run.rearank.jsonl"
    lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
    read = [orjson.loads(line) for line in lines if line.endswith(b"\n")]
    return [line for line in read if line["type"] == "call"]
