#!/usr/bin/env python
"""A small reranker of one's own, from random weights to nDCG: the whole recipe in an hour or two on a CPU.

    python scripts/train_tiny.py FOLDER            needs TRL and vLLM
    python scripts/train_tiny.py FOLDER --quick    a few minutes: every stage, and nothing learned

A Qwen2 model of a million weights learns a made-up language (scripts/tiny/language.py), in which a passage
shares no word with the query that it answers. It reads; it imitates a teacher in haste who overlooks most of
what matters, from traces, as `rearank train data --from-traces` makes examples of them; and then TRL's GRPO
goes on with REARANK's reward, on rows of `rearank train data`. What it has become is measured on tasks that
have queries of their own, by `rearank rerank -m FOLDER/rearank-tiny --family rearank` in vLLM and
`rearank evaluate`.

What is finished is kept: the same command goes on after the last stage that ended. FOLDER/learning.png is
the learning curve, FOLDER/measured.json what it shows.
"""

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
# Threads that wait for each other in a loop take the time of whatever runs beside them.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")

from rearank_cli import rerank
from rearank_cli.engines import Engine, Judge
from rearank_cli.families import load_family
from rearank_cli.trec import read_qrels, read_run
from rearank_cli.trec.outputs import open_output
from scripts.perfect import Perfection, PerfectJudge
from scripts.tiny import measuring
from scripts.tiny.collection import Collection
from scripts.tiny.curve import draw
from scripts.tiny.language import CANDIDATES, Language, Task
from scripts.tiny.learning import Course, demonstrations, notes, reinforce, say, supervise
from scripts.tiny.model import make_model
from scripts.tiny.teacher import Teacher

FAMILY = load_family("rearank")


@dataclass(frozen=True)
class Size:
    """How much of everything: texts to read, tasks that the teacher shows, tasks that are rewarded, steps of
    GRPO with so many answers to each of so many prompts, models measured on the way, tasks held out."""

    notes: int
    shown: int
    rewarded: int
    steps: int
    prompts: int
    answers: int
    points: int
    held_out: int


FULL = Size(40_000, 3_000, 2_000, 200, 12, 8, 5, 300)
QUICK = Size(200, 20, 20, 2, 2, 4, 1, 3)


