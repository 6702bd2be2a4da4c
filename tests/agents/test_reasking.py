"""Asking again: only where the champion is sure of something else, anew, and kept by a majority alone."""

import random
from pathlib import Path
from typing import Any

import pytest

from agents.annotator import Annotator
from agents.base import Draft, Services, State
from agents.folder import RunFolder
from agents.reasking import CONTRADICTED
from tasks.base import Example
from tasks.errors import ConfigError
from tasks.multilabel import MultiLabel
from tasks.ner import Ner
from tests import world
from tests.agents.acting import after_seeds, sent, settled, train, write_drafts
from tests.fake_student import WordLabelsStudent, WordSpansStudent, WordStudents
from tests.fakes import ListMemory, ScriptedTeacher

SURE = "the team won the match"
"""The champion knows these words as sports."""

TEXTS = [f"{SURE} again", "goal league", "loan bank"]


def slips(*later: str) -> Any:
    """A teacher who calls the first text money in both first answers, and what is given in those after a pause."""

    def say(prompt: Any) -> Any:
        said = world.annotator(prompt)["labels"]
        told = "money" if prompt.sample < 2 else later[prompt.sample - 3]
        return {"labels": [{**each, "label": told} if is_first(prompt, each["id"]) else each for each in said]}

    return say


def is_first(prompt: Any, number: int) -> bool:
    return f"[{number}] {TEXTS[0]}" in prompt.body[0]["content"]


def labelled(
    folder: Path, say: Any, annotator: Annotator | None = None, split: Any = "train", **changes: Any
) -> tuple[State, Services]:
    """The annotator's update in cycle 1, with a champion that has read a little."""
    services = world.services(folder, teacher=world.teacher(annotator=say))
    train(services, [(SURE, "sports"), (f"{SURE} today", "sports"), ("a loan of the bank", "money")])
    state = after_seeds(services, cycle=1)
    drafts = [Draft(text=text, stance="typical", split=split, **changes) for text in TEXTS]
    write_drafts(services, drafts)
    return settled(annotator or Annotator(reask=0.8), state, services), services


def kept(update: State, services: Services) -> dict[str, Any]:
    return {example.text: example.label for example in services.memory.get(update["batch"])}


def test_only_what_the_champion_contradicts_is_asked_again(tmp_path: Path) -> None:
    update, services = labelled(tmp_path, slips("sports", "sports"))
    first, again = sent(services, "annotator")[:2], sent(services, "annotator")[2:4]
    assert all(text in said for said in first for text in TEXTS)
    assert all(TEXTS[0] in said and TEXTS[1] not in said for said in again)
    samples = [prompt.sample for role, prompt in services.teacher.asked if role == "annotator"]  # type: ignore[attr-defined]
    assert samples[:4] == [0, 1, 3, 4], "other samples, so that no cache answers"
    assert update["counts"]["asked again"] == 1


@pytest.mark.parametrize(
    ("later", "label", "counts"),
    [
        (("sports", "sports"), "sports", {"asked again": 1, "relabelled": 1, "accepted": 3}),
        (("money", "sports"), "money", {"asked again": 1, "accepted": 3}),
        (("food", "sports"), None, {"asked again": 1, "accepted": 2, "quarantined: contradicted": 1}),
        (("money", "drop"), None, {"asked again": 1, "accepted": 2, "quarantined: dropped by the teacher": 1}),
    ],
)
def test_the_majority_decides_or_nobody(tmp_path: Path, later: Any, label: Any, counts: dict[str, int]) -> None:
    update, services = labelled(tmp_path, slips(*later))
    assert kept(update, services).get(TEXTS[0]) == label
    told = ("asked", "relabelled", "accepted", "quarantined")
    assert {name: n for name, n in update["counts"].items() if name.startswith(told)} == counts
    if counts.get("quarantined: contradicted"):
        assert list(services.memory.reasons("quarantined").values()) == [CONTRADICTED]


