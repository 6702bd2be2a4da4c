import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from evokd.agents.generator import agent as generator
from evokd.agents.trainer import agent as ours
from evokd.graph.config.roles import AGENTS
from evokd.graph.config.run_config import RunConfig, agents, stop_rule, validate
from evokd.graph.config.strategies import MOST_CYCLES, STRATEGIES
from evokd.graph.setup.create import ask_anew, create, read_config, with_cycles
from evokd.memory.run_folder import RunFolder
from evokd.student.heads.sequence import SequenceHead
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
    assert create(wanted, inputs, folder) == read_config(folder)
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
    assert (
        with_cycles(folder, 9)
        == read_config(folder)
        == before.model_copy(update={"stop": {**before.stop, "cycles": 9}})
    )


def test_ours_or_not_a_config_is_whole_and_means_the_same_under_other_presets_and_defaults(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = {
        "name": "r",
        "strategy": "paper",
        "task": {"description": "d", "labels": ["yes", "no"]},
        "data": {"seeds": "seeds.jsonl"},
        "teacher": {"roles": {"critic": {"temperature": 0.5}}, "extra_body": {"top_k": 3}},
        "stop": {"cycles": 3},
    }
    folder = RunFolder(inputs / "run")
    was = create(validate(raw, "test"), inputs, folder)
    roles, rule = agents(was), stop_rule(was)

    @dataclass(frozen=True)
    class Trainer(ours.Trainer):
        members: int = 9
        max_difficulty: float | None = 0.5

    @dataclass(frozen=True)
    class Generator(generator.Generator):
        batch: int = 99

    monkeypatch.setitem(AGENTS, "trainer", Trainer)
    monkeypatch.setitem(AGENTS, "generator", Generator)
    monkeypatch.setitem(STRATEGIES, "paper", {"generator": {"gate_size": 77}, "analyst": {"probe": True}})
    monkeypatch.setitem(MOST_CYCLES, "paper", 1)
    monkeypatch.setattr(SequenceHead, "recipe", SequenceHead.recipe.model_copy(update={"epochs": 1234}))
    now = read_config(folder)
    assert now == was and stop_rule(now) == rule
    assert {role: vars(agent) for role, agent in agents(now).items()} == {r: vars(a) for r, a in roles.items()}
    assert now.student.epochs not in (None, 1234) and now.teacher.role("critic").extra_body == {"top_k": 3}
    assert {role: vars(agent) for role, agent in agents(with_cycles(folder, 5)).items()} == {
        role: vars(agent) for role, agent in roles.items()
    }
    assert ask_anew(folder) == now.model_copy(
        update={
            "stop": {**now.stop, "cycles": 5},
            "teacher": now.teacher.model_copy(update={"use_cache": False}),
        }
    )
    new = agents(validate(raw, "test"))
    assert (new["generator"].batch, new["generator"].gate_size, new["trainer"].members) == (99, 77, 9)  # type: ignore[attr-defined]


def test_what_was_null_stays_null_under_another_default(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder(inputs / "run")
    was = create(config(), inputs, folder)

    @dataclass(frozen=True)
    class Trainer(ours.Trainer):
        max_difficulty: float | None = 0.5

    monkeypatch.setitem(AGENTS, "trainer", Trainer)
    assert "max_difficulty" not in (folder.root / "config.toml").read_text()
    assert read_config(folder) == was and agents(was)["trainer"].max_difficulty is None  # type: ignore[attr-defined]


def test_nothing_is_written_when_a_row_is_bad(inputs: Path) -> None:
    write(inputs / "dev.jsonl", [{"text": "fine", "label": "maybe"}])
    with pytest.raises(ConfigError, match="maybe"):
        create(config(dev="dev.jsonl"), inputs, RunFolder(inputs / "run"))
    assert not (inputs / "run").exists()


def test_a_held_out_text_that_is_a_seed_is_refused(inputs: Path) -> None:
    write(inputs / "test.jsonl", [{"text": " Good", "label": "yes"}])
    with pytest.raises(ConfigError, match="seed"):
        create(config(test="test.jsonl"), inputs, RunFolder(inputs / "run"))


@pytest.mark.parametrize(
    ("student", "why"),
    [
        ({"assistant": "/no/such"}, "student.assistant cannot be used as a student: .*'/no/such'"),
        ({"kind": "tests.parts:Students", "assistant": "minilm"}, "student.assistant = 'minilm' goes with kind"),
    ],
)
def test_an_assistant_that_cannot_be_had_is_told_before_anything_is_paid_for(
    student: dict[str, str], why: str, inputs: Path
) -> None:
    wanted = config(pool="pool.jsonl")
    wanted = wanted.model_copy(update={"student": wanted.student.model_copy(update=student)})
    with pytest.raises(ConfigError, match=why):
        create(wanted, inputs, RunFolder(inputs / "run"))
    assert not (inputs / "run").exists()
