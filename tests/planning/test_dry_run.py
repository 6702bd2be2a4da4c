"""The teacher of a plan: what it stands in with can be read as what was asked for, for every kind of task."""

import pytest

from evokd.planning.dry_run import DryRun
from evokd.tasks.base import Example
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner
from evokd.tasks.task import Task
from evokd.teacher.base import Prompt
from evokd.teacher.settings import TeacherSettings

LABELS = {"one": "the first", "two": "the second"}


@pytest.mark.parametrize("kind", [Classification, MultiLabel, Ner])
def test_a_label_that_a_small_model_would_write_on_can_be_read(kind: type[Task]) -> None:
    task = kind("What is it?", LABELS)  # type: ignore[call-arg]
    settings = TeacherSettings(kind="local")
    teacher = DryRun({}, settings.role(""), task, [Example(text="a text of five words", label="one")])
    prompts = [Prompt(f"Text: a text\nAnswer:{n}") for n in range(3)]
    for answer in teacher.complete(prompts, role="annotator", cycle=1):
        assert task.read("a text", answer.text).label == task.stand_in(None)
    written = teacher.complete(prompts, role="generator", cycle=1)
    assert all(len(answer.text.split()) >= 3 for answer in written) and len(teacher.asked) == 6
