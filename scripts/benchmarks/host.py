"""What a window costs the host: CPU time to make its prompt, beside one plain tokenization of that prompt.

Each passage is shown in the windows of one sliding pass over 100, as it is in a run. With --rank-llm the
same windows go through RankLLM 0.26's prompt builder, in an environment of its own, with the same tokenizer.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rearank_cli.engines.tokenizer import Tokenizer
from rearank_cli.families import load_family
from rearank_cli.records import Completion, Passage, Prompt, Query, Sampling
from rearank_cli.reranking.options import RerankOptions
from rearank_cli.reranking.prompting import Prompter
from scripts.benchmarks import texts
from scripts.benchmarks.collection import make_topics, rerank_topics
from scripts.benchmarks.engine import median

LENGTHS = {60: False, 250: True, 3000: False}
"""Words of a passage, and whether each has a curly apostrophe."""
FAMILIES = {"rearank": {}, "rearank, cut=300 words": {"cut": "300 words"}, "rankzephyr": {}}
_TICK = 0.001
_DELAY_TARGET = "under 20 ms"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--queries", type=int, default=2, help="queries of 9 windows in a round")
    parser.add_argument("--family", action="append", choices=[*FAMILIES], help="only this one")
    parser.add_argument("--rank-llm", action="store_true", help="beside RankLLM, which pip installs")


def run(arguments: argparse.Namespace) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        tokenizer = texts.make_tokenizer(Path(folder))
        if arguments.rank_llm:
            return _against_rank_llm(arguments, tokenizer, Path(folder))
        rows = []
        for name in arguments.family or FAMILIES:
            for length in LENGTHS:
                row = _against_tokenization(name, length, arguments, tokenizer)
                delay = f"{_delay(name, length, tokenizer) * 1e3:.1f} ms"
                rows.append({**row, "event loop delay, p99.9": delay, "target delay": _DELAY_TARGET})
        return rows


def _against_tokenization(
    name: str, length: int, arguments: argparse.Namespace, tokenizer: Tokenizer
) -> dict[str, object]:
    family = load_family(name.partition(",")[0], FAMILIES[name])
    ours, plain, reading = [], [], []
    prompts: list[Prompt] = []
    for number in range(arguments.rounds):
        candidates = _candidates(length, number, arguments.queries)
        prompter = Prompter(family, tokenizer, None)
        started = time.thread_time()
        prompts = [
            prompter.prompt(Query(str(query), "what is this about"), window).prompt
            for query, passages in enumerate(candidates)
            for window in texts.windows_of(passages)
        ]
        ours.append((time.thread_time() - started) / len(prompts))
        rendered = [tokenizer.render(prompt) for prompt in prompts]
        started = time.thread_time()
        for text in rendered:
            tokenizer.encode(text)
        plain.append((time.thread_time() - started) / len(prompts))
        started = time.thread_time()
        for passages in candidates:
            for passage in passages:
                family.prepare(passage, tokenizer.cut)
        reading.append((time.thread_time() - started) / len(prompts))
    ratios = [mine / theirs for mine, theirs in zip(ours, plain, strict=True)]
    return {
        "family": name,
        "words": length,
        "tokens": len(prompts[0].token_ids or ()),
        "ours, ms": f"{median(ours) * 1e3:.1f}",
        "of it reading texts once": f"{median(reading) * 1e3:.1f}",
        "tokenizing alone, ms": f"{median(plain) * 1e3:.1f}",
        "ratio": f"{median(ratios):.2f}",
        "target": "at most 1.5",
    }


def _candidates(length: int, number: int, queries: int) -> list[list[Passage]]:
    return [
        texts.passages(100, length, apostrophes=LENGTHS[length], seed=number * queries + query)
        for query in range(queries)
    ]


class _Instant:
    """An engine that answers at once, so that all there is to do is the host's."""

    name = "instant"
    capacity = 256

    def __init__(self, tokenizer: Tokenizer, answer: str) -> None:
        self.tokenizer = tokenizer
        self._answer = answer

    async def complete(self, prompt: Prompt, sampling: Sampling) -> Completion:
        await asyncio.sleep(0)
        return Completion(self._answer, "stop", None, len(prompt.token_ids or ()), 60, 0)


