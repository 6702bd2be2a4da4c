"""Edits of seeds: words swapped or left out, labels kept, no text twice."""

import random
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.baselines.eda import edited, edits
from evokd.tasks.base import Example, Span
from evokd.tasks.kinds.ner import Ner
from evokd.testing import world
from tests.agents.acting import drafts
from tests.benchmarks.baselines.running import ready, run


def test_every_seed_in_turn_no_two_alike_and_its_own_words_alone() -> None:
    seeds = [Example(text=text, label=label) for label, text in world.SEEDS.items()]
    drafts = edits(world.task(), seeds, 20, 0)
    texts = [draft.text for draft in drafts]
    assert len(texts) == 20 == len(set(texts)) and not set(texts) & set(world.SEEDS.values())
    assert {draft.source for draft in drafts} == {"rewrite"}
    for draft in drafts:
        assert not Counter(draft.text.split()) - Counter(world.SEEDS[str(draft.label)].split())
    assert edits(world.task(), seeds, 20, 0) == drafts != edits(world.task(), seeds, 20, 1)


def test_a_short_seed_has_few_edits() -> None:
    seeds = [Example(text="goal match", label="sports")]
    assert {draft.text for draft in edits(world.task(), seeds, 50, 0)} == {"match goal", "goal", "match"}
    assert edits(world.task(), [Example(text="goal", label="sports")], 5, 0) == []


@pytest.mark.parametrize("text", ["one", "a b", "a b c d e f g h i j k l m n o p q r s t"])
def test_an_edit_leaves_something(text: str) -> None:
    for seed in range(50):
        assert edited(text, random.Random(seed))


def test_entities_keep_their_quotes() -> None:
    task = Ner("names", {"PER": "a person"})
    seeds = [Example(text="Ann Lee came home late", label=(Span(start=0, end=7, type="PER"),))]
    assert {draft.label for draft in edits(task, seeds, 5, 0)} == {"PER Ann Lee"}


def test_its_ready_config_runs_to_the_end_and_asks_nobody(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    state = run(services, ready("eda"))
    assert [row["batch_kind"] for row in state["history"]] == ["seed", "breadth"]
    stats = state["history"][-1]["stats"]
    assert stats["drafted"] == stats["accepted"] == 40 and stats["trained_on"] == 44
    learnt = services.memory.samples("train")
    assert {example.origin.source for example in learnt} == {"rewrite"} and len(learnt) == 40
    assert all(example.label == world.true_label(example.text) for example in learnt), "labels are the seeds'"
    assert services.teacher.asked == []  # type: ignore[attr-defined]
    assert (tmp_path / "best").resolve().name == "final-001"


def test_a_gate_is_set_aside_of_its_texts_too(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    run(services, ready("eda", **{"agents.generator.backbone": 20, "agents.generator.gate_size": 10}))
    assert len(services.memory.samples("gate")) == 10 and len(services.memory.samples("train")) == 20


def test_a_later_batch_is_empty_and_nobody_is_asked_to_write_the_rest(tmp_path: Path) -> None:
    services = world.services(tmp_path)
    state = run(
        services, ready("eda", **{"strategy": "static", "stop.cycles": 3, "agents.annotator.quarantine": False})
    )
    assert [row["stats"].get("drafted") for row in state["history"]][1:] == [40, 0, 0]
    assert services.teacher.asked == [] and drafts(services, 2) == []  # type: ignore[attr-defined]
