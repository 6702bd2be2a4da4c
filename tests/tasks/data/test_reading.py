import json
from pathlib import Path

import datasets
import pyarrow
import pyarrow.parquet
import pytest

from evokd.tasks.base import Example, Split
from evokd.tasks.data.reading import check_apart, check_seeds, overlaps, read_examples, read_texts
from evokd.tasks.errors import ConfigError
from evokd.tasks.kinds.classification import Classification
from evokd.tasks.kinds.ner import Ner
from tests.tasks.files import lines, write

TASK = Classification("", {"music": "", "GetWeather": "", "5": ""})
NER = Ner("", {"ORG": "", "LOC": ""})


def refused(source: str, base: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read_examples(source, TASK, "seed", base=base)
    assert "\n" not in str(error.value)
    return str(error.value)


GOOD = [
    ("a.jsonl", '{"text": "play it", "label": "music"}\n{"text": "rain?", "label": "GetWeather", "more": [1]}\n'),
    ("bom.jsonl", '\ufeff{"text": "play it", "label": "music"}\r\n\r\n  \r\n{"text": "rain?", "label": "get weather"}'),
    ("a.csv", "text,label\nplay it,music\nrain?,GetWeather\n"),
    ("bom.csv", '\ufefflabel, text ,x\r\n\r\nmusic,play it,\r\n"GetWeather","rain?",7\r\n,,\r\n'),
    ("a.TSV", "text\tlabel\nplay it\tmusic\nrain?\tGetWeather"),
]


@pytest.mark.parametrize(("name", "content"), GOOD)
def test_reads(tmp_path: Path, name: str, content: str) -> None:
    found = read_examples(write(tmp_path, name, content), TASK, "dev", base=tmp_path)
    assert found == [
        Example(text="play it", label="music", split="dev"),
        Example(text="rain?", label="GetWeather", split="dev"),
    ]
    assert read_texts(name, base=tmp_path) == ["play it", "rain?"]
    assert read_texts(str(tmp_path / name), base=Path("/elsewhere")) == ["play it", "rain?"]


def test_nasty_texts_come_as_they_are(tmp_path: Path) -> None:
    texts = ["a\u2028b", "two\nlines", "tab\tand \x00", "😀", "e\u0301", "\u202eright to left", '"quoted", so', "中文 "]
    written = "\n".join(json.dumps({"text": text, "label": "music"}, ensure_ascii=False) for text in texts)
    found = read_examples(write(tmp_path, "a.jsonl", written), TASK, "seed", base=tmp_path)
    assert [example.text for example in found] == texts
    quoted = "text,label\n" + "\n".join('"{}",music'.format(text.replace('"', '""')) for text in texts)
    assert read_texts(write(tmp_path, "a.csv", quoted), base=tmp_path) == texts


def test_columns_can_be_named_and_digits_are_labels(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", lines({"body": "x", "stars": 5}))
    (found,) = read_examples(source, TASK, "train", text="body", label="stars", base=tmp_path)
    assert (found.text, found.label, found.split) == ("x", "5", "train")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"txt": "x", "label": "music"}, "there is no 'text'; the row has 'txt', 'label'"),
        ({}, "there is no 'text'; the row has nothing"),
        ({"text": "x"}, "there is no 'label'; the row has 'text'"),
        ({"text": 7, "label": "music"}, "'text' is not a text but 7"),
        ({"text": None, "label": "music"}, "'text' is not a text but None"),
        ({"text": "", "label": "music"}, "'text' is empty: ''"),
        ({"text": " \u200b\n", "label": "music"}, "'text' is empty: ' \\u200b\\n'"),
        ({"text": "half \ud83d", "label": "music"}, "half of a surrogate pair"),
        ({"text": "x", "label": "musik"}, "'label' is 'musik', which is not one of: 'music', 'GetWeather', '5'"),
        ({"text": "x", "label": "drop"}, "'label' is 'drop', which is not one of"),
        ({"text": "x", "label": ["music", "5"]}, "'label' is ['music', '5'], which is not one of"),
        ({"text": "x", "label": []}, "'label' is [], which is not one of"),
        ({"text": "x", "label": True}, "'label' is True, which is not one of"),
        ({"text": "x", "label": 5.0}, "'label' is 5.0, which is not one of"),
        ({"text": "x", "label": "y" * 500}, "yyy..."),
        (["text", "label"], "not a JSON object: ['text', 'label']"),
        ("text", "not a JSON object: 'text'"),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_value(tmp_path: Path, row: object, what: str) -> None:
    good = {"text": "fine", "label": "music"}
    message = refused(write(tmp_path, "a.jsonl", lines(good) + "\n\n" + lines(row)), tmp_path)
    assert message.startswith("a.jsonl: line 3: ")
    assert what in message
    assert len(message) < 300


