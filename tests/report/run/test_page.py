"""The page of a run: all of it there, no text more than text, never above its size, and never in a run's way."""

import base64
import hashlib
import json
import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

import evokd
from evokd.main import main
from evokd.memory.marker import run_marker
from evokd.report.formats.markdown import markdown
from evokd.report.run.page import MOST, document, page, write_page
from evokd.report.run.reliability import reliability
from evokd.report.run.texts import packed
from evokd.report.run_files import Run
from evokd.tasks.errors import ConfigError
from evokd.testing import world
from tests.report.runs import write_run

HOSTILE = (
    "<script>alert(1)</script> </script><script>alert(2)</script> <!--<script> \"'><img src=x onerror=alert(3)> "
    "<svg onload=alert(4)> javascript:alert(5) &lt;b&gt; \u2028 $\\frac{1}{0}$ </style><style>*{display:none}</style>"
)

OURS = {
    "html", "head", "meta", "title", "style", "body", "main", "h1", "h2", "h3", "section", "article", "nav", "ul", "li",
    "a", "p", "dl", "div", "dt", "dd", "strong", "span", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "button", "details", "summary", "pre", "script", "figure", "figcaption", "svg", "defs", "g", "path", "use", "text",
    "clippath", "rect",
}  # fmt: skip
"""Names of the elements that our page is made of."""


