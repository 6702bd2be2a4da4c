"""The page in a real browser: no error, keyboard, names for screen readers, phone, dark, print; and no script runs."""

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.report.run.page import page as page_of
from tests.report.run.test_page import HOSTILE
from tests.report.runs import write_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MISSING = [name for name in ("playwright", "axe_playwright_python") if importlib.util.find_spec(name) is None]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

CONTROLS = "a, button, select, input, summary"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (`make test-slow` does it)"),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine (`apt-get install chromium`)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An ordinary page, and one whose every word is an attack."""
    root = tmp_path_factory.mktemp("pages")
    words = dict.fromkeys(("text", "lesson", "reason", "description"), HOSTILE)
    runs = {
        "plain": write_run(root / "plain", samples=100, tests=30),
        "hostile": write_run(root / "hostile", samples=40, labels=[HOSTILE, f"{HOSTILE}2", "c"], **words),
    }
    # A fixture of the module comes before the one that keeps charts from fast tests: the pages have theirs.
    for name, run in runs.items():
        (root / f"{name}.html").write_text(page_of(run), encoding="utf-8")
    return {name: root / f"{name}.html" for name in runs}


class Seen:
    """A page that is open, with all that the console and the network were told."""

    def __init__(self, browser: Any, path: Path, **how: Any) -> None:
        self.context = browser.new_context(**how)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append("a dialog opened"), dialog.dismiss()))
        self.page.on("request", lambda request: self.said.append(request.url) if path.name not in request.url else None)
        self.page.goto(path.as_uri())

    def __enter__(self) -> "Seen":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


@pytest.mark.parametrize("name", ["plain", "hostile"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_goes_wrong_and_a_screen_reader_finds_its_way(
    browser: Any, pages: dict[str, Path], name: str, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with Seen(browser, pages[name], viewport={"width": 1280, "height": 900}, color_scheme=scheme) as seen:
        for each in seen.page.locator("details").all():
            each.evaluate("each => { each.open = true; }")
        found = Axe().run(seen.page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert serious == [], [(each["id"], each["nodes"][0]["html"][:200]) for each in serious]
        assert seen.said == []
        ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 24, 31)"}[scheme]


def test_what_a_text_says_stays_text(browser: Any, pages: dict[str, Path]) -> None:
    with Seen(browser, pages["hostile"]) as seen:
        page = seen.page
        assert HOSTILE.replace("\u2028", " ")[:30] in page.locator(".texts li p").first.inner_text()
        assert page.locator("img").count() == 0 and page.locator("script").count() == 2
        assert page.evaluate(
            "[...document.querySelectorAll('*')].every(e => ![...e.attributes].some(a => /^on/.test(a.name)))"
        )
        for select in page.locator("select").all():
            select.select_option(index=1)
        assert seen.said == [] and page.title() == "hostile"


def test_the_policy_stops_a_script_that_is_not_ours(browser: Any, pages: dict[str, Path], tmp_path: Path) -> None:
    """Were a text to get through as markup, it would still not run, and its style would not count."""
    broken = tmp_path / "broken.html"
    planted = "<script>document.title = 'taken'</script><style>body { display: none }</style><p onclick='x()'>a</p>"
    broken.write_text(pages["plain"].read_text(encoding="utf-8").replace("<h1>", f"{planted}<h1>"), encoding="utf-8")
    with Seen(browser, broken) as seen:
        assert seen.page.title() == "plain" and seen.page.locator("h1").is_visible()
        assert len(seen.said) >= 2 and all("Content Security Policy" in each for each in seen.said)


@pytest.mark.parametrize("name", ["plain", "hostile"])
def test_a_phone_needs_no_scrolling_sideways(browser: Any, pages: dict[str, Path], name: str) -> None:
    with Seen(browser, pages[name], viewport={"width": 360, "height": 740}, has_touch=True) as seen:
        assert seen.page.evaluate("document.documentElement.scrollWidth") == 360


def test_a_cell_opens_its_texts_and_filters_narrow_them(browser: Any, pages: dict[str, Path]) -> None:
    with Seen(browser, pages["plain"]) as seen:
        page = seen.page
        cell = page.get_by_role("button", name="10: money, sports. Show the texts")
        count = page.locator("[aria-live=polite]").first
        assert count.inner_text() == "160 of 160 texts on this page"
        cell.focus()
        page.keyboard.press("Enter")
        assert count.inner_text() == "10 of 160 texts on this page"
        assert page.evaluate("document.activeElement === document.querySelector('[aria-live=polite]')"), "focus follows"
        assert (
            page.get_by_role("combobox", name="Set", exact=True).input_value() != ""
            and page.get_by_role("combobox", name="Student said", exact=True).input_value() != ""
        )
        listed = page.locator("ul[aria-label=Texts] li")
        assert listed.count() == 10 and "the student said sports" in listed.first.inner_text()
        page.get_by_role("button", name="Show all").press("Enter")
        page.wait_for_function("document.querySelector('[aria-live=polite]').textContent.startsWith('160')")
        assert listed.count() == 15
        page.get_by_role("button", name="Show more").press("Enter")
        assert listed.count() == 30
        page.get_by_role("combobox", name="What became of it", exact=True).select_option("quarantined")
        assert count.inner_text() == "20 of 160 texts on this page" and "why reason" in listed.first.inner_text()
        page.get_by_role("spinbutton", name="Teacher at most so sure, %").fill("50")
        assert count.inner_text() == "10 of 160 texts on this page"
        page.get_by_role("searchbox", name="Words in it").fill("no such words")
        assert count.inner_text() == "0 of 160 texts on this page" and listed.count() == 0


def test_the_map_shows_the_text_that_is_chosen(browser: Any, pages: dict[str, Path]) -> None:
    with Seen(browser, pages["plain"], viewport={"width": 1280, "height": 900}) as seen:
        dots = seen.page.locator(".map circle")
        assert dots.count() == 100
        dots.last.dispatch_event("click")
        assert "label" in seen.page.get_by_label("The text that was chosen").inner_text()
        key = seen.page.get_by_label("Colours")
        assert "food (34)" in key.inner_text()
        seen.page.get_by_role("combobox", name="Colour by", exact=True).select_option("source")
        assert "typical (34)" in key.inner_text()


def test_every_control_is_reached_by_the_keyboard_alone(browser: Any, pages: dict[str, Path]) -> None:
    with Seen(browser, pages["plain"]) as seen:
        page = seen.page
        wanted = page.evaluate(f"[...document.querySelectorAll('{CONTROLS}')].filter(e => e.offsetParent).length")
        reached = set()
        for _ in range(3 * wanted):
            page.keyboard.press("Tab")
            reached.add(page.evaluate(f"[...document.querySelectorAll('{CONTROLS}')].indexOf(document.activeElement)"))
        assert len(reached - {-1}) == wanted


def test_print_has_no_controls_and_the_whole_config(browser: Any, pages: dict[str, Path]) -> None:
    with Seen(browser, pages["plain"]) as seen:
        page = seen.page
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert not page.locator("nav").is_visible() and not page.get_by_role("button", name="Show more").is_visible()
        assert page.locator("pre").is_visible() and "name = " in page.locator("pre").inner_text()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "not on black"
        assert len(page.pdf()) > 10_000


def test_without_javascript_the_tables_say_it_all(browser: Any, pages: dict[str, Path]) -> None:
    with Seen(browser, pages["plain"], java_script_enabled=False) as seen:
        page = seen.page
        assert page.locator("button[data-query]").first.is_disabled()
        assert page.get_by_text("The texts can be looked through where JavaScript is allowed.").is_visible()
        assert page.locator("figure svg").count() >= 3
