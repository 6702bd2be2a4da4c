"""The generalised cross-entropy: the paper's for hard labels, bounded, and best at a soft label itself."""

import math

import pytest
import torch

from evokd.student.heads.by_name import head_named
from evokd.student.heads.token import UNASKED
from evokd.student.training.losses import entropy, generalised_cross_entropy

LOGITS = torch.tensor([[0.4, -1.0, 2.0], [3.0, 0.0, -3.0]])
ONES = torch.ones(2)


def loss(kind: str, targets: list[torch.Tensor], q: float, weights: torch.Tensor = ONES) -> float:
    logits = LOGITS[:, None].expand(2, 2, 3) if kind == "token" else LOGITS
    return float(head_named(kind)(("a", "b", "c") if kind != "token" else ("a",)).loss(logits, targets, weights, q))


HARD = {
    "sequence": [torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0])],
    "multilabel": [torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 1.0])],
    "token": [torch.tensor([1, UNASKED]), torch.tensor([0])],
}


def chances(kind: str) -> list[list[float]]:
    """What the logits give to what is right, decision by decision, row by row."""
    if kind == "multilabel":
        given = torch.sigmoid(LOGITS)
        return torch.where(torch.stack(HARD[kind]) > 0.5, given, 1 - given).tolist()  # type: ignore[no-any-return]
    given = torch.softmax(LOGITS, dim=-1)
    return [[float(given[0, 1])], [float(given[1, 0])]]


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("q", [0.0, 0.3, 0.7, 1.0])
def test_a_hard_label_costs_what_the_paper_has(kind: str, q: float) -> None:
    costs = [-math.log(p) if q == 0 else (1 - p**q) / q for row in chances(kind) for p in row]
    assert loss(kind, HARD[kind], q) == pytest.approx(sum(costs) / len(costs), rel=1e-5)


@pytest.mark.parametrize("kind", HARD)
@pytest.mark.parametrize("q", [0.0, 0.7])
def test_rows_count_by_their_weights(kind: str, q: float) -> None:
    parts = [loss(kind, HARD[kind], q, torch.tensor(weights)) for weights in ([1.0, 0.0], [0.0, 1.0])]
    assert loss(kind, HARD[kind], q, torch.tensor([0.5, 1.5])) == pytest.approx(0.5 * parts[0] + 1.5 * parts[1])


@pytest.mark.parametrize("q", [0.0, 0.7, 1.0])
def test_the_best_answer_to_a_soft_label_is_the_label_itself(q: float) -> None:
    wanted = [torch.tensor([0.7, 0.2, 0.1])]
    logits = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.SGD([logits], lr=2.0)
    for _ in range(200):
        optimizer.zero_grad()
        head_named("sequence")(("a", "b", "c")).loss(logits, wanted, torch.ones(1), q).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert torch.softmax(logits[0], dim=0).tolist() == pytest.approx([0.7, 0.2, 0.1], abs=0.01)


def test_an_unbelievable_label_costs_at_most_one_over_q_and_pulls_no_more() -> None:
    excess = torch.tensor([0.0, 20.0], requires_grad=True)
    costs = generalised_cross_entropy(excess, 0.7)
    costs.sum().backward()  # type: ignore[no-untyped-call]
    assert excess.grad is not None
    assert costs.tolist() == pytest.approx([0.0, 1 / 0.7], abs=1e-5) and excess.grad.tolist() == pytest.approx(
        [1.0, 0.0], abs=1e-5
    )


def test_the_entropy_of_a_certainty_is_nothing() -> None:
    assert entropy(torch.tensor([0.0, 1.0])).tolist() == [0.0, 0.0]
    assert float(entropy(torch.tensor([0.5, 0.5])).sum()) == pytest.approx(math.log(2))