@pytest.mark.parametrize("broken", ["{", '{"text": "x" "label": "music"}', "nonsense", "[" * 100_000, "9" * 5000])
def test_broken_json(tmp_path: Path, broken: str) -> None:
    message = refused(write(tmp_path, "a.jsonl", lines({"text": "x", "label": "music"}) + "\n" + broken), tmp_path)
    assert message.startswith("a.jsonl: line 2: broken JSON (")
    assert len(message) < 200


def test_all_bad_rows_are_told_at_once_up_to_ten(tmp_path: Path) -> None:
    message = refused(
        write(tmp_path, "a.jsonl", lines(*[{"text": f"{i}", "label": "no"} for i in range(25)])), tmp_path
    )
    assert [f"line {i}: " in message for i in (1, 10, 11)] == [True, True, False]
    assert message.endswith("; ... and 15 more")
    ten = refused(write(tmp_path, "b.jsonl", lines(*[{"text": f"{i}", "label": "no"} for i in range(10)])), tmp_path)
    assert "more" not in ten


def test_many_labels_are_cut(tmp_path: Path) -> None:
    task = Classification("", {f"class {i}": "" for i in range(77)})
    source = write(tmp_path, "a.jsonl", lines({"text": "x", "label": "no"}))
    with pytest.raises(ConfigError, match="'class 29' and 47 more"):
        read_examples(source, task, "seed", base=tmp_path)


def test_one_text_with_two_labels_names_both_lines(tmp_path: Path) -> None:
    rows = [{"text": "Play it", "label": "music"}, {"text": "x", "label": "5"}, {"text": "play  it", "label": "5"}]
    message = refused(write(tmp_path, "a.jsonl", lines(*rows)), tmp_path)
    assert "line 3: the same text has two labels ('music' at line 1, '5' here): 'play  it'" in message


