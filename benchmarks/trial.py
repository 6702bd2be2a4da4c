"""One measured run on a public data set: a few seeds, a teacher, a strategy; test scores of every cycle at the end.

    python -m benchmarks.trial --data DATA --task trec6 --teacher replay --strategy gated --seed 0 --out runs/bench

`--teacher replay` plays the recorded strong teacher in DATA/teacher_texts (replay.py), which labels texts of a `--pool`
by the gold of the train file, `--noise 0.06` of them wrongly and not at random (pool_labels.py); `--teacher oracle`
labels texts of the pool by that gold and writes none (oracle.py); `--teacher simulator` draws texts of the train file,
with `--noise 0.2` a fifth of them wrongly labelled (simulator.py); `--teacher local` asks the embedded model. A trial
that is killed goes on when it is started again; a finished one is only printed. The result is `trial.json` in the run
folder. The test file is opened after the run; nothing in a run depends on it.
"""

import argparse
import json
import os
import random
import sys
import tomllib
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["EVOKD_TELL_LOOPBACK"] = "1"  # the teachers here read what is asked as data

from benchmarks.data_sets import TASKS, data_set_task
from benchmarks.teachers.oracle import Oracle
from benchmarks.teachers.pool_labels import read_pool_labels
from benchmarks.teachers.replay import Answering, Recording, Replay, read_rows, serve
from benchmarks.teachers.simulator import Simulator
from evokd.comparison.spec import overlaid
from evokd.graph.config.parts import allow
from evokd.graph.config.run_config import RunConfig, validate
from evokd.graph.config.strategies import STRATEGIES
from evokd.graph.run import drive
from evokd.graph.setup.create import create, read_config
from evokd.memory.run_folder import RunFolder
from evokd.student.transformer import load_student
from evokd.tasks.base import Example, Prediction
from evokd.tasks.files import JsonLines
from evokd.tasks.metrics import pooled, pooled_difference
from evokd.tasks.task import Points, Task

SAMPLE = 400
"""Test rows on which the champions between the first and the last are scored."""


