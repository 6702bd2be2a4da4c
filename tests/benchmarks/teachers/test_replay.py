"""The recorded teacher: read in the words its files were made with, and played in their order."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.teachers.replay import Recording, Replay
from evokd.tasks.base import Span
from evokd.tasks.kinds.ner import Ner
from evokd.testing import world

LESSONS = {"a match that costs": "A price makes no text one about money.", "a dish": "A dish is food."}


def recorded(text: str, label: str, cycle: int, stance: str, lesson: str | None = None) -> dict[str, Any]:
    """A row with the keys of the published recording, which are not renamed when the code's words are."""
    return {"text": text, "label": label, "cycle": cycle, "stance": stance, "lesson": lesson}


def write(folder: Path, static: list[Any], evolving: list[Any], lessons: Any) -> Path:
    for name, rows in (("A", static), ("B", evolving)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "lessons.json").write_text(json.dumps(lessons))
    return folder


@pytest.fixture
def replay(tmp_path: Path) -> Replay:
    first, second = LESSONS
    static = [
        recorded("the bank raised a loan", "money", 1, "static"),
        recorded("a soup", "food", 1, "static"),
        recorded("a loan and a debt", "money", 1, "static"),
    ]
    evolving = [
        recorded("the bank raised a loan", "money", 1, "start"),
        recorded("a match for the price of a loan", "sports", 2, "hard", first),
        recorded("the referee and the coach", "sports", 2, "easy", first),
        recorded("the chef and his salary", "food", 2, "hard", second),
        recorded("bread and butter", "food", 2, "easy"),
    ]
    return Replay(
        Recording.read(write(tmp_path, static, evolving, [{"for_batch": 2, "lessons": LESSONS}]), world.task())
    )


def ask(replay: Replay, seed: int = 0, **about: Any) -> Any:
    body = {"messages": [{"role": "user", "content": json.dumps(about)}], "seed": seed}
    return json.loads(replay.answer({**body, "about": about}))


def texts(answer: Any, kind: str) -> list[str]:
    return [each["text"] for each in answer[kind]]


def test_plain_texts_come_in_their_order_and_once(replay: Replay) -> None:
    order = {"purpose": "breadth", "target_class": "money", "count": 1}
    given = [texts(ask(replay, seed, **order), "texts") for seed in (1, 2, 3)]
    assert given == [["the bank raised a loan"], ["a loan and a debt"], []]


def test_a_lesson_gets_its_own_hard_texts_and_its_share_of_the_easy_ones(replay: Replay) -> None:
    first, second = LESSONS
    assert [each["name"] for each in ask(replay, purpose="analysis")["lessons"]] == [first, second]
    one, other = (ask(replay, purpose="lesson", lesson_name=name) for name in (first, second))
    assert (texts(one, "hard"), texts(one, "typical")) == (
        ["a match for the price of a loan"],
        ["the referee and the coach"],
    )
    assert (texts(other, "hard"), texts(other, "typical")) == (["the chef and his salary"], ["bread and butter"])


def test_labels_are_those_recorded_and_other_texts_are_dropped(replay: Replay) -> None:
    asked = ("a  soup", "nobody wrote this", "a loan and a debt")
    said = ask(replay, purpose="labels", texts=[{"id": n, "text": text} for n, text in enumerate(asked, start=1)])
    assert [each["label"] for each in said["labels"]] == ["food", "drop", "money"]


def test_entities_are_read_from_tokens_and_tags(tmp_path: Path) -> None:
    row = {"tokens": ["Anna", "sings"], "tags": ["B-PER", "O"], "cycle": 0, "stance": "static", "lesson": None}
    found = Recording.read(write(tmp_path, [row], [], []), Ner("Who?", {"PER": "a person"}))
    assert [(each.text, each.label) for each in found.static] == [("Anna sings", (Span(start=0, end=4, type="PER"),))]
