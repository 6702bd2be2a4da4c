"""One measured run on a public data set: one-shot seeds, a teacher, a strategy; test scores of every cycle at the end.

    python benchmarks/trial.py --data DATA --task trec6 --teacher replay --strategy gated --seed 0 --out runs/bench

`--teacher replay` plays the recorded strong teacher in DATA/teacher_texts (see replay.py); `--teacher local` asks the
embedded model. A trial that is killed goes on when it is started again; a finished one is only printed. The result is
`trial.json` in the run folder. The test file is opened after the run; nothing in a run depends on it.
"""

import argparse
import json
import os
import random
import sys
import tomllib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from agents.folder import RunFolder
from benchmarks.replay import Recording, Replay, read_rows, serve
from graph.config import validate
from graph.run import drive
from graph.services import create
from student.transformer import load_student
from tasks.metrics import mean, paired

SAMPLE = 400
"""Test rows on which the champions between the first and the last are scored."""

TASKS = tomllib.loads((Path(__file__).parent / "tasks.toml").read_text(encoding="utf-8"))


def draw(options: argparse.Namespace, folder: Path) -> None:
    """Write the seeds (one row a class, drawn by the seed) and the pool (further train rows without their labels)."""
    train = read_rows(options.data / options.task / "train.jsonl")
    random.Random(options.seed).shuffle(train)
    labels = TASKS[options.task]["labels"]
    seeds = [next(row for row in train if row["label"] == label) for label in labels]
    taken = {row["text"] for row in seeds}
    pool = [{"text": row["text"]} for row in train if row["text"] not in taken][: options.pool]
    folder.mkdir(parents=True, exist_ok=True)
    for name, kept in (("seeds", seeds), ("pool", pool)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


def settings(options: argparse.Namespace, url: str) -> dict[str, Any]:
    """The config of the trial."""
    generator: dict[str, Any] = {"batch": options.batch, "backbone": options.backbone}
    evaluator: dict[str, Any] = {}
    if options.strategy == "gated":
        generator["gate"] = options.gate
    if options.strategy == "paper" and options.teacher == "replay":
        evaluator["curriculum"] = "gated"  # the recording's first batch is static: the loop starts after it
        generator["backbone"] = options.batch
    teacher: dict[str, Any] = {"kind": "local"}
    if options.teacher == "replay":
        teacher = {"kind": "openai", "model": "recording", "base_url": url, "api_key_env": "none", "concurrency": 1}
    data: dict[str, Any] = {"seeds": "seeds.jsonl"} | ({"pool": "pool.jsonl"} if options.pool else {})
    return {
        "name": name_of(options), "seed": options.seed, "strategy": options.strategy, "task": TASKS[options.task],
        "data": data, "teacher": teacher, "student": {"freeze": options.freeze},
        "memory": {"duplicate_cosine": 0.98}, "stop": {"cycles": options.cycles},
        "agents": {
            "generator": generator, "evaluator": evaluator, "analyst": {"lessons": 4, "probe": False},
            "trainer": {"members": options.members} if options.strategy == "gated" else {},
        },
    }  # fmt: skip


def name_of(options: argparse.Namespace) -> str:
    """A folder name that tells the trial."""
    pool = f"-pool{options.pool}" if options.pool else ""
    return f"{options.task}-{options.teacher}-{options.strategy}{pool}-s{options.seed}"


def scored(options: argparse.Namespace, folder: RunFolder) -> dict[str, Any]:
    """Test accuracy of the seed-only student and of the last champion on the whole file, of the others on a sample."""
    test = read_rows(options.data / options.task / "test.jsonl")
    sample = random.Random(0).sample(test, min(SAMPLE, len(test)))
    metrics = read_rows(folder.root / "metrics.jsonl")
    first, last = (_right(folder, row["champion"], test) for row in (metrics[0], metrics[-1]))
    in_sample = {row["champion"]: mean(_right(folder, row["champion"], sample)).value for row in metrics}
    cycles = [
        {
            **{
                key: row[key]
                for key in ("cycle", "plan", "kept", "counts", "gate", "why", "champion", "teacher", "seconds")
            },
            "test sample": in_sample[row["champion"]],
        }
        for row in metrics
    ]
    return {
        "trial": name_of(options), "options": {key: str(value) for key, value in vars(options).items()},
        "n": len(test), "n of the sample": len(sample), "seeds only": mean(first).model_dump(),
        "after the loop": mean(last).model_dump(), "difference": paired(last, first).model_dump(), "cycles": cycles,
    }  # fmt: skip


def _right(folder: RunFolder, student: str, texts: list[dict[str, Any]]) -> list[float]:
    predictions = load_student(folder.root / student).predict([row["text"] for row in texts])
    return [float(p.label == row["label"]) for p, row in zip(predictions, texts, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=sorted(TASKS), required=True)
    parser.add_argument("--teacher", choices=["replay", "local"], default="replay")
    parser.add_argument("--strategy", choices=["gated", "paper", "static"], default="gated")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    for option, default in {
        "seed": 0, "cycles": 10, "backbone": 150, "gate": 150, "batch": 30, "members": 2, "freeze": 0, "pool": 0,
    }.items():  # fmt: skip
        parser.add_argument(f"--{option}", type=int, default=default)
    options = parser.parse_args()
    folder = RunFolder((options.out / name_of(options)).resolve())
    result = folder.root / "trial.json"
    if not result.exists():
        url = ""
        if options.teacher == "replay":
            server = serve(Replay(Recording.read(options.data / "teacher_texts" / options.task)))
            url = f"http://127.0.0.1:{server.server_port}/v1"
        if not (folder.root / "config.toml").exists():
            inputs = options.out / "inputs" / name_of(options)
            draw(options, inputs)
            create(validate(settings(options, url), "trial"), inputs, folder)
        config = validate(settings(options, url), "trial")  # a replay started again has another port
        drive(config, folder, lambda event: None)
        folder.write_json(result, scored(options, folder))
    found = folder.read_json(result)
    print(
        f"{found['trial']}: seeds only {found['seeds only']['value']:.3f}, after {found['after the loop']['value']:.3f}"
    )
    for cycle in found["cycles"]:
        fate = "kept" if cycle["kept"] else "shelved"
        print(f"  {cycle['cycle']:>2} {cycle['plan']:<8} {fate:<8} {cycle['test sample']:.3f}")


if __name__ == "__main__":
    main()
