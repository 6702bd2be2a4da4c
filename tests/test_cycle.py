"""The whole loop on fakes: the graph, the agents, the memory's contract, in about a second."""

import dataclasses
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from evokd.agents.base import CycleReport, Services
from evokd.agents.prompting import About
from evokd.graph.build import build, initial_state
from evokd.graph.config.run_config import agents, stop_rule, validate
from evokd.graph.stop import Stop
from evokd.tasks.base import Example, Split
from evokd.testing import words, world


def config(strategy: str = "gated", **more: Any) -> Any:
    raw = {
        "name": "test", "strategy": strategy, "task": {"description": "d", "labels": list(world.VOCABULARY)},
        "data": {"seeds": "seeds.jsonl"}, "agents": {"generator": {"backbone": 40, "batch": 12}, **more},
    }  # fmt: skip
    if strategy == "gated":
        raw["agents"]["generator"]["gate_size"] = 40
    raw["agents"]["trainer"] = {"last_members": 0, **raw["agents"].get("trainer", {})}  # the loop is what is tested
    return validate(raw, "test")


def run(services: Services, strategy: str = "gated", cycles: int = 3, **more: Any) -> dict[str, Any]:
    graph = build(agents(config(strategy, **more)), Stop(cycles=cycles)).compile(checkpointer=InMemorySaver())
    settings: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 50}
    return dict(graph.invoke(initial_state(), settings, context=services, durability="sync"))


def rows(state: dict[str, Any]) -> list[CycleReport]:
    return list(state["history"])


@contextmanager
def learning(services: Services) -> Iterator[list[str]]:
    """The texts that students learn in the block."""
    learnt: list[str] = []
    fit = type(services.students.new(0)).fit

    def watched(self: Any, examples: Any, progress: Any = None, **how: Any) -> None:
        learnt.extend(example.text for example in examples)
        fit(self, examples, progress, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(services.students.new(0)), "fit", watched)
        yield learnt


def test_the_student_gets_better_than_the_seeds(tmp_path: Path) -> None:
    state = run(world.services(tmp_path))
    first, *_, last = rows(state)
    assert last["scores"]["dev"]["value"] > first["scores"]["dev"]["value"] + 0.1
    assert [row["cycle"] for row in rows(state)] == [0, 1, 2, 3]
    assert [row["batch_kind"] for row in rows(state)] == ["seed", "breadth", "lessons", "breadth"]
    assert state["stop"] == "all 3 cycles are done"
    assert (tmp_path / "best" / "model.json").exists()


def test_held_out_texts_reach_no_prompt_and_no_training(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    trained: list[str] = []
    fit = type(services.students.new(0)).fit

    def recording(self: Any, examples: Any, progress: Any = None, **how: Any) -> None:
        trained.extend(example.text for example in [*examples, *how.get("imitated", ())])
        fit(self, examples, progress, **how)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(services.students.new(0)), "fit", recording)
        run(services)
    held_out = [e.text for split in ("gate", "dev") for e in services.memory.samples(split)]  # type: ignore[arg-type]
    sent = [words(prompt) for _, prompt in services.teacher.asked]  # type: ignore[attr-defined]
    assert len(services.memory.samples("gate")) >= 30
    assert not set(held_out) & set(trained)
    # The teacher itself wrote and labelled the gate's texts; nothing may ever be shown of them afterwards.
    later = [text for (role, _), text in zip(services.teacher.asked, sent, strict=True) if role == "analyst"]  # type: ignore[attr-defined]
    assert later and not any(text in shown for text in held_out for shown in later)
    assert not any(text in shown for text in [e.text for e in services.memory.samples("dev")] for shown in sent)


@pytest.mark.parametrize("strategy", ["gated", "paper", "auggpt"])
def test_every_prompt_says_as_data_what_it_asks_in_words(tmp_path: Path, strategy: str) -> None:
    services = world.services(tmp_path)
    run(services, strategy)
    asked = [(role, prompt.about, words(prompt)) for role, prompt in services.teacher.asked]  # type: ignore[attr-defined]
    loop = {"analysis", "lesson", "labels"}
    purposes = {"auggpt": {"rewrite"}, "paper": loop, "gated": {"taxonomy", "breadth", *loop}}
    assert {about["purpose"] for _, about, _ in asked} >= purposes[strategy]
    for role, about, said in asked:
        assert json.loads(json.dumps(about)) == about and set(about) <= set(About.__annotations__)
        shown = [each["text"] for each in (*about.get("texts", ()), *about.get("cases", ()))]
        assert all(text in said for text in shown) and about.get("lesson_name", "") in said
        assert role != "annotator" or set(about) == {"purpose", "count", "texts"}, "no more by the back door"


