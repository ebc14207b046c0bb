"""The page in a real browser: read, searched, filtered, and never on the network."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rearank_cli.trec import read_run
from scripts.benchmarks.report import FLAGS, browser_path
from scripts.benchmarks.talkative import Talkative
from scripts.benchmarks.talkative import write_collection as write_large_collection
from tests.report.conftest import Reranked, Scripted, copy_of_the_example, reversing, write_collection

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

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


@pytest.fixture(scope="module")
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


def test_the_overview_has_measures_and_charts(open_page: Open) -> None:
    page = open_page()
    overview = text(page, "#overview")
    for words in (
        "0.5011 → 0.4959",
        "Change per query",
        "Where documents came from",
        "Calls",
        "sliding, window 20",
    ):
        assert words in overview
    assert page.locator("#overview figure svg").count() >= 5
    assert page.is_visible("#overview")
    assert not page.is_visible("#query")


def test_the_search_finds_ids_queries_documents_and_the_words_of_the_reasoning(open_page: Open) -> None:
    page = open_page()
    for words, found in (
        ("q12", ["q12"]),
        ("VARROA mites", ["q5"]),
        ('"lid closed"', ["q11"]),
        ("fainting, done", ["q12"]),
        ("bee-058", None),
        ("colony nothing-like-this", []),
    ):
        page.fill("#search", words)
        if found is None:
            assert 0 < len(shown(page)) < 12
            assert page.locator("#list mark").first.text_content() == "bee-058"
        else:
            assert shown(page) == found, words
    assert text(page, "#count") == "0 of 12 queries"
    assert page.is_visible(".nothing")
    page.press("#search", "Escape")
    assert len(shown(page)) == 12


def test_a_hit_in_the_reasoning_opens_the_window_that_has_it(open_page: Open) -> None:
    page = open_page()
    page.fill("#search", "rarest among its 40 candidates first: tell")
    assert "window 1:" in text(page, "#list li:not([hidden]) .snippet")
    page.fill("#search", '"passage [9] (4.48): hive, queen"')
    assert shown(page) == ["q4"]
    assert "window 3:" in text(page, "#list li:not([hidden]) .snippet")
    page.press("#search", "Enter")
    assert text(page, '.tabs [aria-selected="true"]') == "1–20"
    assert page.evaluate("CSS.highlights.get('found').size") > 0
    assert page.evaluate(
        """() => {
          const [found] = CSS.highlights.get('found');
          const { top, bottom } = found.getBoundingClientRect();
          return found.toString() === 'Passage [9] (4.48): hive, queen' && top > 0 && bottom < innerHeight;
        }"""
    )


def test_filters_and_sorts(open_page: Open) -> None:
    page = open_page()
    page.select_option("#change", "lost")
    assert shown(page) == ["q1", "q7", "q8", "q9", "q10", "q11"]
    page.select_option("#sort", "worst")
    assert shown(page)[0] == "q9"
    page.select_option("#change", "gained")
    page.select_option("#sort", "best")
    assert shown(page)[0] == "q12"
    page.select_option("#change", "unchanged")
    assert shown(page) == []
    page.select_option("#change", "")
    page.select_option("#sort", "")
    assert shown(page) == [f"q{number}" for number in range(1, 13)]


def test_a_query_shows_its_new_ranking(open_page: Open, pages: dict[str, Path]) -> None:
    page = open_page()
    page.click("#list a >> text=q4")
    assert "lost its queen" in text(page, "#query h1")
    assert "0.4359 → 0.4766" in text(page, "#query .measures")
    page.click("text=All 40")
    new = [document.doc_id for document in read_run(pages["bees"].parent / "new.trec")["q4"]]
    old = [document.doc_id for document in read_run(pages["bees"].parent / "run.trec")["q4"]]
    rows = page.eval_on_selector_all(
        "#ranking tbody tr",
        """rows => rows.map((row) =>
          [row.querySelector('.id'), row.cells[1], row.cells[2]].map((part) => part.textContent))""",
    )
    assert [row[0] for row in rows] == new
    assert [int(row[1].split()[0]) for row in rows] == [old.index(doc_id) + 1 for doc_id in new]
    assert {row[2] for row in rows} <= {"0", "1", "2", "3", "–"}
    page.click("#ranking th button >> text=Was")
    ids = page.eval_on_selector_all("#ranking tbody .id", "nodes => nodes.map((node) => node.textContent)")
    assert ids == old


def test_a_link_in_the_reasoning_leads_to_its_passage_and_back(open_page: Open) -> None:
    page = open_page("large", "#q=100000&w=9")
    mention = page.locator(".words a").last
    number = mention.get_attribute("data-passage")
    mention.click()
    card = page.locator(f'.slopes .in li[data-passage="{number}"]')
    assert "on" in card.get_attribute("class").split()
    assert page.evaluate(
        """(number) => {
          const item = document.querySelector(`.slopes .in li[data-passage="${number}"] .item`);
          const box = item.getBoundingClientRect();
          return box.top >= 0 && box.bottom <= innerHeight;
        }""",
        number,
    )
    assert card.locator(".body .text").last.text_content()
    assert page.url.endswith(f"#q=100000&w=9&p={number}")
    spoken = page.locator(".words .sentence.on")
    assert spoken.count() >= 1
    assert all(f"[{number}]" in words or number in words for words in spoken.all_text_contents())
    assert page.locator(".slopes path.on").get_attribute("data-passage") == number
    card.locator(".links button").first.click()
    assert page.evaluate("document.activeElement.dataset.passage") == number
    page.keyboard.press("Escape")
    assert page.locator(".slopes li.on").count() == 0


def test_lines_lead_from_where_passages_were_to_where_they_are(open_page: Open) -> None:
    page = open_page("bees", "#q=q12")
    ends = page.evaluate(
        """() => Array.from(document.querySelectorAll('.slopes path'), (path) => {
          const top = path.ownerSVGElement.getBoundingClientRect().top;
          const at = (side) => {
            const item = document.querySelector(`.${side} [data-passage="${path.dataset.passage}"] .item`);
            const box = item.getBoundingClientRect();
            return box.top - top + box.height / 2;
          };
          const numbers = path.getAttribute('d').match(/[\\d.]+/g).map(Number);
          return [numbers[1] - at('in'), numbers.at(-1) - at('out')];
        })"""
    )
    assert len(ends) == 17
    assert all(abs(off) < 1 for pair in ends for off in pair)


def test_what_the_model_did_not_list_is_told_apart(open_page: Open) -> None:
    page = open_page("large")
    page.select_option("#status", "repaired")
    page.keyboard.press("Escape")
    page.locator("#list li:not([hidden]) a").first.click()
    page.locator(".tabs button:has(.dot.repaired)").first.click()
    assert text(page, ".window-head .mark") == "repaired"
    assert page.locator(".slopes .out .divider").count() == 1
    assert page.locator(".slopes .out .unnamed").count() == 1
    assert "unnamed" in page.locator(".slopes .out li").last.get_attribute("class")
    assert page.locator(".slopes path").count() == 20


def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.type("bumblebees")
    page.keyboard.press("Enter")
    assert page.url.endswith("#q=q8")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.url.endswith("#q=q9")
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert page.url.endswith("#q=q7")
    calls = page.locator("#windows .tabs button").count()
    assert calls > 1
    page.keyboard.press("n")
    assert page.url.endswith("#q=q7&w=2")
    page.keyboard.press("p")
    assert page.url.endswith("#q=q7")
    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#help")
    page.keyboard.press("o")
    assert page.is_visible("#overview")
    page.focus("#list li:first-child a")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.query") == "0"
    page.keyboard.press("ArrowDown")
    assert page.url.endswith("#q=q2")


def test_the_focus_stays_where_it_was_when_a_part_is_drawn_again(open_page: Open) -> None:
    page = open_page("bees", "#q=q4")
    for selector in ("#window-tab-1", "#ranking .more", '#ranking [data-by="first"]', "#key-j", "#key-k"):
        page.click(selector)
        assert page.evaluate("(selector) => document.activeElement.matches(selector)", selector), selector


def test_back_and_forward_lead_from_query_to_query(open_page: Open) -> None:
    page = open_page()
    page.click("#list a >> text=q2")
    page.click("text=next ›")
    assert "what stops honey" in page.title()
    page.go_back()
    assert "foragers tell" in text(page, "#query h1")
    page.go_back()
    assert page.is_visible("#overview")
    page.go_forward()
    assert page.is_visible("#query")


def test_an_address_opens_a_passage_of_a_window_of_a_query(open_page: Open) -> None:
    page = open_page("bees", "#q=q4&w=3&p=9")
    assert text(page, ".slopes .in li.on .name") == "The Test Frame"
    assert text(page, '#list [aria-current="true"] .id') == "q4"
    page.evaluate("location.hash = '#q=nobody'")
    page.wait_for_selector("#overview", state="visible")
    assert text(page, '[role="status"].note') == "This report has no query nobody. This is its overview."
    page.evaluate("location.hash = '#q=%E0%A4%A&w=x&p=-1'")
    assert page.is_visible("#overview")


def test_the_bars_of_the_overview_open_their_queries(open_page: Open) -> None:
    page = open_page()
    page.locator('#overview a[href="#q=q9"], #overview a[*|href="#q=q9"]').first.click()
    assert text(page, "#query .id") == "q9"


def test_it_is_light_or_dark_as_the_system_is_or_as_it_is_told(open_page: Open) -> None:
    def ground(page: Any) -> list[int]:
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return [int(number) for number in re.findall(r"\d+", colour)[:3]]

    dark = open_page(color_scheme="dark")
    assert max(ground(dark)) < 60
    light = open_page(color_scheme="light")
    assert min(ground(light)) > 200
    light.click("#theme")
    assert min(ground(light)) > 200
    light.click("#theme")
    assert max(ground(light)) < 60
    light.reload()
    assert max(ground(light)) < 60


@pytest.mark.parametrize("name", ["bees", "two", "many", "hostile", "large"])
def test_nothing_is_wider_than_the_window(open_page: Open, name: str) -> None:
    page = open_page(name)
    for width in (1280, 800, 420):
        page.set_viewport_size({"width": width, "height": 800})
        for key in ("o", "j"):
            page.keyboard.press(key)
            sizes = page.evaluate(
                """['html', 'main', '.side'].map((s) => document.querySelector(s))
                .map((element) => element.scrollWidth - element.clientWidth)"""
            )
            assert sizes == [0, 0, 0], width


def test_overview_and_query_are_printed(open_page: Open) -> None:
    page = open_page("bees", "#q=q4")
    page.emulate_media(media="print")
    assert page.is_visible("#overview")
    assert page.is_visible("#query")
    assert page.is_visible(".words")
    assert not page.is_visible(".side")
    assert not page.is_visible(".tools")


def test_hostile_texts_stay_texts(open_page: Open) -> None:
    page = open_page("hostile")
    assert shown(page) == HOSTILE
    texts = page.eval_on_selector_all("#list .query-text", "nodes => nodes.map((node) => node.textContent)")
    assert texts == [f"{query_id} asked" for query_id in HOSTILE]
    assert page.locator("main img, main b, #list img, #list b").count() == 0
    assert page.locator("script:not([type])").count() == 1
    page.keyboard.press("j")
    for number, query_id in enumerate(HOSTILE):
        assert text(page, "#query h1") == f"{query_id} asked"
        assert number == int(page.get_attribute('#list [aria-current="true"]', "data-query"))
        passages = page.eval_on_selector_all(
            "#ranking .passage .excerpt", "nodes => nodes.map((node) => node.textContent)"
        )
        assert set(passages) == {f"{doc_id} {NUL} text" for doc_id in [*HOSTILE, "plain"]}
        words = text(page, ".words")
        assert all(f"{hostile} {NUL} said." in words for hostile in HOSTILE)
        page.reload()
        page.wait_for_selector("#query h1")
        assert text(page, "#query h1") == f"{query_id} asked"
        page.keyboard.press("]")
        assert text(page, ".failure") == HOSTILE[0]
        page.keyboard.press("[")
        page.keyboard.press("j")
    page.fill("#search", HOSTILE[0].upper())
    assert len(shown(page)) == len(HOSTILE)


def test_even_markup_that_got_in_could_neither_run_nor_load(browser: Any, pages: dict[str, Path]) -> None:
    """The second line of defence, and a proof that the first one's test would notice."""
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(pages["bees"].as_uri())
    page.evaluate(
        """() => {
          const script = document.createElement('script');
          script.textContent = 'window.pwned = 1';
          document.body.append(script);
          const image = '<img src="http://127.0.0.1:9/x" onerror="window.pwned=2">';
          document.body.insertAdjacentHTML('beforeend', image);
        }"""
    )
    page.wait_for_timeout(200)
    assert page.evaluate("window.pwned") is None
    assert any("inline script" in words for words in refused)
    assert any("img-src" in words for words in refused)
    context.close()


