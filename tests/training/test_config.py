"""`rearank train config`: the files that start a training."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from tests.training.conftest import TEXTS, Train


@pytest.fixture
def data(train: Train, bees: Path) -> Path:
    assert train("data", "run.trec", *TEXTS, "--draws", "2", "--size", "8").status == 0
    return bees / "train.parquet"


@pytest.mark.parametrize("trainer", ["verl", "trl"])
@pytest.mark.parametrize("recipe", ["rearank", "reasonrank"])
@pytest.mark.parametrize("more", [[], ["--gpus", "2", "--nodes", "4"]])
def test_scripts_can_be_run_and_name_data_and_model(trainer, recipe, more, train, data, bees):
    folder = bees / "a folder"
    arguments = ("--data", data, "-o", folder, "-m", "some/model", "--recipe", recipe, *more)
    done = train("config", trainer, *arguments)
    assert done.status == 0
    script = folder / "train.sh"
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", script], check=True)
    told = (folder / {"verl": "verl.yaml", "trl": "train.py"}[trainer]).read_text()
    assert f'"{data}"' in told
    assert '"some/model"' in told
    assert "# paper" in told
    assert "# ours" in told
    assert ("probable" in told.partition("\n\n")[2]) or recipe == "reasonrank"
    assert "{{" not in told + script.read_text()


def test_the_script_starts_the_trainer_with_what_is_beside_it(train, data, bees):
    programs = bees / "bin"
    programs.mkdir()
    for name in ("python", "accelerate"):
        (programs / name).write_text('#!/bin/sh\nfor word; do echo "$word"; done\n')
        (programs / name).chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "MACHINE": "1",
        "FIRST": "10.0.0.1",
    }
    for trainer in ("verl", "trl"):
        folder = bees / f"a {trainer}"
        assert train("config", trainer, "--data", data, "-o", folder, "--nodes", "2").status == 0
        command = [folder / "train.sh", "a=b"]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        if trainer == "verl":
            assert said.splitlines() == [
                "-m", "verl.trainer.main_ppo", f"--config-path={folder}", "--config-name=verl", "a=b"
            ]  # fmt: skip
        else:
            assert said.splitlines()[-1] == str(folder / "train.py")
            assert "--num_processes\n16\n--machine_rank\n1" in said


def test_a_model_in_a_folder_is_named_whole(train, data, bees):
    (bees / "mine").mkdir()
    assert train("config", "verl", "--data", data, "-m", "mine").status == 0
    assert f'path: "{bees / "mine"}"' in (bees / "training" / "verl.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verl", "--data", "none.parquet"], "rearank train data"),
        (["trl", "--data", "train.parquet", "--validation", "train.parquet"], "--validation"),
        (
            ["verl", "--data", "train.parquet", "--gpus", "3"],
            "3 GPUs cannot share 128 prompts",
        ),
        (["verl", "--data", "train.parquet", "-o", "run.trec"], "run.trec"),
        (["slime", "--data", "train.parquet"], "slime"),
    ],
)
def test_what_cannot_be_is_told_and_nothing_written(arguments, said, train, data, bees):
    before = sorted(bees.iterdir())
    done = train("config", *arguments)
    assert done.status in (2, 3, 6)
    assert said in done.err
    assert sorted(bees.iterdir()) == before


def test_files_that_exist_are_not_replaced_unasked(train, data, bees):
    assert train("config", "verl", "--data", data).status == 0
    (bees / "training" / "verl.yaml").write_text("mine")
    assert "--overwrite" in train("config", "verl", "--data", data).err
    assert (bees / "training" / "verl.yaml").read_text() == "mine"
    assert train("config", "verl", "--data", data, "--overwrite").status == 0


def test_options_can_stand_in_a_table_of_their_own(train, bees):
    (bees / "rearank.toml").write_text(
        'docs = "docs.jsonl"\nqueries = "queries.tsv"\nqrels = "qrels.trec"\n'
        '[train.data]\nsize = 8\ndraws = 2\nfrom-traces = "answers.jsonl"\n'
        '[train.config]\ndata = "train.parquet"\ngpus = 4\n'
    )
    (bees / "folder").mkdir()
    os.chdir(bees / "folder")
    done = train("data", "--format", "sft")
    assert f"{bees / 'answers.jsonl'}: no such file" in done.err
    text = (bees / "rearank.toml").read_text()
    (bees / "rearank.toml").write_text(text.replace('from-traces = "answers.jsonl"\n', ""))
    assert train("data", bees / "run.trec", "-o", bees / "train.parquet").status == 0
    assert train("config", "trl").status == 0
    assert "answers each on 4 GPUs" in (bees / "folder" / "training" / "train.py").read_text()


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            "[train.data]\ndpeth = 1",
            "dpeth is no option of rearank train data (did you mean depth?)",
        ),
        ("[train.dta]\ndepth = 1", "[train.dta] is no command (did you mean train.data?)"),
        ("[train]\ndepth = 1", "train.depth is no option of any command"),
    ],
)
def test_a_table_that_is_wrong_is_told(table, said, train, bees):
    (bees / "rearank.toml").write_text(table)
    assert said in train("data", "run.trec", *TEXTS).err
