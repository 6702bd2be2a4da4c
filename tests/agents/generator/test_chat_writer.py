"""Writing by instruction: one call per lesson or breadth order, and whatever comes back is cut to what was ordered."""

from pathlib import Path
from typing import Any

import pytest

from evokd.agents.base import Services
from evokd.agents.generator.chat_writer import ChatWriter, Manner
from evokd.agents.generator.quotas import Quota
from evokd.agents.generator.taxonomy import Subtype
from evokd.tasks.base import Example, Origin
from evokd.testing import words, world
from tests.agents.acting import ODD, lesson, sent, train

BREADTH = Quota(
    "typical", 4, target_class="food", subtypes=(Subtype(name="menus", topics=("fish",)), Subtype(name="recipes"))
)


def services(folder: Path, said: Any, **changes: Any) -> Services:
    return world.services(folder, teacher=world.teacher(generator=lambda prompt: said), **changes)


def texts(*given: str, **more: Any) -> Any:
    return {"texts": [{"text": text, **more} for text in given]}


def write(there: Services, quotas: list[Quota], **settings: Any) -> list[list[Any]]:
    return ChatWriter(there, 2, Manner(**settings)).write(quotas, 0)


@pytest.mark.parametrize(
    ("said", "count"),
    [
        (texts("a", "b", "c", "d"), 4),
        (texts("a", "b", "c", "d", "e", "f"), 4),
        (texts("a"), 1),
        (texts(), 0),
        (texts("", " \n ", "c", "d"), 2),
        (texts("a", "a", "a", "a"), 4),
        ({"hard": [{"text": "a"}]}, 0),
        ("I cannot help with that", 0),
        ({"texts": ["a"]}, 0),
        (texts("a", "b", id=3, comment="extra"), 2),
    ],
)
def test_more_fewer_or_no_texts(tmp_path: Path, said: Any, count: int) -> None:
    [drafts] = write(services(tmp_path, said), [BREADTH])
    assert len(drafts) == count
    assert all(draft.target_class == "food" and draft.source == "typical" and draft.lesson is None for draft in drafts)


def test_subtypes_are_credited_in_the_order_they_were_asked_for(tmp_path: Path) -> None:
    [drafts] = write(services(tmp_path, texts("a", "b", "c", "d")), [BREADTH])
    assert [draft.subtype for draft in drafts] == ["menus", "menus", "recipes", "recipes"]


def test_a_breadth_order_says_class_count_and_subtypes(tmp_path: Path) -> None:
    there = services(tmp_path, texts())
    write(there, [BREADTH, Quota("typical", 3, target_class="money")])
    first, second = sent(there)
    assert 'Write 4 typical texts of the class "food"' in first
    assert "- menus (for example about: fish)\n- recipes\n" in first
    assert 'Write 3 typical texts of the class "money"' in second and "in this order:\n- any\n" in second


def test_the_work_of_an_order_does_not_grow_with_the_number_of_orders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, asked = services(tmp_path, texts()), list[str]()
    samples = there.memory.samples
    monkeypatch.setattr(there.memory, "samples", lambda split, *more: (asked.append(split), samples(split, *more))[1])
    write(there, [BREADTH])
    once = len(asked)
    write(there, [BREADTH] * 20)
    assert len(asked) == 2 * once, "memory is read once for all orders: of a thousand classes each has one"


def test_a_very_long_seed_does_not_fill_a_prompt(tmp_path: Path) -> None:
    there = services(tmp_path, texts())
    there.memory.remember(examples=[Example(text="endless " * 5000, label="food", split="seed")])
    write(there, [BREADTH])
    assert "endless [...] => food" in sent(there)[0] and len(sent(there)[0]) < 10_000


@pytest.mark.parametrize("name", ODD)
def test_odd_texts_come_through_on_one_line(tmp_path: Path, name: str) -> None:
    [drafts] = write(services(tmp_path, texts(ODD[name])), [BREADTH])
    assert [draft.text for draft in drafts] == [" ".join(ODD[name].split())]


def test_odd_lessons_fill_the_prompt_as_they_are(tmp_path: Path) -> None:
    odd = lesson("$n ${task} [3]", pattern="pay $5", advice='say "no"\nto $label')
    there = services(tmp_path, {})
    write(there, [Quota("hard", 2, lesson=odd)])
    said = sent(there)[0]
    assert "Lesson: $n ${task} [3]\n" in said and "Pattern: pay $5\n" in said and 'say "no" to $label' in said


def test_all_orders_of_a_lesson_are_one_call(tmp_path: Path) -> None:
    one, two, probe = lesson("one"), lesson("two"), lesson("three", kind="probe")
    said = {"hard": [{"text": "h"}] * 3, "typical": [{"text": "t"}] * 3, "probe": [{"text": "p"}] * 3}
    there = services(tmp_path, said)
    quotas = [Quota("hard", 2, one), Quota("hard", 1, two), Quota("typical", 3, one), Quota("typical", 1, two),
              Quota("probe", 2, probe)]  # fmt: skip
    drafts = write(there, quotas)
    assert [[draft.text for draft in group] for group in drafts] == [["h"] * 2, ["h"], ["t"] * 3, ["t"], ["p"] * 2]
    assert [group[0].lesson for group in drafts] == [order.lesson.id for order in quotas if order.lesson]
    assert len(sent(there)) == 3
    assert "- `hard`: 2 texts" in sent(there)[0] and "- `typical`: 3 typical" in sent(there)[0]
    assert "`probe`:" not in sent(there)[0]


