"""The bandit over what to do next: what pays is played, what is in doubt is tried again, what is spent is left."""

from typing import Any

import pytest

from evokd.agents.base import CycleReport
from evokd.agents.policy import NAMES, TRIES, choose


def row(
    batch_kind: str, loss: float | None = None, kept: bool = True, tokens: int = 1000, spread: float = 0.01
) -> CycleReport:
    """A finished cycle whose batch moved the gate's loss by `loss`."""
    gate: dict[str, Any] = {}
    if loss is not None:
        gate = {"loss": {"value": loss, "low": loss - spread, "high": loss + spread, "n": 150.0}}
    return CycleReport(
        cycle=0, batch_kind=batch_kind, chosen="", stats={}, fresh_before={}, fresh_after={}, gate=gate, scores={},
        kept=kept, why="", champion="", outlook="", teacher={"input": tokens / 2, "output": tokens / 2}, seconds={},
    )  # fmt: skip


BEGUN = [row("seed"), row("breadth", -1.0)]


def share_of_lessons(history: list[CycleReport]) -> float:
    return sum(choose(history, seed).batch_kind == "lessons" for seed in range(200)) / 200


def test_breadth_until_something_is_learnt() -> None:
    assert choose([row("seed")], 0).batch_kind == "breadth"
    assert choose([row("seed"), row("breadth", 0.3, kept=False)], 0).batch_kind == "breadth"


def test_then_each_once_lessons_first() -> None:
    assert choose(BEGUN, 0).batch_kind == "lessons"
    assert choose([*BEGUN, row("lessons", -0.5)], 0).batch_kind == "breadth"
    assert choose([*BEGUN, row("breadth", -0.5)], 0).batch_kind == "lessons"


def test_the_first_batch_is_no_evidence_for_breadth() -> None:
    assert share_of_lessons([*BEGUN, row("lessons", -0.1), row("breadth", -0.01)]) == 1.0


@pytest.mark.parametrize(
    ("lessons", "breadth", "least", "most"), [(-0.1, 0.0, 1, 1), (0.0, -0.1, 0, 0), (-0.05, -0.05, 0.35, 0.65)]
)
def test_what_pays_is_played_and_a_tie_is_shared(lessons: float, breadth: float, least: float, most: float) -> None:
    assert least <= share_of_lessons([*BEGUN, row("lessons", lessons), row("breadth", breadth)]) <= most


def test_an_empty_batch_weighs_as_much_as_another_however_large_the_loss_is() -> None:
    """A loss over entities is a sum over words, some twenty times that of a label."""
    history = [
        *(row("lessons", -4.0, spread=2.0) for _ in range(4)),
        *(row("breadth", -1.0, spread=2.0) for _ in range(4)),
    ]
    assert share_of_lessons([*BEGUN, *history]) > 0.9
    assert share_of_lessons([*BEGUN, *history, row("lessons")]) > 0.8


def test_gains_count_by_what_they_cost() -> None:
    dear = row("lessons", -0.10, tokens=20_000)
    cheap = row("breadth", -0.05, tokens=1_000)
    assert share_of_lessons([*BEGUN, dear, cheap]) == 0.0


def test_one_unlucky_batch_does_not_end_an_arm() -> None:
    noisy = [row("lessons", 0.02, kept=False, spread=0.1), row("breadth", -0.02, spread=0.1)]
    assert 0.1 < share_of_lessons([*BEGUN, *noisy]) < 0.9
    assert share_of_lessons([*BEGUN, *noisy * 30]) < share_of_lessons([*BEGUN, *noisy])


def test_a_batch_that_left_nothing_to_compare_brought_nothing() -> None:
    empty = row("breadth", kept=False)
    assert share_of_lessons([*BEGUN, row("lessons", -0.1), empty]) > 0.95


def test_an_arm_without_more_texts_rests_while_the_other_has_some() -> None:
    over = {**row("breadth", kept=False), "stats": {"drafted": 0}}
    assert share_of_lessons([*BEGUN, row("lessons", 0.5, kept=False), over]) == 1.0  # type: ignore[list-item]
    none = {**row("lessons", kept=False), "stats": {"drafted": 0}}
    assert 0 < share_of_lessons([*BEGUN, none, over]) < 1, "with both at an end, each is tried again"  # type: ignore[list-item]


def test_what_a_cache_gave_is_no_cheaper() -> None:
    paid = [row("breadth", -0.02, tokens=4000), row("lessons", -0.02, tokens=4000)]
    free = {**paid[0], "teacher": {"input": 0.0, "output": 0.0, "tokens": 4000.0}}
    assert share_of_lessons([*BEGUN, *paid]) == share_of_lessons([*BEGUN, free, paid[1]])  # type: ignore[list-item]


def too_hard(out_of_reach: int, loss: float = -0.5) -> CycleReport:
    """A lesson batch with 30 texts for lessons, of which so many were not learnt; it seems to pay."""
    stats = {"drafted": 40, "accepted": 40, "for_lessons": 30, "too_hard": out_of_reach}
    return {**row("lessons", loss), "stats": stats}  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("out_of_reach", "share"), [(0, 1.0), (3, 1.0), (4, 0.0), (30, 0.0)])
def test_lessons_beyond_the_student_rest_whatever_they_seem_to_bring(out_of_reach: int, share: float) -> None:
    assert share_of_lessons([*BEGUN, row("breadth", -0.01), too_hard(out_of_reach)]) == share


