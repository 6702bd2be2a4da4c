"""How a quota becomes texts: instructions to a chat model."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic, TypeVar

from pydantic import BaseModel, Field, JsonValue

from ...tasks.base import Example, Lesson
from ...teacher.base import Answer, Message, Prompt
from ..answer_schemas import with_labels
from ..base import Draft, Services
from ..guidelines import read_guidelines
from ..prompting import About, format_example, one_line, prompt, show_labelled
from ..used_names import count_used_names
from .lengths import Lengths, measure_lengths
from .pool_sampling import example_texts
from .quotas import Quota, total


class Text(BaseModel):
    """One text."""

    text: str


class LabelledText(Text):
    """A text labelled in the same breath (the paper's `w/o Separate`)."""

    label: JsonValue


T = TypeVar("T", bound=Text)

SHOWN_NAMES = 60
"""Worn-out names that a prompt lists, the most frequent."""

SHOWN_CASES = 6
"""Cases of a lesson that a prompt shows."""

SHOWN_SEEDS = 12
"""The user's examples that a prompt in breadth shows, those of what is asked for first."""

SHOWN_TEXTS = 10
"""Texts of a target class that a prompt shows as written already, the latest."""


class Written(BaseModel, Generic[T]):
    """The answer to an order for a lesson; lists that were not ordered are empty."""

    hard: list[T] = Field(default_factory=list)
    typical: list[T] = Field(default_factory=list)
    probe: list[T] = Field(default_factory=list)


class Listed(BaseModel, Generic[T]):
    """The answer to an order in breadth."""

    texts: list[T]


ASKS = {
    "hard": "- `hard`: $n texts that show the pattern and that the model would probably misread, as they occur in "
    "real data.",
    "typical": "- `typical`: $n typical texts of the task the model would probably read correctly, so that it does not "
    "forget them; of the same topics and lengths as the hard ones.",
    "probe": "- `probe`: $n texts of this new shape, over different classes.",
}


@dataclass(frozen=True)
class Manner:
    """How it is written; the generator's settings of the same names."""

    separate: bool = True
    """Texts without labels."""
    varied: bool = True
    """Forbid names that are worn out."""
    examples: bool = True
    """Show seeds, texts of the pool and, in breadth, what is there already to whoever has no cases to write from."""
    conversation: bool = False
    """Go on with the analyst's conversation where a lesson is written for; off: only what the lesson cites is shown."""


@dataclass(frozen=True)
class ChatWriter:
    """Writes by instruction. The annotator sees nothing of it."""

    services: Services
    cycle: int
    manner: Manner = field(default_factory=Manner)

    def write(self, quotas: Sequence[Quota], sample: int) -> list[list[Draft]]:
        """The drafts of each quota, in order; `sample` tells repeated requests for the same quotas apart."""
        groups = _by_lesson(quotas)
        # The sample index keeps equal orders, of this or of another cycle, from getting one and the same cached answer.
        first = (self.cycle * 10 + sample) * 1000
        form = Text if self.manner.separate else with_labels(LabelledText, self.services.task)
        drafts: list[list[Draft]] = [[] for _ in quotas]
        for aimed, schema in ((True, Written[form]), (False, Listed[form])):  # type: ignore[valid-type]
            chosen = [group for group in groups if (quotas[group[0]].lesson is not None) is aimed]
            prompts = [self._prompt([quotas[i] for i in group], first + group[0]) for group in chosen]
            bar = self.services.bar("writing texts")
            answers = self.services.teacher.ask(prompts, schema, role="generator", cycle=self.cycle, progress=bar)
            for group, answer in zip(chosen, answers, strict=True):
                for i in group:
                    drafts[i] = _drafts(quotas[i], answer)
        return drafts

    @cached_property
    def _size(self) -> Lengths:
        """Measured once: a pool may be large, and every prompt tells it."""
        return measure_lengths(self.services)

    def _prompt(self, group: Sequence[Quota], sample: int) -> Prompt:
        first, task = group[0], self.services.task
        if first.seed is not None:
            about = About(purpose="rewrite", count=first.count, cases=[show_labelled(task, first.seed)])
            return Prompt((Message(role="user", content=self._rewrite(first, first.seed)),), sample, about=about)
        if first.lesson is None:
            about = About(purpose="breadth", count=first.count, target_class=first.target_class or "")
            about["subtypes"] = [each.name for each in first.subtypes]
            return Prompt((Message(role="user", content=self._breadth(first)),), sample, about=about)
        return self._lesson(group, first.lesson, sample)

    def _lesson(self, group: Sequence[Quota], lesson: Lesson, sample: int) -> Prompt:
        path = self.services.folder.cycle(self.cycle) / "conversation.json"
        talk = self.services.folder.read_json(path) if self.manner.conversation and path.exists() else []
        request = prompt(
            "generator/lesson",
            opening="The task again:" if talk else "A small language model is learning this task:",
            task=self.services.task.describe(),
            name=lesson.name,
            pattern=lesson.pattern,
            advice=lesson.advice,
            cases="" if talk else self._cases(lesson) or self._examples(),
            parts="\n".join(ASKS[quota.source].replace("$n", str(quota.count)) for quota in group),
            low=self._size.low,
            high=self._size.high,
            unit=self._size.unit,
            guidelines=read_guidelines(self.services).told(),
            style_rules=self._style_rules,
            label=self._label_rule(),
        )
        about = About(purpose="lesson", count=total(group), lesson_name=lesson.name)
        about["counts"] = {quota.source: quota.count for quota in group}
        about["cases"] = [show_labelled(self.services.task, example) for example in self._cited(lesson)]
        return Prompt((*talk, Message(role="user", content=request)), sample, lesson.id, about)

    def _cited(self, lesson: Lesson) -> list[Example]:
        return self.services.memory.get(lesson.evidence)[:SHOWN_CASES]

    def _cases(self, lesson: Lesson) -> str:
        lines = [f"- {format_example(self.services.task, example)}" for example in self._cited(lesson)]
        return (
            "\n".join(["Texts that it misreads or is least sure of, with their right labels:", *lines]) if lines else ""
        )

    def _rewrite(self, quota: Quota, seed: Example) -> str:
        task = self.services.task
        return prompt(
            "generator/rewrite", task=task.describe(), **show_labelled(task, seed), count=quota.count,
            rule=self._label_rule(),
        )  # fmt: skip

    def _breadth(self, quota: Quota) -> str:
        subtypes = "\n".join(
            f"- {each.name}" + (f" (for example about: {', '.join(each.topics)})" if each.topics else "")
            for each in quota.subtypes
        )
        return prompt(
            "generator/breadth",
            task=self.services.task.describe(),
            wanted=self.services.task.wanted(quota.target_class or ""),
            count=quota.count,
            subtypes=subtypes or "- any",
            low=self._size.low,
            high=self._size.high,
            unit=self._size.unit,
            examples=self._examples(quota.target_class),
            written=self._list_written(quota.target_class) if self.manner.examples else "",
            guidelines=read_guidelines(self.services).told(),
            style_rules=self._style_rules if self.manner.examples else "",
            rule=self._label_rule(),
        )

    @cached_property
    def _style_rules(self) -> str:
        """How real texts look, and which names are worn out, as further items of the list of rules."""
        style_rules = self.services.task.style_rules(self.services.memory.samples("seed"), self.services.pool)
        worn = count_used_names(self.services, self.cycle).overused()[:SHOWN_NAMES] if self.manner.varied else []
        rules = [
            *style_rules.splitlines(),
            *([f"Used too often, so not again: {', '.join(worn)}."] if worn else []),
        ]
        return "".join(f"\n- {rule}" for rule in rules)

    @cached_property
    def _seeds(self) -> list[Example]:
        return self.services.memory.samples("seed")

    @cached_property
    def _texts(self) -> dict[str | None, list[str]]:
        """Target class -> the texts that it was asked for, in one pass for all prompts."""
        texts: dict[str | None, list[str]] = {}
        for each in self.services.memory.samples("train"):
            texts.setdefault(each.origin.target_class, []).append(each.text)
        return texts

    @cached_property
    def _unlabelled(self) -> list[str]:
        """Texts of the pool that may be shown: none near the dev set, and no very long one, which would fill a call."""
        pool = [text for text in example_texts(self.services.pool) if self._size.of(text) <= 2 * self._size.high]
        refusals = self.services.memory.novel(pool)
        return [text for text, refusal in zip(pool, refusals, strict=True) if refusal != "held-out"]

    def _examples(self, target_class: str | None = None) -> str:
        """How texts of the task look; a teacher that is shown none writes in a style of its own."""
        if not self.manner.examples:
            return ""
        task, seeds = self.services.task, self._seeds
        if target_class is not None:  # of many classes, twelve examples could leave out that one
            seeds = sorted(seeds, key=lambda seed: not task.fits(target_class, seed.label))
        lines = [
            *(format_example(task, seed) for seed in seeds[:SHOWN_SEEDS]),
            *(one_line(text) for text in self._unlabelled),
        ]
        listed = "\n".join(f"- {line}" for line in lines)
        return (
            "Texts of this task look like this, some with their right label (their style, not their content, is to be "
            f"matched):\n{listed}\n"
        )

    def _list_written(self, target_class: str | None) -> str:
        """The last texts of this target class: a model that is asked the same again writes much the same again."""
        texts = self._texts.get(target_class, [])
        listed = "\n".join(f"- {one_line(text)}" for text in texts[-SHOWN_TEXTS:])
        return (
            f"These are written already. Nothing new may resemble them in topic, wording or form:\n{listed}"
            if texts
            else ""
        )

    def _label_rule(self) -> str:
        if self.manner.separate:
            return "Only the texts: no labels, no explanations."
        return f"Give each text its label. {self.services.task.rule}"


def _by_lesson(quotas: Sequence[Quota]) -> list[list[int]]:
    """Places of the quotas that one call answers: all of a lesson, or one in breadth."""
    groups: dict[str, list[int]] = {}
    for place, quota in enumerate(quotas):
        groups.setdefault(quota.lesson.id if quota.lesson else f"breadth {place}", []).append(place)
    return list(groups.values())


def _drafts(quota: Quota, answer: Answer[BaseModel]) -> list[Draft]:
    value = answer.value
    if isinstance(value, Written):
        texts = getattr(value, quota.source)
    else:
        texts = value.texts if isinstance(value, Listed) else []
    drafts = []
    for number, item in enumerate(texts[: quota.count]):
        text = one_line(item.text)
        if text:
            subtype = quota.subtypes[number * len(quota.subtypes) // quota.count].name if quota.subtypes else None
            drafts.append(
                Draft(
                    text=text,
                    source=quota.source,
                    lesson=quota.lesson.id if quota.lesson else None,
                    subtype=subtype,
                    target_class=quota.target_class,
                    prompt=answer.prompt,
                    label=getattr(item, "label", None),
                )
            )
    return drafts