class Parsed(HTMLParser):
    """A page as a browser reads it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.inside: dict[str, list[str]] = {"script": [], "style": [], "h2": [], "h3": []}
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {str(value) for name, value in attrs if name in ("href", "src", "xlink:href")}
        self._within = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in self.inside:
            self.inside[self._within][-1] += data

    @property
    def data(self) -> dict[str, Any]:
        return dict(json.loads(self.inside["script"][0]))


def test_the_page_has_every_section(tmp_path: Path) -> None:
    found = Parsed(page(write_run(tmp_path / "a")))
    assert found.inside["h2"] == [
        "The student got better: 33.3 % before, 66.7 % after", "How it learnt", "Label by label",
        "What is taken for what", "What the teacher found", "The texts", "A map of the texts",
        "What it cost", "The config", "Versions",
    ]  # fmt: skip
    assert found.inside["h3"] == ["lesson (cycle 1, lesson)"]
    assert len(found.data["texts"]) == 10 + 12 + 12, "samples, test, dev"


@pytest.mark.usefixtures("charts")
def test_no_word_of_a_model_is_more_than_text(tmp_path: Path) -> None:
    words = dict.fromkeys(("text", "lesson", "reason", "description"), HOSTILE)
    made = page(write_run(tmp_path / "a", labels=[HOSTILE, f"{HOSTILE}2", "c"], **words))
    found = Parsed(made)
    assert found.tags <= OURS
    assert not {name for name in found.attributes if name.startswith("on")} | (found.attributes & {"style", "src"})
    assert {link[0] for link in found.links} == {"#"}, "no link leads away"
    assert len(found.inside["script"]) == 2 and len(found.inside["style"]) == 1
    assert any(HOSTILE in row[0] for row in found.data["texts"]) and HOSTILE in found.data["names"]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', made)
    assert policy is not None
    script, style = (
        base64.b64encode(hashlib.sha256(found.inside[kind][-1].encode()).digest()).decode()
        for kind in ("script", "style")
    )
    assert policy[1] == (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; base-uri 'none'"
    ), "the one script that runs is ours, letter by letter"


def test_no_word_of_a_model_is_markup_in_markdown(tmp_path: Path) -> None:
    words = dict.fromkeys(("text", "lesson", "reason", "description"), HOSTILE)
    said = markdown(document(write_run(tmp_path / "a", labels=[HOSTILE, "b", "c"], **words)))
    found = Parsed(MarkdownIt("commonmark", {"html": True}).enable("table").render(said))
    assert not found.tags & {"script", "img", "svg", "style", "a"}
    assert "alert(3)" in said


@pytest.mark.parametrize("text", ["word", '<"\\\U0001f600 '])
def test_a_page_of_ten_thousand_texts_is_small_and_says_what_is_left_out(tmp_path: Path, text: str) -> None:
    made = page(write_run(tmp_path / "a", samples=10_000, tests=200, text=text))
    assert 700_000 < len(made.encode()) <= MOST
    shown = len(Parsed(made).data["texts"])
    assert f"{10_400 - shown:,} of 10,400 texts are left out here to keep the page small" in made


def test_the_page_stays_small_however_much_else_there_is(tmp_path: Path) -> None:
    """Six hundred labels with long names, a config of megabytes."""
    labels = [f"{'label ' * 20}{number}" for number in range(600)]
    made = page(write_run(tmp_path / "a", samples=6000, tests=1200, labels=labels, description="d" * 5000))
    assert len(made.encode()) <= MOST and "more rows are left out here" in made


def test_what_is_worth_a_look_comes_first(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", samples=300, tests=30)
    everything, nothing = packed(run, 10**6)
    assert nothing == "" and len(everything["texts"]) == 360
    (run.root / "map.jsonl").unlink()
    data, said = packed(run, 22_000)
    left_out = 360 - len(data["texts"])
    assert 0 < left_out < 340 and said.startswith(f"{left_out} of 360 texts are left out")

    def is_first(row: list[Any]) -> bool:
        """Wrong, of a lesson, or quarantined."""
        return bool(row[13] == 2 or row[10] or row[7] == everything["fates"].index("quarantined"))

    assert {is_first(row) for row in data["texts"]} == {True}
    assert len(json.dumps(data, separators=(",", ":")).encode()) <= 22_000


def test_the_map_is_a_fair_sample_where_not_all_texts_have_room(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a", samples=2000, tests=30)
    data, _ = packed(run, 100_000)
    mapped = [row for row in data["texts"] if row[14] >= 0]
    assert 150 < len(mapped) < len(data["texts"])
    wrong = sum(row[13] == 2 for row in mapped) / len(mapped)
    assert abs(wrong - 2 / 3) < 0.1, "as among all texts, of which two in three are wrong when they come"
    assert all(0 <= row[14] <= 1000 and 0 <= row[15] <= 1000 for row in mapped)


def test_a_run_keeps_its_page(tmp_path: Path) -> None:
    seen: list[bool] = []
    outcome = evokd.run(
        world.write(tmp_path),
        runs=tmp_path / "runs",
        cycles=1,
        show=lambda event: (
            seen.append((tmp_path / "runs" / "small" / "report.html").exists()) if "row" in event else None
        ),
    )
    assert seen == [False, True], "the events of two cycles, each shown before the page is written"
    made = (outcome.folder / "report.html").read_text(encoding="utf-8")
    assert "The student" in Parsed(made).inside["h2"][0] and "1 cycles are finished" not in made
    assert made == page(Run(outcome.folder)), "after the test set was scored it is written once more"


def test_a_page_that_cannot_be_written_harms_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: Run) -> str:
        raise ZeroDivisionError("no page today")

    monkeypatch.setattr("evokd.report.run.page.page", broken)
    with caplog.at_level(logging.WARNING):
        outcome = evokd.run(world.write(tmp_path), runs=tmp_path / "runs", cycles=1)
    assert outcome.how == "finished" and not (outcome.folder / "report.html").exists()
    assert "report.html could not be written (ZeroDivisionError: no page today). The run goes on." in caplog.text


def test_a_file_that_is_not_ours_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("<h1>my own report</h1>")
    with pytest.raises(ConfigError, match="is not a report that EvoKD made"):
        write_page(path, "new")
    assert path.read_text() == "<h1>my own report</h1>"


def marked(root: Path) -> Path:
    """A run that commands take."""
    run_marker(root).claim()
    write_run(root)
    return root


def test_the_command_writes_one_page_or_several_runs_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        marked(tmp_path / "runs" / name)
    assert main(["report", "a"]) == 0
    assert f"Wrote {Path('runs/a/report.html')} (" in capsys.readouterr().out
    assert main(["report", "a", "b", "--out", "both.html"]) == 0
    found = Parsed((tmp_path / "both.html").read_text(encoding="utf-8"))
    assert found.inside["h2"] == ["Side by side", "How they learnt", "Label by label", "What differs in their configs"]
    assert main(["report", "a", "b", "--markdown"]) == 0
    said = capsys.readouterr().out
    assert (
        "| a | test | 12 | 33.3 \\[23, 43\\] | 66.7 \\[57, 77\\] | +33.3 \\[+10.0, +50.0\\] | 4,000 | 1.00 USD | 2 |"
        in said
    )
    assert "| name | a | b |" in said
    assert main(["report", "nowhere"]) == 2


def test_a_run_without_a_test_set_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    for name in ("result.json", "scored.jsonl"):
        (run.root / name).unlink()
    found = page(Run(run.root))
    assert "The student is what it was so far: 50.0 % before, 70.0 % now" in found, "dev rows that do not change"
    assert "the test file is opened when the run has ended" in found
    (run.root / "config.toml").write_text("name = 'a'\n")
    (run.root / "cycles" / "000" / "held_out.jsonl").unlink()
    found = page(Run(run.root))
    assert "there is no test file; the dev file had a say" in found and "2 cycles are finished" in found


def test_calibration_and_abstention_are_shown_where_they_are(tmp_path: Path) -> None:
    run = write_run(tmp_path / "a")
    assert "Is it sure when it is right?" not in page(run)
    result = json.loads((run.root / "result.json").read_text())
    side = {"n": 10, "ece": 0.031, "brier": 0.2, "bins": [{"n": 10, "confidence": 0.6, "accuracy": 0.5}]}
    result["calibration"] = {
        "temperature": 1.5,
        "source": "dev",
        "n": 40,
        "before": {**side, "ece": 0.08},
        "after": side,
    }
    (run.root / "result.json").write_text(json.dumps(result))
    known = {"source": "dev", "confidences": [0.9] * 30 + [0.5] * 10, "right": [True] * 30 + [False] * 10}
    (run.best_folder / "confidence.json").write_text(json.dumps(known))
    found = page(Run(run.root))
    assert "Expected calibration error on the test set: 3.1 %; without the temperature of 1.50" in found
    section = reliability(Run(run.root))
    assert section is not None and section.tables[0].rows[2:] == [["5%", "75%"], ["10%", "80%"]]
