"""The live page in a real browser: news arrive, the button stops, and nothing is said to the console."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report.formats import test_browser as pages
from tests.report.formats.test_browser import browser as browser
from tests.report.runs import write_run
from tests.report.watch.test_server import EVENT, watched

pytestmark = pages.pytestmark


def test_news_arrive_and_the_button_asks_the_run_to_stop(browser: Any, tmp_path: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    run = write_run(tmp_path / "a")
    (run.root / "progress.json").write_text(json.dumps(EVENT))
    with watched(run.root) as (server, _):
        page = browser.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.get_by_text("Cycle 3, trainer: fit 1 of 2 (5 of 20)").wait_for()
        found = Axe().run(page).response["violations"]
        assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
        button = page.get_by_role("button", name="Stop after this step")
        button.press("Enter")
        page.get_by_text("The run ends when its step has ended.").or_(
            page.get_by_text("The run ends when this step has ended.")
        ).wait_for()
        assert (run.root / "stop").exists() and button.is_disabled()
        (run.root / "progress.json").unlink()
        page.get_by_text("Nobody is at work on this run.").wait_for()
        assert said == []
        page.close()


def test_a_new_cycle_is_shown_at_once_where_nobody_reads_and_offered_where_one_does(
    browser: Any, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "a")
    rows = (run.root / "metrics.jsonl").read_text().splitlines()
    (run.root / "metrics.jsonl").write_text(rows[0] + "\n")
    with watched(run.root) as (server, _):
        page = browser.new_page(viewport={"width": 800, "height": 600})
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.get_by_text("Nobody is at work").wait_for()
        with page.expect_navigation():
            (run.root / "metrics.jsonl").write_text("\n".join(rows[:2]) + "\n")
        page.get_by_text("Nobody is at work").wait_for()
        page.evaluate("scrollTo(0, 900)")
        (run.root / "metrics.jsonl").write_text("\n".join(rows) + "\n")
        offered = page.get_by_role("button", name="Show the new cycle")
        offered.wait_for()
        with page.expect_navigation():
            offered.click()
        page.close()


@pytest.mark.parametrize("name", ["phone", "desktop"])
def test_it_needs_no_scrolling_sideways(browser: Any, tmp_path: Path, name: str) -> None:
    write_run(tmp_path / "a")
    width = {"phone": 360, "desktop": 1280}[name]
    with watched(tmp_path / "a") as (server, _):
        page = browser.new_page(viewport={"width": width, "height": 740})
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.close()
