"""What every agent must do."""

import copy
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from ...agents.base import Agent, Services, State
from ...agents.drafts import read_all_drafts
from ...agents.evaluator.agent import Evaluator
from ...agents.generator.agent import Generator
from ...agents.trainer.agent import Trainer
from ...tasks.base import Split
from .. import world
from ..acting import settled, step
from ..fakes import ScriptedTeacher, words


class AgentContract:
    """What every agent must do. Subclass it, say in `make` which agent it is, and run pytest.

    The agent acts in the small world of `evokd.testing.world`, between generator and annotator: a student has learnt
    the seeds, and drafts wait for labels. `before` says otherwise for an agent that stands elsewhere.

    Examples:
        >>> class TestMine(AgentContract):
        ...     def make(self):
        ...         return Critic(most=10)
        ...
        ...     def script(self):
        ...         return {"critic": lambda prompt: {"natural": [True] * 8}}
    """

    unseen: tuple[Split, ...] = ("gate", "dev", "test")
    """Splits whose texts it may not show to the teacher; only who writes or labels the texts of the gate shows them."""

    def make(self) -> Agent:
        """Your agent."""
        raise NotImplementedError("say in `make` which agent it is")

    def script(self) -> dict[str, object]:
        """Role -> what the teacher answers it: a function of the prompt that gives a value of the schema."""
        return {}

    def before(self) -> Sequence[Agent]:
        """The agents of its cycle that act before it."""
        return [Generator(backbone=8, gate_size=4, batch=8)]

    @pytest.fixture
    def services(self, tmp_path: Path) -> Services:
        """What the agent may use, all of it fakes."""
        return world.services(tmp_path, teacher=world.teacher(**self.script()))

    @pytest.fixture
    def state(self, services: Services) -> State:
        """Where the run is when it is the agent's turn."""
        state = world.state()
        acting: list[Agent] = [Trainer(members=1, rival=False), Evaluator(), *self.before()]
        for agent in acting:
            state = step(agent, state, services)
        return state

    def test_its_fields_are_its_settings(self) -> None:
        agent = self.make()
        assert dataclasses.is_dataclass(agent) and not isinstance(agent, type)
        for each in dataclasses.fields(agent):
            assert each.default is not dataclasses.MISSING or each.default_factory is not dataclasses.MISSING, (
                f"{each.name} has no default: a config without settings means the defaults"
            )

    def test_it_gives_what_changed_and_leaves_its_state_alone(self, state: State, services: Services) -> None:
        before = copy.deepcopy(state)
        update = settled(self.make(), state, services)
        assert state == before, "the agent wrote into the state that it was given"
        assert isinstance(update, dict)
        assert json.loads(json.dumps(update)) == update, "a checkpoint holds JSON alone: texts belong into files"

    def test_a_step_that_is_run_a_second_time_changes_nothing_more(self, state: State, services: Services) -> None:
        settled(self.make(), state, services)

    def test_held_out_texts_are_never_shown_to_the_teacher(self, state: State, services: Services) -> None:
        assert isinstance(services.teacher, ScriptedTeacher)
        earlier = len(services.teacher.asked)
        settled(self.make(), state, services)
        hidden = [example.text for split in self.unseen for example in services.memory.samples(split)]
        hidden += [draft.text for draft in read_all_drafts(services, state["cycle"]) if draft.split in self.unseen]
        assert hidden
        for role, prompt in services.teacher.asked[earlier:]:
            assert not [text for text in hidden if text in words(prompt)], f"the {role} shows a held-out text"
