"""The report of a comparison as files, and labels that try to be more than text."""

import csv
import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from evokd.report.compare.pages import write_report
from evokd.report.compare.sections import document
from tests.report.comparisons import call, cell, listed, right, row, sample

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "![x](http://evil.example/x.png)",
    "[click](javascript:alert(1))",
    "a | b \\| c\n| d |",
    "`<b>`",
    '=HYPERLINK("http://evil.example")',
    "+1",
    "@SUM(A1)",
    "-2",
    "$\\frac{1}{0}$",
    "&lt;i&gt;",
)


class Elements(HTMLParser):
    """Names of all elements, and the texts of all cells of tables."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self._within = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in ("td", "th"):
            self.cells.append("")
        self._within = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.cells[-1] += data


def hostile(root: Path) -> None:
    verdicts = [(name, HOSTILE[0], name) for name in HOSTILE]
    cell(root, "t.static.kall.s0", verdicts, samples=[sample(name, name) for name in HOSTILE])
    listed(root, "t.static.kall.s0")


def test_a_hostile_label_is_text_in_html(tmp_path: Path) -> None:
    hostile(tmp_path)
    write_report(tmp_path)
    found = Elements((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert not found.names & {"img", "i", "b"}
    assert not {each for each in found.attributes if each.startswith("on")}
    assert set(HOSTILE) <= set(found.cells)


def test_a_hostile_label_is_text_in_markdown(tmp_path: Path) -> None:
    hostile(tmp_path)
    write_report(tmp_path)
    said = (tmp_path / "report.md").read_text(encoding="utf-8")
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(said)
    found = Elements(page)
    assert not found.names & {"script", "img", "a", "i", "b", "code"}
    assert {" ".join(name.split()) for name in HOSTILE} <= set(found.cells)


def test_a_hostile_label_is_text_in_a_spreadsheet(tmp_path: Path) -> None:
    hostile(tmp_path)
    write_report(tmp_path)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "labels.csv").read_text(encoding="utf-8"))))
    named = {each["label"] for each in rows}
    assert {f"'{name}" if name[0] in "=+@-" else name for name in HOSTILE} == named


def small(root: Path) -> None:
    """Three seeds of two variants, the second better by 4/8, 3/8 and 5/8; one cell failed, one waits."""
    verdicts = {"static": [(0,), (0,), (0,)], "gated": [(0, 1, 2, 3, 4), (0, 1, 2, 3), (0, 1, 2, 3, 4, 5)]}
    for variant, each in verdicts.items():
        for seed, which in enumerate(each):
            calls = [call(f"{variant}{seed}", 1, 1_500)]
            learnt = [sample("x", "a"), sample("y", "b")]
            metrics = [row(0, 0.1), row(1, 0.6)]
            name = f"t.{variant}.k1.s{seed}"
            cell(root, name, right(*which), ledger=calls, samples=learnt, metrics=metrics)
    cell(root, "t.static.kall.s0", how="failed")
    names = [f"t.{variant}.k1.s{seed}" for seed in range(3) for variant in verdicts]
    listed(root, *names, "t.static.kall.s0", "t.gated.kall.s0")
    (root / "gold").mkdir()
    (root / "gold" / "t.jsonl").write_text('{"id": "x", "label": "a"}\n{"id": "y", "label": "a"}\n')


def test_the_tables_say_it_all(tmp_path: Path) -> None:
    """The differences 4, 3 and 5 of 8: mean .5, deviation .125, half = 4.30265 * .125 / sqrt(3) = .3105."""
    small(tmp_path)
    shown = write_report(tmp_path)
    said = (tmp_path / "report.md").read_text(encoding="utf-8").replace("\\", "")
    assert "| static | 12.5 ± 0.0 | 3 | 8 | - | - | - | 1,500 | 0.0100 | 2 |" in said
    assert "| gated | 62.5 ± 12.5 | 3 | 8 | +50.0 [+18.9, +81.1] (n = 3) |" in said
    assert "3 / 0 / 0 (3 / 0 clear)" in said
    assert "gated is better than static: +50.0 points over 3 seeds [+18.9, +81.1]." in said
    assert "6 of 8 cells are finished. The baseline is static." in said
    assert "1 cells failed and are left out of the tables: t.static.kall.s0." in said
    assert "Metric: accuracy. Paid in these cells: 9,000 tokens." in said
    assert "A student of the seeds alone has 0.0." in said
    assert "On dev at equal teacher tokens (the last cycle within 1,500; the 3 seeds that all of them have " in said
    assert "finished): static 60.0, gated 60.0." in said
    assert "| gated | 50.0 | [18.8, 81.2] | 6 |" in said, "label noise"
    assert "## t, all seed rows\n\nNo cell is finished yet." in said and "| gated | - | 0 of 1 |" in said
    assert "t, shots per label: 1\nvariant  score" in shown and str(tmp_path / "report.html") in shown


def test_the_csv_files_hold_every_cell_and_every_point(tmp_path: Path) -> None:
    small(tmp_path)
    write_report(tmp_path)
    cells, curves = (
        list(csv.DictReader(io.StringIO((tmp_path / f"{name}.csv").read_text()))) for name in ("cells", "curves")
    )
    assert [each["state"] for each in cells] == ["finished"] * 6 + ["failed", "waiting"]
    best = next(each for each in cells if (each["variant"], each["seed"]) == ("gated", "2"))
    assert (best["score"], best["tokens"], best["paid_usd"], best["samples"]) == ("0.75", "1500", "0.01", "2")
    assert cells[-1]["score"] == "" and len(curves) == 12
    assert (curves[1]["cycle"], curves[1]["score"], curves[1]["samples"]) == ("1", "0.6", "2")


def test_without_matplotlib_the_page_says_what_is_missing(tmp_path: Path) -> None:
    small(tmp_path)
    write_report(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "pip install &#x27;evokd[plots]&#x27;" in page and "<svg" not in page


@pytest.mark.usefixtures("charts")
def test_the_page_has_charts_and_needs_nothing_else(tmp_path: Path) -> None:
    small(tmp_path)
    write_report(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<svg") == page.count("</svg>") == 5
    for axis in ("teacher tokens", "USD", "samples learnt", "F1 gained, points"):
        assert axis in page
    found = Elements(page)
    assert not found.names & {"link", "img", "iframe"} and "style" not in found.attributes


@pytest.mark.parametrize(
    ("won", "said"),
    [
        ([3, 4], "gated against static: +43.8 points over 2 seeds, too few seeds to tell (at least 3 are needed)."),
        ([0, 4, 0], "gated and static cannot be told apart: +16.7 points over 3 seeds [-55.0, +88.4]."),
    ],
)
def test_a_sentence_says_whether_there_is_a_winner(won: list[int], said: str, tmp_path: Path) -> None:
    names = []
    for seed, more in enumerate(won):
        cell(tmp_path, f"t.static.kall.s{seed}", right())
        cell(tmp_path, f"t.gated.kall.s{seed}", right(*range(more)))
        names += [f"t.static.kall.s{seed}", f"t.gated.kall.s{seed}"]
    notes = [note for section in document(listed(tmp_path, *names)).sections for note in section.notes]
    assert said in notes
