"""Named entities: what the teacher is told, what is read, how votes are settled, and how it is scored."""

import json
import math

import pytest

from evokd.tasks.base import Abstained, Example, InvalidAnswer, Label, Span
from evokd.tasks.entities.style import shape
from evokd.tasks.entities.tags import SpanPrediction, Word
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.ner import Ner

TASK = Ner("Names in the news.", {"ORG": "a firm or an agency", "LOC": "", "my-type": ""}, say={"ORG": "company"})
TEXT = "The Bank of Greece met Rome in Rome"


def span(start: int, end: int, name: str = "ORG") -> Span:
    return Span(start=start, end=end, type=name)


BANK, ROME, CITY = span(4, 18), span(23, 27, "LOC"), span(31, 35, "LOC")


def predicted(*spans: Span, words: tuple[Word, ...] = ()) -> SpanPrediction:
    return SpanPrediction(label=spans, probability=1.0, probabilities={}, certainty=(1.0,) * len(spans), words=words)


def seeds(*counts: int, text: str = "text") -> list[Example]:
    """Examples with so many entities each."""
    labels = [tuple(span(2 * i, 2 * i + 1) for i in range(count)) for count in counts]
    return [Example(text=f"{text} {number}", label=label) for number, label in enumerate(labels)]


def test_the_teacher_is_told_the_types() -> None:
    assert TASK.describe() == (
        "Names in the news.\nA text has any number of entities, or none. Entity types:\n"
        "- ORG: a firm or an agency\n- LOC\n- my-type"
    )
    assert Ner("", {"ORG": ""}).describe().startswith("A text has")


def test_one_type_is_enough_and_none_is_not() -> None:
    assert list(Ner("", {"ORG": ""}).labels) == ["ORG"]
    with pytest.raises(ConfigError, match="at least one entity type"):
        Ner("", {})
    for name in ("none", "Drop", "a|b", "[x]"):
        with pytest.raises(ConfigError, match=r"Rename it|another name"):
            Ner("", {"ORG": "", name: ""})


def test_the_schema_is_fit_for_strict_answers() -> None:
    schema = json.loads(json.dumps(TASK.answer_schema()))
    listed, _ = schema["anyOf"]
    assert listed["items"]["additionalProperties"] is False
    assert listed["items"]["required"] == list(listed["items"]["properties"]) == ["type", "text"]
    assert listed["items"]["properties"]["type"]["enum"] == ["ORG", "LOC", "my-type"]


def test_breadth_leaves_the_share_of_texts_without_an_entity() -> None:
    assert TASK.target_classes([]) == pytest.approx({"ORG": 0.8 / 3, "LOC": 0.8 / 3, "my-type": 0.8 / 3, "none": 0.2})
    assert TASK.target_classes(seeds(*[0] * 19)) == TASK.target_classes([])
    assert TASK.target_classes(seeds(*[0] * 8, *[2] * 12))["none"] == pytest.approx(0.4)
    assert TASK.fits("none", ()) and not TASK.fits("none", (BANK,))
    assert TASK.fits("LOC", (BANK, ROME)) and not TASK.fits("my-type", (BANK, ROME))
    assert "without a single entity" in TASK.wanted("none")
    assert '"LOC"' in TASK.wanted("LOC")
    assert TASK.words == {"ORG": "company", "LOC": "loc", "my-type": "my type", "none": "nothing"}


