import json
from pathlib import Path

import pytest

from evokd.graph.config.run_config import RunConfig, validate
from evokd.graph.setup.services import create, read_config, with_cycles
from evokd.memory.run_folder import RunFolder
from evokd.tasks.errors import ConfigError


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    write(tmp_path / "seeds.jsonl", [{"text": "good", "label": "yes"}, {"text": "bad", "label": "no"}])
    write(tmp_path / "dev.jsonl", [{"text": "fine", "label": "yes"}])
    write(tmp_path / "test.jsonl", [{"text": "awful", "label": "no"}])
    write(tmp_path / "pool.jsonl", [{"text": text} for text in ("GOOD", "Fine", " awful ", "something new")])
    return tmp_path


def config(**data: str) -> RunConfig:
    return validate(
        {"name": "r", "task": {"description": "d", "labels": ["yes", "no"]}, "data": {"seeds": "seeds.jsonl", **data}},
        "test",
    )


def test_a_run_folder_holds_all_it_needs(inputs: Path) -> None:
    folder = RunFolder(inputs / "run")
    wanted = config(dev="dev.jsonl", test="test.jsonl", pool="pool.jsonl")
    create(wanted, inputs, folder)
    assert read_config(folder) == wanted
    assert sorted(path.name for path in (folder.root / "data").iterdir()) == [
        "dev.jsonl", "pool.jsonl", "seed.jsonl", "test.jsonl",
    ]  # fmt: skip


def test_the_users_labelled_texts_do_not_come_back_as_unlabelled_ones(inputs: Path) -> None:
    folder = RunFolder(inputs / "run")
    create(config(dev="dev.jsonl", test="test.jsonl", pool="pool.jsonl"), inputs, folder)
    pool = (folder.root / "data" / "pool.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in pool] == ["something new"]


def test_nor_do_they_with_other_punctuation(inputs: Path) -> None:
    held_out = [json.loads(line)["text"] for line in (inputs / "test.jsonl").read_text().splitlines()]
    write(inputs / "pool.jsonl", [{"text": text} for text in [*(f" {each.upper()} !" for each in held_out), "new one"]])
    folder = RunFolder(inputs / "run")
    create(config(test="test.jsonl", pool="pool.jsonl"), inputs, folder)
    pool = (folder.root / "data" / "pool.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in pool] == ["new one"]


def test_a_sorted_pool_is_mixed_the_same_way_each_time(inputs: Path) -> None:
    texts = [f"text {number:03}" for number in range(200)]
    write(inputs / "pool.jsonl", [{"text": text} for text in texts])
    found = []
    for name in ("one", "two"):
        create(config(pool="pool.jsonl"), inputs, RunFolder(inputs / name))
        rows = (inputs / name / "data" / "pool.jsonl").read_text().splitlines()
        found.append([json.loads(row)["text"] for row in rows])
    assert found[0] == found[1] != texts and sorted(found[0]) == texts
    assert len({text[5] for text in found[0][:20]}) == 2, "its first texts are of all of it"


def test_texts_that_are_cut_or_cannot_be_read_are_told(inputs: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(
        inputs / "seeds.jsonl", [{"text": f"{'ฉันต้องการคืนเงิน' * 50} {label}", "label": label} for label in ("yes", "no")]
    )
    create(config(), inputs, RunFolder(inputs / "run"))
    assert "the student reads the first 128" in caplog.text and "does not know" in caplog.text


@pytest.mark.parametrize("marker", [None, '{"schema": 2, "id": "x"}'])
def test_the_config_of_a_folder_that_is_not_ours_is_not_read(inputs: Path, marker: str | None) -> None:
    folder = RunFolder(inputs / "run")
    create(config(), inputs, folder)
    (folder.root / "run.json").unlink()
    if marker:
        (folder.root / "run.json").write_text(marker)
    before = (folder.root / "config.toml").read_text()
    for use in (read_config, lambda folder: with_cycles(folder, 9)):
        with pytest.raises(
            ConfigError, match=r"its schema is 2" if marker else r"was not made by `evokd run` \(it has no"
        ):
            use(folder)
    assert (folder.root / "config.toml").read_text() == before


def test_cycles_can_be_changed_and_nothing_else(inputs: Path) -> None:
    folder = RunFolder(inputs / "run")
    create(config(), inputs, folder)
    before = read_config(folder)
    assert with_cycles(folder, 9) == read_config(folder) == before.model_copy(update={"stop": {"cycles": 9}})


def test_nothing_is_written_when_a_row_is_bad(inputs: Path) -> None:
    write(inputs / "dev.jsonl", [{"text": "fine", "label": "maybe"}])
    with pytest.raises(ConfigError, match="maybe"):
        create(config(dev="dev.jsonl"), inputs, RunFolder(inputs / "run"))
    assert not (inputs / "run").exists()


def test_a_held_out_text_that_is_a_seed_is_refused(inputs: Path) -> None:
    write(inputs / "test.jsonl", [{"text": " Good", "label": "yes"}])
    with pytest.raises(ConfigError, match="seed"):
        create(config(test="test.jsonl"), inputs, RunFolder(inputs / "run"))
