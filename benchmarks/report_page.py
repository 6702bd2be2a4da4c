"""How large a report is, how long it takes to write, and how long a browser takes until it can be used.

    python -m benchmarks.report_page --samples 10 10000

Needs `playwright` and a chromium (`make test-slow` installs both). The runs are made up; times are medians.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from evokd.report.run.page import write_run_page
from tests.report.runs import write_run

WORDS = "The committee said that the price of bread had risen again this year while people waited"

READY = """() => {
  const timing = performance.getEntriesByType("navigation")[0];
  return timing.domContentLoadedEventEnd;
}"""


def opened(browser: Any, path: Path) -> tuple[float, float]:
    """Milliseconds until the page's script is done, and until a choice in the browser of texts is answered."""
    page = browser.new_page()
    page.goto(path.as_uri())
    ready = float(page.evaluate(READY))
    answered = page.evaluate(
        """() => {
          const field = document.querySelector("input[type=search]"), began = performance.now();
          field.value = "bread risen";
          field.dispatchEvent(new Event("input", { bubbles: true }));
          return performance.now() - began;
        }"""
    )
    page.close()
    return ready, float(answered)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[10, 10_000])
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for samples in options.samples:
            run = write_run(Path(folder) / str(samples), samples, tests=max(12, samples // 10), text=WORDS)
            write_run_page(run.root)  # once before, as matplotlib and scipy take their time the first time
            began = time.perf_counter()
            path = write_run_page(run.root)
            wrote, each = time.perf_counter() - began, [opened(browser, path) for _ in range(options.times)]
            ready, answered = (statistics.median(times) for times in zip(*each, strict=True))
            print(
                f"{samples:>7,} samples: {path.stat().st_size / 1e3:,.0f} kB, written in {wrote:.1f} s, "
                f"ready after {ready:.0f} ms, a filter takes {answered:.0f} ms (median of {options.times})"
            )
        browser.close()


if __name__ == "__main__":
    main()
