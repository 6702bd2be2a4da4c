"""The TOML file of a comparison: its cells, and one line for every mistake."""

import re
from pathlib import Path
from typing import Any

import pytest

from evokd.comparison.spec import overlaid, read_spec
from evokd.graph.config.strategies import STRATEGIES
from evokd.tasks.errors import ConfigError
from tests.comparison.comparisons import spec, write
from tests.parts import ROOT


def test_every_variant_of_a_seed_comes_before_the_next_seed(tmp_path: Path) -> None:
    found = spec(tmp_path, shots=[1, "all"])
    assert [cell.name for cell in found.cells] == [
        "small.static.k1.s0", "small.gated.k1.s0", "small.static.k1.s1", "small.gated.k1.s1",
        "small.static.kall.s0", "small.gated.kall.s0", "small.static.kall.s1", "small.gated.kall.s1",
    ]  # fmt: skip
    assert (found.settings.name, found.baseline, found.base) == ("mine", "static", tmp_path)
    first, second = found.cells[0], found.cells[3]
    assert (first.config.strategy, first.config.seed, first.shots) == ("static", 0, 1)
    assert (second.config.strategy, second.config.seed) == ("gated", 1)
    assert first.base == tmp_path / "task", "data paths of a task start from its own config"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_any_strategy_can_be_compared(strategy: str, tmp_path: Path) -> None:
    assert spec(tmp_path, strategies=[strategy], random_seeds=[0]).cells[0].config.strategy == strategy


def test_variants_override_the_set_and_the_set_the_tasks_config(tmp_path: Path) -> None:
    both: dict[str, Any] = {
        "set": {"stop.cycles": 5, "agents": {"trainer": {"review": False}}, "budget.max_tokens": 1000},
        "variants": {"warm": {"strategy": "paper", "stop": {"cycles": 7}}},
    }
    found = spec(tmp_path, strategies=["static"], random_seeds=[0], baseline="warm", **both)
    static, warm = (cell.config for cell in found.cells)
    assert (static.stop["cycles"], warm.stop["cycles"]) == (5, 7)
    assert (static.agents["trainer"]["review"], warm.agents["trainer"]["start"]) == (False, "warm")
    assert static.agents["generator"]["batch"] == 8
    assert static.budget.max_tokens == 1000 and warm.strategy == "paper" and found.baseline == "warm"


def test_what_is_set_against_wrong_labels_can_be_compared(tmp_path: Path) -> None:
    variants = {
        "robust": {"student.loss": "generalised", "student.q": 0.5},
    }
    cells = spec(tmp_path, strategies=["zerogen"], random_seeds=[0], baseline="zerogen", variants=variants).cells
    assert (cells[1].config.student.loss, cells[1].config.student.q) == ("generalised", 0.5)


def test_seeds_of_a_task_start_from_the_comparisons_file(tmp_path: Path) -> None:
    found = spec(tmp_path, random_seeds=[0], tasks={"t": {"config": "task/small.toml", "seeds": "many.jsonl"}})
    assert found.cells[0].config.data.seeds == str(tmp_path / "many.jsonl")
    found = spec(tmp_path, random_seeds=[0], tasks={"t": {"config": "task/small.toml", "seeds": "hf:a/b"}})
    assert found.cells[0].config.data.seeds == "hf:a/b"


SMALL = {"config": "task/small.toml"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"strategies": []}, "there is nothing to compare. Give `strategies`, e.g. ['static', 'gated']."),
        ({"strategies": ["fast"]}, "the strategy in `strategies` 'fast' is not known. Allowed:"),
        ({"strategies": ["static", "static"]}, "'static' is named twice."),
        ({"variants": {"static": {}}}, "'static' is both in `strategies` and in [variants]. Rename the variant."),
        ({"variants": {"a.b": {}}}, "the name 'a.b' must be letters, digits, '_' or '-', at most 30."),
        ({"name": "a/b"}, "name = 'a/b': must be letters, digits, '_' or '-', at most 30, as it names a folder."),
        ({"baseline": "none"}, "baseline 'none' is not known. Allowed: gated, static."),
        ({"shots": [0]}, '0 must be a number of rows per label, 1 or more, or "all".'),
        ({"shots": ["some"]}, "'some' must be a number of rows per label, 1 or more, or \"all\"."),
        ({"random_seeds": [-1]}, "random_seeds.0 = -1: Input should be greater than or equal to 0."),
        ({"random_seeds": []}, "random_seeds = []: Tuple should have at least 1 item after validation, not 0."),
        ({"tasks": {}}, "tasks: Dictionary should have at least 1 item after validation, not 0."),
        ({"tasks": {"t": {"config": "nix.toml"}}}, "nix.toml'; `configs/` has examples."),
        (
            {"tasks": {"t": {**SMALL, "sets": 1}}},
            "the key 'tasks.t.sets' is not known. Did you mean 'seeds'?",
        ),
        ({"set": {"stop.cycle": 1}}, "the key 'cycle' is not known. Did you mean 'cycles'? Allowed: cycles, "),
        ({"set": {"name.x": 1}}, "[set]: name.x cannot be set: name = 'small' is not a table."),
        ({"variants": {"v": {"strategy": "x"}}}, "with [set] and variant v: strategy = 'x': "),
        ({"budget": {"max_usd": 1}}, "budget.max_usd = 1.0 cannot be kept: the price of model 'm' is unknown."),
        ({"budget": {"max_minutes": 1}}, "Allowed: max_calls, max_tokens, max_usd."),
    ],
)
def test_a_mistake_is_one_line(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as told:
        spec(tmp_path, **changes)
    assert "\n" not in str(told.value)


def test_a_test_set_is_needed(tmp_path: Path) -> None:
    file = write(tmp_path)
    config = tmp_path / "task" / "small.toml"
    config.write_text(config.read_text().replace('test = "test.jsonl"\n', ""))
    with pytest.raises(ConfigError, match=r"data\.test is missing: a comparison needs a test set"):
        read_spec(file)


def test_dotted_keys_and_tables_mean_the_same_and_change_no_input() -> None:
    raw = {"a": {"b": 1, "c": 2}}
    assert overlaid(raw, {"a.b": 3}, "") == overlaid(raw, {"a": {"b": 3}}, "") == {"a": {"b": 3, "c": 2}}
    assert raw == {"a": {"b": 1, "c": 2}}


def test_the_example_can_be_read() -> None:
    found = read_spec(ROOT / "configs" / "compare.toml")
    assert len(found.cells) >= 4 and found.settings.budget.model_dump(exclude_none=True)


def test_its_cells_may_import_what_their_configs_name(tmp_path: Path) -> None:
    found = spec(tmp_path, variants={"own": {"teacher.kind": "tests.graph.own:Oracle"}})
    assert found.own_parts == ("tests.graph.own:Oracle", "tests.parts:Notes", "tests.parts:Students")
