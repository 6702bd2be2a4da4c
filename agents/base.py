"""The contract of an agent: what it is given, what it may change, what it leaves behind.

An agent is a frozen dataclass whose fields are its settings and whose call is one step:
`(state, services) -> what changed`. It can be run and tested without LangGraph. A step may be run twice (a killed run
repeats the step it was in), so everything it writes is idempotent.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

from typing_extensions import TypedDict  # pydantic, and so the input form of LangGraph Studio, needs it before 3.12

from ..memory.base import Memory
from ..memory.run_folder import RunFolder
from ..student.base import Students
from ..tasks.base import Frozen, Label, Origin, Source, Split
from ..tasks.task import Task
from ..teacher.base import Teacher
from .batch_stats import BatchStats

BatchKind = Literal["seed", "breadth", "lessons", "label"]
"""What a cycle's batch is: nothing (cycle 0), typical texts over all subtypes, texts aimed at lessons, or texts of the
user's pool, which are labelled and not written."""


Figures = dict[str, float | None]
"""A `tasks.metrics.Score` as the state can hold it: `value`, `low`, `high`, `n`; bounds are None where too few."""


class CycleReport(TypedDict):
    """One point of the learning curve: a row of `metrics.jsonl` and of the table on the screen.

    Examples:
        >>> from evokd.testing import world
        >>> row = evokd.run(world.write("."), cycles=0).metrics[0]
        >>> row["cycle"], row["batch_kind"], row["stats"], sorted(row["scores"])
        (0, 'seed', {'trained_on': 4}, ['dev'])
    """

    cycle: int
    batch_kind: BatchKind
    chosen: str
    """Why the batch is of this kind, in a sentence; empty where the curriculum leaves no choice."""
    stats: BatchStats
    """What became of the cycle's texts."""
    fresh_before: Figures
    """Score of the fresh batch under the student that had never seen it (and `fresh_after` under the challenger)."""
    fresh_after: Figures
    gate: dict[str, Figures]
    """Challenger minus its rival without the batch, over gate and dev: `loss` (lower is better), the main `score`."""
    scores: dict[str, Figures]
    """The champion's main score after the decision, by split."""
    kept: bool
    why: str
    champion: str
    outlook: str
    """What there is to gain from going on, and what would help, in a sentence or two; empty where nothing chooses."""
    teacher: dict[str, float]
    """Calls, tokens and money of this cycle."""
    seconds: dict[str, float]
    """Wall time by step."""


class State(TypedDict, total=False):
    """What changes and must survive a kill; small, JSON-like, checkpointed after every step.

    Examples:
        >>> evokd.State(counts={"criticised": 3})
        {'counts': {'criticised': 3}}
    """

    cycle: int
    batch_kind: BatchKind
    chosen: str
    """Why the next batch is of that kind."""
    nothing_left: bool
    """Whether no kind of batch can be expected to bring anything more."""
    champion: str
    """Folder of the best student so far, relative to the run folder."""
    challenger: str
    batch: list[str]
    """Ids of the fresh training texts of this cycle."""
    lessons: list[str]
    """Ids of the lessons this cycle's texts are written for."""
    stats: BatchStats
    """What became of this cycle's texts so far; a role adds to it with `add_stats`."""
    shelved_in_a_row: int
    seconds: dict[str, float]
    history: Annotated[list[CycleReport], operator.add]
    stop: str
    """Why the run is over; empty while it goes on."""
    unfinished: str
    """The role that the budget stopped in the middle of its step; empty where none was."""
    ties: dict[str, str]
    """What memory, files and students were when the last step was over (`graph/consistency.py`); not for agents."""


class Progress(Protocol):
    """How a step tells what it is doing: called with (done, total) of the named work."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `done` of `total` are finished."""


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Services:
    """What an agent may use; built once per process, never checkpointed.

    Examples:
        >>> from evokd.testing import world
        >>> services = world.services(Path("run"))
        >>> list(services.task.labels), len(services.memory.samples("dev")), services.seed
        (['sports', 'money', 'science', 'food'], 40, 0)
    """

    task: Task
    memory: Memory
    students: Students
    teacher: Teacher
    folder: RunFolder
    seed: int = 0
    pool: Sequence[str] = ()
    """The user's own unlabelled texts."""
    assistant: Students | None = None
    """Makes a larger student that teaches the last one; None where the user named none."""
    progress: Progress = no_progress

    def bar(self, what: str) -> Callable[[int, int], None]:
        """A (done, total) callback that reports as `what`."""
        return lambda done, total: self.progress(what, done, total)


class Agent(Protocol):
    """One role. Its name in the graph, the trace and the config is its class name in lower case.

    It may be async, and it may call LangGraph's `interrupt` to ask the person: the step then runs again from its start
    with the answer. Keys of its own go into a `TypedDict` that extends `State` and stands in its class as
    `state_schema`.

    Examples:
        >>> from evokd.testing import world
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Critic:
        ...     most: int = 40
        ...
        ...     def __call__(self, state: evokd.State, services: evokd.Services) -> evokd.State:
        ...         return evokd.State(stats={"other": {"criticised": min(self.most, len(state["batch"]))}})
        >>> critic: evokd.Agent = Critic(most=1)
        >>> critic(world.state(batch=["a", "b"]), world.services(Path("run")))
        {'stats': {'other': {'criticised': 1}}}
    """

    def __call__(self, state: State, services: Services) -> Any:
        """Do the step.

        Returns:
            Only what changed, as a `State`; nothing; or LangGraph's `Command(update=..., goto="role")`, which says
            where the run goes on.
        """


class Draft(Frozen):
    """A text without a label on its way from the generator to the annotator.

    Examples:
        >>> draft = evokd.Draft(text="the soup was cold", source="typical", target_class="food")
        >>> draft.split, draft.origin(cycle=2).target_class
        ('train', 'food')
    """

    text: str
    source: Source
    lesson: str | None = None
    subtype: str | None = None
    target_class: str | None = None
    """A key of the task's `target_classes`."""
    prompt: str | None = None
    split: Split = "train"
    """`gate` for the share of the backbone that is set aside before anything is trained on it."""
    place: int = 0
    """Among the drafts of its cycle, which lie in two files (`agents/drafts.py`)."""
    label: object = None
    """The teacher's answer given together with the text; only with `separate = false`."""

    def origin(self, cycle: int) -> Origin:
        """Where the example made from this draft will say it comes from."""
        return Origin(
            cycle=cycle,
            source=self.source,
            lesson=self.lesson,
            subtype=self.subtype,
            target_class=self.target_class,
            prompt=self.prompt,
        )


class Case(Frozen):
    """One text under a student that had never seen it, and under one that has.

    Of the fresh batch; or, cross-fitted for the analyst, of all that is kept: then `before` and `after` are the same.
    """

    id: str
    text: str
    label: Label
    before: Label
    before_probability: float
    """What the unseeing student gave to the right label, as a whole."""
    before_sure: float = 0.0
    """What it gave to its own answer."""
    after: Label
    after_probability: float
    right_before: bool
    right_after: bool
