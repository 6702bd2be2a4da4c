"""Run folders as a run leaves them, written by hand: of any size, with any words."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from evokd.report.run_files import Run
from evokd.tasks.base import text_id

LABELS = ("food", "money", "sports")
SOURCES = ("typical", "hard", "pool")


def score(value: float, n: int = 60) -> dict[str, Any]:
    return {"value": value, "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1), "n": n}


def write_run(root: Path, samples: int = 10, tests: int = 12, labels: Sequence[str] = LABELS, **words: str) -> Run:
    """A finished run with one label a text.

    Args:
        root: its folder.
        samples: written texts; every fifth is quarantined, every seventh of a lesson.
        tests: test texts, every third answered wrongly.
        labels: of the task.
        words: what stands in the texts, the lesson, the reason and the description, where not what it is called.
    """
    rng = random.Random(0)
    said = {name: words.get(name, name) for name in ("text", "lesson", "reason", "description")}
    texts = [
        f"{said['text']} {number} {' '.join(rng.choices(said['text'].split(), k=12))}" for number in range(samples)
    ]
    rows = [_sample(number, text, labels, said) for number, text in enumerate(texts)]
    held = [_held_out(f"test {said['text']} {number}", number, labels) for number in range(tests)]
    right = sum(each["points"][0] for each in held) / max(1, tests)
    cases = [{"id": each["id"], "text": each["text"], "label": each["label"], "before": labels[0]} for each in rows]
    lesson = {
        "id": "1-x", "name": said["lesson"], "pattern": said["lesson"], "advice": said["lesson"], "kind": "lesson",
        "cycle": 1, "evidence": [each["id"] for each in rows[:2]],
        "effect": {"samples": 3.0, "too_hard": 0.0, "kept": 1.0, "before": 0.3, "after": 0.9},
    }  # fmt: skip
    bare = [{key: value for key, value in each.items() if key != "text"} for each in held]
    files: dict[str, Sequence[Mapping[str, Any]]] = {
        "samples": rows, "lessons": [lesson], "metrics": [_cycle(number) for number in range(3)],
        "ledger": [_call(role, cycle) for role in ("generator", "annotator") for cycle in (1, 2)],
        "scored": bare, "data/test": [{"id": each["id"], "text": each["text"]} for each in held],
        "data/dev": [{"id": each["id"], "text": each["text"]} for each in held],
        "cycles/001/cases": cases,
        "map": [{"id": each["id"], "x": rng.gauss(0, 1), "y": rng.gauss(0, 1)} for each in rows[:2000]],
    }  # fmt: skip
    files |= {f"cycles/{cycle:03d}/held_out": [{"split": "dev", **each} for each in bare] for cycle in range(3)}
    for name, lines in files.items():
        path = root / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(each) + "\n" for each in lines), encoding="utf-8")
    result = {
        "champion": "cycle-002", "metric": "accuracy", "seeds only": score(right / 2, tests),
        "champion score": score(right, tests), "before the last training": score(right, tests),
        "difference": {"value": right / 2, "low": 0.1, "high": 0.5, "n": tests},
        "training texts that stand in the test set": 0, "champion score without those": None,
    }  # fmt: skip
    task = {"description": said["description"], "labels": {name: said["description"] for name in labels}}
    config = {"name": root.name, "task": task, "data": {"test": "test.jsonl"}}
    (root / "result.json").write_text(json.dumps(result), encoding="utf-8")
    (root / "config.toml").write_text(tomli_w.dumps(config), encoding="utf-8")
    (root / "versions.json").write_text(json.dumps({"python": "3.11", "evokd": said["text"]}), encoding="utf-8")
    (root / "students" / "cycle-002").mkdir(parents=True)
    (root / "best").symlink_to("students/cycle-002")
    return Run(root)


def _sample(number: int, text: str, labels: Sequence[str], said: Mapping[str, str]) -> dict[str, Any]:
    is_bad = number % 5 == 4
    origin = {
        "cycle": 1 + number % 2, "source": SOURCES[number % 3], "lesson": "1-x" if number % 7 == 6 else None,
        "confidence": (number % 10) / 10, "votes": {},
    }  # fmt: skip
    return {
        "id": text_id(text), "text": text, "label": labels[number % len(labels)], "split": "train", "origin": origin,
        "status": "quarantined" if is_bad else "kept", "reason": said["reason"] if is_bad else "",
    }  # fmt: skip


def _held_out(text: str, number: int, labels: Sequence[str]) -> dict[str, Any]:
    label, is_right = labels[number % len(labels)], number % 3 != 1
    predicted = label if is_right else labels[(number + 1) % len(labels)]
    return {
        "id": text_id(text), "text": text, "label": label, "seeds only": labels[0], "predicted": predicted,
        "points": [float(is_right), 1.0],
    }  # fmt: skip


def _cycle(number: int) -> dict[str, Any]:
    value = 0.5 + 0.1 * number
    return {
        "cycle": number, "batch_kind": "breadth" if number else "seed", "kept": True, "why": "it passes the gate",
        "champion": f"students/cycle-{number:03d}", "stats": {"drafted": 9, "accepted": 7} if number else {},
        "fresh_before": score(value) if number else {}, "fresh_after": score(0.9) if number else {}, "gate": {},
        "scores": {"dev": score(value), **({"gate": score(value + 0.1)} if number else {})},
        "teacher": {"input": 900.0, "output": 100.0}, "seconds": {"trainer": 30.0, "evaluator": 5.0},
    }  # fmt: skip


def _call(role: str, cycle: int) -> dict[str, Any]:
    return {
        "role": role, "cycle": cycle, "input": 900, "cached_input": 0, "output": 100, "usd": 0.25, "seconds": 2.0,
        "outcome": "ok", "from_cache": False,
    }  # fmt: skip
