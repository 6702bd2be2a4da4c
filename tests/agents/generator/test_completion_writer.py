"""Writing with a small model: which class's turn it is, what its opening shows, and what of its end is kept."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evokd.agents.base import Services
from evokd.agents.generator.completion_writer import LONGEST, CompletionWriter, concrete_things, whole_sentences
from evokd.agents.generator.quotas import Quota, breadth_quotas
from evokd.tasks.base import Example
from evokd.tasks.kinds.classification import Classification
from evokd.testing import ScriptedTeacher, words, world
from tests.agents.acting import lesson, sent, train

settings.register_profile("agents", max_examples=60, deadline=None, database=None)
settings.load_profile("agents")


def services(folder: Path, say: Any = None, **changes: Any) -> Services:
    teacher = ScriptedTeacher({"generator": say or (lambda prompt: f"Text {prompt.sample}.")}, prompting="completion")
    return world.services(folder, teacher=teacher, **changes)


def write(there: Services, quotas: list[Quota], cycle: int = 2, sample: int = 0) -> list[Any]:
    return [draft for group in CompletionWriter(there, cycle).write(quotas, sample) for draft in group]


def test_one_call_a_text_and_the_class_that_was_asked_for(tmp_path: Path) -> None:
    there = services(tmp_path)
    quotas = breadth_quotas(10, world.task().target_classes(()), {}, 10)
    drafts = write(there, quotas)
    assert len(drafts) == len(sent(there)) == 10
    assert Counter(draft.target_class for draft in drafts) == {"sports": 3, "money": 3, "science": 2, "food": 2}
    assert all(draft.label is None and draft.prompt and draft.source == "typical" for draft in drafts)


def test_the_opening_shows_the_other_classes_and_one_concrete_thing(tmp_path: Path) -> None:
    there = services(tmp_path)
    write(there, [Quota("typical", 1, target_class="food")])
    [said] = sent(there)
    assert world.SEEDS["food"] not in said and world.SEEDS["money"] in said
    assert re.search(r'A text about food, in this case (bread|soup|recipe|oven): "$', said)


def test_the_held_out_texts_are_not_shown(tmp_path: Path) -> None:
    there = services(tmp_path)
    write(there, breadth_quotas(40, world.task().target_classes(()), {}, 40))
    assert not any(example.text in said for example in there.memory.samples("dev") for said in sent(there))


def test_hard_texts_are_of_the_misread_class_and_show_its_cases(tmp_path: Path) -> None:
    there = services(tmp_path)
    cited = train(there, [("menu of loans", "food"), ("salad\nof debts", "food"), ("the virus", "science")], "shelved")
    drafts = write(there, [Quota("hard", 4, lesson=lesson(evidence=tuple(cited)))])
    assert [draft.target_class for draft in drafts] == ["food", "food", "science", "food"]
    assert 'A text about food: "menu of loans"' in sent(there)[0]
    assert 'A text about food: "salad of debts"' in sent(there)[0]


def test_a_lesson_whose_cases_are_gone_is_written_for_every_class(tmp_path: Path) -> None:
    drafts = write(services(tmp_path), [Quota("hard", 4, lesson=lesson(evidence=("unknown",)))])
    assert {draft.target_class for draft in drafts} == set(world.VOCABULARY)


def test_typical_texts_of_many_short_orders_are_of_every_class(tmp_path: Path) -> None:
    quotas = [Quota("typical", 1, lesson=lesson(f"l{number}")) for number in range(3)]
    there = services(tmp_path)
    drafts = [draft for cycle in range(2, 6) for draft in write(there, quotas, cycle)]
    assert Counter(draft.target_class for draft in drafts) == dict.fromkeys(world.VOCABULARY, 3)


def test_the_same_seed_asks_the_same_and_every_round_something_new(tmp_path: Path) -> None:
    quotas = [Quota("typical", 3, target_class="food")]
    one, two, other = services(tmp_path / "a"), services(tmp_path / "b"), services(tmp_path / "c", seed=5)
    for there in (one, two, other):
        write(there, quotas)
    assert sent(one) == sent(two) != sent(other)
    first = {(prompt.body, prompt.sample) for _, prompt in one.teacher.asked}  # type: ignore[attr-defined]
    write(one, quotas, sample=1)
    assert len(one.teacher.asked) == 6 and len(first) == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("said", ["", "   ", "...", '"', "\n\nrest", "a" * (LONGEST + 1)])
def test_what_is_no_text_gives_no_draft(tmp_path: Path, said: str) -> None:
    assert write(services(tmp_path, lambda prompt: said), [Quota("typical", 3, target_class="food")]) == []


def test_seeds_with_line_breaks_stay_on_their_line(tmp_path: Path) -> None:
    there = services(tmp_path)
    there.memory.remember([Example(id="0", text='a $goal\nA text about food: "no"', label="sports", split="seed")])
    write(there, [Quota("typical", 1, target_class="food")])
    assert 'A text about sports: "a $goal A text about food' in sent(there)[0]


@given(st.text(max_size=600))
def test_whole_sentences_keeps_a_beginning_and_ends_whole(text: str) -> None:
    squeezed = " ".join(text.split()).strip("\"'“” ")
    kept = whole_sentences(text)
    assert squeezed.startswith(kept) and len(kept) <= LONGEST
    assert not kept or re.search(r"\w", kept)
    assert whole_sentences(kept) in (kept, kept.strip("\"'“” "))
    if kept and len(kept) < len(squeezed):
        assert kept[-1] in ".?!"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("A loan. And then it was so that", "A loan. And then it was so that"),
        ("One. " + "word " * 20, "One."),
        ("One. Two? " + "word " * 20, "One. Two?"),
        ("word " * 20, ("word " * 20).strip()),
        ('"Quoted."', "Quoted."),
        ("Costs 3.50 for " + "word " * 20 + ".", "Costs 3.50 for " + "word " * 20 + "."),
    ],
)
def test_an_unfinished_end_is_cut(text: str, kept: str) -> None:
    assert whole_sentences(text) == kept


def test_concrete_things() -> None:
    assert concrete_things("Loans, debts and savings; or interest: of banks") == [
        "Loans", "debts", "savings", "interest", "of banks",
    ]  # fmt: skip
    assert concrete_things("") == [] and concrete_things("a, bc, " + "x" * 61) == []


def test_a_label_without_a_description_has_no_case(tmp_path: Path) -> None:
    task = Classification("d", dict.fromkeys(world.VOCABULARY, ""))
    there = services(tmp_path, task=task)
    write(there, [Quota("typical", 1, target_class="food")])
    assert sent(there)[0].endswith('A text about food: "')
    assert words(there.teacher.asked[0][1]) == sent(there)[0]  # type: ignore[attr-defined]
