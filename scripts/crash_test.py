"""Kill `rearank rerank` without warning at random moments, resume it each time, and compare.

    python scripts/crash_test.py                             100 kills with the lexical judge, about 4 minutes
    python scripts/crash_test.py --kills 8
    python scripts/crash_test.py --engine vllm --model DIR --kills 3

What must hold: every finished run is byte-identical to an undisturbed one; a request is made twice
only if it was in flight at a kill; what a killed attempt left running is ended by the next one.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

SLOW = Path(__file__).with_name("slow_rearank.py")


class Experiment:
    """One folder with the example collection, and the command that is disturbed in it."""

    def __init__(self, folder: Path, options: list[str], seconds: float) -> None:
        self.folder = folder
        self.log = folder / "begun.log"
        self.command = [
            sys.executable,
            str(SLOW),
            str(self.log),
            str(seconds),
            "rerank",
            "run.trec",
            *options,
        ]

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self.command, *options], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )

    def begun(self) -> list[str]:
        return self.log.read_text().split() if self.log.exists() else []

    def answered(self) -> int:
        """Requests whose line is whole."""
        traces = self.folder / "run.rearank.jsonl"
        if not traces.exists():
            return 0
        whole = [line for line in traces.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        return sum(json.loads(line)["type"] == "call" for line in whole)

    def forget(self) -> None:
        for path in [self.log, *self.folder.glob("run.rearank.*")]:
            path.unlink(missing_ok=True)


def marked_processes(folder: Path, *commands: bytes) -> list[int]:
    """The processes that an attempt in this folder started, or left behind.

    Those with one of these in their command; all of them where none is given.
    """
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment, line = (process / "environ").read_bytes(), (process / "cmdline").read_bytes()
        except OSError:
            continue
        marked = b"REARANK_TRACES=" in environment and f"{folder}/run.rearank.jsonl".encode() in environment
        # Python's resource tracker ends by itself.
        wanted = not commands or any(command in line for command in commands)
        if marked and wanted and b"resource_tracker" not in line:
            found.append(int(process.name))
    return found


def engine_processes(folder: Path) -> list[int]:
    """Those of them that are the engine's.

    vLLM gives them a title, which fails where the first variable of their environment was changed.
    """
    return marked_processes(folder, b"VLLM::", b"multiprocessing.spawn")


def engine_cores(folder: Path) -> list[int]:
    """Of the engine's processes the first of each engine: the others are its children."""
    processes = engine_processes(folder)
    parents = {process: _parent(process) for process in processes}
    return [process for process, parent in parents.items() if parent and parent not in processes]


def _parent(process: int) -> int | None:
    """None where the process has ended meanwhile."""
    try:
        # The name, in brackets, may have spaces and brackets in it.
        return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return None


def wait_for_a_moment(
    process: "subprocess.Popen[bytes]",
    experiment: Experiment,
    calls: int,
    duration: float,
    rng: random.Random,
) -> None:
    """Wait for a random time, or for a random number of answers: loading can take most of the time."""
    deadline = time.monotonic() + rng.uniform(0.2, duration)
    target = experiment.answered() + rng.randint(1, calls) if rng.random() < 0.7 else None
    while process.poll() is None:
        if experiment.answered() >= target if target else time.monotonic() >= deadline:
            return
        time.sleep(0.01)


def crash(arguments: argparse.Namespace) -> int:
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="rearank-crash-") as temporary:
        folder = Path(temporary).resolve() / "bees"
        subprocess.run(
            [sys.executable, "-m", "rearank_cli", "example", str(folder)], check=True, capture_output=True
        )
        options = ["--in-flight", "8", "--quiet"]
        if arguments.engine == "lexical":
            options += ["--window", "4", "--step", "1"]
        else:
            options += ["--engine", "vllm", "-m", arguments.model, "--family", "rearank", "--window", "10"]
            options += ["--step", "5", "--engine-arg", "enforce_eager=true", "--engine-arg", "max_num_seqs=8"]
        experiment = Experiment(folder, options, arguments.seconds)
        started = time.monotonic()
        undisturbed = experiment.start()
        _, errors = undisturbed.communicate()
        assert undisturbed.returncode == 0, errors.decode()
        duration = time.monotonic() - started
        expected = (folder / "run.rearank.trec").read_bytes()
        calls = experiment.answered()
        experiment.forget()
        print(f"undisturbed: {calls} calls in {duration:.1f} s")
        kills = finished = repeated = 0
        killed = False
        while kills < arguments.kills or killed:
            process = experiment.start("--resume")
            if kills < arguments.kills:
                wait_for_a_moment(process, experiment, calls, duration, rng)
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                    process.communicate()
                    kills += 1
                    killed = True
                    continue
            _, errors = process.communicate()
            killed = False
            assert process.returncode == 0, errors.decode()
            assert (folder / "run.rearank.trec").read_bytes() == expected, (
                "the run differs from an undisturbed one"
            )
            assert not list(folder.glob(".*.part")), "a half-written run was left behind"
            counts = Counter(experiment.begun())
            assert len(counts) == calls, f"{len(counts)} requests were begun, and there are {calls} calls"
            twice = sum(counts.values()) - calls
            # What was begun and has no line was in flight at a kill.
            in_flight = sum(counts.values()) - experiment.answered()
            assert twice == in_flight, (
                f"{twice} requests were made twice, and {in_flight} were in flight at a kill"
            )
            assert not engine_processes(folder), "processes of a killed attempt still run"
            repeated += twice
            finished += 1
            experiment.forget()
        print(
            f"{kills} kills, {finished} runs finished, all byte-identical; "
            f"{repeated} requests made twice, all of them in flight at a kill"
        )
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--engine", choices=["lexical", "vllm"], default="lexical")
    parser.add_argument("--model", help="a model folder, for --engine vllm")
    parser.add_argument("--seconds", type=float, default=0.02, help="how long the lexical judge takes")
    parser.add_argument("--seed", type=int, default=0)
    sys.exit(crash(parser.parse_args()))