@pytest.mark.parametrize("split", ["dev", "test", "train"])
def test_a_text_with_two_labels_is_left_out_where_nothing_is_taught_by_it(
    tmp_path: Path, split: Split, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [{"text": "Play it", "label": "music"}, {"text": "x", "label": "5"}, {"text": "play  it", "label": "5"}]
    source = write(tmp_path, "a.jsonl", lines(*rows, rows[0]))
    assert [example.text for example in read_examples(source, TASK, split, base=tmp_path)] == ["x"]
    assert "line 3: the same text has two labels ('music' at line 1, '5' here)" in caplog.text
    assert "Texts with two labels, left out: 1." in caplog.text
    with pytest.raises(ConfigError, match="line 2: the same text has two labels"):
        read_examples(write(tmp_path, "b.jsonl", lines(rows[0], rows[2])), TASK, split, base=tmp_path)


def test_a_repeated_row_is_kept_once_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write(tmp_path, "a.csv", "text,label\na,5\nb,5\nA,5\na,5\n")
    assert [example.text for example in read_examples(source, TASK, "seed", base=tmp_path)] == ["a", "b"]
    assert "a.csv: 2 rows repeat a text" in caplog.text
    caplog.clear()
    assert read_texts(source, base=tmp_path) == ["a", "b"]
    assert "a.csv: 2 rows repeat a text" in caplog.text


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.jsonl", "", "has no rows. Give at least one with 'text' and 'label'"),
        ("a.jsonl", "\ufeff\n \r\n", "has no rows"),
        ("a.csv", "", "has no rows"),
        ("a.csv", "text,label\n", "has no rows"),
        ("a.json", '[{"text": "x", "label": "5"}', "line 1: broken JSON"),
        ("a.json", '["text", "label"]', "line 1: not a JSON object: ['text', 'label']"),
        ("a.jsonl", b'{"text": "x"}\n{"text": "caf\xe9"}', "not UTF-8 at line 2 (byte 27 is 0xe9)"),
        ("a.csv", "text,label\nx,5".encode("utf-16")[:-1], "not UTF-16-LE at line 2 (byte 28 is 0x35). Save"),
        ("a.csv", "text,label\nx,5".encode("utf-16-le"), "looks like UTF-16 without its mark"),
        ("a.txt", "x", "files of kind '.txt' are not read. Allowed: .jsonl,"),
        ("a", "x", "files of kind '' are not read"),
        ("a.csv", "text,label\nx,5\ny,5,6\n", "line 3: 3 columns, but the header has 2: ['y', '5', '6']"),
        ("a.csv", 'text,label\n"two\nlines",5\n"x"y,5\n', "line 4: broken CSV"),
        ("a.csv", 'text,label\n"never closed,5\n', "line 2: broken CSV"),
        ("a.csv", "text,label,label\na,5,b\n", "the header has 'label' twice"),
        ("a.tsv", 'text\tlabel\n"well\t5\nno\nsaid\t "\t5\n', "lines 2 to 4: one cell goes on over tabs and lines"),
        ("a.csv", "a;b\nx;5", "there is no 'text'; the row has 'a', 'b'"),
        ("a.tsv", "#FORMAT=WebAnno TSV 3.3\n", "is WebAnno TSV (INCEpTION). Export as CoNLL 2002"),
        ("a.parquet", "no", "not a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, name: str, content: str | bytes, what: str) -> None:
    message = refused(write(tmp_path, name, content), tmp_path)
    assert message.startswith(f"{name}: ")
    assert what in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert f"there is no such file ({tmp_path / 'no.csv'})" in refused("no.csv", tmp_path)
    (tmp_path / "folder.csv").mkdir()
    assert "is a folder" in refused("folder.csv", tmp_path)


def test_a_broken_link_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").symlink_to(tmp_path / "nowhere")
    assert "there is no such file" in refused("a.csv", tmp_path)


def test_parquet_with_names_in_its_schema(tmp_path: Path) -> None:
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["GetWeather", "music"])}
    )
    datasets.Dataset.from_dict({"text": ["a", "b"], "label": [1, 0]}, features=features).to_parquet(
        tmp_path / "a.parquet"
    )
    found = read_examples("a.parquet", TASK, "test", base=tmp_path)
    assert [(example.text, example.label) for example in found] == [("a", "music"), ("b", "GetWeather")]


