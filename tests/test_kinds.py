"""The whole loop for the other task kinds on fakes: entities and several labels, through the same agents and graph."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.annotator.agent import Annotator
from evokd.agents.annotator.voting import label_by_votes
from evokd.agents.base import Services, State
from evokd.agents.evaluator.agent import Evaluator
from evokd.agents.generator.agent import Generator
from evokd.agents.trainer.agent import Trainer
from evokd.memory.base import MemorySettings
from evokd.memory.run_folder import RunFolder
from evokd.tasks.base import Example, Span
from evokd.tasks.data.reading import read_examples
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner
from evokd.tasks.task import Task
from evokd.teacher.base import Prompt
from evokd.testing import (
    ListMemory,
    ScriptedTeacher,
    WordLabelsStudent,
    WordSpansStudent,
    WordStudents,
    settled,
    step,
    words,
)
from evokd.testing.world import state as world_state
from tests.test_cycle import rows, run

NAMES = {
    "PER": ["Ann Lee", "Bo Ek", "Cy Moss", "Dee", "Eli Roth", "Fay Orr", "Gus", "Hal Dunn", "Ida Voss", "Jo Kent"],
    "LOC": ["Oslo", "New Bern", "Lima", "Bath", "Cork", "Riga", "Turin", "Sofia", "Nice", "Graz"],
}
FRAMES = ["{PER} went to {LOC}", "in {LOC} it rained on {PER}", "{PER} and {PER} met", "the way to {LOC} was long"]
EMPTY = ["nothing happened at all", "it rained again on the road", "they met and went on", "the long way was quiet"]


def sentence(rng: random.Random) -> str:
    """A sentence of the world, one in five without a name."""
    if rng.random() < 0.2:
        return f"{rng.choice(EMPTY)} {rng.randrange(1000)}"
    frame = re.sub(r"\{(\w+)\}", lambda match: rng.choice(NAMES[match[1]]), rng.choice(FRAMES))
    return f"{frame} {rng.randrange(1000)}"


def quotes(text: str) -> list[dict[str, str]]:
    """What is there, each mention once."""
    return [
        {"type": kind, "text": name} for kind, names in NAMES.items() for name in names for _ in range(text.count(name))
    ]


def spoken(prompt: Prompt, label: Any, text: Any) -> dict[str, Any]:
    """The teacher: writes texts, labels numbered ones, has one guideline and one lesson."""
    about, rng = prompt.about, random.Random(f"{prompt.sample} {words(prompt)}")
    if about["purpose"] == "guidelines":
        return {"conventions": [{"pattern": "a town in a row", "seed": None, "text": "Oslo 3", "label": []}]}
    if about["purpose"] == "taxonomy":
        return {"classes": [{"label": "LOC", "subtypes": [{"name": "towns", "topics": []}]}]}
    if about["purpose"] == "lesson":
        return {source: [{"text": text(rng)} for _ in range(count)] for source, count in about["counts"].items()}
    if about["purpose"] == "breadth":
        return {"texts": [{"text": text(rng)} for _ in range(about["count"])]}
    if about["purpose"] == "analysis":
        lesson = {"name": "names", "pattern": "p", "advice": "a", "cases": [1], "assumes": None}
        return {"lessons": [lesson], "probe": None}
    if about["purpose"] == "rewrite":
        return {"texts": []}
    return {"labels": [{"id": each["id"], "label": label(each["text"])} for each in about["texts"]]}


def services(folder: Path, task: Task, student: Any, label: Any, text: Any, seeds: list[str]) -> Services:
    """Services on fakes with these seeds and a dev set of sixty texts."""
    memory = ListMemory(settings=MemorySettings(duplicate_cosine=0.9999))
    rng = random.Random(3)
    for split, texts in (("seed", seeds), ("dev", [text(rng) for _ in range(60)])):
        for each in texts:
            memory.remember([Example(text=each, label=task.gold(each, label(each)), split=split)])  # type: ignore[arg-type]
    roles = dict.fromkeys(("generator", "analyst", "annotator"), lambda prompt: spoken(prompt, label, text))
    students = WordStudents(list(task.labels), student)
    return Services(
        task=task, memory=memory, students=students, teacher=ScriptedTeacher(roles), folder=RunFolder(folder)
    )


def entities(folder: Path) -> Services:
    task = Ner("Find names.", {"PER": "people", "LOC": "places"})
    seeds = ["Ann Lee went to Oslo 1", "in Lima it rained on Dee 2", EMPTY[0]]
    return services(folder, task, WordSpansStudent, quotes, sentence, seeds)


TOPICS = {"price": ["cheap", "costly", "fee"], "speed": ["slow", "fast", "lag"], "bugs": ["crash", "error", "freeze"]}


def topics(text: str) -> list[str]:
    return [name for name, its in TOPICS.items() if set(its) & set(text.split())]


def review(rng: random.Random) -> str:
    """A review with the words of none, one or two topics."""
    chosen = rng.sample(list(TOPICS), rng.choice([0, 1, 1, 2]))
    return " ".join([*(rng.choice(TOPICS[name]) for name in chosen), f"it{rng.randrange(10_000)}"])


def reviews(folder: Path) -> Services:
    seeds = ["cheap it1", "slow and crash it2", "it3"]
    task = MultiLabel("What a review is about.", dict.fromkeys(TOPICS, ""))
    return services(folder, task, WordLabelsStudent, topics, review, seeds)


@pytest.mark.parametrize("world", [entities, reviews])
def test_the_student_gets_better_than_the_seeds(tmp_path: Path, world: Any) -> None:
    there = world(tmp_path)
    state = run(there)
    first, *_, last = rows(state)
    assert last["scores"]["dev"]["value"] > first["scores"]["dev"]["value"] + 0.1
    assert [row["batch_kind"] for row in rows(state)] == ["seed", "breadth", "lessons", "breadth"]
    assert json.loads(json.dumps(state["history"])) == state["history"]


@pytest.mark.parametrize("world", [entities, reviews])
def test_labels_survive_memory_and_the_exported_file(tmp_path: Path, world: Any) -> None:
    there = world(tmp_path)
    run(there)
    lines = (tmp_path / "samples.jsonl").read_text().splitlines()
    for row in map(json.loads, lines):
        example = Example.model_validate({key: value for key, value in row.items() if key not in ("status", "reason")})
        found = [each for each in there.memory.samples(example.split, row["status"]) if each.id == example.id]
        assert [each.label for each in found] == [example.label]


def test_what_is_learnt_is_written_in_conlls_form_too(tmp_path: Path) -> None:
    there = entities(tmp_path)
    run(there)
    found = read_examples("samples.conll", there.task, "train", base=tmp_path)
    learnt = [*there.memory.samples("seed"), *there.memory.samples("train")]
    assert {each.text: each.label for each in found} == {each.text: each.label for each in learnt}


def test_every_stored_span_is_what_the_teacher_quoted(tmp_path: Path) -> None:
    there = entities(tmp_path)
    run(there)
    examples = [*there.memory.samples("train"), *there.memory.samples("gate")]
    assert len(examples) > 60
    for example in examples:
        spans = [span for span in example.label if isinstance(span, Span)]
        found = sorted((span.type, example.text[span.start : span.end]) for span in spans)
        assert found == sorted((each["type"], each["text"]) for each in quotes(example.text))


def test_a_name_used_too_often_is_told_and_refused(tmp_path: Path) -> None:
    there = entities(tmp_path)
    state = run(there, cycles=5)
    assert sum(row["stats"].get("quarantined", {}).get("a name used too often", 0) for row in rows(state)) > 0
    told = [prompt for role, prompt in there.teacher.asked if role == "generator"]  # type: ignore[attr-defined]
    assert any("Used too often, so not again:" in words(prompt) for prompt in told)
    breadth = [words(prompt) for prompt in told if prompt.about["purpose"] == "breadth"]
    assert breadth and not any("[PER" in said for said in breadth), "texts without marks"


def test_an_annotator_that_runs_again_changes_nothing(tmp_path: Path) -> None:
    """A killed step finds its own texts in memory; their names must not count against them."""
    there = entities(tmp_path)
    state = step(Trainer(members=1, rival=False), world_state(), there)
    state = State(**{**step(Evaluator(), state, there), "cycle": 1, "batch_kind": "breadth"})
    state = step(Generator(backbone=120, gate_size=40), state, there)
    settled(Annotator(), state, there)


def test_a_label_that_does_not_fit_is_asked_for_once_more_with_the_reason(tmp_path: Path) -> None:
    there = entities(tmp_path)
    told: list[str] = []

    def careless(prompt: Prompt) -> Any:
        said = words(prompt)
        if "cannot be used" in said:
            told.append(said)
            return {"labels": [{"id": each["id"], "label": []} for each in prompt.about["texts"]]}
        return {"labels": [{"id": 1, "label": [{"type": "PER", "text": "Nobody"}]}]}

    there.teacher.roles["annotator"] = careless  # type: ignore[attr-defined]
    [annotation] = label_by_votes(there, ["it rained"], 1, 2)
    assert annotation.aggregate is not None and annotation.aggregate.label == () and len(told) == 2
    assert "'Nobody' is not in the text" in told[0]


def test_spans_on_which_two_passes_differ_are_decided_by_a_third(tmp_path: Path) -> None:
    there = entities(tmp_path)

    def torn(prompt: Prompt) -> Any:
        name = {"type": "LOC" if prompt.sample == 1 else "PER", "text": "Ann"}
        return {"labels": [{"id": 1, "label": [name]}]}

    there.teacher.roles["annotator"] = torn  # type: ignore[attr-defined]
    [annotation] = label_by_votes(there, ["Ann slept"], 1, 2, tie_break=True)
    assert annotation.aggregate is not None and annotation.aggregate.label == (Span(start=0, end=3, type="PER"),)
    assert annotation.aggregate.confidence == pytest.approx(2 / 3)
    [annotation] = label_by_votes(there, ["Ann slept"], 2, 2)
    assert annotation.aggregate is not None and annotation.aggregate.confidence == 0.5, "quarantine"


def test_a_lesson_is_small_and_most_of_the_batch_is_coverage(tmp_path: Path) -> None:
    there = entities(tmp_path)
    run(there, generator={"backbone": 40, "gate_size": 40, "batch": 30}, annotator={"quarantine": False})
    batch = [e for e in there.memory.samples("train", "kept") if e.origin.cycle == 2]
    batch += [e for e in there.memory.samples("train", "shelved") if e.origin.cycle == 2]
    aimed = [example for example in batch if example.origin.lesson]
    assert 0 < len(aimed) <= 6 and len(batch) >= 24


def test_the_card_is_drafted_for_entities_and_not_for_several_labels(tmp_path: Path) -> None:
    run(entities(tmp_path / "a"))
    run(reviews(tmp_path / "b"))
    assert 'pattern = "a town in a row"' in (tmp_path / "a" / "guidelines.toml").read_text()
    assert not (tmp_path / "b" / "guidelines.toml").exists()