@pytest.mark.parametrize(("rested", "share"), [(1, 0.0), (3, 0.0), (4, 1.0)])
def test_they_are_tried_again_when_the_student_may_have_grown(rested: int, share: float) -> None:
    assert share_of_lessons([*BEGUN, too_hard(9), *[row("breadth", -0.01)] * rested]) == share


def test_they_rest_where_breadth_has_no_more_texts_too() -> None:
    over = {**row("breadth", kept=False), "stats": {"drafted": 0}}
    assert share_of_lessons([*BEGUN, over, too_hard(9)]) == 0.0  # type: ignore[list-item]
    assert share_of_lessons([*BEGUN, over, too_hard(0)]) == 1.0  # type: ignore[list-item]


def test_without_a_gate_lessons_go_on() -> None:
    assert choose([row("seed"), row("breadth"), row("lessons"), row("lessons")], 0).batch_kind == "lessons"


def test_the_same_history_gives_the_same_plan() -> None:
    history = [*BEGUN, row("lessons", -0.05), row("breadth", -0.05)]
    assert len({choose(history, 7).batch_kind for _ in range(5)}) == 1


def with_pool(history: list[CycleReport], left: int = 500) -> list[str]:
    return [choose(history, seed, left).batch_kind for seed in range(200)]


def test_with_a_pool_it_begins_with_writing_and_then_labels_first() -> None:
    assert choose([row("seed")], 0, 500).batch_kind == "breadth"
    assert choose(BEGUN, 0, 500).batch_kind == "label"
    assert choose([*BEGUN, row("label", -0.001)], 0, 500).batch_kind == "lessons"
    assert choose([*BEGUN, row("label", -0.001), row("lessons", -0.1)], 0, 500).batch_kind == "breadth"


def test_what_has_not_been_tried_waits_while_labelling_brings_something_beyond_chance() -> None:
    labelled = [*BEGUN, row("label", -0.1), row("label", -0.05)]
    found = choose(labelled, 0, 500)
    assert found.batch_kind == "label" and found.why.endswith("waits while labelling brings so much.")
    assert choose([*labelled, row("label", -0.004)], 0, 500).batch_kind == "lessons", "the last one was within chance"
    assert choose(labelled, 0, 0).batch_kind == "lessons", "there are no more texts"
    assert choose([*labelled, row("label", 0.2)], 0, 500).batch_kind == "lessons"


def test_of_three_the_one_that_pays_for_its_tokens_is_played() -> None:
    tried = [row("label", -0.1), row("lessons", -0.02), row("breadth", -0.02)]
    assert set(with_pool([*BEGUN, *tried])) == {"label"}
    dear = [row("label", -0.1, tokens=20_000), *tried[1:]]
    assert "label" not in with_pool([*BEGUN, *dear])


def test_a_pool_that_is_used_up_is_not_asked_again() -> None:
    history = [*BEGUN, row("label", -0.5), row("lessons", -0.01), row("breadth", -0.01)]
    assert "label" not in with_pool(history, left=0)
    assert choose(history, 0, 0).spent == {"label": "none is left"}
    near = [*history, {**row("label", kept=False), "stats": {"drafted": 0}}]
    assert "label" not in with_pool(near, left=3), "what is left is near what is known"  # type: ignore[arg-type]


def test_without_a_gate_what_is_there_is_labelled_then_lessons_go_on() -> None:
    history = [row("seed"), row("breadth"), *[row("label")] * 5]
    assert choose(history, 0, 9).batch_kind == "label" and choose(history, 0, 0).batch_kind == "lessons"


@pytest.mark.parametrize(("tries", "left"), [(TRIES - 1, True), (TRIES, False)])
def test_an_arm_that_brought_nothing_for_some_batches_is_spent(tries: int, left: bool) -> None:
    history = [*BEGUN, row("lessons", -0.1), row("breadth", -0.1), *[row("label", 0.01)] * tries]
    assert ("label" in choose(history, 0, 500).left) is left


def test_an_arm_that_brought_something_lately_is_not_spent() -> None:
    history = [*BEGUN, row("label", 0.01), row("label", 0.01), row("label", -0.05)]
    assert "label" in choose(history, 0, 500).left


def test_nothing_is_left_when_every_arm_is_spent_and_each_says_why() -> None:
    history = [*BEGUN, *[row("breadth", 0.001)] * TRIES, too_hard(9)]
    found = choose(history, 0, 0)
    assert found.left == () and found.spent == {
        "label": "none is left",
        "lessons": "they are too hard for the student",
        "breadth": f"the last {TRIES} batches brought nothing",
    }


def test_the_reason_names_what_each_brought_and_that_a_doubt_is_tried_again() -> None:
    tried = [row("label", -0.1, tokens=2000), row("lessons", -0.04), row("breadth", -0.001)]
    found = choose([*BEGUN, *tried], 0, 500)
    assert found.why == (
        "Gain in loss for 1,000 tokens, and batches: labelling your texts +0.0500 (± 0.0026) in 1; writing for lessons "
        "+0.0400 (± 0.0051) in 1; writing in breadth +0.0010 (± 0.0051) in 1."
    )
    even = [*BEGUN, row("label", -0.02), row("lessons", -0.021), row("breadth", -0.02)]
    doubted = [each for seed in range(50) if "in doubt" in (each := choose(even, seed, 500)).why]
    assert doubted and all(each.why.endswith(f"now {name}.") for each in doubted for name in [NAMES[each.batch_kind]])
    assert {each.batch_kind for each in doubted} == {"label", "breadth"}
