"""What a cycle costs beyond the teacher and the student: LangGraph, checkpoints, Chroma, the embedder, files.

    python -m benchmarks.overhead --data DATA --task trec6

Runs three cycles of the default strategy on the recorded teacher (see trial.py), with a clock around every call of the
teacher and of the students, and prints the share of wall time that is neither.
"""

import argparse
import contextlib
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from langgraph.checkpoint.sqlite import SqliteSaver

from benchmarks.data_sets import data_set_task
from benchmarks.teachers.replay import Recording, Replay, serve
from benchmarks.trial import draw, settings
from evokd.graph.build import build, initial_state
from evokd.graph.config.run_config import agents, validate
from evokd.graph.setup.create import create
from evokd.graph.setup.services import open_services
from evokd.graph.stop import Stop
from evokd.memory.run_folder import RunFolder


class Clocked:
    """Passes everything on and adds up how long the named methods take; what they return is clocked too."""

    def __init__(self, inner: Any, spent: dict[str, float], name: str) -> None:
        self._inner, self._spent, self._name = inner, spent, name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(self._inner, attribute)
        if not callable(found):
            return found

        def clocked(*args: Any, **named: Any) -> Any:
            with self._clock():
                result = found(*args, **named)
            return Clocked(result, self._spent, self._name) if attribute in ("new", "load") else result

        return clocked

    @contextlib.contextmanager
    def _clock(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._spent[self._name] = self._spent.get(self._name, 0.0) + time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", default="trec6")
    given = parser.parse_args()
    options = argparse.Namespace(
        **vars(given), strategy="gated", teacher="replay", seed=0, cycles=3, backbone=150, gate_size=150, batch=30,
        members=2, freeze=2, pool=0,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder, inputs = RunFolder(Path(place) / "run"), Path(place) / "inputs"
        task = data_set_task(options.task)
        server = serve(Replay(Recording.read(options.data / "teacher_texts" / options.task, task)))
        draw(options, task, inputs)
        config = validate(settings(options, f"http://127.0.0.1:{server.server_port}/v1"), "overhead")
        create(config, inputs, folder)
        spent: dict[str, float] = {}
        with (
            open_services(config, folder) as services,
            SqliteSaver.from_conn_string(str(folder.root / "checkpoints.sqlite")) as saver,
        ):
            clocked = dataclasses.replace(
                services,
                teacher=Clocked(services.teacher, spent, "teacher"),
                students=Clocked(services.students, spent, "student"),
            )
            graph = build(agents(config), Stop(cycles=3)).compile(checkpointer=saver)
            run: Any = {"configurable": {"thread_id": "overhead"}, "recursion_limit": 50}
            started = time.perf_counter()
            graph.invoke(initial_state(), run, context=clocked, durability="sync")
            wall = time.perf_counter() - started
        rest = wall - sum(spent.values())
        print(json.dumps({"wall": wall, **spent, "rest": rest, "rest share": rest / wall, "rest per cycle": rest / 4}))


if __name__ == "__main__":
    main()
