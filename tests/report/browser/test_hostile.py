"""The page in a real browser: what documents and models wrote stays text."""

from pathlib import Path
from typing import Any

from tests.report.browser.conftest import HOSTILE, NUL, Open, shown, text


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


def test_without_scripts_there_is_the_overview(open_page: Open, browser: Any, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["bees"].as_uri())
    assert page.is_visible("#overview")
    assert "scripts are off" in text(page, "noscript")
    context.close()
