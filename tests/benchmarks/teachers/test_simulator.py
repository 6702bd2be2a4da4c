"""The simulated teacher: drawn by what is asked, nothing twice, and wrong as often as it was told to be."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.teachers.replay import texts_in
from benchmarks.teachers.simulator import Simulator
from evokd.agents.prompting import About, Labelled, Numbered
from evokd.tasks.base import Span
from evokd.tasks.kinds.ner import Ner
from evokd.testing import world
from evokd.testing.loopback import chat, serving
from tests import parts


def train_file(folder: Path, each: int = 40) -> Path:
    rng = random.Random(0)
    rows = [{"text": world.make_text(label, rng), "label": label} for label in world.VOCABULARY for _ in range(each)]
    path = folder / "train.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def asked(about: About, seed: int = 0) -> dict[str, Any]:
    """A request; its words are of no account, and tell it from others."""
    return {"messages": [{"role": "user", "content": str(about)}], "seed": seed, "about": about}


def labels_of(*texts: str) -> About:
    numbered = [Numbered(id=number, text=text) for number, text in enumerate(texts, start=1)]
    return About(purpose="labels", count=len(texts), texts=numbered)


BREADTH = About(purpose="breadth", count=15, target_class="sports", subtypes=[])
CASES = [
    Labelled(text="the match and the stadium", label="sports", said="money"),
    Labelled(text="the league", label="sports", said="money"),
    Labelled(text="a bank", label="money", said="food"),
]
ANALYSIS = About(purpose="analysis", count=2, cases=CASES)
LESSON = About(
    purpose="lesson", count=7, counts={"hard": 4, "typical": 3}, lesson_name="sports taken for money", cases=CASES[:2]
)


def test_typical_texts_are_of_the_class_and_given_once(tmp_path: Path) -> None:
    teacher = Simulator.read(train_file(tmp_path), world.task())
    first, second = (json.loads(teacher.answer(asked(BREADTH, n)))["texts"] for n in (1, 2))
    texts = [each["text"] for each in (*first, *second)]
    assert len(set(texts)) == 30 and {world.true_label(text) for text in texts} == {"sports"}
    again = json.loads(teacher.answer(asked(BREADTH, 1)))["texts"]
    assert again == first, "asked again after a kill: the same answer"
    assert len(json.loads(teacher.answer(asked(BREADTH, 3)))["texts"]) == 10


def test_a_trial_that_goes_on_gets_no_text_twice(tmp_path: Path) -> None:
    file, requests = train_file(tmp_path), [asked(BREADTH, n) for n in (1, 2)]
    before = Simulator.read(file, world.task())
    said = [before.answer(request) for request in (asked(ANALYSIS), asked(LESSON), requests[0])]
    fresh, resumed = Simulator.read(file, world.task()), Simulator.read(file, world.task())
    resumed.resume(said)
    had = {text for answer in said for text in texts_in(json.loads(answer))}
    assert len(had) == 22 and had & set(texts_in(json.loads(fresh.answer(requests[1]))))
    assert resumed.answer(requests[1]) == before.answer(requests[1]) and not had & set(
        texts_in(json.loads(resumed.answer(requests[1])))
    )


def test_lessons_cite_cases_and_their_texts_are_near_them(tmp_path: Path) -> None:
    teacher = Simulator.read(train_file(tmp_path), world.task())
    analysis = json.loads(teacher.answer(asked(ANALYSIS)))
    assert [(each["name"], each["cases"]) for each in analysis["lessons"]] == [
        ("sports taken for money", [1, 2]), ("money taken for food", [3]),
    ]  # fmt: skip
    written = json.loads(teacher.answer(asked(LESSON)))
    assert len(written["hard"]) == 4 and len(written["typical"]) == 3 and written["probe"] == []
    assert all({"match", "stadium", "league"} & set(each["text"].split()) for each in written["hard"])
    assert {world.true_label(each["text"]) for each in written["typical"]} <= {"sports", "money"}


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_labels_are_wrong_as_often_as_told_and_the_same_each_time(tmp_path: Path, noise: float) -> None:
    path = train_file(tmp_path, 100)
    teacher = Simulator.read(path, world.task(), noise, seed=1)
    texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
    listed = labels_of(*texts)
    said = json.loads(teacher.answer(asked(listed)))["labels"]
    wrong = sum(each["label"] != world.true_label(text) for each, text in zip(said, texts, strict=True)) / len(texts)
    assert noise - 0.06 <= wrong <= noise + 0.06
    assert json.loads(teacher.answer(asked(listed, 9)))["labels"] == said
    assert json.loads(teacher.answer(asked(labels_of("never seen"))))["labels"] == [{"id": 1, "label": "drop"}]


def test_entities_lose_a_span_or_its_type(tmp_path: Path) -> None:
    task = Ner("names", {"PER": "", "LOC": ""})
    rows = [
        {"text": f"Ann{n} went to Oslo", "spans": [{"start": 0, "end": len(f"Ann{n}"), "type": "PER"}]}
        for n in range(60)
    ]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    teacher = Simulator.read(tmp_path / "train.jsonl", task, noise=1.0)
    listed = labels_of(*(str(row["text"]) for row in rows))
    said = {each["label"].split()[0] for each in json.loads(teacher.answer(asked(listed)))["labels"]}
    assert said == {"none", "LOC"}
    assert all(isinstance(span, Span) for row in teacher.recording.static for span in row.label)


@pytest.mark.slow
def test_a_whole_run_learns_from_it(tmp_path: Path) -> None:
    teacher = Simulator.read(train_file(tmp_path, 100), world.task())
    with serving(lambda body: chat(teacher.answer(body))) as running:
        process = parts.start("run", parts.write(tmp_path, running.url), "--runs", tmp_path)
        _, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    first, *_, last = parts.rows(tmp_path / "small" / "metrics.jsonl")
    assert last["batch_kind"] == "lessons" and last["stats"]["drafted"] > 0
    assert last["scores"]["dev"]["value"] > first["scores"]["dev"]["value"]
    assert set(teacher.calls.values()) == {1}