def test_a_lesson_is_sent_with_the_cases_it_cites_and_nothing_else_of_the_analysis(tmp_path: Path) -> None:
    there = services(tmp_path, {})
    there.folder.write_json(there.folder.cycle(2) / "conversation.json", [{"role": "user", "content": "all cases"}])
    ids = train(there, [(f"goal {n}", "sports") for n in range(9)])
    write(there, [Quota("hard", 2, lesson(evidence=tuple(ids))), Quota("probe", 1, lesson("new", kind="probe"))])
    cited, probe = sent(there)
    assert cited.startswith("A small language model is learning this task:") and "all cases" not in cited
    assert cited.count("- goal ") == 6 and "- goal 0 => sports" in cited
    label, seed = next(iter(world.SEEDS.items()))
    assert "right labels:" not in probe and f"\n- {seed} => {label}\n" in probe, (
        "it cites nothing, and is shown how texts look"
    )
    assert seed not in cited


def test_the_papers_orders_go_on_with_the_analysts_conversation(tmp_path: Path) -> None:
    there = services(tmp_path, {})
    talk = [{"role": "user", "content": "cases"}, {"role": "assistant", "content": "lessons"}]
    there.folder.write_json(there.folder.cycle(2) / "conversation.json", talk)
    write(there, [Quota("hard", 2, lesson()), BREADTH], conversation=True)
    aimed, breadth = [prompt for _, prompt in there.teacher.asked]  # type: ignore[attr-defined]
    assert list(aimed.body[:2]) == talk and aimed.lesson == "2-short"
    assert len(breadth.body) == 1 and "cases" not in words(breadth)


def test_equal_orders_of_other_cycles_and_rounds_are_asked_anew(tmp_path: Path) -> None:
    there = services(tmp_path, texts("a"))
    for cycle in (1, 2):
        for sample in (0, 1):
            ChatWriter(there, cycle).write([BREADTH, BREADTH], sample)
    asked = [prompt for _, prompt in there.teacher.asked]  # type: ignore[attr-defined]
    assert len({prompt.sample for prompt in asked}) == len(asked) == 8
    ChatWriter(there, 1).write([BREADTH, BREADTH], 0)
    assert len(asked) == 8


def test_a_later_breadth_order_is_told_what_its_facet_has_already(tmp_path: Path) -> None:
    there = services(tmp_path, texts())
    origin = {"source": "typical", "target_class": "food"}
    old = [Example(text=f"kept {n}", label="food", split="train", origin=Origin(cycle=n, **origin)) for n in range(12)]
    other = Example(text="of money", label="money", split="train", origin=Origin(cycle=1, target_class="money"))
    there.memory.remember(examples=[*old, other])
    gate = Example(text="held out", label="food", split="gate", origin=Origin(cycle=1, **origin))
    there.memory.remember(examples=[gate])
    for examples in (True, False):
        write(there, [BREADTH], examples=examples)
    told, untold = sent(there)
    assert "Nothing new may resemble them" in told and told.count("- kept ") == 10 and "- kept 11" in told
    assert "- kept 0" not in told and "of money" not in told and "held out" not in told
    assert "resemble" not in untold, "ZeroGen writes from the description alone"


def test_whoever_writes_for_a_class_sees_its_own_examples_however_many_others_there_are(tmp_path: Path) -> None:
    there = services(tmp_path, texts())
    there.memory.remember([Example(text=f"of money {n}", label="money", split="seed") for n in range(14)])
    there.memory.remember([Example(text="the last of all", label="food", split="seed")])
    write(there, [BREADTH])
    [said] = sent(there)
    assert said.count(" => food\n") == 2 and said.count(" => ") == 12
    assert said.rindex(" => food\n") < said.index(" => money\n")


def test_labels_written_with_the_texts(tmp_path: Path) -> None:
    there = services(tmp_path, {"hard": [{"text": "a", "label": "food"}, {"text": "b", "label": ""}]})
    [drafts] = write(there, [Quota("hard", 2, lesson())], separate=False)
    assert [draft.label for draft in drafts] == ["food", ""]
    assert "Give each text its label." in sent(there)[0]


def test_labels_that_were_not_asked_for_are_not_read(tmp_path: Path) -> None:
    there = services(tmp_path, texts("a", label="money"))
    [drafts] = write(there, [BREADTH])
    assert drafts[0].label is None and "no labels" in sent(there)[0]
    [drafts] = write(services(tmp_path, texts("a")), [BREADTH], separate=False)
    assert drafts == [], "a text without the label that was asked for is no answer"


def test_style_examples_are_seeds_and_pool_but_nothing_held_out(tmp_path: Path) -> None:
    dev = world.services(tmp_path / "x").memory.samples("dev")[0].text
    there = services(tmp_path, texts(), pool=[dev, "a pool text\nof two lines", "set aside", *["more"] * 20])
    there.memory.remember([Example(text="set aside", label="food", split="gate")])
    write(there, [BREADTH])
    assert "- a pool text of two lines\n" in sent(there)[0]
    assert all(f"- {seed}" in sent(there)[0] for seed in world.SEEDS.values())
    assert dev not in sent(there)[0] and "set aside" not in sent(there)[0]
