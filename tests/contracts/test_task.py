"""Our task kinds do what every task must."""

from evokd.tasks.base import Span
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.multilabel import MultiLabel
from evokd.tasks.kinds.ner import Ner
from evokd.testing import TaskCase, TaskContract
from evokd.testing.contracts.task import SPANNED, several_of_a_list, spans


def span(start: int, end: int, name: str) -> Span:
    return Span(start=start, end=end, type=name)


PARIS = (span(0, 5, "PER"), span(10, 15, "LOC"), span(19, 23, "LOC"))


class TestClassification(TaskContract):
    def make(self) -> TaskCase:
        return TaskCase(
            task=Classification("What is wanted?", {"PlayMusic": "to hear a song", "GetWeather": "", "C++": "code"}),
            text="Play it",
            labels=("PlayMusic", "GetWeather", "C++"),
            bad=("", "Nothing", None, 3, ["PlayMusic"], {"label": "PlayMusic"}, "PlayMusic GetWeather"),
            cells=(("PlayMusic", "PlayMusic"), ("get weather", "GetWeather")),
            bad_cells=("", "Nothing", None, 3, True, "drop", ["PlayMusic", "other"]),
        )


class TestMultiLabel(TaskContract):
    def make(self) -> TaskCase:
        return TaskCase(
            task=MultiLabel("What is it about?", {"price": "what it costs", "speed": "", "C++": ""}),
            text="Cheap and fast",
            labels=(("price",), ("speed",), ("price", "speed"), ()),
            bad=("FOO", ["FOO"], [3], None, 3, {"price": True}, ["none", "price"], [["price"]]),
            cells=(
                (["speed", "price"], ("price", "speed")),
                ("Speed, price", ("price", "speed")),
                ([], ()),
                ("none", ()),
            ),
            bad_cells=("Nothing", 3, ["drop"], {"price": 1}),
            sure=several_of_a_list,
        )


class TestNer(TaskContract):
    def make(self) -> TaskCase:
        return TaskCase(
            task=Ner("Names in the news.", {"PER": "a person", "LOC": "", "ORG": "a firm"}),
            text=SPANNED,
            labels=((span(19, 23, "LOC"),), (span(19, 23, "ORG"),), PARIS, ()),
            bad=("", "FOO Rome", "LOC Rom", "PER Rome|LOC Rome", None, [3], {}, [{"type": "LOC", "text": None}]),
            cells=(
                (["B-PER", "O", "B-LOC", "O", "I-LOC"], PARIS),
                ([{"start": 19, "end": 23, "type": "LOC"}], (span(19, 23, "LOC"),)),
                ([{"type": "LOC", "text": "Rome"}], (span(19, 23, "LOC"),)),
                ("LOC Rome", (span(19, 23, "LOC"),)),
                ([], ()),
                (["O"] * 5, ()),
            ),
            bad_cells=("", "FOO Rome", 3, None, ["O"], [{"start": 0, "end": 99, "type": "LOC"}], "drop"),
            sure=spans,
        )
