"""Prompts: every file is used, renders with what its agent passes, and holds nothing that must not be said."""

import random
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from evokd.agents import prompting
from evokd.agents.analyst.agent import Analyst
from evokd.agents.analyst.failed_lessons import describe_failed_lessons
from evokd.agents.annotator.agent import Annotator
from evokd.agents.annotator.voting import label_by_votes
from evokd.agents.base import Draft
from evokd.agents.evaluator.agent import Evaluator
from evokd.agents.generator.agent import Generator
from evokd.agents.guidelines import ensure_guidelines
from evokd.agents.prompting import HERE, one_line, prompt
from evokd.agents.trainer.agent import Trainer
from evokd.tasks.kinds.classification import Classification
from evokd.testing import ScriptedTeacher, step, world
from tests.agents.acting import after_seeds, lesson, sent, train, write_cases

NAMES = {
    path.relative_to(HERE).as_posix().replace("prompts/", "").removesuffix(".md") for path in HERE.rglob("prompts/*.md")
}


def complete(given: Any) -> str:
    return world.make_text(list(world.VOCABULARY)[given.sample % 4], random.Random(given.sample))


def score_choices(given: Any, choice: str) -> float:
    return float(sum(word in world.VOCABULARY[choice] for word in given.about["texts"][0]["text"].split()))


UNFIT = {"labels": [{"id": 1, "label": "health"}]}


class Contested(Classification):
    contested = True


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    names: set[str] = set()
    template = prompting._template

    def watched(path: Path) -> Any:
        names.add(f"{path.parent.parent.name}/{path.stem}".removeprefix("agents/"))
        return template(path)

    monkeypatch.setattr(prompting, "_template", watched)
    return names


def one_cycle(folder: Path, teacher: ScriptedTeacher, batch_kind: Any) -> list[str]:
    """What is sent in one cycle in which there is something to learn from."""
    services = world.services(folder, teacher=teacher, task=Contested(*world.given()))
    train(services, [("a kept text", "food")])
    write_cases(services, 1, [("goal goal", "sports", "food", 0.1)])
    state = after_seeds(services, cycle=2, batch_kind=batch_kind)
    ensure_guidelines(services, 1)
    for agent in (Analyst(), Generator(batch=8), Annotator()):
        state = step(agent, state, services)
    assert state["batch"]
    Generator(batch=8, first="rewrites")({**state, "cycle": 1, "batch_kind": "breadth"}, services)
    dev = [example.text for example in services.memory.samples("dev")]
    assert not any(text in said for text in dev for said in sent(services))
    return sent(services)


def test_every_prompt_file_renders_with_what_its_agent_passes(tmp_path: Path, used: set[str]) -> None:
    for batch_kind in ("breadth", "lessons"):
        said = one_cycle(tmp_path / f"chat {batch_kind}", world.teacher(), batch_kind)
        plain = ScriptedTeacher(
            {"generator": complete, "analyst": complete}, {"annotator": score_choices}, prompting="completion"
        )
        said += one_cycle(tmp_path / f"plain {batch_kind}", plain, batch_kind)
        assert not any(name in text for text in said for name in ("$task", "$texts", "$label", "$count"))
    services = world.services(tmp_path / "repair", teacher=world.teacher(annotator=lambda given: UNFIT))
    label_by_votes(services, ["a text"], 1, 1)
    services.memory.remember(lessons=[lesson(effect={"samples": 1.0, "too_hard": 0.0, "kept": 0.0})])
    describe_failed_lessons(services)
    assert used == NAMES


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="texts"):
        prompt("annotator/label", task="t", guidelines="", seeds="s", rule="r", count=1)


def test_values_are_put_in_as_they_are() -> None:
    odd = "$count ${task} $$ {count} %s \\1"
    assert odd in prompt("annotator/label", task=odd, guidelines="", seeds="s", rule="r", count=1, texts="x")


def test_one_line() -> None:
    assert one_line(" a\n[2] b\u2028c\td ") == "a [2] b c d"


def test_an_origin_says_what_the_draft_knew() -> None:
    draft = Draft(text="x", source="hard", lesson="2-l", subtype="s", target_class="food", prompt="p", label="food")
    origin = draft.origin(4)
    assert (origin.cycle, origin.source, origin.lesson, origin.subtype, origin.target_class, origin.prompt) == (
        4, "hard", "2-l", "s", "food", "p",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (Annotator, {"votes": 0}),
        (Annotator, {"threshold": 1.5}),
        (Annotator, {"method": "guess"}),
        (Generator, {"gate_size": -1}),
        (Generator, {"batch": 0}),
        (Trainer, {"members": 0}),
        (Evaluator, {"curriculum": "x"}),
        (Analyst, {"lessons": -1}),
    ],
)
def test_settings_that_make_no_sense_are_refused(kind: type, setting: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(setting)
    assert TypeAdapter(kind).validate_python({}) == kind(), "a config without settings means the defaults"
