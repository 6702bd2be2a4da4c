"""What prompts are made of: templates beside each role, and how texts and examples stand in them."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal, NotRequired, Required, TypedDict, TypeVar

from ..tasks.base import Example
from ..tasks.task import Task
from ..tasks.wording import one_line as one_line
from .base import Services

A = TypeVar("A")


class Labelled(TypedDict):
    """A text with its label, as the prompt shows them."""

    text: str
    label: str
    said: NotRequired[str]
    """What the student said, of a case it got wrong."""


class Numbered(TypedDict):
    """A text to be labelled, with its number in the prompt."""

    id: int
    text: str


class About(TypedDict, total=False):
    """What a prompt of ours asks, as data: `Prompt.about`. JSON-like; which keys there are depends on the purpose.

    Whoever stands in for a language model reads this and not the words, which may be changed at any time.
    """

    purpose: Required[Literal["taxonomy", "guidelines", "breadth", "rewrite", "lesson", "analysis", "advice", "labels"]]
    count: int
    """How many texts, or lessons at the most, or subtypes of a class."""
    counts: dict[str, int]
    """The texts for a lesson by their source; they sum to `count`."""
    target_class: str
    """What texts in breadth are to have."""
    target_classes: list[str]
    """Those whose subtypes are to be listed."""
    subtypes: list[str]
    lesson_name: str
    cases: list[Labelled]
    """What lessons are drawn from (what was wrong, by number from one), what a lesson cites, or what is rewritten."""
    texts: list[Numbered]


def select_seeds(services: Services, per_label: int = 2) -> list[Example]:
    """Select the seeds that go into prompts: the first of every label, as all of many labels would fill every call."""
    shown: dict[str, list[Example]] = {}
    for example in services.memory.samples("seed"):
        names = services.task.names(example.label) or ("",)
        short = [name for name in names if len(shown.get(name, [])) < per_label]
        if short:
            shown.setdefault(short[0], []).append(example)
    return [example for examples in shown.values() for example in examples]


def brief(text: str) -> str:
    """One line of a text, of a very long one its beginning."""
    return one_line(Example(text=text, label="").shown().text)


def format_example(task: Task, example: Example, arrow: str = "=>") -> str:
    """Write an example with its label as one line of a prompt, of a very long one its beginning."""
    shown = show_labelled(task, example)
    return f"{shown['text']} {arrow} {shown['label']}"


def show_labelled(task: Task, example: Example) -> Labelled:
    """An example as a prompt shows it: one line of its text, of a very long one its beginning, and its label."""
    example = example.shown()
    return Labelled(text=one_line(example.text), label=task.say(example.text, example.label))


HERE = Path(__file__).parent


@cache
def _template(path: Path) -> Template:
    return Template(path.read_text(encoding="utf-8"))


def prompt(file: str, /, **values: object) -> str:
    """Fill a prompt of ours: `analyst/probe` is `agents/analyst/prompts/probe.md`.

    Raises:
        KeyError: a placeholder got no value.
    """
    role, _, name = file.rpartition("/")
    return fill_template(HERE / role / "prompts" / f"{name}.md", **values)


def fill_template(path: Path, /, **values: object) -> str:
    """Fill the template in a file: `$name` placeholders only, no loop, no condition, nothing that executes.

    Raises:
        KeyError: a placeholder got no value.
    """
    filled = _template(path).substitute({key: str(value) for key, value in values.items()})
    return re.sub(r"\n{3,}", "\n\n", filled).strip()  # what was left out leaves no hole


def chunks(items: Sequence[A], size: int) -> list[Sequence[A]]:
    """Consecutive slices of at most `size`."""
    return [items[i : i + size] for i in range(0, len(items), size)]
