"""The command reference in the README, which has to be what the commands say."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def reference(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, ROOT / "scripts" / "reference.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_readme_says_what_the_commands_say() -> None:
    done = reference("--check")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_stale_reference_is_told_with_what_to_run_and_then_mended(tmp_path: Path) -> None:
    stale = tmp_path / "README.md"
    stale.write_text(README.read_text(encoding="utf-8").replace("--depth", "--deep"), encoding="utf-8")
    before = stale.read_bytes()
    checked = reference("--check", stale)
    assert checked.returncode == 1
    assert checked.stdout.splitlines() == [
        f"the command reference in {stale} is stale; run: python scripts/reference.py"
    ]
    assert stale.read_bytes() == before
    assert reference(stale).returncode == 0
    assert reference("--check", stale).returncode == 0


def test_what_surrounds_the_reference_stays_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# Café\n<!-- reference: scripts/reference.py -->\nof yesterday\n<!-- /reference -->\nafter\n"
    )
    assert reference(page).returncode == 0
    written = page.read_text(encoding="utf-8")
    assert written.startswith("# Café\n<!-- reference: scripts/reference.py -->\n\n<details>\n")
    assert written.endswith("</details>\n\n<!-- /reference -->\nafter\n")
    assert "yesterday" not in written
    assert max(map(len, written.splitlines())) <= 100
    assert "\x1b" not in written
    for command in ("rerank", "evaluate", "trace", "report", "retrieve", "fuse", "check", "merge"):
        assert f" Usage: rearank {command} " in written


def test_a_page_without_a_place_for_it_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing\n")
    done = reference(page)
    assert done.returncode == 1
    assert "has no place for the reference" in done.stdout
    assert page.read_text() == "nothing\n"