@pytest.mark.parametrize("strategy", ["gated", "paper"])
def test_no_marker_of_a_held_out_text_is_sent_or_learnt(tmp_path: Path, strategy: str) -> None:
    """Not even where the teacher writes such a text itself, letter by letter or nearly."""
    rng = random.Random(1)
    splits: tuple[Split, ...] = ("gate", "dev", "test")
    hidden = [
        Example(text=f"{world.make_text(label, rng)} marker{split}{label}", label=label, split=split)
        for split in splits
        for label in world.VOCABULARY
    ]

    def leaking(prompt: Any) -> Any:
        said = world.generator(prompt)
        for texts in said.values():
            if texts and "text" in texts[0]:
                copied = [f"{rng.choice(hidden).text}{rng.choice(['', '!', ' .'])}" for _ in range(3)]
                texts[: len(copied)] = [{**texts[0], "text": text} for text in copied]
        return said

    services = world.services(tmp_path, teacher=world.teacher(generator=leaking))
    services.memory.remember(hidden)
    with learning(services) as learnt:
        state = run(services, strategy)
    assert sum(row["stats"].get("refused", {}).get("held-out", 0) for row in rows(state)) > 5, (
        "the teacher did write them"
    )
    sent = [words(prompt) for _, prompt in services.teacher.asked]  # type: ignore[attr-defined]
    assert learnt and not [text for text in (*sent, *learnt) if "marker" in text]


