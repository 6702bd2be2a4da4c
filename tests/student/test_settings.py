"""A recipe for the encoder at hand, and what the user set in its place."""

import pytest

from evokd.student.heads.sequence import SequenceHead
from evokd.student.settings import WIDTH, StudentSettings

OWN = SequenceHead.recipe


@pytest.mark.parametrize(("width", "share"), [(128, 1.0), (WIDTH, 1.0), (2 * WIDTH, 0.25), (1024, (384 / 1024) ** 2)])
def test_a_wider_encoder_takes_smaller_steps(width: int, share: float) -> None:
    recipe = StudentSettings().recipe(OWN, width)
    assert recipe.learning_rate == pytest.approx(share * OWN.learning_rate)
    assert recipe == OWN.model_copy(update={"learning_rate": recipe.learning_rate}), "all else stays"


def test_what_the_user_set_is_taken_as_it_is() -> None:
    recipe = StudentSettings(learning_rate=3e-4, epochs=1, freeze=2).recipe(OWN, 2 * WIDTH)
    assert (recipe.learning_rate, recipe.epochs, recipe.freeze) == (3e-4, 1, 2)


def test_the_loss_that_is_set_reaches_the_recipe() -> None:
    assert StudentSettings().recipe(OWN, WIDTH).robustness == 0.0
    assert StudentSettings(q=0.5).recipe(OWN, WIDTH).robustness == 0.0
    assert StudentSettings(loss="generalised").recipe(OWN, WIDTH).robustness == 0.7
    assert StudentSettings(loss="generalised", q=0.5).recipe(OWN, WIDTH).robustness == 0.5