def _delay(name: str, length: int, tokenizer: Tokenizer) -> float:
    """The 99.9th percentile of how late the event loop is while a job runs, in seconds."""
    family, settings = load_family(name.partition(",")[0]), FAMILIES[name]
    engine = _Instant(tokenizer, family.write(range(20), "because of this and that " * 100).text)
    topics = make_topics(40 if length < 3000 else 20, 100, length, apostrophes=LENGTHS[length])
    options = RerankOptions(model="bench", family=family.name, settings=settings, retries=0)
    late: list[float] = []

    async def watch() -> None:
        while True:
            wanted = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            late.append(time.perf_counter() - wanted)

    async def job() -> None:
        watching = asyncio.ensure_future(watch())
        await rerank_topics(topics, engine, options)
        watching.cancel()

    asyncio.run(job())
    return sorted(late)[int(len(late) * 0.999)]


# --- RankLLM ---

RANK_LLM = "rank-llm==0.26.0"
# Without its dependencies: those that its prompt builder takes, and what they take to run.
_NEEDED = (
    "dacite",
    "ftfy",
    "openai",
    "transformers",
    "jinja2",
    "pyyaml",
    "tqdm",
    "python-dotenv",
    "requests",
)
_CONTEXT = 4096

_BUILDER = """
import json, sys, time, types
from dataclasses import dataclass
folder, windows, context = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
from transformers import AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(folder)
stub = types.ModuleType("vllm"); sys.modules["vllm"] = stub
handlers = types.ModuleType("rank_llm.rerank.vllm_handler")
class VllmHandler:
    def __init__(self, **options): pass
    def get_tokenizer(self): return tokenizer
handlers.VllmHandler = VllmHandler
sys.modules["rank_llm.rerank.vllm_handler"] = handlers
from rank_llm.data import Candidate, Query, Result
from rank_llm.rerank.listwise.rank_listwise_os_llm import RankListwiseOSLLM
model = RankListwiseOSLLM(model=folder, context_size=context, device="cpu")
started, tokens = time.thread_time(), 0
for window in windows:
    candidates = [Candidate(p["doc_id"], 1.0, {"text": p["text"]}) for p in window]
    prompt, count = model.create_prompt(Result(Query("what is this about", "1"), candidates), 0, len(window))
    tokens += count
print(json.dumps({"seconds": (time.thread_time() - started) / len(windows), "tokens": tokens / len(windows)}))
"""


def _against_rank_llm(
    arguments: argparse.Namespace, tokenizer: Tokenizer, folder: Path
) -> list[dict[str, object]]:
    """Both fit their prompts into RankLLM's default context of 4,096 tokens."""
    python = _rank_llm(folder / "rank-llm")
    rows = []
    for length in LENGTHS:
        ours, theirs, lengths = [], [], (0.0, 0.0)
        for number in range(min(arguments.rounds, 3)):
            windows = texts.windows_of(_candidates(length, number, 1)[0])
            listed = folder / "windows.json"
            listed.write_text(json.dumps([[asdict(passage) for passage in window] for window in windows]))
            builder = [str(python), "-c", _BUILDER, str(folder), str(listed), str(_CONTEXT)]
            done = subprocess.run(builder, check=True, capture_output=True, text=True)
            told = json.loads(done.stdout.splitlines()[-1])
            theirs.append(told["seconds"])
            family = load_family("rankzephyr")
            prompter = Prompter(family, tokenizer, _CONTEXT - 110)
            started = time.thread_time()
            prompts = [prompter.prompt(Query("1", "what is this about"), window).prompt for window in windows]
            ours.append((time.thread_time() - started) / len(prompts))
            counted = sum(len(prompt.token_ids or ()) for prompt in prompts) / len(prompts)
            lengths = (counted, told["tokens"])
        ratio = median([their / mine for mine, their in zip(ours, theirs, strict=True)])
        rows.append(
            {
                "words": length,
                "ours, ms": f"{median(ours) * 1e3:.1f}",
                "RankLLM 0.26, ms": f"{median(theirs) * 1e3:.1f}",
                "times ours": f"{ratio:.1f}",
                "target": "at least 20" if length == 250 else "",
                "tokens, ours": round(lengths[0]),
                "tokens, RankLLM": round(lengths[1]),
            }
        )
    return rows


def _rank_llm(folder: Path) -> Path:
    """The Python of an environment with RankLLM: it wants 3.12, and its prompt builder runs on 3.11 too."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-qq"]
    subprocess.run([*pip, "--no-deps", "--ignore-requires-python", RANK_LLM], check=True)
    subprocess.run([*pip, *_NEEDED], check=True)
    return folder / "bin" / "python"
