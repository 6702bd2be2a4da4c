"""Training with the shortcuts gives the weights that training without them gives."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from evokd.student.encoder.loading import layers
from evokd.student.encoder.shortcuts import Forward, padded, shortened
from evokd.student.settings import StudentSettings
from evokd.student.training.fitting import Fitting, Material
from evokd.student.transformer import TransformerStudents
from evokd.testing import examples as texts_to_learn
from tests.student import tiny

LABELS = ("music", "weather")
Encoders = Callable[[str], Path]


@contextmanager
def plain(network: Any, tokens: Sequence[list[int]], freeze: int, pad: int) -> Iterator[Forward]:
    """The long way."""

    def forward(chosen: Sequence[int]) -> torch.Tensor:
        logits: torch.Tensor = network(**padded([tokens[i] for i in chosen], pad, torch.device("cpu"))).logits
        return logits

    yield forward


class Case:
    """A tiny classifier in double precision (Adam turns the last bits of a gradient of zero into steps)."""

    def __init__(self, folder: Path, freeze: int = 0) -> None:
        self.settings = StudentSettings(model=str(folder), epochs=1, min_steps=5, batch_size=12, freeze=freeze)
        student = TransformerStudents(self.settings, LABELS).new(seed=0)
        self.network = student.network.double()
        self.head = student.head
        self.recipe = self.settings.recipe(self.head.recipe, self.network.config.hidden_size)
        self.tokens = student.rows([example.text for example in texts_to_learn.examples()]).ids
        targets = torch.eye(2).double()[[LABELS.index(example.label) for example in texts_to_learn.examples()]]
        self.material = Material(self.tokens, targets, torch.ones(len(self.tokens)).double())

    def fit(self, progress: Any = None) -> dict[str, torch.Tensor]:
        Fitting(self.network, self.head, self.recipe, pad=1, seed=0).fit(self.material, False, progress)
        weights: dict[str, torch.Tensor] = self.network.state_dict()
        return weights

    def kinds(self) -> list[str]:
        fitting = Fitting(self.network, self.head, self.recipe, pad=1, seed=0)
        fitting._trainable()
        with shortened(self.network, self.tokens, self.settings.freeze, 1):
            found = [type(layer).__name__ for layer in layers(self.network)]
        self.network.requires_grad_(True)
        return found


FAST = {("bert", 0), ("bert", 3), ("distilbert", 1), ("deberta-v2", 3), ("mpnet", 1)}


@pytest.mark.parametrize(
    ("family", "freeze"),
    [
        pytest.param(family, freeze, marks=() if (family, freeze) in FAST else pytest.mark.slow)
        for family in tiny.POOLED
        for freeze in (0, 1, 3)
    ],
)
def test_the_weights_are_the_same(
    family: str, freeze: int, encoders: Encoders, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Case(encoders(family), freeze).fit()
    monkeypatch.setattr("evokd.student.training.fitting.shortened", plain)
    long = Case(encoders(family), freeze).fit()
    assert short.keys() == long.keys()
    for name, weight in long.items():
        assert torch.allclose(short[name], weight, atol=1e-8), name


@pytest.mark.parametrize("family", tiny.one_fast(tiny.FAMILIES))
def test_what_stands_in_for_what(family: str, encoders: Encoders) -> None:
    found = Case(encoders(family), 0 if family == "albert" else 2).kinds()
    if family in ("albert", "modernbert"):
        assert not {"StandIn", "Replay", "Pooling"} & set(found)
    else:
        assert found[:2] == ["StandIn", "Replay"] and (found[-1] == "Pooling") == (family != "mpnet")


def test_nothing_is_replayed_where_nothing_is_frozen(encoders: Encoders) -> None:
    assert Case(encoders("bert")).kinds() == ["BertLayer"] * 4 + ["Pooling"]


def test_too_much_to_keep_is_computed_again(encoders: Encoders, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(encoders("bert"), freeze=2)
    needed = sum(map(len, case.tokens)) * 16 * 8
    monkeypatch.setattr("evokd.student.encoder.shortcuts.CACHE_BYTES", needed)
    assert "Replay" in case.kinds()
    monkeypatch.setattr("evokd.student.encoder.shortcuts.CACHE_BYTES", needed - 1)
    assert "Replay" not in case.kinds() and case.kinds()[-1] == "Pooling"


def test_layers_below_which_something_learns_are_computed_again(encoders: Encoders) -> None:
    case = Case(encoders("bert"), freeze=2)
    with shortened(case.network, case.tokens, 2, 1):  # nothing is switched off yet: the embeddings would learn
        assert "Replay" not in [type(layer).__name__ for layer in layers(case.network)]


@pytest.mark.parametrize("freeze", [0, 2])
def test_the_real_layers_are_back_when_training_fails(freeze: int, encoders: Encoders) -> None:
    case = Case(encoders("bert"), freeze)
    real, names = list(layers(case.network)), list(case.network.state_dict())

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        case.fit(fail)
    assert all(now is before for now, before in zip(layers(case.network), real, strict=True))
    assert list(case.network.state_dict()) == names
    assert all(p.requires_grad and p.grad is None for p in case.network.parameters())


def test_they_are_back_when_the_trial_fails(encoders: Encoders, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case(encoders("bert"), freeze=2)
    real = list(layers(case.network))
    forwards = iter([True, True])  # the trial, one batch of the kept states
    calls = type(case.network).forward

    def forward(self: nn.Module, **given: Any) -> Any:
        if not next(forwards, False):
            raise MemoryError
        return calls(self, **given)

    monkeypatch.setattr(type(case.network), "forward", forward)
    with pytest.raises(MemoryError):
        case.fit()
    assert all(now is before for now, before in zip(layers(case.network), real, strict=True))
    assert not any(layer._forward_hooks for layer in layers(case.network))
