"""Evaluation in a process of its own: what ranx needs must not touch the process that holds vLLM."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rearank_cli.errors import InputError
from rearank_cli.records import Qrels, Run
from rearank_cli.trec import write_qrels, write_run


def evaluate_aside(runs: Mapping[str, Run], qrels: Qrels) -> str:
    """The table that `rearank evaluate` prints for these runs, by the names given.

    Raises InputError where it cannot be made.
    """
    if not qrels:
        raise InputError("none of the queries is judged")
    try:
        with tempfile.TemporaryDirectory(prefix="rearank-") as folder:
            return _evaluate(runs, qrels, Path(folder))
    except OSError as error:
        raise InputError(f"the evaluation cannot be run: {error.strerror or error}") from error


def _evaluate(runs: Mapping[str, Run], qrels: Qrels, folder: Path) -> str:
    (folder / "runs").mkdir()
    paths = []
    for name, run in runs.items():
        judged = run.only(query_id for query_id in run if query_id in qrels)
        path = folder / "runs" / Path(name).name
        write_run(judged, path, tag="rearank", escape_ids=True)
        paths.append(str(path))
    judgments = folder / "qrels"
    write_qrels(qrels, judgments, escape_ids=True)
    # -P: a file of the current folder is no module of this program. An empty configuration: the options of
    # this folder are for the user's own evaluations.
    command = [sys.executable, "-P", "-m", "rearank_cli", "evaluate", *paths, "--qrels", str(judgments)]
    done = subprocess.run(  # noqa: S603  # this program itself
        [*command, "--config", "/dev/null", "--quiet"], capture_output=True, text=True, check=False
    )
    if done.returncode:
        problem = done.stderr.strip().removeprefix("rearank: ").replace(str(judgments), "the judgments")
        raise InputError(problem or "the evaluation failed")
    return done.stdout
