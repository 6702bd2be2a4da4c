"""The annotation guidelines: drafted once, decided by seeds, kept where the user edits it, never drilled while
assumed."""

from pathlib import Path
from typing import Any

import pytest

from evokd.agents.analyst.agent import Analyst
from evokd.agents.annotator.agent import Annotator
from evokd.agents.base import Draft, Services
from evokd.agents.generator.agent import Generator
from evokd.agents.guidelines import ensure_guidelines, read_guidelines
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from evokd.testing import ScriptedTeacher, settled, world
from tests.agents.acting import after_seeds, sent, train, write_cases, write_drafts


class Contested(Classification):
    contested = True


def services(folder: Path, **changes: Any) -> Services:
    return world.services(folder, **{"task": Contested(*world.given()), **changes})


def test_seeds_decide_the_rest_is_assumed_and_what_does_not_fit_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    there = services(tmp_path)
    ensure_guidelines(there, 1)
    assert "1 of 3 drafted guidelines do not fit" in caplog.text
    assumed, decided = read_guidelines(there).guideline
    assert (assumed.text, assumed.answer, assumed.status) == ("the team got a loan", "money", "assumed")
    first = there.memory.samples("seed")[0]
    assert (decided.text, decided.answer, decided.status) == (first.text, first.label, "gold")


def test_it_is_drafted_once_and_an_edit_stays(tmp_path: Path) -> None:
    there = services(tmp_path)
    ensure_guidelines(there, 1)
    path = tmp_path / "guidelines.toml"
    drafted = path.read_text()
    path.write_text(drafted.replace('answer = "money"\nstatus = "assumed"', 'answer = "sports"\nstatus = "user"'))
    ensure_guidelines(there, 3)
    assert len(sent(there, "analyst")) == 1
    assert [each.status for each in read_guidelines(there).guideline] == ["user", "gold"]


def test_an_edit_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    there = services(tmp_path)
    (tmp_path / "guidelines.toml").write_text('[[guideline]]\npattern = "x"\n')
    with pytest.raises(ConfigError, match=r"guidelines.toml: guideline.0.text: Field required. An entry is"):
        read_guidelines(there)


def test_tasks_without_contest_and_small_models_are_not_asked(tmp_path: Path) -> None:
    plain = ScriptedTeacher({}, prompting="completion")
    for name, change in (("a", {"task": world.task()}), ("b", {"teacher": plain})):
        there = services(tmp_path / name, **change)
        ensure_guidelines(there, 1)
        assert not sent(there) and not (tmp_path / name / "guidelines.toml").exists()


def test_every_role_is_told_the_card(tmp_path: Path) -> None:
    there = services(tmp_path)
    state = after_seeds(there, cycle=1, batch_kind="breadth")
    settled(Generator(backbone=8, gate_size=0), state, there)
    write_drafts(there, [Draft(text="goal match", source="typical")])
    settled(Annotator(), state, there)
    train(there, [("a kept text", "food")])
    write_cases(there, 1, [("goal goal", "sports", "food", 0.1)])
    settled(Analyst(), {**state, "cycle": 2, "batch_kind": "lessons"}, there)
    line = "- money in sport: the team got a loan => money"
    for role in ("generator", "annotator", "analyst"):
        assert any(line in said for said in sent(there, role)), role


def test_a_lesson_that_rests_on_an_assumed_convention_is_refused(tmp_path: Path) -> None:
    def analyst(prompt: Any) -> Any:
        said = world.analyst(prompt)
        if "lessons" in said:
            said["lessons"][0]["assumes"] = 1
        return said

    there = services(tmp_path, teacher=world.teacher(analyst=analyst))
    ensure_guidelines(there, 1)
    train(there, [("a kept text", "food")])
    write_cases(there, 1, [("goal goal", "sports", "food", 0.1)])
    update = settled(Analyst(), after_seeds(there, cycle=2, batch_kind="lessons"), there)
    assert update["stats"]["lessons_refused"]["rest on an assumed guideline"] == 1
    assert not [lesson for lesson in there.memory.lessons() if lesson.kind == "lesson"]


def test_the_generator_can_do_without(tmp_path: Path) -> None:
    there = services(tmp_path)
    settled(
        Generator(backbone=8, gate_size=0, guidelines=False), after_seeds(there, cycle=1, batch_kind="breadth"), there
    )
    assert not (tmp_path / "guidelines.toml").exists()


def test_an_edit_whose_answer_does_not_fit_is_named(tmp_path: Path) -> None:
    there = services(tmp_path)
    guidelines = '[[guideline]]\npattern = "p"\ntext = "the bank"\nanswer = "health"\n'
    (tmp_path / "guidelines.toml").write_text(guidelines)
    with pytest.raises(ConfigError, match=r"guidelines.toml: guideline 1 \(p\): 'health' is not one of the labels"):
        read_guidelines(there)


def test_a_draft_that_fails_is_no_card_and_is_asked_for_again(tmp_path: Path) -> None:
    ensure_guidelines(services(tmp_path, teacher=world.teacher(analyst=lambda prompt: "no")), 1)
    assert not (tmp_path / "guidelines.toml").exists()
    ensure_guidelines(services(tmp_path), 2)
    assert (tmp_path / "guidelines.toml").exists()