def test_what_was_said_stays_with_the_example(tmp_path: Path) -> None:
    update, services = labelled(tmp_path, slips("sports", "sports"))
    origin = next(e for e in services.memory.get(update["batch"]) if e.text == TEXTS[0]).origin
    assert origin.votes == {"money": 1, "sports": 2} and origin.confidence == pytest.approx(2 / 3)


@pytest.mark.parametrize("reask", [None, 1.0])
def test_a_champion_that_is_not_that_sure_changes_nothing(tmp_path: Path, reask: float | None) -> None:
    update, services = labelled(tmp_path, slips(), Annotator(reask=reask))
    assert kept(update, services)[TEXTS[0]] == "money" and "asked again" not in update["counts"]


def test_the_gate_is_left_alone(tmp_path: Path) -> None:
    update, _ = labelled(tmp_path, slips(), split="gate")
    assert "asked again" not in update["counts"] and update["counts"]["set aside as gate"] == 3


def test_labels_written_with_the_text_are_heard_too(tmp_path: Path) -> None:
    update, services = labelled(tmp_path, slips("sports", "sports"), label="money")
    assert kept(update, services)[TEXTS[0]] == "sports"
    assert update["counts"]["asked again"] >= 1 and all(TEXTS[0] in said for said in sent(services, "annotator")[:2])


@pytest.mark.parametrize("kind", ["several labels", "entities"])
def test_other_kinds_of_labels(tmp_path: Path, kind: str) -> None:
    if kind == "entities":
        task: Any = Ner("Find things.", dict.fromkeys(["A", "B"], ""))
        students, seed, fresh, wrong = WordStudents(["A", "B"], WordSpansStudent), "A Rome", "Rome", "B Rome"
    else:
        task = MultiLabel("What is it about?", dict.fromkeys(["A", "B"], ""))
        students, seed, fresh, wrong = WordStudents(["A", "B"], WordLabelsStudent), "A", "Rome", "B"
    right = task.read("Rome", seed).label

    def say(prompt: Any) -> Any:
        return {"labels": [{"id": 1, "label": wrong if prompt.sample < 2 else seed}]}

    teacher = ScriptedTeacher({"annotator": say})
    services = Services(task, ListMemory(), students, teacher, RunFolder(tmp_path))
    student = students.new(0)
    student.fit([Example(text="Rome", label=right)] * 30)
    student.save(services.folder.student(0))
    write_drafts(services, [Draft(text=fresh, stance="typical")])
    state = world.state(cycle=1, champion="students/cycle-000")
    update = settled(Annotator(reask=0.7), state, services)
    assert [example.label for example in services.memory.get(update["batch"])] == [right]
    assert (update["counts"]["asked again"], update["counts"]["relabelled"]) == (1, 1)


def test_what_is_rated_is_not_asked_again(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reask goes with method = 'vote'"):
        Annotator(method="rate", reask=0.9)
    plain = world.services(tmp_path, teacher=ScriptedTeacher({}, prompting="plain"))
    write_drafts(plain, [Draft(text=TEXTS[0], stance="typical")])
    with pytest.raises(ConfigError, match=r"reask = 0\.9 needs votes, .*method = 'vote'"):
        Annotator(reask=0.9)(world.state(cycle=1), plain)
    Annotator(reask=0.9, method="vote").check("plain")
    Annotator().check("plain")


def test_all_are_asked_again_at_once(tmp_path: Path) -> None:
    """Many contradicted texts share calls, as all texts do."""
    dice = random.Random(3)
    texts = [f"{SURE} {world.make_text('sports', dice)}" for _ in range(30)]

    def say(prompt: Any) -> Any:
        said = world.annotator(prompt)["labels"]
        return {"labels": [{**each, "label": "money"} for each in said]} if prompt.sample < 2 else {"labels": said}

    services = world.services(tmp_path, teacher=world.teacher(annotator=say))
    train(services, [(SURE, "sports"), (f"{SURE} today", "sports")])
    state = after_seeds(services, cycle=1)
    write_drafts(services, [Draft(text=text, stance="typical") for text in texts])
    update = Annotator(reask=0.8)(state, services)
    assert update["counts"]["asked again"] == update["counts"]["relabelled"] > 20
    assert len(sent(services, "annotator")) == 8
