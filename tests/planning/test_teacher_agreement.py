"""Hearing the teacher on the user's own examples: what it is shown, what is told, and what goes wrong."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.config.run_config import load
from evokd.planning.estimate import Estimate, estimate
from evokd.planning.teacher_agreement import MOST, TeacherAgreement
from evokd.testing import world
from evokd.testing.loopback import Body, Loopback, Said, chat, error, serving
from tests import parts


def asked(server: Loopback) -> list[str]:
    """What was sent to the annotator."""
    return [text for body in server.requests if "Label each of" in (text := body["messages"][-1]["content"])]


def planned(folder: Path, script: Callable[[Body], Said], **changes: Any) -> tuple[Estimate, Loopback]:
    def ready(body: Body) -> Said:
        return chat('{"word": "ready"}') if '"ready"' in body["messages"][-1]["content"] else script(body)

    with serving(ready) as server:
        path = parts.write(folder, server.url, **changes)
        return estimate(load(path, {}), path.parent, False), server


def test_a_teacher_that_agrees_raises_no_doubt(tmp_path: Path) -> None:
    made, server = planned(tmp_path, parts.answer)
    seeds = [row["text"] for row in parts.rows(tmp_path / "seeds.jsonl")]
    assert made.agreement == TeacherAgreement(len(seeds), len(seeds), len(asked(server)))
    assert not any("examples" in doubt for doubt in made.doubts)
    assert f"the teacher labels {len(seeds)} of {len(seeds)} as you do" in "\n".join(made.told()["notes"])


def test_no_example_is_shown_with_its_label_where_it_is_asked_about(tmp_path: Path) -> None:
    _, server = planned(tmp_path, parts.answer)
    seeds = {row["text"] for row in parts.rows(tmp_path / "seeds.jsonl")}
    questions = 0
    for text in asked(server):
        shown, listed = text.split("Label each of")
        assert not any(seed in shown and seed in listed for seed in seeds)
        questions += sum(seed in listed for seed in seeds)
    assert questions == 2 * len(seeds), "two votes on each"


def test_a_teacher_that_differs_is_told_of_with_the_examples(tmp_path: Path) -> None:
    def contrary(body: Body) -> Said:
        count = body["messages"][-1]["content"].split("Label each of the ")[1].split()[0]
        return chat(json.dumps({"labels": [{"id": n + 1, "label": "food"} for n in range(int(count))]}))

    made, _ = planned(tmp_path, contrary)
    found = made.agreement
    assert found and found.asked == 4 and found.right == 1 and len(found.others) == 3
    assert any("yours is sports, the teacher's food" in each for each in found.others)
    assert made.verdict == "look again" and "the teacher labels 1 of 4 of your own examples" in made.doubts[-1]


@pytest.mark.parametrize(
    ("said", "right", "told"),
    [(chat("I would love to!"), 0, "labels 0 of"), (error(401, "no"), 0, "could not be heard on your examples: ")],
)
def test_what_a_server_may_do_instead(tmp_path: Path, said: Said, right: int, told: str) -> None:
    made, _ = planned(tmp_path, lambda body: said)
    assert made.agreement and made.agreement.right == right and told in made.doubts[-1]


def test_a_budget_is_kept(tmp_path: Path) -> None:
    made, server = planned(tmp_path, parts.answer, budget={"max_calls": 2})
    assert len(asked(server)) <= 2 and made.agreement and made.verdict == "look again"


@pytest.mark.slow
def test_many_examples_are_not_all_asked_about(tmp_path: Path) -> None:
    first = {name: words[0] for name, words in world.VOCABULARY.items()}
    rows = [{"text": f"{word} number {n}", "label": name} for name, word in first.items() for n in range(30)]
    (tmp_path / "many.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    made, server = planned(tmp_path, parts.answer, data={"seeds": "many.jsonl"})
    assert made.agreement and made.agreement.asked == MOST and len(asked(server)) == 4


def test_few_differences_are_listed_and_the_rest_counted() -> None:
    notes = TeacherAgreement(9, 1, 4, tuple(f"example {n}" for n in range(8))).notes
    assert len(notes) == 7 and notes[-1] == "  and 3 more."
    assert TeacherAgreement(0, 0, 0).notes == []
