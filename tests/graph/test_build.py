"""The wiring: who follows whom, what a failing step says, what is booked, and that the state survives a checkpoint."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command, interrupt

from evokd.agents.base import Agent, CycleReport, Services, State
from evokd.agents.trainer.agent import Trainer
from evokd.graph.build import build, initial_state
from evokd.graph.config.roles import ROLES
from evokd.graph.stop import Stop
from evokd.tasks.errors import BudgetExhausted, ConfigError, StepError
from evokd.teacher.base import TeacherDown
from evokd.testing import world

Change = Callable[[State], Any]


def ring(**roles: Change) -> dict[str, Agent]:
    """Agents that do nothing but what is given; the evaluator counts the cycles."""

    def agent(change: Change) -> Agent:
        return lambda state, services: change(state)

    def evaluated(state: State) -> State:
        return State(cycle=state["cycle"] + 1, seconds={}, history=[report(state)])

    changes: dict[str, Change] = {**dict.fromkeys(ROLES, lambda state: State()), "evaluator": evaluated, **roles}
    return {name: agent(change) for name, change in changes.items()}


def report(state: State) -> CycleReport:
    return CycleReport(
        cycle=state["cycle"], batch_kind="seed", stats={"accepted": 1}, fresh_before={"value": 0.5, "low": None},
        fresh_after={}, gate={"loss": {"value": 0.1}}, scores={"dev": {"value": 0.5}}, kept=True, why="w",
        champion="students/cycle-000", teacher={"calls": 1.0}, seconds=state["seconds"],
    )  # fmt: skip


def run(tmp_path: Path, agents: dict[str, Agent], cycles: int = 1, start: Any = None) -> dict[str, Any]:
    graph = build(agents, Stop(cycles=cycles)).compile()
    given = initial_state() if start is None else start
    return dict(graph.invoke(given, {"recursion_limit": 60}, context=world.services(tmp_path)))


def test_the_picture_is_the_ring() -> None:
    picture = build(ring(), Stop()).compile().get_graph().draw_mermaid()
    lines = set(re.findall(r"^\t(\w+) (-->|-\..*->) (\w+);$", picture, re.MULTILINE))
    assert {(one, two) for one, _, two in lines} == {
        ("__start__", "trainer"), ("trainer", "evaluator"), ("evaluator", "final_test"), ("evaluator", "analyst"),
        ("analyst", "generator"), ("generator", "annotator"), ("annotator", "trainer"), ("final_test", "__end__"),
    }  # fmt: skip


def test_a_trainer_of_ours_does_its_last_training_as_a_step_of_its_own() -> None:
    edges = {(e.source, e.target) for e in build({**ring(), "trainer": Trainer()}, Stop()).compile().get_graph().edges}
    after = ["evaluator", "last_training", "calibration", "final_test", "__end__"]
    assert set(pairwise(after)) <= edges


def test_a_further_role_stands_where_it_was_put() -> None:
    agents = ring()
    agents = {name: agents[name] for name in (*ROLES[:4], *ROLES[4:])} | {"critic": agents["analyst"]}
    edges = {(e.source, e.target) for e in build(agents, Stop()).compile().get_graph().edges}
    assert ("annotator", "critic") in edges and ("critic", "trainer") in edges and ("annotator", "trainer") not in edges


def test_the_run_ends_only_after_the_evaluator(tmp_path: Path) -> None:
    steps: list[str] = []
    agents = ring(**{role: lambda state, role=role: steps.append(role) for role in ROLES if role != "evaluator"})
    state = run(tmp_path, agents, cycles=2)
    assert steps == ["trainer", *ROLES[2:], "trainer", *ROLES[2:], "trainer"]
    assert state["stop"] == "all 2 cycles are done" and state["cycle"] == 3


def test_the_stop_rule_sees_the_row_that_was_just_written(tmp_path: Path) -> None:
    graph = build(ring(), Stop(target=0.5)).compile()
    state = graph.invoke(initial_state(), {"recursion_limit": 60}, context=world.services(tmp_path))
    assert state["stop"].startswith("the target is reached") and len(state["history"]) == 1


@pytest.mark.parametrize(
    ("cause", "kind", "said"),
    [
        (ZeroDivisionError("by zero"), StepError, "step 'analyst' of cycle 1 failed: ZeroDivisionError: by zero"),
        (TeacherDown("Nobody there."), StepError, "step 'analyst' of cycle 1: Nobody there."),
        (StepError("20 bad answers."), StepError, "step 'analyst' of cycle 1: 20 bad answers."),
        (ConfigError("student.model = 'x'"), ConfigError, "step 'analyst' of cycle 1: student.model = 'x'"),
    ],
    ids=repr,
)
def test_a_failing_step_is_named_and_its_cause_kept(
    cause: Exception, kind: type[Exception], said: str, tmp_path: Path
) -> None:
    def fail(state: State) -> State:
        raise cause

    with pytest.raises(kind) as caught:
        run(tmp_path, ring(analyst=fail))
    assert str(caught.value) == said and caught.value.__cause__ is cause


def test_an_exhausted_budget_ends_the_run_and_says_in_which_step(tmp_path: Path) -> None:
    def fail(state: State) -> State:
        raise BudgetExhausted("budget.max_calls = 1 is reached")

    state = run(tmp_path, ring(generator=fail))
    assert (state["stop"], state["unfinished"]) == ("budget.max_calls = 1 is reached", "generator")


def test_an_async_role_is_waited_for_even_where_a_loop_is_running(tmp_path: Path) -> None:
    class Critic:
        async def __call__(self, state: State, services: Services) -> State:
            await asyncio.sleep(0)
            return State(lessons=["from a coroutine"])

    async def notebook() -> dict[str, Any]:
        return run(tmp_path, {**ring(), "analyst": Critic()})

    assert asyncio.run(notebook())["lessons"] == ["from a coroutine"]


class Notes(State, total=False):
    notes: list[str]


@dataclass(frozen=True)
class Critic:
    """Keeps notes of its own in the state, and asks the person about the first cycle."""

    state_schema: ClassVar[type] = Notes

    def __call__(self, state: Notes, services: Services) -> Any:
        answer = interrupt({"question": "Is this right?"}) if state["cycle"] == 1 else "not asked"
        return {"notes": [*state.get("notes", []), answer]}


def test_a_role_asks_the_person_and_keeps_keys_of_its_own(tmp_path: Path) -> None:
    agents = {**ring(), "critic": Critic()}
    graph = build(agents, Stop(cycles=2)).compile(checkpointer=InMemorySaver())
    settings: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 60}
    services = world.services(tmp_path)
    asked = graph.invoke(initial_state(), settings, context=services)
    assert [each.value for each in asked["__interrupt__"]] == [{"question": "Is this right?"}]
    graph.invoke(Command(resume="yes"), settings, context=services)
    state = graph.get_state(settings).values
    assert state["notes"] == ["yes", "not asked"] and state["cycle"] == 3


def test_a_role_may_send_the_run_elsewhere_but_not_nowhere(tmp_path: Path) -> None:
    steps: list[str] = []
    agents = ring(
        generator=lambda state: steps.append("generator"),
        analyst=lambda state: Command(update={"lessons": ["x"]}, goto="annotator"),
    )
    assert run(tmp_path, agents)["lessons"] == ["x"] and not steps
    with pytest.raises(StepError, match=r"'analyst' of cycle 1 sends the run to 'nowhere'. The steps are trainer, "):
        run(tmp_path / "b", ring(analyst=lambda state: Command(goto="nowhere")))


def test_a_change_the_state_has_no_place_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StepError, match=r"step 'analyst' of cycle 1 returned 'critique', which the state does not have"
    ):
        run(tmp_path, ring(analyst=lambda state: {"critique": "short"}))


@pytest.mark.parametrize(
    ("stats", "why"),
    [
        (
            {"criticised": 3},
            r"stats has no field 'criticised': count things of your own as stats\['other'\]\['criticised'\]",
        ),
        ({"too hard": 3}, "stats has no field 'too hard'"),
        ({"drafted": 2.5}, r"stats\['drafted'\] must be a whole number, not 2\.5"),
        (["drafted"], r"stats must be a dict with the fields of BatchStats, not \['drafted'\]"),
    ],
)
def test_stats_that_nobody_would_read_are_refused_and_their_role_is_named(tmp_path: Path, stats: Any, why: str) -> None:
    agents = ring(trainer=lambda state: State(stats=stats))
    with pytest.raises(StepError, match=f"step 'trainer' of cycle 0: {why}"):
        run(tmp_path, agents)


def test_a_role_may_change_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, ring(analyst=lambda state: None))["cycle"] == 2


def test_what_is_returned_but_no_mapping_is_a_failed_step(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="step 'analyst' of cycle 1 returned 'nothing found', which is not a State"):
        run(tmp_path, ring(analyst=lambda state: "nothing found"))


def test_seconds_are_booked_per_step_and_closed_by_the_evaluator(tmp_path: Path) -> None:
    state = run(tmp_path, ring())
    assert [set(row["seconds"]) for row in state["history"]] == [
        {"trainer"},
        {"analyst", "generator", "annotator", "trainer"},
    ]
    assert state["seconds"] == {}


def test_the_progress_of_a_step_names_it(tmp_path: Path) -> None:
    def work(state: State, services: Services) -> State:
        services.bar("digging")(1, 2)
        return State()

    graph = build({**ring(), "trainer": work}, Stop(cycles=0)).compile()
    events = list(graph.stream(initial_state(), context=world.services(tmp_path), stream_mode="custom"))
    assert {"step": "trainer", "cycle": 0, "what": "digging", "done": 1, "total": 2} in events
    assert [e["step"] for e in events if not e["what"]] == ["trainer", "evaluator", "final_test"]


def test_an_empty_input_starts_a_run_as_studio_does(tmp_path: Path) -> None:
    assert run(tmp_path, ring(), start={})["cycle"] == 2


def test_the_state_survives_a_checkpoint_as_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = world.state(
        cycle=1, batch_kind="lessons", champion="students/cycle-000", challenger="students/cycle-001", batch=["a"],
        lessons=["1-x"], stats={"drafted": 3, "other": {"x": 1}}, shelved_in_a_row=1, seconds={"trainer": 0.5},
        history=[report(world.state())], stop="", ties={"memory:samples 0": "4 ab"},
    )  # fmt: skip
    assert set(before) == set(State.__annotations__), "a new field of the state belongs into this test"
    settings: Any = {"configurable": {"thread_id": "t"}}
    path = str(tmp_path / "checkpoints.sqlite")
    with SqliteSaver.from_conn_string(path) as saver:
        graph = build(ring(), Stop()).compile(checkpointer=saver, interrupt_before=["trainer"])
        graph.invoke(before, settings, context=world.services(tmp_path), durability="sync")
    with SqliteSaver.from_conn_string(path) as saver:
        after = build(ring(), Stop()).compile(checkpointer=saver).get_state(settings).values
    assert after == before and repr(after["history"]) == repr(before["history"])
    assert not caplog.records, "no type was blocked or is unregistered"
