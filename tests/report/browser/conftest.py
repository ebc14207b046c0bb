"""Reports of several kinds, and a real browser that opens them and is never on the network."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks.report import FLAGS, browser_path
from scripts.benchmarks.talkative import Talkative
from scripts.benchmarks.talkative import write_collection as write_large_collection
from tests.report.conftest import Reranked, Scripted, copy_of_the_example, reversing, write_collection

# Each of these would do something if it were taken for anything but text.
HOSTILE = [
    "<script>window.pwned=1</script>",
    '"><img/src=x/onerror=window.pwned=1>',
    "</script><script>window.pwned=1</script>",
    "'-alert(1)-'",
    "{{7*7}}${7*7}",
    "javascript:alert(1)//#q=1&w=2",
    "\u2028window.pwned=1\u2029",
    "\u202egnp.exe\u2066",
    "&lt;b&gt;&amp;%00%22",
]
NUL = "before\x00after"

Open = Callable[..., Any]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page of the example, one of two trace files full of hostile texts, and a large one.

    They are made before a browser runs: playwright has an event loop of its own in this thread.
    """
    folder = tmp_path_factory.mktemp("pages")
    bees = copy_of_the_example(folder / "bees")
    bees.rerank(output=bees.folder / "new.trec")
    bees.rerank(Scripted(lambda doc_ids: "no list"), traces="bad.jsonl", retries=1, limit=5)
    many = [f"{number}.jsonl" for number in range(1, 10)]
    for name in many:
        bees.rerank(Scripted(reversing), traces=name)
    hostile = _hostile_collection(folder / "hostile")
    (folder / "large").mkdir()
    relevant = write_large_collection(folder / "large", queries=60, depth=100)
    Reranked(folder / "large").rerank(Talkative(relevant), traces="large.jsonl")
    texts = ["--docs", "docs.jsonl", "--queries", "queries.tsv", "--qrels", "qrels.trec"]
    return {
        "bees": _report(bees.folder, "run.rearank.jsonl"),
        "two": _report(bees.folder, "run.rearank.jsonl", "bad.jsonl"),
        "many": _report(bees.folder, *many),
        "hostile": _report(
            hostile.folder,
            *sorted(path.name for path in hostile.folder.glob("*.jsonl") if path.name != "docs.jsonl"),
            *texts,
        ),
        "large": _report(folder / "large", "large.jsonl", *texts),
    }


def _hostile_collection(folder: Path) -> Reranked:
    doc_ids = [*HOSTILE, "plain"]
    place = write_collection(
        folder,
        dict.fromkeys(HOSTILE, doc_ids),
        texts={doc_id: f"{doc_id} {NUL} text" for doc_id in doc_ids},
        queries={query_id: f"{query_id} asked" for query_id in HOSTILE},
        grades={query_id: {HOSTILE[1]: 3, "plain": 0} for query_id in HOSTILE},
    )

    def answer(doc_ids: Any) -> str:
        said = "\n".join(f"[{number}] {text} {NUL} said." for number, text in enumerate(HOSTILE, 1))
        listed = " > ".join(f"[{number}]" for number in range(len(doc_ids), 0, -1))
        return f"<think>{said}</think>\n<answer>{listed}</answer>"

    place.rerank(Scripted(answer), traces="<b>one&.jsonl", escape_ids=True)
    place.rerank(
        Scripted(lambda _: "", finish_reason="error", error=HOSTILE[0]),
        traces="two.jsonl",
        retries=0,
        escape_ids=True,
    )
    return place


def _report(folder: Path, *arguments: str) -> Path:
    page = folder / f"{len(list(folder.glob('*.html')))}.html"
    command = [sys.executable, "-m", "rearank_cli", "report", *arguments, "-o", str(page)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, env=os.environ)
    assert done.returncode == 0, done.stderr
    return page


@pytest.fixture(scope="module")
def browser(pages: dict[str, Path]) -> Iterator[Any]:
    path = browser_path()
    if path is None:
        pytest.skip("no Chromium is installed (scripts/system_packages.sh)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, pages: dict[str, Path]) -> Iterator[Open]:
    """Open a page by its name. Whatever the console says, any request but for the page, fails the test."""
    troubles: list[str] = []
    contexts = []

    def open_it(name: str = "bees", address: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        here = pages[name].as_uri()
        page.on("console", lambda message: troubles.append(f"console {message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on(
            "request", lambda asked: None if asked.url.split("#")[0] == here else troubles.append(asked.url)
        )
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error(e.violatedDirective))"
        )
        page.goto(here + address)
        page.wait_for_selector("#list li a", state="attached")
        page.wait_for_selector("body[data-indexed]", state="attached")
        return page

    yield open_it
    for context in contexts:
        troubles += ["a text was run" for page in context.pages if page.evaluate("window.pwned") is not None]
        context.close()
    assert troubles == []


def shown(page: Any) -> list[str]:
    """The ids in the list, in its order."""
    return page.eval_on_selector_all(
        "#list li:not([hidden]) .id", "nodes => nodes.map((node) => node.textContent)"
    )


def text(page: Any, selector: str) -> str:
    return page.text_content(selector)
