"""The analyst: lessons with real cases only, and computed ones where the teacher fails."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from evokd.agents.analyst import agent as module
from evokd.agents.analyst.agent import Analyst
from evokd.agents.base import Services, State
from evokd.tasks.base import ErrorCase, Example, Lesson
from evokd.testing import ScriptedTeacher, settled, world
from tests.agents.acting import ODD, lesson, sent, write_cases

ROWS = [
    ("goal goal", "sports", "money", 0.1),
    ("coach coach", "sports", "money", 0.2),
    ("loan loan", "money", "food", 0.3),
    ("soup soup", "food", "food", 0.9),
]
PROBE = {"name": "questions", "shape": "a question", "advice": "ask"}


def told(*lessons: dict[str, Any], probe: Any = None) -> Any:
    """An analyst that says this."""
    filled = [{"name": "n", "pattern": "p", "advice": "a", "cases": [1], **each} for each in lessons]
    return lambda prompt: {"lessons": filled, "probe": probe}


def analyse(
    folder: Path, say: Any, rows: Any = ROWS, analyst: Analyst | None = None, **state: Any
) -> tuple[State, list[Lesson], Services]:
    """What the analyst changes in cycle 2, its lessons, and the services."""
    services = world.services(folder, teacher=world.teacher(analyst=say))
    write_cases(services, 1, rows)
    update = settled(analyst or Analyst(), world.state(**{"cycle": 2, "batch_kind": "lessons", **state}), services)
    by_id = {lesson.id: lesson for lesson in services.memory.lessons()}
    return update, [by_id[i] for i in update["lessons"]], services


def test_breadth_needs_no_lessons(tmp_path: Path) -> None:
    update, _, services = analyse(tmp_path, told({}), batch_kind="breadth")
    assert update == {"lessons": []} and not sent(services)


def test_lessons_cite_the_cases_by_number(tmp_path: Path) -> None:
    _, [found], services = analyse(tmp_path, told({"cases": [2, 1, 2, 4]}))
    texts = [example.text for example in services.memory.get(found.evidence)]
    assert texts == ["coach coach", "goal goal", "soup soup"]
    assert (found.cycle, found.kind, found.effect) == (2, "lesson", {})


@pytest.mark.parametrize("cases", [[], [0], [-1], [999], [5, -4]])
def test_a_lesson_without_a_real_case_is_refused_and_counted(tmp_path: Path, cases: list[int]) -> None:
    update, lessons, services = analyse(tmp_path, told({"cases": cases}, {"name": "real"}), stats={"other": {"x": 1}})
    assert [lesson.name for lesson in lessons] == ["real"]
    assert update["stats"] == {"other": {"x": 1}, "lessons_refused": {"cite no case": 1}}
    assert [lesson.name for lesson in services.memory.lessons()] == ["real"]


def test_a_lesson_that_failed_twice_is_told_and_refused(tmp_path: Path) -> None:
    services = world.services(tmp_path, teacher=world.teacher(analyst=told({"name": "short"}, {"name": "far"})))
    write_cases(services, 1, ROWS)
    failed = {"samples": 3.0, "too_hard": 0.0, "kept": 0.0}
    services.memory.remember(
        lessons=[lesson(id=f"{n}-short", pattern="p", cycle=n, effect=failed) for n in (0, 1)],
    )
    update = settled(Analyst(), world.state(cycle=2, batch_kind="lessons"), services)
    assert update["lessons"] == ["2-far"] and update["stats"] == {"lessons_refused": {"did not pay twice": 1}}
    assert "- short: p" in sent(services)[0]


def test_no_more_lessons_than_wanted(tmp_path: Path) -> None:
    say = told(*({"name": f"l{number}"} for number in range(5)), probe=PROBE)
    update, lessons, _ = analyse(tmp_path, say, analyst=Analyst(lessons=2))
    assert [lesson.name for lesson in lessons] == ["l0", "l1", "probe questions"]
    assert update["stats"] == {}


def test_a_probe_needs_no_case_and_can_be_left_out(tmp_path: Path) -> None:
    _, [probe], services = analyse(tmp_path / "a", told(probe=PROBE))
    assert (probe.kind, probe.pattern, probe.evidence) == ("probe", "a question", ())
    assert "Then name one `probe`" in sent(services)[0]
    update, lessons, services = analyse(tmp_path / "b", told(probe=PROBE), analyst=Analyst(probe=False))
    assert lessons == [] and update["lessons"] == []
    assert "Set `probe` to null." in sent(services)[0] and "Then name" not in sent(services)[0]


@pytest.mark.parametrize(
    "names", [["same", "same", "Same!"], ["体育", "财经", "科学"], ["", "-", "  "], ["x 2", "x", "x"]]
)
def test_every_lesson_has_an_id_of_its_own(tmp_path: Path, names: list[str]) -> None:
    _, lessons, services = analyse(
        tmp_path, told(*({"name": name} for name in names), probe={**PROBE, "name": names[0]})
    )
    assert [lesson.name for lesson in lessons] == [" ".join(name.split()) for name in (*names, f"probe {names[0]}")]
    assert len(services.memory.lessons()) == 4


def test_a_failed_analysis_falls_back_to_computed_lessons(tmp_path: Path) -> None:
    update, lessons, services = analyse(tmp_path, lambda prompt: "I would rather not", stats={"analysis_failed": 0})
    assert [lesson.name for lesson in lessons] == ["sports taken for money", "money taken for food"]
    assert [len(lesson.evidence) for lesson in lessons] == [2, 1]
    assert update["stats"] == {"analysis_failed": 1}
    assert not (services.folder.cycle(2) / "conversation.json").exists()


def test_computed_lessons_have_a_shown_case_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WRONG", 2)
    _, lessons, _ = analyse(tmp_path, lambda prompt: None)
    assert [lesson.name for lesson in lessons] == ["sports taken for money", "money taken for food"]


def test_computed_lessons_of_classes_in_another_script(tmp_path: Path) -> None:
    rows = [("goal goal", "体育", "财经", 0.1), ("loan loan", "财经", "体育", 0.2)]
    _, lessons, _ = analyse(tmp_path, lambda prompt: None, rows)
    assert len({lesson.id for lesson in lessons}) == 2


@pytest.mark.parametrize("rows", [[], ROWS[3:]])
def test_no_errors_no_lessons(tmp_path: Path, rows: Any) -> None:
    for name, say in (("a", told()), ("b", lambda prompt: None)):
        update, lessons, _ = analyse(tmp_path / name, say, rows)
        assert lessons == [] and update["lessons"] == []


def test_the_conversation_is_left_for_the_generator(tmp_path: Path) -> None:
    _, _, services = analyse(tmp_path, told({}))
    talk = services.folder.read_json(services.folder.cycle(2) / "conversation.json")
    assert [message["role"] for message in talk] == ["user", "assistant"]
    assert talk[0]["content"] == sent(services)[0]
    assert json.loads(talk[1]["content"])["lessons"][0]["name"] == "n"


def test_correct_cases_can_be_left_out(tmp_path: Path) -> None:
    _, _, services = analyse(tmp_path, told({}), analyst=Analyst(correct=False))
    assert "goal goal" in sent(services)[0] and "soup soup" not in sent(services)[0]


def test_nothing_held_out_is_shown(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    services.memory.remember([Example(text="goal goal gate", label="sports", split="gate")])
    write_cases(services, 1, ROWS)
    services.memory.remember(
        errors=[
            ErrorCase(example=Example(text="goal goal", label="sports"), predicted="food", probability=0.1, cycle=1)
        ]
    )
    settled(Analyst(), world.state(cycle=2, batch_kind="lessons"), services)
    held_out = [*services.memory.samples("gate"), *services.memory.samples("dev")]
    assert len(held_out) == 41
    assert not any(example.text in said for example in held_out for said in sent(services))


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_are_shown_as_they_are_on_one_line(tmp_path: Path, name: str) -> None:
    _, [lesson, *_], services = analyse(tmp_path, world.analyst, [(ODD[name], "sports", "money", 0.1)])
    assert f"[1] {' '.join(Example(text=ODD[name], label='').shown().text.split())}\n" in sent(services)[0]
    assert len(lesson.evidence) == 1


def plain(folder: Path, say: Any, rows: Any = ROWS) -> tuple[State, list[Lesson], Services]:
    services = world.services(folder, teacher=ScriptedTeacher({"analyst": say}, prompting="completion"))
    write_cases(services, 1, rows)
    update = settled(Analyst(), world.state(cycle=2, batch_kind="lessons"), services)
    return update, services.memory.lessons(), services


def test_a_small_model_only_words_computed_lessons(tmp_path: Path) -> None:
    _, lessons, services = plain(tmp_path, lambda prompt: " are short\nand more")
    assert {lesson.advice for lesson in lessons} == {"are short"}
    assert len(lessons) == len(sent(services)) == 2
    assert all(re.search(r"- (goal|coach|loan)", said) for said in sent(services))
    assert all(lesson.evidence for lesson in lessons)


def test_a_small_model_that_says_nothing_leaves_the_computed_advice(tmp_path: Path) -> None:
    _, lessons, _ = plain(tmp_path, lambda prompt: "  \nrest")
    assert lessons[0].advice.startswith("Show what tells")


def test_a_small_model_is_not_asked_where_there_are_no_errors(tmp_path: Path) -> None:
    update, lessons, services = plain(tmp_path, lambda prompt: "x", ROWS[3:])
    assert (update["lessons"], lessons, sent(services)) == ([], [], [])
