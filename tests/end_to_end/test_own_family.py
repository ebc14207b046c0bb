"""A family of a user's own: the README's worked example, as it stands there."""

import re
from pathlib import Path

import orjson

from rearank_cli.families import load_family
from rearank_cli.records import Passage
from tests.end_to_end.conftest import Command

README = Path(__file__).resolve().parents[2] / "README.md"


def worked_example() -> str:
    blocks = re.findall(r"```toml\n(.*?)```\n", README.read_text(encoding="utf-8"), re.DOTALL)
    return next(block for block in blocks if block.startswith('name = "my-model"'))


def test_a_model_that_comes_tomorrow_takes_a_file_and_no_python(rearank: Command, bees: Path) -> None:
    (bees / "my-model.toml").write_text(worked_example(), encoding="utf-8")
    options = ["--family", "my-model.toml", "--set", "task=names a plant", "--method", "topdown"]
    done = rearank("rerank", "run.trec", *options, "-o", "mine.trec", cwd=bees)
    assert done.returncode == 0, done.stderr
    calls = [orjson.loads(line) for line in (bees / "mine.jsonl").open("rb")][1:]
    assert {call["status"] for call in calls} == {"ok"}
    shown = rearank("families", "my-model.toml", cwd=bees)
    assert shown.returncode == 0, shown.stderr
    assert "Which of these 2 passages best answers the question?" in shown.stdout


def test_its_prompt_is_what_its_template_says(tmp_path: Path) -> None:
    path = tmp_path / "my-model.toml"
    path.write_text(worked_example(), encoding="utf-8")
    family = load_family(path, {"task": "names a plant"})
    (message,) = family.prompt("what blooms", [Passage("d1", "a bee"), Passage("d2", "clover")]).messages
    assert message == {
        "role": "user",
        "content": "Query: what blooms\n\n[1] a bee\n[2] clover\n\n"
        "Which of these 2 passages best names a plant? "
        "Think, then list all of them, the best first: <answer> [2] > [1] </answer>",
    }
