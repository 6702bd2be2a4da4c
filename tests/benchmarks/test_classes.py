"""How many texts of which class are learnt, and how."""

from benchmarks.classes import drawn, ways
from evokd.tasks.base import Example

EXAMPLES = [Example(text=f"{label} {number}", label=label) for number in range(9) for label in "abc"]


def test_classes_get_the_counts_in_turn_and_the_rest_is_scored() -> None:
    learnt, scored = drawn(EXAMPLES, ["c", "a", "b"], [4, 2])
    assert [sum(each.label == label for each in learnt) for label in "abc"] == [2, 4, 4]
    assert len(scored) == 17 and not {each.text for each in learnt} & {each.text for each in scored}


def test_every_way_learns_the_same_texts_with_the_same_labels() -> None:
    for noise, wrong in ((0.0, False), (0.5, True)):
        found = list(ways(EXAMPLES, noise, "abc", 0))
        assert len({name for name, *_ in found}) == len(found) == 4
        said = {tuple((each.text, each.label) for each in texts) for _, texts, _, _ in found}
        assert len(said) == 1 and (said != {tuple((each.text, each.label) for each in EXAMPLES)}) is wrong
        assert [how for _, _, *how in found] == [[False, False], [True, False], [False, True], [True, True]]
