"""How good models are on tasks that they were not trained on, by `rearank rerank` and `rearank evaluate`."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from rearank_cli.traces import TraceFile
from scripts.reproduction.commands import REARANK
from scripts.tiny.collection import Collection
from scripts.tiny.language import CANDIDATES

# A window holds half of the candidates: fewer than all, as the paper's 20 of 100.
WINDOWS = {"depth": CANDIDATES, "window": CANDIDATES // 2, "step": 2}
# In tokens; an answer that says all there is to say of a window has 52 at most.
LONGEST_ANSWER = 72
_MEASURE = "ndcg@10"


def rearank(*words: str | Path) -> str:
    """Run `rearank WORDS` without a configuration file; returns what it prints."""
    done = subprocess.run(
        [*REARANK, *map(str, words), "--config", os.devnull], check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        # It has said why.
        raise SystemExit(done.returncode)
    return done.stdout


def words_of(options: Mapping[str, object]) -> list[str]:
    """Options as the command line has them."""
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def rerank_with(model: Path, tasks: Collection, run: Path) -> Path:
    """Rerank the tasks by a model in vLLM; a run that is there already is kept."""
    if not run.exists():
        of_model = {"model": model, "family": "rearank", "engine": "vllm", "max-tokens": LONGEST_ANSWER}
        # However many answers it fails to give: the measure shows what that costs.
        chosen = {**tasks.texts, **WINDOWS, **of_model, "max-failed": 1}
        # A minute of compiling is not repaid by a model of this size, and what trained it still holds memory.
        rearank("rerank", tasks.run, *words_of(chosen), "--engine-arg", "enforce_eager=true",
                "--engine-arg", "gpu_memory_utilization=0.5", "-o", run,
                "--tag", run.stem, "--resume", "--quiet")  # fmt: skip
    return run


def whole_lists(run: Path) -> tuple[int, int]:
    """How many answers behind a run were lists of every passage, each once, and how many there were."""
    traces = TraceFile(run.with_suffix(".jsonl"))
    calls = [call.settled for query_id in traces.query_ids() for call in traces.calls(query_id)]
    return sum(call.status == "ok" for call in calls), len(calls)


def evaluation(runs: Sequence[Path], tasks: Collection) -> dict[str, float]:
    """nDCG@10 of each run, by its file's stem."""
    printed = rearank("evaluate", *runs, "--qrels", tasks.qrels, "--measure", _MEASURE, "--format", "json")
    told = json.loads(printed)["runs"]
    return {path.stem: row["mean"][_MEASURE] for path, row in zip(runs, told, strict=True)}


def comparison(runs: Sequence[Path], tasks: Collection) -> str:
    """The table that compares all runs with the first."""
    return rearank("evaluate", *runs, "--qrels", tasks.qrels, "--measure", _MEASURE, "--compare", "student")
