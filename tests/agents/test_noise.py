"""Labels that are probably wrong: found out of fold, dropped, softened or weighed, and never the user's own."""

import random
from pathlib import Path
from typing import Any

import pytest

from agents.base import Services
from agents.noise import FOLDS, cured
from agents.trainer import Trainer
from tasks.base import Example, Origin, Span
from tasks.errors import ConfigError
from tests import world

LABELS = list(world.VOCABULARY)


def labelled(count: int = 40) -> tuple[list[Example], set[str]]:
    """Texts of every class, and the ids of the three that are mislabelled."""
    dice, examples, wrong = random.Random(1), [], set()
    for number, label in enumerate(LABELS * count):
        example = Example(text=world.make_text(label, dice), label=label, origin=Origin(stance="typical"))
        if number in (5, 18, 30):
            example = example.model_copy(update={"label": LABELS[(LABELS.index(label) + 1) % 4]})
            wrong.add(example.id)
        examples.append(example)
    return examples, wrong


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return world.services(tmp_path)


def test_wrong_labels_are_dropped_and_counted(services: Services) -> None:
    examples, wrong = labelled()
    counts: dict[str, int] = {}
    left = cured(services, "drop", examples, counts)
    gone = {example.id for example in examples} - {example.id for example in left}
    assert len(wrong & gone) >= 2 and len(gone) <= 6 and counts == {"doubted labels": len(gone)}


def test_or_softened_by_half(services: Services) -> None:
    examples, wrong = labelled()
    left = cured(services, "soften", examples, {})
    assert [example.id for example in left] == [example.id for example in examples]
    soft = [example for example in left if example.soft]
    assert len(wrong & {example.id for example in soft}) >= 2
    for example in soft:
        assert sum(example.soft.values()) == pytest.approx(1.0) and 0.5 <= example.soft[str(example.label)] < 0.9


def test_or_weighed_by_what_is_learnt(services: Services) -> None:
    examples, wrong = labelled()
    counts: dict[str, int] = {}
    left = cured(services, "learn", examples, counts)
    assert [example.model_copy(update={"weight": 1.0}) for example in left] == examples
    light = {example.id for example in left if example.weight < 0.5}
    assert len(wrong & light) >= 2 and len(light) <= 6 and counts == {"doubted labels": len(light)}
    assert sum(example.weight for example in left) / len(left) > 0.9
    assert cured(services, "learn", examples, {}) == left


def test_the_users_own_are_never_doubted(services: Services) -> None:
    examples, _ = labelled()
    own = [example.model_copy(update={"origin": Origin()}) for example in examples]
    counts: dict[str, int] = {}
    for cure in ("drop", "soften", "learn"):
        assert cured(services, cure, own, counts) == own and counts == {"doubted labels": 0}


def test_no_label_is_dropped_where_it_has_few_texts_or_the_cure_is_off(services: Services) -> None:
    few, _ = labelled(FOLDS - 1)
    many, _ = labelled()
    counts: dict[str, int] = {}
    assert cured(services, "drop", few, counts) == few and cured(services, "off", many, counts) == many
    assert counts == {}
    weighed = cured(services, "learn", few, counts)
    assert len({example.weight for example in weighed}) > 1 and "doubted labels" in counts, "weights need no folds"


def test_entities_are_refused_with_the_setting(services: Services) -> None:
    spans = [Example(text="Ann came", label=(Span(start=0, end=3, type="sports"),))]
    with pytest.raises(ConfigError, match=r"agents\.trainer\.noise = 'drop' needs one label a text"):
        cured(services, "drop", spans, {})


@pytest.mark.parametrize("noise", ["drop", "soften", "learn"])
def test_it_does_not_go_with_a_warm_start(noise: Any) -> None:
    with pytest.raises(ValueError, match="start = 'fresh'"):
        Trainer(start="warm", noise=noise)
