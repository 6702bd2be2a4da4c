"""The taxonomy: asked for once, and whatever the teacher says, every class is there."""

import re
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.base import Services
from evokd.agents.generator.taxonomy import ClassSubtypes, Subtype, ensure_taxonomy
from evokd.tasks.base import Example
from evokd.tasks.kinds.classification import Classification
from evokd.testing import ListMemory, world
from tests.agents.acting import sent

FACETS = list(world.VOCABULARY)


def listing(**classes: list[str]) -> Any:
    """A generator that lists these subtypes."""
    listed = {label: [{"name": name, "topics": ["t"]} for name in names] for label, names in classes.items()}
    said = {"classes": [{"label": label, "subtypes": subtypes} for label, subtypes in listed.items()]}
    return lambda prompt: said


def services(folder: Path, generator: Any, **changes: Any) -> Services:
    return world.services(folder, teacher=world.teacher(generator=generator), **changes)


def test_every_class_has_its_subtypes(tmp_path: Path) -> None:
    found = ensure_taxonomy(world.services(tmp_path), 1, FACETS, 3)
    assert list(found) == list(world.VOCABULARY)
    assert [each.name for each in found["food"]] == ["bread", "soup", "recipe"]


def test_it_is_asked_for_once_and_then_read(tmp_path: Path) -> None:
    there = services(tmp_path, listing(food=["recipes"]))
    first = ensure_taxonomy(there, 1, FACETS, 3)
    assert ensure_taxonomy(there, 4, FACETS, 8) == first and len(sent(there)) == 1


def test_wrong_names_missing_classes_and_double_ones(tmp_path: Path) -> None:
    found = ensure_taxonomy(services(tmp_path, listing(health=["fever"], food=[], sports=["a", "a"])), 1, FACETS, 3)
    assert found == {"sports": (Subtype(name="a", topics=("t",)),) * 2, "money": (), "science": (), "food": ()}


@pytest.mark.parametrize("answer", ["no", {"classes": []}, {"classes": [{"label": "food"}]}])
def test_a_failed_answer_leaves_classes_without_subtypes_and_is_asked_again(tmp_path: Path, answer: Any) -> None:
    there = services(tmp_path, lambda prompt: answer)
    assert ensure_taxonomy(there, 1, FACETS, 3) == {label: () for label in world.VOCABULARY}
    healed = services(tmp_path, listing(food=["recipes"]))
    assert [each.name for each in ensure_taxonomy(healed, 2, FACETS, 3)["food"]] == ["recipes"]


def test_many_classes_are_asked_for_in_several_calls(tmp_path: Path) -> None:
    task = Classification("d", {f"label {number}": "" for number in range(20)})
    there = services(tmp_path, listing(**{"label 3": ["a"]}), task=task, memory=ListMemory())
    found = ensure_taxonomy(there, 1, list(task.labels), 3)
    assert len(sent(there)) == 3 and len(found) == 20 and found["label 3"]


def test_a_call_shows_the_examples_of_its_own_classes_and_names_are_read_loosely(tmp_path: Path) -> None:
    labels = [*(f"label {number}" for number in range(16)), "Really?"]
    task = Classification("d", dict.fromkeys(labels, ""))
    there = services(tmp_path, listing(really=["a"], label_3=["b"]), task=task, memory=ListMemory())
    there.memory.remember([Example(text=f"text of {label}.", label=label, split="seed") for label in labels])
    found = ensure_taxonomy(there, 1, labels, 3)
    assert [len(re.findall(r"^- text of ", said, re.MULTILINE)) for said in sent(there)] == [8, 8, 1]
    assert [each.name for each in found["Really?"]] == ["a"] and [each.name for each in found["label 3"]] == ["b"]


def test_odd_names_survive_the_file(tmp_path: Path) -> None:
    names = ['quoted "name"', "line\u2028separator", "next\x85line", "体育"]
    there = services(tmp_path, listing(food=names))
    lines = [" ".join(name.split()) for name in names]
    assert [each.name for each in ensure_taxonomy(there, 1, FACETS, 3)["food"]] == lines
    assert [each.name for each in ensure_taxonomy(there, 1, FACETS, 3)["food"]] == lines
    assert len(there.folder.read_rows(tmp_path / "taxonomy.jsonl", ClassSubtypes)) == 1


def test_the_held_out_texts_are_not_shown(tmp_path: Path) -> None:
    there = services(tmp_path, listing(food=["a"]))
    ensure_taxonomy(there, 1, FACETS, 3)
    assert all(seed in sent(there)[0] for seed in world.SEEDS.values())
    assert not any(example.text in sent(there)[0] for example in there.memory.samples("dev"))
