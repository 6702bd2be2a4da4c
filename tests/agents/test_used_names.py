"""The inventory: names that stand in too many written texts are worn out; the user's own texts do not count."""

from pathlib import Path
from types import SimpleNamespace

from evokd.agents.used_names import MOST_USES, UsedNames, count_used_names, names_in
from evokd.tasks.base import Example, Label, Span
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.ner import Ner
from evokd.testing import world
from tests.agents.acting import train


class Naming(Classification):
    """The words of a text that begin with a capital are its names."""

    def mentions(self, text: str, label: Label) -> tuple[str, ...]:
        return tuple(word for word in text.split() if word.istitle())


def test_names_are_counted_by_text_whatever_their_case_and_status(tmp_path: Path) -> None:
    services = world.services(tmp_path, task=Naming(*world.given()))
    train(services, [("Ann met Ann", "food"), ("Bob and Ann", "food")])
    train(services, [("ANN Ann was there", "food")], status="shelved")
    train(services, [("Ann refused", "food")], status="quarantined")
    train(services, [("Ann of the pool", "food")], source="pool")
    found = count_used_names(services, 2)
    assert found.counts == {"ann": 3, "bob": 1} and found.texts == 3


def test_worn_out_from_a_number_of_uses_on(tmp_path: Path) -> None:
    services = world.services(tmp_path, task=Naming(*world.given()))
    train(services, [(f"Ann met Bob {number}", "food") for number in range(MOST_USES - 1)] + [("Bob and Cy", "food")])
    found = count_used_names(services, 2)
    assert found.overused() == ["bob"]
    own = names_in(services, Example(text="BOB Bob sat", label="food"))
    assert own == {"bob"} and found.is_overused(own) and not found.is_overused({"ann", "cy"})


def test_of_many_texts_a_name_may_stand_in_a_share() -> None:
    found = UsedNames()
    for number in range(1000):
        found.add({"rare"} if number % 34 else {"often"})
    assert found.counts["often"] == 30 and found.overused() == ["rare", "often"]
    found.texts = 1001
    assert found.overused() == ["rare"]


def test_words_in_lower_case_are_no_names() -> None:
    task = Ner("", {"Cuisine": ""})
    spans = (Span(start=0, end=7, type="Cuisine"), Span(start=12, end=20, type="Cuisine"))
    services = SimpleNamespace(task=task)
    assert names_in(services, Example(text="italian and Szechuan", label=spans)) == {"szechuan"}  # type: ignore[arg-type]
