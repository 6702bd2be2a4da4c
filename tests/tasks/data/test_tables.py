"""Tables as spreadsheets and other programs write them."""

from pathlib import Path

import pytest

from evokd.tasks.data.reading import read_examples
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from tests.tasks.files import write

TASK = Classification("", {"pos": "", "neg": ""})


@pytest.mark.parametrize(
    ("name", "content", "texts"),
    [
        ("a.csv", "\ufefftext;label\r\na, b;pos\r\n\"c;d\";neg\r\n", ["a, b", "c;d"]),
        ("a.csv", "text\tlabel\na, b\tpos\n", ["a, b"]),
        ("a.csv", "sep=;\r\ntext;label\r\na;pos\r\n", ["a"]),
        ("a.csv", "text,label\ra,pos\rb,neg\r", ["a", "b"]),
        ("a.csv", "text,label,\na,pos,\nb,neg,\n", ["a", "b"]),
        ("a.csv", "text,label\na,pos,,\nb,neg\n", ["a", "b"]),
        ("a.csv", "text,label\na,pos\n".encode("utf-16"), ["a"]),
        ("a.tsv", "text\tlabel\na\tpos\n".encode("utf-16-be").join([b"\xfe\xff", b""]), ["a"]),
        ("a.tsv", 'text\tlabel\n"Good film\tpos\nsay "x" ok\tneg\n', ['"Good film', 'say "x" ok']),
        ("a.tsv", 'text\tlabel\r\n"well\tpos\r\nno\tneg\r\nsaid "\tpos\r\n', ['"well', "no", 'said "']),
        ("a.tsv", 'text\tlabel\n"two\nlines"\tpos\n"a ""b"""\tneg\n', ["two\nlines", 'a "b"']),
        ("a.tsv", 'text\tlabel\n"a\tb"\tpos\n', ["a\tb"]),
    ],
)  # fmt: skip
def test_separators_quotes_and_line_ends(tmp_path: Path, name: str, content: str | bytes, texts: list[str]) -> None:
    found = read_examples(write(tmp_path, name, content), TASK, "seed", base=tmp_path)
    assert [each.text for each in found] == texts


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("sep=;\ntext;label\na;no\n", "line 3: 'label' is 'no'"),
        ("text;label\na;b;pos\n", "line 2: 3 columns, but the header has 2"),
        ("text,label\na\n", "line 2: 1 columns, but the header has 2"),
        ('text\tlabel\n"a\tpos\nb\n', "line 2: broken CSV"),
    ],
)
def test_lines_keep_their_numbers(tmp_path: Path, content: str, what: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_examples(write(tmp_path, "a.csv", content), TASK, "seed", base=tmp_path)
    assert what in str(error.value)
