"""Launch files: a trainer's own configuration with a paper's settings, the data and the reward in it."""

import json
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

from jinja2 import Environment, StrictUndefined

from rearank_cli.errors import OutputError, UsageError
from rearank_cli.training.files import is_json_lines
from rearank_cli.trec.outputs import open_output

Trainer = Literal["verl", "trl"]
RecipeName = Literal["rearank", "reasonrank"]

_FILES = files("rearank_cli.training").joinpath("launch")
# What each trainer is started with: the file's name, and its template.
_WRITTEN: Mapping[str, Mapping[str, str]] = {
    "verl": {"train.sh": "verl.sh", "verl.yaml": "verl.yaml", "reward.py": "reward.py"},
    "trl": {"train.sh": "trl.sh", "train.py": "train.py", "accelerate.yaml": "accelerate.yaml"},
}
_NAMES = {"rearank": "REARANK", "reasonrank": "ReasonRank"}
# Answers that fit an 80 GB GPU at once, for a model of 7B.
_PER_DEVICE = 4


class Setting(NamedTuple):
    """A value of a recipe, and how it is known."""

    value: Any
    source: str


@dataclass(frozen=True)
class Launch:
    """What a training is of, and on what it runs; `model` is None for the paper's."""

    folder: Path
    data: Path
    validation: Path | None = None
    recipe: RecipeName = "rearank"
    model: str | None = None
    gpus: int = 8
    nodes: int = 1


def write_launch(trainer: Trainer, launch: Launch, *, overwrite: bool = False) -> list[Path]:
    """Write the files that start a training into a folder, which is made, and return their paths.

    Raises UsageError for GPUs that cannot share a batch or files that exist, OutputError where nothing
    can be written.
    """
    paths = {name: launch.folder / name for name in _WRITTEN[trainer]}
    existing = next((path for path in paths.values() if path.exists()), None)
    if existing and not overwrite:
        raise UsageError(
            f"{existing} exists already; give --overwrite to replace it, or another folder with -o"
        )
    known = _known(launch)
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    written = {}
    for name, template in _WRITTEN[trainer].items():
        told = known | _quoted(template, launch)
        written[paths[name]] = environment.from_string(_read(f"{template}.jinja")).render(told)
    try:
        launch.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {launch.folder} cannot be made: {error.strerror}") from error
    for path, content in written.items():
        with open_output(path) as file:
            file.write(content.encode())
    paths["train.sh"].chmod(0o755)
    return list(paths.values())


def read_recipe(name: str) -> tuple[dict[str, Any], dict[str, Setting]]:
    """A paper's reward and model, and its settings."""
    recipe = tomllib.loads(_read(f"{name}.toml"))
    return recipe, {key: Setting(*entry) for key, entry in recipe["settings"].items()}


def _known(launch: Launch) -> dict[str, Any]:
    recipe, settings = read_recipe(launch.recipe)
    batch, mini_batch, rollouts = (settings[name].value for name in ("batch", "mini_batch", "rollouts"))
    devices = launch.gpus * launch.nodes
    if mini_batch * rollouts % devices:
        raise UsageError(
            f"{devices} GPUs cannot share {mini_batch} prompts with {rollouts} answers each evenly; "
            "give another number with --gpus or --nodes"
        )
    share = mini_batch * rollouts // devices
    per_device = max(size for size in range(1, _PER_DEVICE + 1) if share % size == 0)
    return {
        **settings,
        "name": launch.recipe,
        "reward": recipe["reward"],
        "title": f"{_NAMES[launch.recipe]}'s training by GRPO",
        "gpus": launch.gpus,
        "nodes": launch.nodes,
        "validates": launch.validation is not None,
        "tensor_parallel": 2 if launch.gpus % 2 == 0 else 1,
        "per_device": per_device,
        "accumulation": share // per_device,
        "updates": batch // mini_batch,
        "loader": "json" if is_json_lines(launch.data) else "parquet",
        "generation_steps": share // per_device * (batch // mini_batch),
    }


def _quoted(template: str, launch: Launch) -> dict[str, str]:
    """Names and paths as the file's language writes them. Of paths the whole, for they are read elsewhere."""
    recipe, _ = read_recipe(launch.recipe)
    folder = launch.folder.absolute()
    model = launch.model or recipe["model"]
    plain = {
        "model": str(Path(model).absolute()) if Path(model).is_dir() else model,
        "data": str(launch.data.absolute()),
        "validation": str((launch.validation or launch.data).absolute()),
        "folder": str(folder),
        "checkpoints": str(folder / "checkpoints"),
        "reward_path": str(folder / "reward.py"),
        "script": str(folder / "train.sh"),
        "program": str(folder / "train.py"),
        "accelerate": str(folder / "accelerate.yaml"),
    }
    if template.endswith(".sh"):
        return {name: shlex.quote(text) for name, text in plain.items()}
    # What JSON writes, YAML and Python read.
    return {name: json.dumps(text, ensure_ascii=False) for name, text in plain.items()}


def _read(name: str) -> str:
    return _FILES.joinpath(name).read_text(encoding="utf-8")
