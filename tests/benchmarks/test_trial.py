"""A trial: which rows are its seeds, and which its pool."""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.trial import draw, parsed, settings
from evokd.graph.config.run_config import agents, validate
from evokd.graph.config.strategies import STRATEGIES
from evokd.testing import world


def drawn(folder: Path, **options: Any) -> tuple[list[Any], list[Any]]:
    rows = [{"text": f"text {n}", "label": list(world.VOCABULARY)[n % 4]} for n in range(80)]
    (folder / "data" / "t").mkdir(parents=True)
    (folder / "data" / "t" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    given = argparse.Namespace(data=folder / "data", task="t", seed=1, **options)
    draw(given, world.task(), folder / "in")
    seeds, pool = ((folder / "in" / f"{name}.jsonl").read_text().splitlines() for name in ("seeds", "pool"))
    return [json.loads(line) for line in seeds], [json.loads(line) for line in pool]


@pytest.mark.parametrize("shots", [1, 5])
def test_every_label_gets_its_shots_and_the_pool_has_other_rows_without_labels(tmp_path: Path, shots: int) -> None:
    seeds, pool = drawn(tmp_path, shots=shots, pool=30)
    assert Counter(row["label"] for row in seeds) == dict.fromkeys(world.VOCABULARY, shots)
    assert len(pool) == 30 and all(set(row) == {"text"} for row in pool)
    assert not {row["text"] for row in seeds} & {row["text"] for row in pool}


@pytest.mark.parametrize("teacher", ["replay", "oracle", "simulator", "local"])
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_can_be_tried_with_every_teacher(strategy: str, teacher: str) -> None:
    options = parsed(["--data", "d", "--task", "trec6", "--strategy", strategy, "--teacher", teacher])
    assert agents(validate(settings(options, "http://127.0.0.1:9/v1"), "trial"))
