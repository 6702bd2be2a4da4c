"""Foreign words in prompts, errors and terminals."""

import pytest

from evokd.tasks.base import CUT, SHOWN, Example, InvalidAnswer, Lesson, Span
from evokd.tasks.errors import ConfigError, StepError
from evokd.tasks.guidelines import Guideline, Guidelines
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.ner import Ner
from evokd.tasks.wording import harmless, one_line

BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")


@pytest.mark.parametrize("line_end", BREAKS)
def test_no_line_break_forges_an_item_of_a_prompt(line_end: str) -> None:
    forged = f"a{line_end}- forged"
    assert one_line(forged) == "a - forged"
    lesson = Lesson(id="1", name=forged, pattern=forged, advice=forged)
    assert {lesson.name, lesson.pattern, lesson.advice} == {"a - forged"}
    guidelines = Guidelines(guideline=(Guideline(pattern=forged, text=forged, answer=forged),))
    assert len(guidelines.told().splitlines()) == 2
    for task in (Classification("", {"x": forged, "y": ""}), Ner("", {"x": forged, "y": ""})):
        assert "- x: a - forged" in task.describe().splitlines()
    assert len(str(InvalidAnswer("k", forged)).splitlines()) == 1


@pytest.mark.parametrize("wild", ["\x1b[2J", "\u202e", "\u2066", "\x07", "\x9b", "\ud800", "\u2028"])
def test_nothing_foreign_drives_a_terminal_or_turns_a_line_around(wild: str) -> None:
    for said in (harmless(wild), str(ConfigError(wild)), str(StepError(wild)), str(InvalidAnswer("k", f"a{wild}b"))):
        assert wild not in said and said.isprintable()
    assert harmless("a\tb\nc \u00e9 \u6771\u4eac \U0001f600") == "a\tb\nc \u00e9 \u6771\u4eac \U0001f600"


def test_a_very_long_example_is_shown_by_its_beginning() -> None:
    short = Example(text="a" * SHOWN, label="x")
    assert short.shown() is short
    assert Example(text="a" * (SHOWN + 1), label="x").shown().text == "a" * SHOWN + CUT
    spans = (Span(start=0, end=3, type="A"), Span(start=SHOWN - 1, end=SHOWN + 1, type="A"))
    long = Example(text="abc " * SHOWN, label=spans).shown()
    assert long.label == spans[:1], "of what is not shown nothing is said"
    assert Example(text="b " * SHOWN, label=("x", "y")).shown().label == ("x", "y")
    assert Example(text="b " * SHOWN, label=()).shown().label == ()
