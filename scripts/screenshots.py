#!/usr/bin/env python
"""The README's two pictures of the report, from the example collection, by headless Chromium.

python scripts/screenshots.py [FOLDER]        default: docs
"""

import io
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

# What is seen of the page: its name, its address, its height, and whether it is dark.
PICTURES: Sequence[tuple[str, str, int, Literal["light", "dark"]]] = (
    ("report-overview.png", "", 1180, "light"),
    ("report-query.png", "#q=q4&w=3&p=9", 1040, "light"),
)
WIDTH = 1280


def main() -> None:
    from playwright.sync_api import sync_playwright

    from scripts.benchmarks.report import FLAGS, browser_path

    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        page_file = make_report(Path(name) / "bees")
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        for picture, address, height, scheme in PICTURES:
            page = browser.new_page(viewport={"width": WIDTH, "height": height}, color_scheme=scheme)
            page.goto(page_file.as_uri() + address)
            page.wait_for_selector("#list li a")
            if address:
                page.evaluate("document.getElementById('windows').scrollIntoView()")
            save(page.screenshot(), target / picture)
            page.close()
            print(f"{target / picture}: {(target / picture).stat().st_size / 1000:.0f} kB")
        browser.close()


def save(png: bytes, path: Path) -> None:
    """A picture of flat colours needs no more than a palette, and a third of the bytes."""
    from PIL import Image

    Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        path, optimize=True
    )


def make_report(folder: Path) -> Path:
    """The report of the example collection, made as the tour of the README makes it."""
    rearank = [sys.executable, "-m", "rearank_cli"]
    for arguments in (["example", str(folder)], ["rerank", "run.trec"], ["report", "run.rearank.jsonl"]):
        place = folder if folder.is_dir() else folder.parent
        subprocess.run([*rearank, *arguments, "--quiet"], check=True, cwd=place)
    return folder / "run.rearank.html"


if __name__ == "__main__":
    main()