def test_two_trace_files_stand_side_by_side(open_page: Open) -> None:
    page = open_page("two")
    assert page.locator("#overview table").first.locator("tbody tr").count() == 2
    page.select_option("#file", "1")
    page.select_option("#status", "unreadable")
    assert shown(page) == ["q1", "q2", "q3", "q4", "q5"]
    page.click("#list a >> text=q4")
    assert page.url.endswith("#q=q4&f=2")
    assert "There is no answer to read" in text(page, "#window")
    heads = page.eval_on_selector_all("#ranking th button", "nodes => nodes.map((node) => node.textContent)")
    assert heads == ["run.rearank.jsonl", "bad.jsonl", "First stage"]
    page.click('[role="tab"] >> text=run.rearank.jsonl')
    assert "Passage [3]" in text(page, ".words")
    page.click('[role="tab"] >> text=21–40')
    page.keyboard.press("]")
    assert text(page, '#windows .tabs [aria-selected="true"]') == "bad.jsonl"
    page.select_option("#status", "")
    page.evaluate("location.hash = '#q=q9&f=2'")
    page.wait_for_selector("text=bad.jsonl does not have this query")


@pytest.mark.parametrize("width", [1280, 800, 420])
def test_passages_stay_in_sight_beside_the_ranks_by_many_files(open_page: Open, width: int) -> None:
    page = open_page("many", "#q=q4", viewport={"width": width, "height": 800})
    box = page.locator("#ranking tbody .what").first.bounding_box()
    assert box["width"] >= 179
    assert box["x"] + box["width"] <= width
    assert box["height"] < 200


