"""The gate: with or without the batch, on texts neither side was trained on."""

import random
from pathlib import Path

import numpy as np
import pytest

from evokd.agents.base import Services
from evokd.agents.evaluator import gate
from evokd.agents.evaluator.gate import calibrated_losses, decide, harms
from evokd.tasks.base import Example, Prediction, Split
from evokd.tasks.metrics import Score
from evokd.testing import ListMemory, WordStudent, world

LABELS = list(world.VOCABULARY)


def student(right: float, words: int | None = None) -> WordStudent:
    """A student that knows its words (1.0), nothing (0.0), or the contrary (-1.0); of each class all or the first."""
    shift = 0 if right > 0 else 1
    counts = {
        label: {word: 5.0 * abs(right) for word in world.VOCABULARY[LABELS[(place + shift) % 4]][:words]}
        for place, label in enumerate(LABELS)
    }
    return WordStudent(LABELS, counts)


def bare(folder: Path, **held_out: int) -> Services:
    """Services whose memory holds so many gate and dev texts."""
    services, memory, rng = world.services(folder), ListMemory(), random.Random(3)
    for split, count in held_out.items():
        labels = [LABELS[number % 4] for number in range(count)]
        given: Split = split  # type: ignore[assignment]
        memory.remember(Example(text=world.make_text(label, rng), label=label, split=given) for label in labels)
    return Services(services.task, memory, services.students, services.teacher, services.folder)


def compare(services: Services, challenger: WordStudent, rival: WordStudent) -> None:
    """Save both sides as the trainer does."""
    services.folder.student(1).parent.mkdir(parents=True, exist_ok=True)
    challenger.save(services.folder.student(1))
    rival.save(services.folder.rival(1))


def test_nothing_held_out_keeps_the_batch(tmp_path: Path) -> None:
    decision = decide(bare(tmp_path), 1)
    assert (decision.keep, decision.evidence) == (True, {})


def test_the_same_student_on_both_sides_is_not_worse(tmp_path: Path) -> None:
    services = bare(tmp_path, gate=40)
    compare(services, student(1.0), student(1.0))
    decision = decide(services, 1)
    assert decision.keep and decision.evidence["loss"]["value"] == 0.0
    assert decision.evidence["loss"]["low"] is None, "nothing differs: no interval is claimed"


@pytest.mark.parametrize(("challenger", "champion", "keep"), [(1.0, 0.0, True), (0.0, 1.0, False), (-1.0, 0.0, False)])
def test_better_stays_and_worse_goes(tmp_path: Path, challenger: float, champion: float, keep: bool) -> None:
    services = bare(tmp_path, gate=40)
    compare(services, student(challenger), student(champion))
    decision = decide(services, 1)
    assert decision.keep is keep
    assert decision.why.startswith("it passes" if keep else "it does not pass")
    assert decision.evidence["loss"]["n"] == 40


@pytest.mark.parametrize(("count", "keep"), [(39, True), (40, False)])
def test_a_handful_of_texts_shelves_nothing(tmp_path: Path, count: int, keep: bool) -> None:
    services = bare(tmp_path, gate=count)
    compare(services, student(0.0), student(1.0))
    decision = decide(services, 1)
    assert decision.keep is keep and decision.evidence["loss"]["n"] == count
    assert ("39 held-out texts are too few to judge by" in decision.why) is keep


def test_a_batch_may_be_worse_within_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    services = bare(tmp_path, gate=40)
    compare(services, student(0.3, words=3), student(0.3, words=4))
    figures = decide(services, 1).evidence["loss"]
    assert figures["value"] is not None and figures["low"] is not None and figures["high"] is not None
    worse = figures["value"] / ((figures["high"] - figures["low"]) / 3.92)
    assert worse > 0
    for chance, keep in ((1.01 * worse, True), (0.99 * worse, False)):
        monkeypatch.setattr(gate, "CHANCE", chance)
        assert decide(services, 1).keep is keep