def test_register_is_told_from_data_alone() -> None:
    few = "Where a text has names: 2.0 on average, one in many texts and twice the average in some."
    assert TASK.style_rules([], []) == few
    assert TASK.style_rules(seeds(5, 0, 5), ["GOLD 7 8 9"] * 10) == few.replace("2.0", "3.0")
    dense = TASK.style_rules(seeds(*[0] * 5, *[1] * 10, *[2] * 4, 7), [])
    assert dense == few.replace("2.0", "1.7")
    texts = ["A plain sentence."] * 14 + ["OIL PRICES RISE"] * 4 + ["Ajax 3 - 1 ( 2 : 0 )"] * 2
    _, capitals, row = TASK.style_rules([], texts).splitlines()
    assert capitals == "About one in 5 real texts is a headline or line all in capitals."
    assert row.startswith("About one in 10 real texts looks like a row of a table")
    assert TASK.style_rules([], ["A plain sentence."] * 60 + ["OIL PRICES RISE"]) == few
    assert "Nearly every real text is a headline" in TASK.style_rules([], ["OIL PRICES RISE"] * 20)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("OIL PRICES RISE", "capitals"),
        ("Oil prices rise in 1996", "sentence"),
        ("X", "sentence"),
        ("1. Ajax 3 2 1 0 7", "row"),
        ("MANILA 1996-04-17", "row"),
        ("they won 3 2 1 0 7 in all", "sentence"),
        ("\u6771\u4eac\u90fd\u306e\u5929\u6c17", "sentence"),
        ("", "sentence"),
        ("...", "row"),
    ],
)
def test_shapes(text: str, what: str) -> None:
    assert shape(text) == what


def test_reads_and_counts_repairs() -> None:
    assert TASK.read(TEXT, [{"type": "ORG", "text": "bank of greece"}]).repaired == ("case",)
    assert TASK.read(TEXT, "LOC Rome").repaired == ("repeated mention",)
    with pytest.raises(InvalidAnswer, match="inline marks") as error:
        TASK.read(TEXT, "LOC Rome | ORG Rome")
    assert error.value.kind == "ambiguous"


@pytest.mark.parametrize("answer", ["drop", " Drop. ", ["drop"]])
def test_drop_gives_the_text_up(answer: object) -> None:
    with pytest.raises(Abstained):
        TASK.read(TEXT, answer)


def test_says_a_line_and_marks_where_a_line_is_not_enough() -> None:
    assert TASK.say(TEXT, (BANK, ROME, CITY)) == "ORG Bank of Greece | LOC Rome | LOC Rome"
    assert TASK.say(TEXT, ()) == "none"
    assert TASK.say(TEXT, (BANK, CITY)) == "The [ORG: Bank of Greece] met Rome in [LOC: Rome]"
    two = (span(23, 27, "ORG"), CITY)
    assert TASK.say(TEXT, two) == "The Bank of Greece met [ORG: Rome] in [LOC: Rome]"
    assert TASK.read(TEXT, TASK.say(TEXT, two)).label == two
    with pytest.raises(ValueError, match="'ORG' is not a tuple of spans"):
        TASK.say(TEXT, "ORG")


def test_names_and_fillers() -> None:
    assert TASK.names((ROME, CITY, BANK)) == ("LOC", "ORG")
    assert TASK.mentions("at  Bank\nof  Greece", (span(4, 19),)) == ("Bank of Greece",)
    assert TASK.stand_in("ORG") == TASK.stand_in(None) == ()
    assert TASK.choices() is None