class Training:
    """The stages in one folder, each with what it leaves there."""

    def __init__(self, folder: Path, size: Size, seed: int, *, complete: bool) -> None:
        self.folder, self.size, self.seed, self.complete = folder, size, seed, complete
        self._language = Language()
        self._held_out = self._language.tasks("held-out", size.held_out, seed, held_out=True)
        self.held_out = Collection(folder / "held-out").write(self._held_out)

    def _tasks(self, name: str, count: int) -> list[Task]:
        return self._language.tasks(name, count, self.seed)

    def read(self) -> Path:
        """A model that knows the language: which words go together."""
        blank, target = self.folder / "random", self.folder / "reader"
        if not is_trained(target):
            weights = make_model(blank, FAMILY, self._language.words, self.seed)
            say(f"a model of {weights:,} random weights reads {self.size.notes:,} texts")
            texts = notes(tokenizer_of(blank), self._tasks("note", self.size.notes))
            supervise(blank, texts, target, Course(16, 1.5e-3), self.seed)
        return target

    def imitate(self, reader: Path) -> Path:
        """The supervised start: a model that answers in REARANK's form, as well as its teacher."""
        target = self.folder / "supervised"
        if not is_trained(target):
            tasks = self._tasks("shown", self.size.shown)
            shown = Collection(self.folder / "shown").write(tasks)
            traces, examples = shown.folder / "teacher.jsonl", shown.folder / "examples.jsonl"
            options = {**shown.texts, **measuring.WINDOWS, "traces": str(traces), "overwrite": True}
            rerank(str(shown.run), family="rearank", engine=Teacher(tasks, FAMILY), **options)
            measuring.rearank("train", "data", "--from-traces", traces, *measuring.words_of(shown.texts),
                              "--qrels", shown.qrels, "--format", "messages", "-o", examples,
                              "--overwrite")  # fmt: skip
            texts = demonstrations(tokenizer_of(reader), examples)
            supervise(reader, texts, target, Course(16, 1e-3), self.seed)
            self._forget_measured()
        return target

    def reinforce(self, start: Path) -> Path:
        """The model after GRPO with REARANK's reward, and those on the way in folders beside it."""
        target = self.folder / "rearank-tiny"
        if not is_trained(target):
            rewarded = Collection(self.folder / "rewarded").write(self._tasks("rewarded", self.size.rewarded))
            rows = rewarded.folder / "train.parquet"
            window = measuring.WINDOWS["window"]
            measuring.rearank("train", "data", rewarded.run, *measuring.words_of(rewarded.texts),
                              "--qrels", rewarded.qrels, "--format", "trl", "--form", "inference",
                              "--size", str(window), "--depth", str(CANDIDATES), "--draws", "4",
                              "-o", rows, "--overwrite")  # fmt: skip
            course = Course(self.size.prompts * self.size.answers, 1e-4, self.size.steps)
            every = max(1, self.size.steps // self.size.points)
            reinforce(start, rows, target, course, self.seed, answers=self.size.answers, save_every=every,
                      complete=self.complete)  # fmt: skip
            self._forget_measured()
        return target

    def _forget_measured(self) -> None:
        """What was measured of earlier models is not of these."""
        for path in self.held_out.folder.glob("step-*"):
            path.unlink()

    def measure(self, supervised: Path, trained: Path) -> None:
        """Measure the models on the held-out tasks, beside those who need none; draw the curve."""
        runs = self.held_out.folder
        judgments = read_qrels(self.held_out.qrels)
        judges: dict[str, Engine | Judge] = {
            "teacher": Teacher(self._held_out, FAMILY),
            "perfect": PerfectJudge(Perfection(read_run(self.held_out.run), judgments)),
        }
        others = [
            self.held_out.run,
            *(self._by(judge, runs / f"{name}.trec") for name, judge in judges.items()),
        ]
        on_the_way = {0: supervised, **checkpoints(trained)}
        steps = {
            step: measuring.rerank_with(model, self.held_out, runs / f"step-{step}.trec")
            for step, model in on_the_way.items()
        }
        levels = measuring.evaluation(others, self.held_out)
        found = measuring.evaluation(list(steps.values()), self.held_out)
        measured = {step: found[run.stem] for step, run in steps.items()}
        log = json.loads((trained / "log.json").read_text())
        rewards = [(entry["step"], entry["reward"]) for entry in log if "reward" in entry]
        draw(measured, levels, rewards, self.folder / "learning.png")
        whole = {step: measuring.whole_lists(run) for step, run in steps.items()}
        told = {"measured": measured, "levels": levels, "rewards": rewards, "whole_lists": whole}
        (self.folder / "measured.json").write_text(json.dumps(told, indent=1))
        first, last = runs / "supervised.trec", runs / "rearank-tiny.trec"
        shutil.copyfile(steps[0], first)
        shutil.copyfile(steps[max(steps)], last)
        print(measuring.comparison([first, last, *others], self.held_out))
        for step, (lists, answers) in whole.items():
            print(
                f"step {step:>3}: nDCG@10 {measured[step]:.4f}, whole lists {lists:,} of {answers:,} answers"
            )

    def _by(self, judge: Engine | Judge, path: Path) -> Path:
        """The run of someone who needs no model."""
        options = {**self.held_out.texts, **measuring.WINDOWS, "output": path, "overwrite": True}
        rerank(self.held_out.run, family="rearank", engine=judge, **options)
        return path


def is_trained(folder: Path) -> bool:
    return (folder / "log.json").exists()


def checkpoints(folder: Path) -> dict[int, Path]:
    """The models that a course left, by their steps."""
    found = {int(path.name.rpartition("-")[2]): path for path in folder.glob("checkpoint-*")}
    return dict(sorted(found.items()))


def tokenizer_of(model: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(model)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where everything goes")
    parser.add_argument("--quick", action="store_true", help="go through all stages with next to nothing")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes another model (default: 0)")
    parser.add_argument(
        "--complete", action="store_true", help="a reward whose form asks for every identifier once"
    )
    arguments = parser.parse_args()
    for module, package in (("datasets", "trl"), ("trl", "trl"), ("vllm", "'rearank[vllm]'")):
        if find_spec(module) is None:
            parser.error(f"{module} is not installed; install it first: pip install {package}")
    begun = time.monotonic()
    import datasets

    datasets.disable_progress_bars()
    size = QUICK if arguments.quick else FULL
    settings = {**asdict(size), "seed": arguments.seed, "complete": arguments.complete}
    made_with = arguments.folder / "settings.json"
    # What was made before there was --complete was made without.
    if made_with.exists() and {"complete": False, **json.loads(made_with.read_text())} != settings:
        parser.error(f"{arguments.folder} was made with other settings; name another folder")
    training = Training(arguments.folder, size, arguments.seed, complete=arguments.complete)
    with open_output(made_with) as file:
        file.write(json.dumps(settings).encode())
    supervised = training.imitate(training.read())
    trained = training.reinforce(supervised)
    training.measure(supervised, trained)
    say(f"{(time.monotonic() - begun) / 60:.0f} min; the model is {trained}")


if __name__ == "__main__":
    main()
