"""Our parts do what EvoKD asks of every role, task, student and teacher."""

import json

from acme.role import Critic
from acme.student import Counters
from acme.task import Stars
from acme.teacher import label_of

from evokd.student.settings import StudentSettings
from evokd.testing import (
    AgentContract,
    ListMemory,
    MemoryContract,
    ScriptedTeacher,
    StudentContract,
    TaskCase,
    TaskContract,
    TeacherContract,
    words,
)
from evokd.testing.contracts.teacher import answer_to
from evokd.testing.examples import LABELS


class TestCritic(AgentContract):
    def make(self):
        return Critic()


class TestStars(TaskContract):
    def make(self):
        task = Stars("Is the review good?", {"good": "pleased", "bad": ""})
        wrong = ("", "Nothing", None, 3, ["good"])
        cells = (("bad", "bad"), (["good"], "good"))
        return TaskCase(task, "Fine", ("good", "bad"), bad=wrong, cells=cells, bad_cells=wrong[:-1])

    def test_stars_are_read(self):
        assert self.make().task.read("Fine", 2).label == "bad"


class TestCounters(StudentContract):
    def make(self, folder):
        return Counters(StudentSettings(), LABELS, "sequence")


class TestTeacher(TeacherContract):
    def make(self, folder):
        return ScriptedTeacher({"annotator": lambda prompt: json.loads(answer_to(words(prompt)))})


class TestMemory(MemoryContract):
    persists = False

    def make(self, folder):
        return ListMemory()


def test_the_rules():
    assert label_of("one cold soup") == "bad"