def test_plain_parquet_names_the_row(tmp_path: Path) -> None:
    table = pyarrow.table({"text": ["a", None, "c"], "label": ["music", "music", "no"]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    message = refused("a.parquet", tmp_path)
    assert "row 2: 'text' is not a text but None; row 3: 'label' is 'no'" in message


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """One data set, org/set, with the splits train and test; lists what is asked for."""
    asked: list[tuple[str, ...]] = []
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["music", "5"])})
    rows = {"train": {"text": ["a", "b"], "label": [1, 0]}, "test": {"text": ["c"], "label": [-1]}}

    def load_dataset(name: str, *configuration: str, split: str) -> datasets.Dataset:
        asked.append((name, *configuration, split))
        if name != "org/set":
            raise ConnectionError("Couldn't reach the hub\n(offline)")
        if split not in rows:
            raise ValueError(f'Unknown split "{split}". Should be one of {list(rows)}.')
        return datasets.Dataset.from_dict(rows[split], features=features)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_hub_classes_get_their_names(hub: list[tuple[str, ...]], tmp_path: Path) -> None:
    found = read_examples("hf:org/set", TASK, "train", base=tmp_path)
    assert [(example.text, example.label) for example in found] == [("a", "5"), ("b", "music")]
    assert read_texts("hf:org/set:test", base=tmp_path) == ["c"]
    assert "row 1: 'label' is -1, which is not one of" in refused("hf:org/set:test", tmp_path)
    assert hub == [("org/set", "train"), ("org/set", "test"), ("org/set", "test")]


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("hf:org/set", ("org/set", "train")),
        ("hf:org/set:test", ("org/set", "test")),
        ("hf:org/set:sst2:test", ("org/set", "sst2", "test")),
        ("hf:org/set:2023.1-en:train", ("org/set", "2023.1-en", "train")),
        ("hf:org/set:train[:10%]", ("org/set", "train[:10%]")),
        ("hf:org/set:sst2:train[10%:20%]+test", ("org/set", "sst2", "train[10%:20%]+test")),
    ],
)
def test_hub_sources_name_configuration_and_split(
    hub: list[tuple[str, ...]], tmp_path: Path, source: str, asked: tuple[str, ...]
) -> None:
    try:
        read_texts(source, base=tmp_path)
    except ConfigError as error:
        assert "Unknown split" in str(error)
    assert hub == [asked]


def test_hub_errors_say_what_to_do(hub: list[tuple[str, ...]], tmp_path: Path) -> None:
    offline = refused("hf:org/other", tmp_path)
    assert "hf:org/other: cannot be loaded (ConnectionError: " in offline
    assert "give the path of a .jsonl, .csv or .parquet file" in offline
    with pytest.raises(ConfigError, match='Unknown split "validation"'):
        read_examples("hf:org/set", TASK, "dev", base=tmp_path)
    for wrong in ("hf:", "hf:a/b/c", "hf:/etc/passwd", "hf:org/set:", "hf:a:b:c:d", "hf:a::c", "hf:a:b:"):
        assert "Write hf:name, hf:org/name, hf:org/name:split or hf:org/name:configuration:split" in refused(
            wrong, tmp_path
        )


def test_seeds_must_cover_every_class() -> None:
    seeds = [Example(text="a", label="music", split="seed")]
    check_seeds([*seeds, Example(text="b", label="5"), Example(text="c", label="GetWeather")], TASK)
    with pytest.raises(ConfigError, match="No seed example has the label 'GetWeather', '5'"):
        check_seeds(seeds, TASK)


def test_long_seeds_are_told_once_and_other_splits_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write(tmp_path, "a.jsonl", lines(*[{"text": f"{i} " * 3000, "label": "5"} for i in range(3)]))
    read_examples(source, TASK, "dev", base=tmp_path)
    assert not caplog.records
    read_examples(source, TASK, "seed", base=tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        "a.jsonl: 3 of 3 texts have more than 2000 characters (the longest 6000). Prompts show the beginning of each."
    ]


def test_overlaps_by_normalised_text() -> None:
    seeds = [Example(text=text, label="5", split="seed") for text in ("A  b", "c")]
    dev = [Example(text=text, label="music", split="dev") for text in ("d", "a b", "\uff43")]
    assert overlaps(seeds, dev) == dev[1:]
    with pytest.raises(ConfigError, match=r"2 of the 3 'dev' texts are also in 'seed': 'a b', '\uff43'\. Remove them"):
        check_apart(seeds, dev)
    check_apart(seeds, dev[:1])
    check_apart([], dev)
    check_apart(seeds, [])
