"""Texts of the pool to label at random: what picking those that the student is unsure of has to beat.

python -m benchmarks.trial ... --set 'order = ["trainer", "evaluator", "analyst",
"benchmarks.baselines.random_pool:Generator", "annotator"]'
"""

import random
from dataclasses import dataclass

from evokd.agents.base import Draft, Services, State
from evokd.agents.generator import agent as generator
from evokd.agents.generator.pool_sampling import example_texts, keep_novel


@dataclass(frozen=True)
class Generator(generator.Generator):
    """Our generator, which picks blindly."""

    def initial_drafts(self, state: State, services: Services, wanted: int, first: bool) -> list[Draft]:
        if state["batch_kind"] != "label":
            return []
        texts = list(services.pool[len(example_texts(services.pool)) :])
        random.Random(f"blind {services.seed}").shuffle(texts)
        return [Draft(text=text, source="pool") for text in keep_novel(services, texts)[:wanted]]