def test_the_annotator_sees_neither_lesson_nor_stance_nor_class(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    run(services)
    for role, prompt in services.teacher.asked:  # type: ignore[attr-defined]
        if role == "annotator":
            said = words(prompt)
            assert "short texts" not in said and "hard" not in said and "probe" not in said
            assert len(prompt.body) == 1, "labelling is a conversation of its own"


@pytest.mark.parametrize(("strategy", "roles"), [("paper", ["user", "assistant", "user"]), ("gated", ["user"])])
def test_the_papers_generator_goes_on_with_the_analysts_conversation(
    tmp_path: Path, strategy: str, roles: list[str]
) -> None:
    services = world.services(tmp_path)
    run(services, strategy)
    aimed = [p for role, p in services.teacher.asked if role == "generator" and p.about["purpose"] == "lesson"]  # type: ignore[attr-defined]
    assert aimed and all([m["role"] for m in p.body] == roles for p in aimed)


def test_a_harmful_batch_is_shelved_and_breadth_returns(tmp_path: Path) -> None:
    def wrong(prompt: Any) -> Any:
        """Right at first; then every label is the next class's."""
        answer = world.annotator(prompt)
        if services.memory.samples("train"):
            names = list(world.VOCABULARY)
            for each in answer["labels"]:
                each["label"] = names[(names.index(each["label"]) + 1) % 4]
        return answer

    services = world.services(tmp_path, teacher=world.teacher(annotator=wrong))
    # All of it is learnt, so that all the gate sees is harm.
    state = run(services, cycles=4, trainer={"max_difficulty": 1.0})
    assert [row["kept"] for row in rows(state)] == [True, True, False, False, False]
    assert [row["batch_kind"] for row in rows(state)] == ["seed", "breadth", "lessons", "breadth", "breadth"]
    assert rows(state)[-1]["champion"] == "students/cycle-001"
    shelved = services.memory.samples("train", "shelved")
    assert len(shelved) > 20 and all(example.origin.cycle >= 2 for example in shelved)
    assert (tmp_path / "best").resolve().name == "cycle-001"


def test_the_papers_loop_keeps_everything_and_starts_with_lessons(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    state = run(services, "paper")
    assert [row["batch_kind"] for row in rows(state)] == ["seed", "lessons", "lessons", "lessons"]
    assert all(row["kept"] for row in rows(state))
    assert not services.memory.samples("gate")
    sources = {example.origin.source for example in services.memory.samples("train")}
    assert sources == {"hard", "typical"}


AFTER_A_FIRST_BATCH: dict[str, Any] = {"evaluator": {"curriculum": "gated"}}
REWRITES: dict[str, Any] = {"backbone": 40, "batch": 12, "first": "rewrites"}


@pytest.mark.parametrize(
    ("strategy", "more", "plans", "sources"),
    [
        ("none", {}, ["seed"], set()),
        ("static", {}, ["seed", "breadth", "breadth", "breadth"], {"typical"}),
        ("zerogen", {}, ["seed", "breadth"], {"typical"}),
        ("auggpt", {}, ["seed", "breadth"], {"rewrite"}),
        (
            "paper",
            {**AFTER_A_FIRST_BATCH, "generator": REWRITES},
            ["seed", "breadth", "lessons", "lessons"],
            {"rewrite", "hard", "typical"},
        ),
        ("paper", AFTER_A_FIRST_BATCH, ["seed", "breadth", "lessons", "lessons"], {"typical", "hard"}),
        (
            "gated",
            {"evaluator": {"curriculum": "lessons"}},
            ["seed", "lessons", "lessons", "lessons"],
            {"typical", "hard", "probe", "rewrite"},
        ),
    ],
)
def test_the_strategies_and_what_they_begin_with(
    tmp_path: Path, strategy: str, more: dict[str, Any], plans: list[str], sources: set[str]
) -> None:
    services = world.services(tmp_path)
    asked = config(strategy, **more)
    stop = dataclasses.replace(stop_rule(asked), cycles=min(3, stop_rule(asked).cycles))
    graph = build(agents(asked), stop).compile(checkpointer=InMemorySaver())
    settings: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 50}
    state = dict(graph.invoke(initial_state(), settings, context=services, durability="sync"))
    assert [row["batch_kind"] for row in rows(state)] == plans
    written = [*services.memory.samples("train"), *services.memory.samples("train", "shelved")]
    assert {example.origin.source for example in written} == sources
    asked_to_label = any(role == "annotator" for role, _ in services.teacher.asked)  # type: ignore[attr-defined]
    assert asked_to_label is (strategy in ("static", "paper", "gated"))
    assert bool(services.teacher.asked) is (strategy != "none")  # type: ignore[attr-defined]


def test_two_runs_are_the_same(tmp_path: Path) -> None:
    first, second = (run(world.services(tmp_path / name)) for name in ("a", "b"))

    def bare(state: dict[str, Any]) -> list[Any]:
        return [{k: v for k, v in row.items() if k not in ("seconds", "teacher")} for row in rows(state)]

    assert bare(first) == bare(second)


def test_with_a_pool_it_writes_first_then_labels_and_judges_by_real_texts(tmp_path: Path) -> None:
    rng = random.Random(5)
    pool = [f"{world.make_text(label, rng)} real{n}" for n in range(60) for label in world.VOCABULARY]
    services = world.services(tmp_path, pool=pool)
    with learning(services) as learnt:
        state = run(services, cycles=6)
    gate = services.memory.samples("gate")
    assert len(gate) == 40 and {example.origin.source for example in gate} == {"pool"}
    assert not {example.text for example in gate} & set(learnt)
    others = [words(prompt) for role, prompt in services.teacher.asked if role != "annotator"]  # type: ignore[attr-defined]
    assert not any(example.text in said for example in gate for said in others)
    kinds = [row["batch_kind"] for row in rows(state)]
    assert kinds[:5] == ["seed", "breadth", "label", "lessons", "breadth"]
    first, second = ({s.origin.source for s in services.memory.samples("train") if s.origin.cycle == n} for n in (1, 2))
    assert (first, second) == ({"typical"}, {"pool"})
    assert all(row["chosen"].endswith(".") for row in rows(state)[1:]) and rows(state)[0]["chosen"] == ""
    assert all(row["outlook"] for row in rows(state))


def test_a_run_ends_when_nothing_is_left_to_gain_and_says_what_would_help(tmp_path: Path) -> None:
    def silent(prompt: Any) -> Any:
        """It has no more after the first batch."""
        return world.generator(prompt) if not services.memory.samples("train") else {
            "texts": [], "hard": [], "typical": [], "probe": [], "classes": []
        }  # fmt: skip

    rng = random.Random(5)
    pool = [f"{world.make_text(label, rng)} real{n}" for n in range(30) for label in world.VOCABULARY]
    services = world.services(tmp_path, pool=pool, teacher=world.teacher(generator=silent))
    state = run(services, cycles=12)
    assert state["stop"] == rows(state)[-1]["outlook"] and state["nothing_left"]
    assert "There is nothing left to gain from labelling your texts (none is left)" in state["stop"]
    assert "What would help is" in state["stop"] and rows(state)[-1]["cycle"] < 12
