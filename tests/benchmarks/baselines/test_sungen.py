"""Learnt weights: wrong labels lose theirs, right ones do not; texts are learnt as often as theirs say."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from benchmarks.baselines.sungen import ROUNDS, Trainer, drawn, learnt_weights
from evokd.graph.config.run_config import load
from evokd.tasks.base import Example, Origin, Span
from evokd.tasks.errors import ConfigError
from evokd.testing import world
from tests.benchmarks.baselines.running import last_student, ready, run
from tests.parts import ROOT


def clouds(wrong: int, count: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors around three centres, one-hot labels of which the first `wrong` are another's, and which those are."""
    rng = np.random.default_rng(0)
    true = np.arange(count) % 3
    vectors = np.eye(3, 40)[true] + 0.08 * rng.normal(size=(count, 40))
    said = np.where(np.arange(count) < wrong, (true + 1) % 3, true)
    return vectors, np.eye(3)[said], np.arange(count) < wrong


def test_wrong_labels_lose_their_weight() -> None:
    vectors, targets, wrong = clouds(15)
    weights = learnt_weights(vectors, targets, seed=0)
    assert weights.shape == (90,) and (weights >= 0).all() and (weights <= 2).all()
    assert weights[wrong].max() < 0.5 < weights[~wrong].min()


def test_right_labels_keep_theirs() -> None:
    vectors, targets, _ = clouds(0)
    weights = learnt_weights(vectors, targets, seed=0)
    assert weights.min() > 0.5


def test_soft_labels_are_taken_as_they_are() -> None:
    vectors, targets, wrong = clouds(15)
    weights = learnt_weights(vectors, 0.8 * targets + 0.2 / 3, seed=0)
    assert weights[wrong].mean() < weights[~wrong].mean() - 0.5


def test_the_scale_and_the_place_of_the_vectors_do_not_matter() -> None:
    vectors, targets, _ = clouds(15)
    moved = learnt_weights(100 * vectors + 7, targets, seed=0)
    assert moved == pytest.approx(learnt_weights(vectors, targets, seed=0), abs=0.02)


def test_the_seed_decides_and_progress_ends() -> None:
    vectors, targets, _ = clouds(15)
    seen: list[tuple[int, int]] = []
    one = learnt_weights(vectors, targets, 1, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (ROUNDS, ROUNDS)
    assert (one == learnt_weights(vectors, targets, 1)).all() and (one != learnt_weights(vectors, targets, 2)).any()


LABELS = list(world.VOCABULARY)
GOLD = [Example(text=text, label=label, split="seed") for label, text in world.SEEDS.items()]


def labelled(count: int = 40) -> tuple[list[Example], set[str]]:
    """Written texts of every class, and the ids of the three that are mislabelled."""
    rng, examples, wrong = random.Random(1), [], set()
    for number, label in enumerate(LABELS * count):
        said = LABELS[(LABELS.index(label) + 1) % 4] if number in (5, 18, 30) else label
        example = Example(text=world.make_text(label, rng), label=said, origin=Origin(source="typical"))
        wrong |= {example.id} if said != label else set()
        examples.append(example)
    return examples, wrong


def test_wrong_labels_are_learnt_less_and_the_users_own_texts_once_each(tmp_path: Path) -> None:
    examples, wrong = labelled()
    learnt = Trainer().select_texts(world.services(tmp_path), [*GOLD, *examples])
    assert learnt[:4] == GOLD and len(learnt) == 4 + len(examples)
    times = Counter(example.id for example in learnt)
    right = [times[example.id] for example in examples if example.id not in wrong]
    assert sum(times[each] for each in wrong) <= 1 and sum(right) / len(right) > 0.99


def test_a_text_is_drawn_as_often_as_its_weight_says() -> None:
    examples = [Example(text=f"text {number}", label="x") for number in range(200)]
    assert drawn([(example, 0.3) for example in examples], seed=0) == examples, "equal weights change nothing"
    weighed = [(example, (0.0, 0.5, 1.0, 2.5)[number % 4]) for number, example in enumerate(examples)]
    for seed in range(5):
        found = drawn(weighed, seed)
        times = Counter(example.text for example in found)
        assert len(found) == 200
        assert all(weight - 1 < times[example.text] < weight + 1 for example, weight in weighed)
        halves = sum(times[example.text] for example, weight in weighed if weight == 0.5)
        assert 20 <= halves <= 30
    assert drawn(weighed, 0) == drawn(weighed, 0) != drawn(weighed, 1)
    assert drawn([], 0) == drawn([(examples[0], 0.0)], 0) == []


def test_its_ready_config_runs_to_the_end_on_the_texts_of_zerogen(tmp_path: Path) -> None:
    ours = world.services(tmp_path / "sungen")
    state = run(ours, ready("sungen"))
    theirs = world.services(tmp_path / "zerogen")
    plain = ["trainer", "evaluator", "analyst", "generator", "annotator"]
    other = run(theirs, ready("sungen", order=plain))
    assert [row["batch_kind"] for row in state["history"]] == ["seed", "breadth"]
    assert state["history"][-1]["stats"] == other["history"][-1]["stats"]
    assert ours.memory.samples("train") == theirs.memory.samples("train") != []
    assert not any(role == "annotator" for role, _ in ours.teacher.asked)  # type: ignore[attr-defined]
    assert (tmp_path / "sungen" / "best").resolve().name == "final-001"
    assert last_student(tmp_path / "sungen") != last_student(tmp_path / "zerogen")


def test_spans_and_a_warm_start_are_refused(tmp_path: Path) -> None:
    spans = [Example(text="Ann came", label=(Span(start=0, end=3, type="PER"),))]
    with pytest.raises(ConfigError, match="SunGen needs one label a text; the task's kind is 'classification'"):
        Trainer().select_texts(world.services(tmp_path), spans)
    with pytest.raises(ConfigError, match=r"\[agents\.trainer\]: SunGen goes with start = 'fresh'"):
        load(ROOT / "benchmarks" / "baselines" / "sungen.toml", {"agents.trainer.start": "warm"})
