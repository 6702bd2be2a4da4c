"""Writing with a small model that only continues texts: the opening of a quoted line, for it to finish.

What was measured with a 135 M model decides the form: showing the *other* classes' seeds and never the own one (it
would be copied), naming one concrete thing out of the class's description, and no instruction at all.
"""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from ...teacher.base import Prompt
from ..base import Draft, Services
from ..prompting import About, one_line, prompt
from .quotas import Quota, total

STOP = ('"', "\n", "”")
LONGEST = 400
"""Characters; a small model that does not find the closing quote is rambling."""


@dataclass(frozen=True)
class CompletionWriter:
    """Writes one text per call, for teachers that continue a text."""

    services: Services
    cycle: int
    separate: bool = True
    """Off: a text keeps the class it was asked for as its label, where an answer is one of a closed list."""

    def write(self, quotas: Sequence[Quota], sample: int) -> list[list[Draft]]:
        """The drafts of each quota, in order; `sample` tells repeated requests for the same quotas apart."""
        rng = random.Random(f"{self.services.seed} {self.cycle} {sample}")
        labels = list(self.services.task.labels)
        before = [self.cycle * total(quotas) + total(quotas[:place]) for place in range(len(quotas))]
        wanted = [
            (place, quota, self._target_class(quota) or self._label_of(quota, labels, number, before[place]))
            for place, quota in enumerate(quotas)
            for number in range(quota.count)
        ]
        first = (self.cycle * 10 + sample) * 10_000
        prompts = [
            Prompt(
                self._opening(quota, label, rng),
                first + number,
                quota.lesson.id if quota.lesson else None,
                _about(quota, label),
            )
            for number, (_, quota, label) in enumerate(wanted)
        ]
        bar = self.services.bar("writing texts")
        answers = self.services.teacher.complete(prompts, role="generator", cycle=self.cycle, stop=STOP, progress=bar)
        groups: list[list[Draft]] = [[] for _ in quotas]
        for (place, quota, label), answer in zip(wanted, answers, strict=True):
            if text := whole_sentences(answer.text):
                lesson = quota.lesson.id if quota.lesson else None
                groups[place].append(
                    Draft(
                        text=text,
                        source=quota.source,
                        lesson=lesson,
                        target_class=label,
                        prompt=answer.prompt,
                        label=self._own_label(quota, label),
                    )
                )
        return groups

    @cached_property
    def _seeds(self) -> dict[str, str]:
        """Target class -> the first of the user's texts that fits it, or nothing."""
        seeds, task = self.services.memory.samples("seed"), self.services.task
        return {
            target_class: next((e.shown().text for e in seeds if task.fits(target_class, e.label)), "")
            for target_class in task.words
        }

    def _target_class(self, quota: Quota) -> str | None:
        """The class that the quota asks for; where a seed is rewritten, the first class that the seed fits."""
        task, seed = self.services.task, quota.seed
        return (
            next((target_class for target_class in task.words if task.fits(target_class, seed.label)), None)
            if seed
            else quota.target_class
        )

    def _own_label(self, quota: Quota, label: str) -> str | None:
        task = self.services.task
        if self.separate or task.choices() is None:
            return None
        return task.say("", quota.seed.label if quota.seed else task.stand_in(label))

    def _label_of(self, quota: Quota, labels: Sequence[str], number: int, before: int) -> str:
        """Hard texts are of the class that was misread; typical and probe texts of every class in turn.

        The turn goes on from quota to quota and cycle to cycle (`before`): a batch is smaller than many label lists.
        """
        cited = self.services.memory.get(quota.lesson.evidence) if quota.lesson and quota.source == "hard" else []
        names = [name for example in cited for name in self.services.task.names(example.label)]
        return names[number % len(names)] if names else labels[(before + number) % len(labels)]

    def _opening(self, quota: Quota, label: str, rng: random.Random) -> str:
        task = self.services.task
        words = task.words
        if quota.seed is not None:
            text = one_line(quota.seed.shown().text)
            named = words.get(next(iter(task.names(quota.seed.label)), ""), task.noun)
            return prompt("generator/rewrite_completion", task=task.description, noun=task.noun, label=named, text=text)
        shown = [(words[other], text) for other, text in self._seeds.items() if other != label and text]
        if quota.lesson and quota.source == "hard":
            cited = [e for e in self.services.memory.get(quota.lesson.evidence) if task.fits(label, e.label)]
            shown += [(words[label], e.text) for e in rng.sample(cited, min(2, len(cited)))]
        lines = [f'A {task.noun} about {word}: "{one_line(text)}"' for word, text in shown[-8:]]
        things = concrete_things(task.labels.get(label, ""))
        case = f", in this case {rng.choice(things)}" if things else ""
        return prompt(
            "generator/completion",
            task=task.description,
            lines="\n".join(lines),
            noun=task.noun,
            label=words[label],
            case=case,
        )


def _about(quota: Quota, label: str) -> About:
    purpose: Literal["rewrite", "lesson", "breadth"]
    purpose = "rewrite" if quota.seed else "lesson" if quota.lesson else "breadth"
    return About(purpose=purpose, count=1, counts={quota.source: 1}, target_class=label)


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