@pytest.mark.parametrize(
    ("cell", "label"),
    [
        ([], ()),
        ("[]", ()),
        ("none", ()),
        ([{"start": 31, "end": 35, "type": "LOC"}, {"start": 4, "end": 18, "type": "ORG"}], (BANK, CITY)),
        ([{"start": 4, "end": 18, "label": "org", "text": "Bank of Greece"}], (BANK,)),
        ('[{"start": 4, "end": 18, "type": "ORG"}]', (BANK,)),
        (["O", "B-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "O", "B-LOC"], (BANK, ROME, CITY)),
        (["O", "I-ORG", "I-ORG", "I-ORG", "O", "I-LOC", "O", "I-LOC"], (BANK, ROME, CITY)),
        (["O", "B-ORG", "I-ORG", "L-ORG", "O", "U-LOC", "O", "S-LOC"], (BANK, ROME, CITY)),
        (["O", "ORG", "ORG", "ORG", "O", "LOC", "O", "my-type"], (BANK, ROME, span(31, 35, "my-type"))),
        (("O", "O", "O", "O", "O", "O", "O", "B-my-type"), (span(31, 35, "my-type"),)),
        ('["O", "O", "O", "O", "O", "B-LOC", "O", "O"]', (ROME,)),
        ([{"type": "ORG", "text": "Bank of Greece"}], (BANK,)),
        ("ORG Bank of Greece | LOC Rome | LOC Rome", (BANK, ROME, CITY)),
        ("The Bank of Greece met Rome in [LOC: Rome]", (CITY,)),
    ],
)  # fmt: skip
def test_the_users_labels_in_every_form(cell: object, label: Label) -> None:
    assert TASK.gold(TEXT, cell) == label


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (None, "is None, which is no list of spans, tags or quotes, and no line such as 'ORG its words'"),
        (7, "is 7, which is no list"),
        ("", "is '': The answer is empty. Answer none"),
        ("drop", "'drop' is not one of the types. Use only: ORG, LOC, my-type"),
        ("[broken", "is '[broken': "),
        ("[" * 5000, "is '[[["),
        ([{"start": 4, "end": 99, "type": "ORG"}], "a span 4 to 99, which is not inside the text of 35 characters"),
        ([{"start": 4, "end": 4, "type": "ORG"}], "a span 4 to 4, which is not inside"),
        ([{"start": -4, "end": 4, "type": "ORG"}], "a span -4 to 4, which is not inside"),
        ([{"start": "4", "end": 18, "type": "ORG"}], "start and end are not whole numbers: {'end': 18, 'start': '4'"),
        ([{"start": True, "end": 18, "type": "ORG"}], "start and end are not whole numbers"),
        ([{"start": 4, "type": "ORG"}], "start and end are not whole numbers"),
        ([{"start": 4, "end": 18, "type": "PER"}], "of type 'PER', which is not one of: ORG, LOC, my-type"),
        ([{"start": 4, "end": 18, "type": 3}], "of type 3, which is not one of"),
        ([{"start": 4, "end": 18}], "of type None, which is not one of"),
        ([{"start": 4, "end": 19, "type": "ORG"}], "begins or ends with white space: 'Bank of Greece '"),
        ([{"start": 4, "end": 18, "type": "ORG", "text": "Bank"}], "'Bank of Greece' in the text and not 'Bank'"),
        ([{"start": 4, "end": 18, "type": "ORG"}, {"start": 9, "end": 18, "type": "LOC"}], "4 to 18 and 9 to 18"),
        ([{"start": 4, "end": 18, "type": "ORG"}] * 2, "overlap: 4 to 18 and 4 to 18"),
        (["O", "B-ORG"], "has 2 tags for 8 words"),
        (["O", "B-PER"], "has 'B-PER', which is no tag. Write O, or B- or I- and one of: ORG, LOC, my-type"),
        ([0, 1, 2], "has 0, which is no tag"),
        ([{"type": "ORG", "text": "Bank of Rome"}], "'Bank of Rome' is not in the text"),
        ([None], "None is not an entity"),
    ],
)  # fmt: skip
def test_the_users_labels_are_refused_with_the_reason(cell: object, what: str) -> None:
    with pytest.raises(ValueError) as error:
        TASK.gold(TEXT, cell)
    assert what in str(error.value)
    assert str(error.value).startswith(("is ", "has "))
    assert len(str(error.value)) < 320


def test_a_tagged_token_of_white_space_is_no_entity() -> None:
    assert TASK.gold("a \u00a0 Rome", ["O", "B-LOC", "I-LOC"]) == (span(4, 8, "LOC"),)
    assert TASK.gold("a \u00a0 Rome", ["O", "B-LOC", "O"]) == ()


def test_a_span_needs_more_than_half_of_the_votes() -> None:
    aggregate = TASK.settle([(BANK, ROME), (BANK,), (BANK, CITY)])
    assert aggregate.label == (BANK,)
    assert aggregate.confidence == pytest.approx(2 / 3)
    assert aggregate.soft is None
    assert aggregate.votes == {"ORG 4-18 | LOC 23-27": 1, "ORG 4-18": 1, "ORG 4-18 | LOC 31-35": 1}
    assert TASK.settle([(CITY,), (ROME, CITY), (ROME,)]).label == (ROME, CITY)
    assert TASK.settle([(BANK,), ()]).label == ()
    assert TASK.settle([(BANK,), ()]).confidence == 0.5
    assert TASK.settle([(), (), ()]).confidence == 1.0
    assert TASK.settle([(), ()]).votes == {"none": 2}
    with pytest.raises(ValueError, match="no vote"):
        TASK.settle([])
    with pytest.raises(ValueError, match="not a tuple of spans"):
        TASK.settle(["ORG"])
    with pytest.raises(ValueError, match="no closed list"):
        TASK.settle_soft({"ORG": 1.0})


