"""What every teacher must do."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from ...teacher.base import Answer, Message, Prompt, Teacher


class Echo(BaseModel):
    """The schema that every answer must fit."""

    said: str


def answer_to(said: str) -> str:
    """The model's side: it repeats what it is told, and answers `bad` with something that does not fit."""
    return json.dumps({"wrong": 1} if "bad" in said else {"said": said})


def chance(choice: str) -> float:
    """The model's log-probability of a choice: three quarters for `yes`."""
    return math.log(0.75 if choice.strip() == "yes" else 0.25)


def said(what: str, sample: int = 0) -> Prompt:
    """A chat of one turn."""
    return Prompt((Message(role="user", content=what),), sample)


def ask(teacher: Teacher, *prompts: Prompt, cycle: int = 1) -> list[Answer[Echo]]:
    """What the annotator is answered."""
    return teacher.ask(prompts, Echo, role="annotator", cycle=cycle)


class TeacherContract:
    """What every teacher must do. Subclass it, say in `make` how yours is opened on a model that follows `answer_to`.

    Examples:
        >>> class TestMine(TeacherContract):
        ...     def make(self, folder):
        ...         return MyTeacher(model=lambda prompt: answer_to(prompt.body[0]["content"]))
    """

    def make(self, folder: Path) -> Teacher:
        """Your teacher on a model that follows `answer_to`; `folder` is the run folder, an empty one."""
        raise NotImplementedError("say in `make` how your teacher is opened")

    @pytest.fixture
    def teacher(self, tmp_path: Path) -> Iterator[Teacher]:
        """One that was asked nothing yet."""
        made = self.make(tmp_path)
        yield made
        made.close()

    def test_one_answer_per_prompt_in_order(self, teacher: Teacher) -> None:
        answers = ask(teacher, *(said(f"text {number}") for number in range(12)))
        assert [answer.value.said for answer in answers if answer.value] == [f"text {number}" for number in range(12)]
        assert all(answer.problem is None and answer.prompt and answer.model for answer in answers)
        assert ask(teacher) == []

    def test_an_answer_that_does_not_fit_is_a_problem_and_nothing_else(self, teacher: Teacher) -> None:
        bad, good = ask(teacher, said("bad"), said("fine"))
        assert bad.value is None and bad.problem and bad.text and good.value == Echo(said="fine")

    def test_what_was_answered_costs_nothing_again(self, teacher: Teacher) -> None:
        [first] = ask(teacher, said("x"))
        before = teacher.spent()
        [again] = ask(teacher, said("x"), cycle=2)
        assert again.value == first.value and again.prompt == first.prompt
        assert first.usage.input > 0 and again.usage.input == again.usage.output == 0 and teacher.spent() == before

    def test_samples_are_asked_separately(self, teacher: Teacher) -> None:
        ask(teacher, said("x", 0), said("x", 1), said("x", 0))
        assert teacher.spent()["calls"] == 2

    def test_spending_is_known_by_cycle(self, teacher: Teacher) -> None:
        ask(teacher, said("x"), cycle=1)
        ask(teacher, said("y"), said("z"), cycle=2)
        assert [teacher.spent(cycle)["calls"] for cycle in (0, 1, 2)] == [0, 1, 2] and teacher.spent()["calls"] == 3
        assert {"calls", "input", "output", "cached", "seconds"} <= set(teacher.spent())

    def test_progress_counts_to_the_end(self, teacher: Teacher) -> None:
        seen: list[tuple[int, int]] = []
        prompts = [said("x"), said("y"), said("x")]
        teacher.ask(prompts, Echo, role="annotator", cycle=1, progress=lambda *at: seen.append(at))
        assert seen[-1] == (3, 3) and [done for done, _ in seen] == sorted(done for done, _ in seen)

    def test_closing_twice_is_fine(self, teacher: Teacher) -> None:
        assert teacher.prompting("annotator") in ("instruct", "completion") and teacher.model("annotator")
        teacher.close()
        teacher.close()


class CompletionTeacherContract(TeacherContract):
    """What a teacher must do, too, that continues texts and rates continuations; others answer chats alone.

    Its model continues `Once` with ` and on`, a line end and more; what it gives to a choice is `chance`.
    """

    def test_texts_are_continued(self, teacher: Teacher) -> None:
        [answer] = teacher.complete([Prompt("Once")], role="annotator", cycle=1, stop=["\n"])
        assert answer.text == "Once and on" and answer.problem is None

    def test_choices_are_rated(self, teacher: Teacher) -> None:
        [rates] = teacher.score_choices([Prompt("Is it?")], [" yes", " no"], role="annotator", cycle=1)
        assert rates == pytest.approx({" yes": math.log(0.75), " no": math.log(0.25)})