@pytest.mark.parametrize("inverse_temperature", [0.3, 3.0])
def test_being_surer_or_less_sure_is_not_being_better_or_worse(tmp_path: Path, inverse_temperature: float) -> None:
    services, rng = bare(tmp_path, gate=60), random.Random(8)
    texts = services.memory.samples("gate")
    found = []
    for text in texts:  # right about two of three
        shares = {label: rng.uniform(0.2, 1) + 1.5 * (label == text.label) * (rng.random() < 0.6) for label in LABELS}
        shares = {label: share / sum(shares.values()) for label, share in shares.items()}
        best = max(shares, key=lambda label: shares[label])
        found.append(Prediction(label=best, probability=shares[best], probabilities=shares))
    raised = [_raised(prediction, inverse_temperature) for prediction in found]
    plain = [np.mean([services.task.loss(*pair) for pair in zip(texts, side, strict=True)]) for side in (found, raised)]
    fair = [calibrated_losses(services.task, texts, side).mean() for side in (found, raised)]
    assert fair[0] < plain[0] and fair[1] < plain[1]
    assert abs(fair[1] - fair[0]) < 0.25 * abs(plain[1] - plain[0]), (plain, fair)


def test_where_all_is_right_the_surer_student_is_better(tmp_path: Path) -> None:
    services = bare(tmp_path, gate=40)
    compare(services, student(1.0), student(0.6))
    decision = decide(services, 1)
    assert decision.keep and decision.evidence["score"]["value"] == 0
    loss = decision.evidence["loss"]["value"]
    assert loss is not None and -0.01 < loss < -1e-6


def _raised(prediction: Prediction, inverse_temperature: float) -> Prediction:
    raised = {label: share**inverse_temperature for label, share in prediction.probabilities.items()}
    shares = {label: share / sum(raised.values()) for label, share in raised.items()}
    return prediction.model_copy(update={"probabilities": shares, "probability": max(shares.values())})


def test_the_dev_set_has_a_veto_of_its_own(tmp_path: Path) -> None:
    services = bare(tmp_path, gate=80)
    # The user's dev texts are all of one class, which the challenger unlearns.
    rng = random.Random(5)
    dev = [Example(text=world.make_text("food", rng), label="food", split="dev") for _ in range(24)]
    services.memory.remember(dev)
    challenger = student(0.2)
    counts = challenger.counts
    counts["food"], counts["money"] = counts["money"], counts["food"]
    compare(services, challenger, student(0.0))
    decision = decide(services, 1)
    assert not decision.keep and decision.why.startswith("it harms the dev set")


@pytest.mark.parametrize(("n", "vetoed"), [(4, False), (19, False), (20, True)])
def test_a_few_dev_texts_have_no_veto(n: int, vetoed: bool) -> None:
    assert harms(Score(value=0.1, low=0.05, high=0.2, n=n)) is vetoed
    assert harms(Score(value=0.1, low=None, high=None, n=n)) is vetoed
    assert not harms(Score(value=0.1, low=-0.05, high=0.2, n=n)) and not harms(Score(value=-0.1, low=-2, high=-1, n=n))


@pytest.mark.parametrize("dev", [20, 40])
def test_dev_alone_decides_too_and_a_small_one_by_its_veto(tmp_path: Path, dev: int) -> None:
    services = bare(tmp_path, dev=dev)
    compare(services, student(0.0), student(1.0))
    assert decide(services, 1).why.startswith("it harms the dev set")
    compare(services, student(1.0), student(1.0))
    decision = decide(services, 1)
    assert decision.keep and ("are too few to judge by" in decision.why) is (dev < 40)


def test_without_a_rival_there_is_no_gate(tmp_path: Path) -> None:
    decision = decide(bare(tmp_path, gate=40), 1)
    assert decision.keep and decision.why.startswith("no gate: ") and decision.evidence == {}