@pytest.mark.parametrize(
    ("gold", "said", "pairs"),
    [
        ((BANK, ROME), (ROME, BANK), ()),
        ((BANK,), (span(4, 18, "LOC"),), (("ORG", "LOC"),)),
        ((BANK,), (span(4, 8),), (("ORG", "ORG, other boundary"),)),
        ((BANK,), (span(4, 8, "LOC"),), (("ORG", "LOC, other boundary"),)),
        ((BANK,), (), (("ORG", "nothing"),)),
        ((), (ROME,), (("nothing", "LOC"),)),
        ((BANK,), (span(4, 8, "LOC"), span(9, 18)), (("ORG", "ORG, other boundary"), ("nothing", "LOC"))),
        ((ROME, CITY), (span(23, 35, "LOC"),), (("LOC", "LOC, other boundary"), ("LOC", "nothing"))),
    ],
)
def test_mistakes(gold: Label, said: Label, pairs: tuple[tuple[str, str], ...]) -> None:
    assert TASK.mistakes(gold, said) == pairs


def word(start: int, end: int, **shares: float) -> Word:
    return Word(start=start, end=end, shares={name.replace("_", "-"): share for name, share in shares.items()})


def test_loss_is_that_of_every_word() -> None:
    words = (word(0, 3, O=0.5, B_ORG=0.5), word(4, 8, O=0.75, B_ORG=0.25), word(9, 11, O=0.5, I_ORG=0.5))
    example = Example(text=TEXT, label=(span(4, 11),))
    assert TASK.loss(example, predicted(words=words)) == pytest.approx(-math.log(0.5 * 0.25 * 0.5))
    worst = -math.log(1e-6)
    assert TASK.loss(example, predicted(words=(word(4, 8, O=1.0),))) == pytest.approx(worst)
    assert TASK.loss(example, predicted(words=(word(4, 8, B_ORG=math.nan),))) == pytest.approx(worst)
    assert TASK.loss(example, predicted(words=(word(4, 8, B_ORG=1.0 + 1e-9),))) == 0
    assert TASK.loss(Example(text=TEXT, label=()), predicted()) == 0
    assert TASK.loss(Example(text=TEXT, label=(BANK, ROME)), predicted()) == pytest.approx(2 * worst)


def test_scores_by_hand() -> None:
    gold: list[Label] = [(BANK, ROME), (CITY,), (), (ROME,)]
    said = [predicted(BANK, span(23, 27)), predicted(span(29, 35, "LOC")), predicted(BANK), predicted()]
    assert TASK.score(gold, said) == pytest.approx(
        {
            "f1": 2 / 8,
            "precision": 1 / 4,
            "recall": 1 / 4,
            "f1_boundary": 4 / 8,
            "f1_type": 4 / 8,
            "missed": 1 / 4,
            "spurious": 1 / 4,
            **{"f1 ORG": 2 / 4, "precision ORG": 1 / 3, "recall ORG": 1.0},
            **{"f1 LOC": 0.0, "precision LOC": 0.0, "recall LOC": 0.0},
        }
    )


def test_nothing_to_find_and_nothing_said_is_right() -> None:
    scores = TASK.score([(), ()], [predicted(), predicted()])
    assert scores == {
        **{"f1": 1.0, "precision": 1.0, "recall": 1.0, "f1_boundary": 1.0, "f1_type": 1.0},
        **{"missed": 0.0, "spurious": 0.0},
    }
    assert TASK.points((), ()) == (0.0, 0.0)
    spurious = TASK.score([()], [predicted(BANK)])
    assert (spurious["f1"], spurious["precision"], spurious["recall"], spurious["spurious"]) == (0.0, 0.0, 0.0, 1.0)
