"""Writing with a small model that only continues texts: the opening of a quoted line, for it to finish.

What was measured with a 135 M model decides the form: showing the *other* classes' seeds and never the own one (it
would be copied), naming one concrete thing out of the class's description, and no instruction at all.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ...teacher.base import Prompt
from ..base import Draft, Services
from ..prompting import one_line, prompt
from .quotas import Order, total

STOP = ('"', "\n", "”")
LONGEST = 400
"""Characters; a small model that does not find the closing quote is rambling."""


@dataclass(frozen=True)
class PlainWriter:
    """Writes one text per call, for `plain` teachers."""

    services: Services
    cycle: int
    separate: bool = True
    """Off: a text keeps the class it was asked for as its label, where an answer is one of a closed list."""

    def write(self, orders: Sequence[Order], sample: int) -> list[list[Draft]]:
        """The drafts of each order, in order; `sample` tells repeated orders apart."""
        dice = random.Random(f"{self.services.seed} {self.cycle} {sample}")
        labels = list(self.services.task.labels)
        before = [self.cycle * total(orders) + total(orders[:place]) for place in range(len(orders))]
        wanted = [
            (place, order, self._facet(order) or self._label_of(order, labels, number, before[place]))
            for place, order in enumerate(orders)
            for number in range(order.count)
        ]
        first = (self.cycle * 10 + sample) * 10_000
        prompts = [
            Prompt(self._opening(order, label, dice), first + number, order.lesson.id if order.lesson else None)
            for number, (_, order, label) in enumerate(wanted)
        ]
        bar = self.services.bar("writing texts")
        answers = self.services.teacher.complete(prompts, role="generator", cycle=self.cycle, stop=STOP, progress=bar)
        groups: list[list[Draft]] = [[] for _ in orders]
        for (place, order, label), answer in zip(wanted, answers, strict=True):
            if text := whole_sentences(answer.text):
                lesson = order.lesson.id if order.lesson else None
                groups[place].append(
                    Draft(
                        text=text,
                        stance=order.stance,
                        lesson=lesson,
                        asked=label,
                        prompt=answer.prompt,
                        label=self._own_label(order, label),
                    )
                )
        return groups

    @cached_property
    def _seeds(self) -> dict[str, str]:
        """Facet -> the first of the user's texts that fits it, or nothing."""
        seeds, task = self.services.memory.samples("seed"), self.services.task
        return {facet: next((e.text for e in seeds if task.fits(facet, e.label)), "") for facet in task.words}

    def _facet(self, order: Order) -> str | None:
        """What the order asks for; of a seed in other words, the first that it fits."""
        task, seed = self.services.task, order.seed
        return next((facet for facet in task.words if task.fits(facet, seed.label)), None) if seed else order.facet

    def _own_label(self, order: Order, label: str) -> str | None:
        task = self.services.task
        if self.separate or task.choices() is None:
            return None
        return task.say("", order.seed.label if order.seed else task.stand_in(label))

    def _label_of(self, order: Order, labels: Sequence[str], number: int, before: int) -> str:
        """Hard texts are of the class that was misread; typical and probe texts of every class in turn.

        The turn goes on from order to order and cycle to cycle (`before`): a batch is smaller than many label lists.
        """
        cited = self.services.memory.get(order.lesson.evidence) if order.lesson and order.stance == "hard" else []
        names = [name for example in cited for name in self.services.task.names(example.label)]
        return names[number % len(names)] if names else labels[(before + number) % len(labels)]

    def _opening(self, order: Order, label: str, dice: random.Random) -> str:
        task = self.services.task
        words = task.words
        if order.seed is not None:
            text = one_line(order.seed.text)
            named = words.get(next(iter(task.names(order.seed.label)), ""), task.noun)
            return prompt("generator/rewrite_completion", task=task.description, noun=task.noun, label=named, text=text)
        shown = [(words[other], text) for other, text in self._seeds.items() if other != label and text]
        if order.lesson and order.stance == "hard":
            cited = [e for e in self.services.memory.get(order.lesson.evidence) if task.fits(label, e.label)]
            shown += [(words[label], e.text) for e in dice.sample(cited, min(2, len(cited)))]
        lines = [f'A {task.noun} about {word}: "{one_line(text)}"' for word, text in shown[-8:]]
        things = concrete_things(task.labels.get(label, ""))
        case = f", in this case {dice.choice(things)}" if things else ""
        return prompt(
            "generator/completion",
            task=task.description,
            lines="\n".join(lines),
            noun=task.noun,
            label=words[label],
            case=case,
        )


def concrete_things(description: str) -> list[str]:
    """The things a description lists: its parts between commas, semicolons, "and" and "or"."""
    parts = re.split(r"[,;.:]|\band\b|\bor\b", description)
    return [part.strip() for part in parts if 2 < len(part.strip()) <= 60]


def whole_sentences(text: str) -> str:
    """A continuation without its unfinished end; empty if nothing whole is left."""
    text = " ".join(text.split()).strip("\"'“” ")
    if len(text) > LONGEST or not re.search(r"\w", text):
        return ""
    if text[-1:] in ".?!" or len(text.split()) <= 12:
        return text
    ends = [match.end() for match in re.finditer(r"[.?!](?=\s)", text)]
    return text[: ends[-1]] if ends else text
