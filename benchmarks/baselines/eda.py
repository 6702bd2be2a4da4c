"""Seeds with words swapped and left out: EDA (Wei and Zou 2019, arXiv 1901.11196), a baseline that asks no teacher.

    python main.py run benchmarks/baselines/eda.toml

Of EDA's four edits these are the two that need no dictionary. Synonym replacement and random insertion take synonyms
from WordNet, which no well-kept Python package brings along; downloads at run time are not made here.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from evokd.agents.base import Draft, Services, State
from evokd.agents.generator import agent as generator
from evokd.agents.generator.quotas import Quota
from evokd.tasks.base import Example, normalise
from evokd.tasks.task import Task

SHARE = 0.1
"""Of the words of a text that one edit changes, at least one word (EDA's alpha)."""

TRIES = 20
"""Per text wanted; short seeds have few edits."""


@dataclass(frozen=True)
class Generator(generator.Generator):
    """Edits the seeds in place of writing texts; it goes with `strategy = "auggpt"`, whose rewrites keep labels too.

    Of the settings `backbone` and `gate` count. There is one batch: later ones are empty.
    """

    def initial_drafts(self, state: State, services: Services, wanted: int, first: bool) -> list[Draft]:
        if not first:
            return []
        return edits(services.task, services.memory.samples("seed"), wanted, services.seed)

    def plan_quotas(self, state: State, services: Services, wanted: int) -> list[Quota]:
        return []  # seeds may have fewer edits than are wanted, and nobody is asked to write the rest


def edits(task: Task, seeds: Sequence[Example], count: int, seed: int) -> list[Draft]:
    """Up to `count` drafts with their seeds' labels, every seed in turn; no two alike, none a seed."""
    rng = random.Random(f"edits {seed}")
    known = {normalise(example.text) for example in seeds}
    drafts: list[Draft] = []
    for attempt in range(TRIES * count):
        if len(drafts) == count:
            break
        example = seeds[attempt % len(seeds)]
        text = edited(example.text, rng)
        if normalise(text) not in known:
            known.add(normalise(text))
            drafts.append(Draft(text=text, source="rewrite", label=task.say(example.text, example.label)))
    return drafts


def edited(text: str, rng: random.Random) -> str:
    """The text with some words in each other's place, or without some words; never without all."""
    words = text.split()
    times = max(1, round(SHARE * len(words)))
    if rng.random() < 0.5:
        for _ in range(times if len(words) > 1 else 0):
            one, other = rng.sample(range(len(words)), 2)
            words[one], words[other] = words[other], words[one]
    else:
        for _ in range(min(times, len(words) - 1)):
            del words[rng.randrange(len(words))]
    return " ".join(words)