def draw(options: argparse.Namespace, task: Task, folder: Path) -> None:
    """Write seeds (rows drawn until every label has its shots) and pool (more train rows, without labels)."""
    train = read_rows(options.data / options.task / "train.jsonl")
    random.Random(options.seed).shuffle(train)
    text = "text" if "text" in train[0] else "tokens"
    seeds, missing = [], Counter(dict.fromkeys(task.labels, options.shots))
    for number, row in enumerate(train):
        found = [name for name in task.names(example_of(task, number, row).label) if missing[name] > 0]
        if found:
            seeds.append(row)
            missing.subtract(found)
    taken = [row[text] for row in seeds]
    pool = [{text: row[text]} for row in train if row[text] not in taken][: options.pool]
    folder.mkdir(parents=True, exist_ok=True)
    for name, kept in (("seeds", seeds), ("pool", pool)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


def example_of(task: Task, number: int, row: dict[str, Any]) -> Example:
    """A row as it is: public sets repeat texts, now and then with another label, and every row counts."""
    text, label = next(pair for pair in task.columns if pair[0] in row and pair[1] in row)
    said = row[text] if isinstance(row[text], str) else " ".join(row[text])
    return Example(id=f"row {number}", text=said, label=task.gold(said, row[label]))


def settings(options: argparse.Namespace, url: str) -> dict[str, Any]:
    """The config of the trial."""
    generator: dict[str, Any] = {"batch": options.batch, "backbone": options.backbone}
    evaluator: dict[str, Any] = {}
    if options.strategy == "gated":
        generator["gate_size"] = options.gate_size
    if options.strategy == "paper" and options.teacher == "replay":
        evaluator["curriculum"] = "gated"  # the recording's first batch is static: the loop starts after it
        generator["backbone"] = options.batch
    analyst: dict[str, Any] = {"lessons": 4, "probe": False}
    teacher: dict[str, Any] = {"kind": "local"}
    if options.teacher == "replay":
        generator["varied"] = False  # the recorded batches are for lessons alone
        analyst["crossfit"] = False  # and have their own lessons
    if options.teacher == "oracle":
        evaluator["curriculum"] = "label"
    if options.teacher != "local":
        teacher = {"kind": "openai", "model": "recording", "base_url": url, "api_key_env": "none", "concurrency": 1}
    data: dict[str, Any] = {"seeds": "seeds.jsonl"} | ({"pool": "pool.jsonl"} if options.pool else {})
    made = {
        "name": name_of(options), "seed": options.seed, "strategy": options.strategy, "task": TASKS[options.task],
        "data": data, "teacher": teacher, "student": {"freeze": options.freeze},
        "memory": {"duplicate_cosine": 0.98}, "stop": {"cycles": options.cycles},
        "agents": {
            "generator": generator, "evaluator": evaluator, "analyst": analyst,
            "trainer": {} if options.strategy == "paper" else {"members": options.members},
        },
    }  # fmt: skip
    made = overlaid(made, tomllib.loads("\n".join(options.set)), "--set")
    allow([role for role in made.get("order", ()) if ":" in role])  # the command line has named them
    return made


def begun(options: argparse.Namespace, task: Task, folder: RunFolder, url: str = "") -> RunConfig:
    """The config of the trial, whose run folder is made with seeds and pool unless it is there."""
    config = validate(settings(options, url), "trial")  # also of one that goes on: a replay has another port then
    if (folder.root / "config.toml").exists():
        read_config(folder)  # refuses a folder that is not ours
    else:
        inputs = options.out / "inputs" / name_of(options)
        draw(options, task, inputs)
        create(config, inputs, folder)
    return config


def name_of(options: argparse.Namespace) -> str:
    """A folder name that tells the trial."""
    shots = f"-k{options.shots}" if options.shots > 1 else ""
    pool = f"-pool{options.pool}" if options.pool else ""
    noise = f"-noise{100 * options.noise:.0f}" if options.noise else ""
    variant = options.variant or options.strategy
    return f"{options.task}-{options.teacher}-{variant}{shots}{pool}{noise}-s{options.seed}"


def scored(options: argparse.Namespace, task: Task, folder: RunFolder) -> dict[str, Any]:
    """Test scores of the seed-only and of the best student on the whole file, of the champions on a sample."""
    test = [
        example_of(task, number, row)
        for number, row in enumerate(read_rows(options.data / options.task / "test.jsonl"))
    ]
    sample = random.Random(0).sample(test, min(SAMPLE, len(test)))
    metrics = read_rows(folder.root / "metrics.jsonl")
    best = f"students/{folder.best.name}" if folder.best else ""
    found = {student: _predicted(folder, student, test) for student in {metrics[0]["champion"], best}}
    first, last = (_points(task, test, found[student]) for student in (metrics[0]["champion"], best))
    in_sample = {
        student: pooled(_points(task, sample, _predicted(folder, student, sample))).value
        for student in {row["champion"] for row in metrics}
    }
    shown = (
        "cycle",
        "batch_kind",
        "chosen",
        "kept",
        "stats",
        "scores",
        "outlook",
        "gate",
        "why",
        "champion",
        "teacher",
        "seconds",
    )
    cycles = [{**{key: row[key] for key in shown}, "test sample": in_sample[row["champion"]]} for row in metrics]
    return {
        "trial": name_of(options), "options": {key: str(value) for key, value in vars(options).items()},
        "metric": task.metric, "best": best, "n": len(test), "n of the sample": len(sample),
        "seeds only": pooled(first).model_dump(), "after the loop": pooled(last).model_dump(),
        "difference": pooled_difference(last, first).model_dump(),
        "details": task.score([example.label for example in test], found[best]), "cycles": cycles,
    }  # fmt: skip


def _predicted(folder: RunFolder, student: str, examples: list[Example]) -> list[Prediction]:
    return load_student(folder.root / student).predict([example.text for example in examples])


def _points(task: Task, examples: list[Example], predictions: list[Prediction]) -> list[Points]:
    return [task.points(e.label, p.label) for e, p in zip(examples, predictions, strict=True)]


def _teacher(options: argparse.Namespace, task: Task, folder: RunFolder) -> Answering:
    """The teacher, as an interrupted trial left it."""
    train, said = options.data / options.task / "train.jsonl", folder.root / "transcripts.jsonl"
    if options.teacher == "oracle":
        return Oracle.read(train, task)
    teacher = (
        Simulator.read(train, task, options.noise, options.seed)
        if options.teacher == "simulator"
        else Replay(_recording(options, task, train))
    )
    if said.exists():
        with closing(JsonLines(said)) as lines:
            teacher.resume(row["answer"] for row in lines)
    return teacher


def _recording(options: argparse.Namespace, task: Task, train: Path) -> Recording:
    pool = read_pool_labels(train, task, options.noise, options.seed) if options.pool else None
    return Recording.read(options.data / "teacher_texts" / options.task, task, pool)


def parsed(words: list[str] | None = None) -> argparse.Namespace:
    """The options in a command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=sorted(TASKS), required=True)
    parser.add_argument("--teacher", choices=["replay", "oracle", "simulator", "local"], default="replay")
    parser.add_argument("--strategy", choices=sorted(STRATEGIES), default="gated")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    for option, default in {
        "seed": 0, "shots": 1, "cycles": 10, "backbone": 150, "gate_size": 150, "batch": 30, "members": 2, "freeze": 0,
        "pool": 0,
    }.items():  # fmt: skip
        parser.add_argument(f"--{option.replace('_', '-')}", type=int, default=default)
    parser.add_argument("--set", action="append", default=[], help="a line of the config: agents.trainer.members = 1")
    parser.add_argument("--variant", help="name of the strategy with what is set")
    parser.add_argument(
        "--noise", type=float, default=0.0, help="share of wrong labels: of the simulator, of a replay's pool"
    )
    return parser.parse_args(words)


def main() -> None:
    options = parsed()
    folder = RunFolder((options.out / name_of(options)).resolve())
    result = folder.root / "trial.json"
    task = data_set_task(options.task)
    if not result.exists():
        url = ""
        if options.teacher != "local":
            server = serve(_teacher(options, task, folder))
            url = f"http://127.0.0.1:{server.server_port}/v1"
        outcome = drive(begun(options, task, folder, url), folder, lambda event: None)
        if outcome.how != "finished":
            sys.exit(f"{name_of(options)} stopped {outcome.why}; the same command goes on with it.")
        folder.write_json(result, scored(options, task, folder))
    found = folder.read_json(result)
    print(
        f"{found['trial']}, {found['metric']}: seeds only {found['seeds only']['value']:.3f}, "
        f"after {found['after the loop']['value']:.3f} ({found['best']})"
    )
    for cycle in found["cycles"]:
        fate = "kept" if cycle["kept"] else "shelved"
        print(f"  {cycle['cycle']:>2} {cycle['batch_kind']:<8} {fate:<8} {cycle['test sample']:.3f}")


if __name__ == "__main__":
    main()
