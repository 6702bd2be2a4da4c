"""What LangSmith is shown of a run: one root, however often the run is resumed, and steps in a few readable fields.

LangGraph would show the whole state before and after every step, with the history of all cycles in each. What a step
was given, what it changed and what was decided is said here instead. Nothing is made without tracing.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from langgraph.graph import END
from langgraph.types import Command
from langsmith.run_helpers import tracing_context
from langsmith.run_trees import RunTree, get_cached_client
from langsmith.utils import tracing_is_enabled

from ..agents.batch_stats import BatchStats
from ..memory.marker import run_marker
from ..memory.run_folder import RunFolder
from ..tasks.metrics import Score
from ..teacher.tracing import ReadableTracer
from .checkpoints import run_id
from .config.run_config import RunConfig

LEFT_OUT = ("ties", "seconds", "history", "batch", "unfinished")
"""Keys of the state that are bookkeeping, or said in another way."""

Judgement = tuple[str, str, float]
"""Role, what is judged, and the score: feedback on the role's last step."""


class Ended(Protocol):
    """How a run ended (`graph.run.Outcome`)."""

    @property
    def how(self) -> str: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102


class Trace:
    """The trace of one run, opened once for every process that is at work on it."""

    def __init__(self, config: RunConfig, folder: RunFolder) -> None:
        """Find the root that an earlier process made, or make it."""
        self._folder = folder
        told = describe_run(config, folder)
        began = run_marker(folder.root).read().get("trace")
        tree = RunTree.from_dotted_order(began, ls_client=get_cached_client()) if isinstance(began, str) else None
        self._root = tree or RunTree(name=f"evokd/{config.name}", run_type="chain", ls_client=get_cached_client())
        self._root.name = f"evokd/{config.name}"
        self._root.tags = told["tags"]
        self._root.add_metadata(told["metadata"])
        if tree is None:
            self._root.add_inputs(_question(config))
            run_marker(folder.root).note(trace=self._root.dotted_order)
            self._root.post()

    @contextmanager
    def under_root(self) -> Iterator[None]:
        """All that is traced in this block belongs to the run."""
        try:
            with tracing_context(parent=self._root):
                yield
        except BaseException as error:
            self._root.end(error=f"{type(error).__name__}: {error}")
            self._root.patch()
            raise

    def end(self, ended: Ended) -> None:
        """Say how the run ended, or this part of it."""
        self._root.end(outputs={"ended": ended.how, "why": ended.why, **results(self._folder)})
        self._root.patch()


@contextmanager
def open_trace(config: RunConfig, folder: RunFolder) -> Iterator[Trace | None]:
    """The trace of a run for the length of a block; None where tracing is off."""
    if not tracing_is_enabled():
        yield None
        return
    trace = Trace(config, folder)
    with trace.under_root():
        yield trace


def describe_run(config: RunConfig, folder: RunFolder) -> dict[str, Any]:
    """Tags and metadata of all that is traced; the thread's id is the run's, which no other project's run has."""
    return {
        "tags": [f"strategy:{config.strategy}", f"task:{config.task.kind}"],
        "metadata": {
            "run": config.name,
            "thread_id": run_id(folder.root),
            "seed": config.seed,
            "student": config.student.model,
        },
    }


def tracers(folder: RunFolder) -> list[ReadableTracer]:
    """What LangGraph is to trace a run with; nothing where tracing is off."""
    return [ReadableTracer(StepWords(folder), client=get_cached_client())] if tracing_is_enabled() else []


def _question(config: RunConfig) -> dict[str, Any]:
    labels = list(config.task.labels)
    return {"task": config.task.description, "labels": labels, "strategy": config.strategy, "seed": config.seed}


def results(folder: RunFolder) -> dict[str, Any]:
    """The test scores of a run that has any."""
    path = folder.root / "result.json"
    found = folder.read_json(path) if path.exists() else {}
    named = {"best student": "champion", "test, seeds only": "seeds only", "test": "champion score"}
    return {name: _figure(found[key]) for name, key in named.items() if key in found}


@dataclass(frozen=True)
class StepWords:
    """What a trace says of a step of the loop."""

    folder: RunFolder

    def inputs(self, data: Any) -> Any:
        """Of a state what the step works on; anything else as it is."""
        return describe_state(data) if _is_state(data) else data

    def outputs(self, step: str, data: Any) -> Any:
        """What a step changed and who comes next; anything else as it is."""
        if _is_state(data):
            return describe_state(data)
        if not isinstance(data, Command):
            return data
        said = describe_update(data.update if isinstance(data.update, dict) else {})
        if step == "final_test":
            said |= results(self.folder)
        if step == "last_training":
            said["best student"] = (self.folder.root / "best").resolve().name
        return {"next": "the end" if data.goto in ((), END) else data.goto, **said}

    def judgements(self, data: Any) -> list[Judgement]:
        """What a finished cycle says of its roles, where `data` is the change that finishes one."""
        update = data.update if isinstance(data, Command) else None
        rows = update.get("history", []) if isinstance(update, dict) else []
        return [each for row in rows for each in judge(row)]


def _is_state(data: Any) -> bool:
    return isinstance(data, dict) and {"batch_kind", "history"} <= data.keys()


def describe_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state in the fields that a reader of the trace asks for."""
    said = {key: value for key, value in state.items() if key not in LEFT_OUT and value}
    said["cycle"] = state.get("cycle", 0)
    said["texts in the batch"] = len(state.get("batch", []))
    if rows := state.get("history", []):
        said["scores so far"] = _scores(rows[-1])
    return said


def describe_update(update: Mapping[str, Any]) -> dict[str, Any]:
    """What a step changed, in the fields that a reader of the trace asks for."""
    said = {key: value for key, value in update.items() if key not in LEFT_OUT and value}
    if update.get("batch"):
        said["texts in the batch"] = len(update["batch"])
    for row in update.get("history", []):
        said |= {"kept": row["kept"], "why": row["why"], "scores": _scores(row), "teacher": row["teacher"]}
    return said


def judge(row: Mapping[str, Any]) -> list[Judgement]:
    """What a finished cycle says of its roles.

    Returns:
        Of the generator the share of its texts that were new; of the annotator the share of drafts that got a label;
        of the analyst, in a cycle for lessons, by how much the batch lowered the loss on the held-out texts.
    """
    stats: BatchStats = row["stats"]
    drafted, refused = stats.get("drafted", 0), sum(stats.get("refused", {}).values())
    found: list[Judgement] = []
    if drafted:
        found.append(("generator", "new texts", drafted / (drafted + refused)))
        labelled = stats.get("accepted", 0) + stats.get("held_out", 0)
        found.append(("annotator", "labelled", labelled / drafted))
    loss = row["gate"].get("loss") if row["batch_kind"] == "lessons" else None
    if loss:
        found.append(("analyst", "gain", -float(loss["value"])))
    return found


def _scores(row: Mapping[str, Any]) -> dict[str, str]:
    return {split: _figure(figures) for split, figures in row["scores"].items()}


def _figure(found: Any) -> Any:
    """A score with its interval in one line; a name as it is."""
    return str(Score.model_validate(found)) if isinstance(found, dict) else found
