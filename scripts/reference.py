"""The command reference in README.md, from what each command says with --help.

python scripts/reference.py           writes it
python scripts/reference.py --check   exits 1 where it is not what the commands say
"""

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BEGIN = "<!-- reference: scripts/reference.py -->\n"
END = "<!-- /reference -->\n"
COLUMNS = 100

sys.path.insert(0, str(ROOT))


def main() -> int:
    as_written = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=as_written)
    parser.add_argument("readme", nargs="?", type=Path, default=README)
    parser.add_argument("--check", action="store_true", help="change nothing")
    arguments = parser.parse_args()
    before = arguments.readme.read_text(encoding="utf-8")
    head, begin, rest = before.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        print(f"{arguments.readme} has no place for the reference: {BEGIN.strip()} and {END.strip()}")
        return 1
    after = "".join([head, BEGIN, "\n", *sections(), END, tail])
    if before == after:
        return 0
    if arguments.check:
        print(f"the command reference in {arguments.readme} is stale; run: python scripts/reference.py")
        return 1
    arguments.readme.write_text(after, encoding="utf-8")
    return 0


def sections() -> Iterator[str]:
    """For each command its name, and its help to be unfolded."""
    # Before the program is imported: some of this is read then.
    os.environ.update(COLUMNS=str(COLUMNS), NO_COLOR="1", LC_ALL="C.UTF-8")
    os.environ.pop("TERMINAL_WIDTH", None)
    from rearank_cli.commands import app

    yield details("rearank", help_of())
    for command in app.registered_commands:
        name = getattr(command.callback, "__name__", "")
        yield details(f"rearank {name}", help_of(name))
    for group in app.registered_groups:
        table = group.typer_instance
        assert table is not None
        for command in table.registered_commands:
            words = f"{table.info.name} {command.name}"
            yield details(f"rearank {words}", help_of(*words.split()))


def details(title: str, text: str) -> str:
    return f"<details>\n<summary><code>{title}</code></summary>\n\n```text\n{text}\n```\n\n</details>\n\n"


def help_of(*command: str) -> str:
    """What `rearank COMMAND --help` prints on a terminal without colours, as wide as the reference."""
    from rearank_cli.__main__ import run

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        run([*command, "--help"])
    return "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").splitlines()).strip("\n")


if __name__ == "__main__":
    sys.exit(main())
