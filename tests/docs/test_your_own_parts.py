"""Every block of docs/your-own-parts.md is run: the classes from files, the configs as they stand."""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.comparison.spec import overlaid
from evokd.graph.config.run_config import RunConfig, agents, stop_rule, validate
from evokd.graph.prediction import open_student
from evokd.graph.run import drive
from evokd.graph.setup.create import create, read_config
from evokd.graph.setup.services import make_task, open_services
from evokd.memory.run_folder import RunFolder
from evokd.testing.loopback import Body, Said, chat, serving
from tests import parts

PAGE = (parts.ROOT / "docs" / "your-own-parts.md").read_text(encoding="utf-8")
PYTHON, TOML = (re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S) for language in ("python", "toml"))


def answer(body: Body) -> Said:
    """The world's teacher, with a word for the critic, who lets all texts but the first pass."""
    if body["response_format"]["json_schema"]["name"] != "Verdicts":
        return parts.answer(body)
    count = len(re.findall(r"^\[\d+\]", body["messages"][-1]["content"], re.M))
    return chat(json.dumps({"natural": [number > 0 for number in range(count)]}))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the user's with all classes of the page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    names = [block.split("\n")[0].removeprefix("# ") for block in PYTHON]
    for name, block in zip(names, PYTHON, strict=True):
        (tmp_path / name).write_text(block, encoding="utf-8")
    yield tmp_path
    for name in names:
        sys.modules.pop(name.removesuffix(".py"), None)


def said(folder: Path, url: str, *sections: str) -> RunConfig:
    """A small run's config with the blocks of the page that have these sections."""
    parts.write(folder, url)
    raw: dict[str, Any] = parts.config(url)
    del raw["stop"]
    for block in map(tomllib.loads, TOML):
        if any(section in block for section in sections):
            raw = overlaid(raw, block, "the page")
    return validate(raw, "the page", trusted=True)


def test_a_run_with_role_stop_rule_student_and_memory_of_the_page(here: Path) -> None:
    with serving(answer) as server:
        config = said(here, server.url, "order", "stop", "student")
        folder = RunFolder(here / "runs" / "small")
        config = create(config, here, folder)
        outcome = drive(config, folder, lambda event: None)
    assert (outcome.how, outcome.why) == ("finished", "1 batches were kept")
    first = folder.cycle(1)
    assert len(parts.rows(first / "drafts_before_critic.jsonl")) == len(parts.rows(first / "drafts.jsonl")) + 1
    flags = ("centroids:Centroids",)
    by_run = open_student("small", here / "runs", flags).student.predict(["soup with bread", "the bank raised a loan"])
    assert [each.label for each in by_run] == ["food", "money"]
    alone = (folder.root / "best").resolve().rename(here / "alone")
    assert open_student(str(alone), here / "runs", flags).student.predict(["soup with bread"])[0] == by_run[0]
    assert read_config(folder).student.settings == {"sharpness": 12.0}
    assert vars(agents(config)["critic"]) == {"most": 60} and vars(stop_rule(config)) == {"batches": 1}


def test_task_memory_and_teacher_of_the_page(here: Path) -> None:
    block = next(block for block in map(tomllib.loads, TOML) if "task" in block)
    raw = {"name": "stars", "data": {"seeds": "seeds.jsonl"}, **block}
    for part in map(tomllib.loads, TOML):
        raw |= {name: part[name] for name in ("memory", "teacher", "student") if name in part and "order" not in part}
    rows = [
        {"text": f"{word} film", "label": str(n)} for n, word in enumerate(["bad", "poor", "fair", "good", "superb"], 1)
    ]
    (here / "seeds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    config, folder = validate(raw, "the page", trusted=True), RunFolder(here / "run")
    config = create(config, here, folder)
    task = make_task(config.task)
    assert (task.points("2", "3"), task.points("2", "4"), task.metric) == ((1.0, 1.0), (0.0, 1.0), "near")
    with open_services(config, folder) as services:
        memory, teacher = vars(services.memory), vars(services.teacher)
        assert (memory["newest"], teacher["style"], services.teacher.model("x")) == (500, "terse", "mine")
        student = services.students.new(0)
        student.fit(services.memory.samples("seed"))
        scores = services.task.score([row["label"] for row in rows], student.predict([row["text"] for row in rows]))
        assert scores["near"] == 1.0


def test_every_block_is_a_class_a_config_or_an_entry_point() -> None:
    assert len(PYTHON) == 6 and len(TOML) == 7
    assert "project" in tomllib.loads(TOML[0])
