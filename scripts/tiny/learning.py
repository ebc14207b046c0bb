"""How the small model learns: it reads, imitates a teacher, and then goes by its reward."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rearank_cli.trec.outputs import open_output
from scripts.tiny.language import Task
from scripts.tiny.measuring import LONGEST_ANSWER
from scripts.tiny.teacher import noted

_PASSAGES_OF_A_NOTE = 6


@dataclass(frozen=True)
class Text:
    """Tokens, and for each whether it is one to learn to say: 1, or 0."""

    tokens: Sequence[int]
    said: Sequence[int]


def notes(tokenizer: Any, tasks: Sequence[Task]) -> Iterator[Text]:
    """What the language is learned from: queries and passages, with how much each passage tells.

    Every other text notes that beside the passage, which is easy to learn from; and the others below them
    all, as an answer does.
    """
    for place, task in enumerate(tasks):
        beside: list[tuple[str, int]] = []
        below: list[tuple[str, int]] = []
        for number, (doc_id, text) in enumerate(list(task.passages.items())[:_PASSAGES_OF_A_NOTE], 1):
            note = noted(task, task.grades[doc_id])
            if place % 2 == 0:
                beside += [(f"[{number}] {text}:", 0), (f" {note}\n", 1)]
            else:
                beside += [(f"[{number}] {text}\n", 0)]
                below += [(f"[{number}] {note}\n", 1)]
        yield _text(tokenizer, [(f"{task.query}\n", 0), *beside, *below])


def demonstrations(tokenizer: Any, path: Path) -> Iterator[Text]:
    """A teacher's answers, as `rearank train data --from-traces --format messages` writes them."""
    with path.open() as lines:
        for line in lines:
            *before, answer = json.loads(line)["messages"]
            asked = tokenizer.apply_chat_template(before, tokenize=False, add_generation_prompt=True)
            yield _text(tokenizer, [(asked, 0), (answer["content"] + tokenizer.eos_token, 1)])


def _text(tokenizer: Any, pieces: Sequence[tuple[str, int]]) -> Text:
    tokens: list[int] = []
    said: list[int] = []
    for piece, is_said in pieces:
        pieced = tokenizer(piece)["input_ids"]
        tokens += pieced
        said += [is_said] * len(pieced)
    return Text(tokens, said)


@dataclass(frozen=True)
class Course:
    """How long and how fast: texts or answers in a step, steps at most, and the learning rate."""

    batch: int
    rate: float
    steps: int = -1


def supervise(model: Path, texts: Iterator[Text], target: Path, course: Course, seed: int) -> None:
    """Train on what is to be said, each text once; the model and the course's log go to `target`."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows = [{"input_ids": list(text.tokens), "completion_mask": list(text.said)} for text in texts]
    settings = SFTConfig(
        **_common(target, course, seed),
        lr_scheduler_type="cosine",
        warmup_steps=100,
        num_train_epochs=1,
        adam_beta2=0.98,
        completion_only_loss=True,
        max_length=None,
    )
    trainer = SFTTrainer(model=str(model), args=settings, train_dataset=Dataset.from_list(rows))
    _train(trainer, target)


def reinforce(
    model: Path,
    rows: Path,
    target: Path,
    course: Course,
    seed: int,
    *,
    answers: int,
    save_every: int,
    complete: bool,
) -> None:
    """TRL's GRPO with REARANK's reward, on rows of `rearank train data --format trl`.

    As published, or asking for `complete` lists where it looks at the form. `answers` to each prompt are
    a group; a model is kept every so many steps, as `target/checkpoint-N`.
    The last model and the course's log go to `target`.
    """
    from datasets import load_dataset
    from trl import GRPOConfig, GRPOTrainer

    from rearank_cli.training.trl_reward import reward_function

    reward = reward_function("rearank", complete=complete)
    settings = GRPOConfig(
        **{**_common(target, course, seed), "save_strategy": "steps"},
        lr_scheduler_type="cosine",
        warmup_steps=5,
        num_generations=answers,
        max_completion_length=LONGEST_ANSWER,
        temperature=1.0,
        loss_type="grpo",
        beta=0.01,
        use_vllm=False,
        save_steps=save_every,
        save_only_model=True,
    )
    data = load_dataset("parquet", data_files=str(rows), split="train").shuffle(seed=seed)
    trainer = GRPOTrainer(model=str(model), reward_funcs=[reward], args=settings, train_dataset=data)
    _train(trainer, target)


def _common(target: Path, course: Course, seed: int) -> dict[str, Any]:
    import torch

    return {
        "output_dir": str(target),
        "use_cpu": not torch.cuda.is_available(),
        "bf16": True,
        "gradient_checkpointing": False,
        "per_device_train_batch_size": course.batch,
        "learning_rate": course.rate,
        "max_steps": course.steps,
        "seed": seed,
        "logging_steps": 5,
        "logging_first_step": True,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
    }


def _train(trainer: Any, target: Path) -> None:
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(_each_minute(target.name))
    trainer.train()
    trainer.save_model(str(target))
    # The mark of a finished course: it is there whole, or not at all.
    with open_output(target / "log.json") as file:
        file.write(json.dumps(trainer.state.log_history, indent=1).encode())


def _each_minute(name: str) -> Any:
    """Says how far a course is, once a minute."""
    from transformers import TrainerCallback

    class EachMinute(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        def __init__(self) -> None:
            self.said = self.begun = time.monotonic()

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            now = time.monotonic()
            if now - self.said >= 60:
                self.said = now
                value = next(
                    (f"{key} {float(logs[key]):.2f}" for key in ("reward", "loss") if key in logs), ""
                )
                minutes = (now - self.begun) / 60
                say(f"{name}: step {state.global_step} of {state.max_steps} after {minutes:.0f} min; {value}")

    return EachMinute()


def say(message: str) -> None:
    """A message to standard error."""
    print(f"train_tiny: {message}", file=sys.stderr, flush=True)