def test_a_file_has_one_colour_wherever_it_is(open_page: Open) -> None:
    page = open_page("many")
    marks = page.eval_on_selector_all(
        "#overview .series", "nodes => nodes.map((node) => getComputedStyle(node).backgroundColor)"
    )
    dots = page.evaluate(
        """() => Array.from(document.querySelector('#overview figure').querySelectorAll('path'))
          .map((path) => [getComputedStyle(path).strokeWidth, getComputedStyle(path).stroke])
          .filter(([width]) => width === '2px').map(([, colour]) => colour)"""
    )
    assert len(set(marks)) == 8
    assert marks[8] == marks[0]
    assert dots[1:10] == marks


def test_a_large_page_is_searched_as_it_is_read(open_page: Open) -> None:
    page = open_page("large")
    assert len(shown(page)) == 60
    page.select_option("#status", "truncated")
    some = shown(page)
    assert 0 < len(some) < 60
    page.fill("#search", '"says more about how it works"')
    assert shown(page) == some
    page.select_option("#sort", "tokens")
    assert set(shown(page)) == set(some)
    page.keyboard.press("ArrowDown")
    assert page.locator("#windows .tabs button").count() == 9
    assert page.locator(".slopes .in li").count() == 20


def test_without_scripts_there_is_the_overview(open_page: Open, browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["bees"].as_uri())
    assert page.is_visible("#overview")
    assert "scripts are off" in text(page, "noscript")
    context.close()
