"""A plan: what a run would ask and cost, told by its own agents, and what the server really does."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.config.run_config import load
from evokd.planning.estimate import Estimate, estimate
from evokd.tasks.errors import ConfigError
from evokd.testing import world
from evokd.testing.loopback import Body, Loopback, Said, chat, error, serving
from tests import parts

PRICES = {"usd_per_million_input": 1.0, "usd_per_million_output": 10.0}


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving(lambda body: chat('{"word": "ready"}')) as running:
        yield running


def planned(folder: Path, server: Loopback, offline: bool = False, **changes: Any) -> Estimate:
    path = parts.write(folder, server.url, **changes)
    return estimate(load(path, {}), path.parent, offline)


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> tuple[Estimate, Path]:
    """A plan for which no server was tried, and the folder of its data."""
    folder = tmp_path_factory.mktemp("plan")
    path = parts.write(folder, "http://127.0.0.1:9/v1", teacher=PRICES)
    return estimate(load(path, {}), folder, True), folder


def test_the_roles_of_both_kinds_of_cycle_are_counted(offline: tuple[Estimate, Path]) -> None:
    made, _ = offline
    assert set(made.first) == {"generator", "annotator"} and set(made.later) == {"analyst", "generator", "annotator"}
    assert made.first["annotator"].calls == 4, "two votes on 40 texts, 20 a call"
    assert made.later["analyst"].calls == 1 and made.cycles == 2
    whole = made.expected
    assert whole.calls == sum(n.calls for each in (made.first, made.later) for n in each.values())
    assert whole.tokens_in > 1000 and whole.tokens_out > 100
    assert whole.usd == pytest.approx((whole.tokens_in + 10 * whole.tokens_out) / 1e6)
    assert made.connection is None and made.verdict == "look again"
    assert [doubt.split(":")[0] for doubt in made.doubts] == ["the dev set has 24 rows"]
    assert made.seeds_only["n"] == 24


@pytest.mark.parametrize(
    ("strategy", "first", "later"),
    [
        ("static", {"generator", "annotator"}, {"generator", "annotator"}),
        ("paper", {"analyst", "generator", "annotator"}, {"analyst", "generator", "annotator"}),
    ],
)
def test_cycles_are_those_of_the_strategy(
    strategy: str, first: set[str], later: set[str], tmp_path: Path, server: Loopback
) -> None:
    made = planned(tmp_path, server, offline=True, strategy=strategy)
    assert (set(made.first), set(made.later)) == (first, later)
    if strategy == "static":
        assert made.later["generator"].tokens_out < made.first["generator"].tokens_out / 2, "a later batch is smaller"
    else:
        assert made.first["annotator"].calls == 1, "no breadth before the lessons, one vote"


@pytest.mark.parametrize(("batch", "later"), [(4, {"analyst", "generator", "annotator"}), (40, {"annotator"})])
def test_with_a_pool_the_dearer_kind_of_cycle_is_told_and_the_gate_is_labelled_not_written(
    batch: int, later: set[str], tmp_path: Path, server: Loopback
) -> None:
    rng = random.Random(0)
    texts = [f"{world.make_text(label, rng)} {n}" for n in range(60) for label in world.VOCABULARY]
    tmp_path.joinpath("pool.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    sizes = {"backbone": 24, "gate_size": 16, "batch": batch}
    data, agents = {"pool": "pool.jsonl"}, {"generator": sizes}
    made = planned(tmp_path, server, offline=True, data=data, agents=agents)
    assert set(made.later) == later and not made.lacks_pool
    without = planned(tmp_path / "without", server, offline=True, agents=agents)
    assert made.first["generator"].tokens_out < without.first["generator"].tokens_out and without.lacks_pool
    assert made.first["annotator"].calls == 6, "two votes on 24 written texts in two lists, and on 16 real ones"


def test_a_teacher_that_answers_by_itself_cannot_be_planned(tmp_path: Path, server: Loopback) -> None:
    path = parts.write(tmp_path, server.url)
    config = load(path, {"teacher.kind": "evokd.testing.fakes:ScriptedTeacher"})
    with pytest.raises(ConfigError, match=r"'evokd.testing.fakes:ScriptedTeacher' answers by itself"):
        estimate(config, path.parent, True)


def test_a_teacher_of_ones_own_in_its_short_form_is_planned(tmp_path: Path, server: Loopback) -> None:
    path = parts.write(tmp_path, server.url, teacher=PRICES)
    made = estimate(load(path, {"teacher.kind": "tests.graph.own:World"}), path.parent, False)
    assert made.connection is not None and made.connection.ok and not server.requests
    assert made.agreement is not None and made.agreement.asked == made.agreement.right > 0
    assert made.expected.usd and made.expected.usd > 0


@pytest.mark.slow
def test_the_run_then_makes_as_many_calls(offline: tuple[Estimate, Path], tmp_path: Path) -> None:
    made, _ = offline
    asked: Counter[str] = Counter()

    def counting(body: Body) -> Said:
        asked[parts.role_of(body)] += 1
        return parts.answer(body)

    with serving(counting) as running:
        process = parts.start("run", parts.write(tmp_path, running.url), "--runs", tmp_path / "runs")
        _, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    for role in ("analyst", "annotator", "generator"):
        expected = sum(each[role].calls for each in (made.first, made.later) if role in each)
        assert 0.7 * expected <= asked[role] <= 1.5 * expected, (role, expected, asked[role])


def test_prompts_are_those_of_the_run_and_hold_no_held_out_text(offline: tuple[Estimate, Path]) -> None:
    made, folder = offline
    shown = {each.title: each.text for each in made.prompts}
    assert {title.split(",")[0] for title in shown} == {"generator", "annotator", "analyst"}
    assert all("What is the text about?" in text for text in shown.values())
    held_out = [row["text"] for name in ("dev", "test") for row in parts.rows(folder / f"{name}.jsonl")]
    assert not any(text in prompt for text in held_out for prompt in shown.values())


def test_one_call_tells_what_the_server_understands(tmp_path: Path, server: Loopback) -> None:
    made = planned(tmp_path / "a", server)
    tiny = [body for body in server.requests if body["messages"][-1]["content"].endswith('"ready".')]
    assert len(tiny) == 1 and made.connection and made.connection.ok and "JSON schema" in made.connection.said
    server.script = lambda body: error(400, "no") if "response_format" in body else chat('{"word": "ready"}')
    made = planned(tmp_path / "b", server)
    assert made.connection and made.connection.ok and "neither schema nor JSON" in made.connection.said


@pytest.mark.parametrize(
    ("said", "told"),
    [(chat("I would love to!"), "no structured answer"), (error(401, "bad key"), "HTTP 401")],
)
def test_a_server_of_no_use_is_not_yet(tmp_path: Path, server: Loopback, said: Said, told: str) -> None:
    server.script = lambda body: said
    made = planned(tmp_path, server)
    assert made.verdict == "not yet" and made.connection and told in made.connection.said
    assert len(server.requests) <= 2


def test_what_to_look_at_again(tmp_path: Path, server: Loopback) -> None:
    changes = {"budget": {"max_tokens": 1000}, "task": {"description": " ", "labels": {"sports": "", "money": "m"}}}
    changes["task"]["labels"] |= {"science": "s", "food": "f"}  # type: ignore[index]
    made = planned(tmp_path, server, offline=True, **changes)
    assert made.verdict == "look again"
    assert [doubt.split()[0] for doubt in made.doubts] == ["budget.max_tokens", "task.description", "labels", "the"]


def test_without_dev_there_is_no_score_and_the_price_may_be_unknown(tmp_path: Path, server: Loopback) -> None:
    path = parts.write(tmp_path, server.url)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("dev")))
    made = estimate(load(path, {}), path.parent, True)
    assert made.seeds_only == {} and made.verdict == "go" and not server.requests
    assert made.expected.usd is None and any("is unknown: set teacher.usd" in note for note in made.told()["notes"])


@pytest.mark.parametrize(("strategy", "pool", "advised"), [("gated", "", 1), ("gated", "a text", 0), ("paper", "", 0)])
def test_texts_without_labels_are_asked_for_where_they_would_be_used(
    strategy: str, pool: str, advised: int, tmp_path: Path, server: Loopback
) -> None:
    rows = tmp_path / "pool.jsonl"
    rows.write_text("".join(f'{{"text": "{pool} {number}"}}\n' for number in range(20)))
    data = {"data": {"pool": "pool.jsonl"}} if pool else {}
    made = planned(tmp_path, server, offline=True, strategy=strategy, **data)
    assert sum("no data.pool" in note for note in made.told()["notes"]) == advised


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"base_url": "https://api.openai.com/v1", "model": "gpt-4o-mini"}, "0.15 USD for a million tokens in"),
        (PRICES, "1.0 USD for a million tokens in, 10.0 out, by your config"),
    ],
)
def test_who_says_what_it_costs(tmp_path: Path, server: Loopback, changes: dict[str, Any], told: str) -> None:
    made = planned(tmp_path, server, offline=True, teacher=changes)
    assert len(made.prices) == 1 and told in made.prices[0] and made.expected.usd
