"""The inventory: names that stand in too many written texts are worn out; the user's own texts do not count."""

from pathlib import Path

from agents.inventory import is_worn, names_in, used, worn_out
from tasks.base import Example, Label
from tasks.classification import Classification
from tests import world
from tests.agents.acting import train


class Naming(Classification):
    """The words of a text that begin with a capital are its names."""

    def fillers(self, text: str, label: Label) -> tuple[str, ...]:
        return tuple(word for word in text.split() if word.istitle())


def test_names_are_counted_by_text_whatever_their_case_and_status(tmp_path: Path) -> None:
    services = world.services(tmp_path, task=Naming(*world.given()))
    train(services, [("Ann met Ann", "food"), ("Bob and Ann", "food")])
    train(services, [("ANN Ann was there", "food")], status="shelved")
    train(services, [("Ann refused", "food")], status="quarantined")
    train(services, [("Ann of the pool", "food")], stance="pool")
    assert used(services, 2) == {"ann": 3, "bob": 1}


def test_worn_out_from_a_number_of_uses_on(tmp_path: Path) -> None:
    services = world.services(tmp_path, task=Naming(*world.given()))
    train(services, [("Ann met Bob", "food"), ("Bob and Cy", "food")])
    counts = used(services, 2)
    assert worn_out(counts, 2) == ["bob"] and worn_out(counts, 0) == []
    own = names_in(services, Example(text="BOB Bob sat", label="food"))
    assert own == {"bob"} and is_worn(own, counts, 2) and not is_worn(own, counts, 3) and not is_worn(own, counts, 0)
