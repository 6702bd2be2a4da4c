"""Our agents do what every agent must."""

from collections.abc import Sequence

from evokd.agents.analyst.agent import Analyst
from evokd.agents.annotator.agent import Annotator
from evokd.agents.base import Agent
from evokd.agents.evaluator.agent import Evaluator
from evokd.agents.generator.agent import Generator
from evokd.agents.trainer.agent import Trainer
from evokd.testing import AgentContract


class TestAnalyst(AgentContract):
    def make(self) -> Agent:
        return Analyst()


class TestGenerator(AgentContract):
    unseen = ("dev", "test")

    def make(self) -> Agent:
        return Generator(backbone=8, gate_size=4, batch=8)


class TestAnnotator(AgentContract):
    unseen = ("dev", "test")

    def make(self) -> Agent:
        return Annotator()


class TestTrainer(AgentContract):
    def before(self) -> Sequence[Agent]:
        return [*super().before(), Annotator()]

    def make(self) -> Agent:
        return Trainer()


class TestEvaluator(TestTrainer):
    def before(self) -> Sequence[Agent]:
        return [*super().before(), Trainer()]

    def make(self) -> Agent:
        return Evaluator()
