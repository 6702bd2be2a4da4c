"""How a run and a comparison ended, as the library tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from .student.serving.predictor import Predictor


@dataclass(frozen=True)
class RunOutcome:
    """How a run, or this part of it, ended, and what it left.

    Examples:
        >>> from evokd.testing import world
        >>> outcome = evokd.run(world.write("."), cycles=1)
        >>> outcome.how, outcome.why, outcome.folder.name
        ('finished', 'all 1 cycles are done', 'small')
        >>> outcome.metrics[0]["cycle"], outcome.metrics[0]["stats"]["trained_on"]
        (0, 4)
        >>> outcome.result["champion score"]["n"]
        24
        >>> outcome.predictor().predict(["soup with bread"])[0].label
        'food'
    """

    how: Literal["finished", "budget", "interrupted", "asks"]
    """`finished`: the stop rule ended it. `budget`: a limit of `[budget]` is reached. `interrupted`: Ctrl-C or SIGTERM;
    `evokd.resume` goes on. `asks`: a role waits for the `answer` of `evokd.resume`, and `why` is what it asks."""
    why: str
    """The same as a sentence."""
    folder: Path
    """The run folder, absolute."""

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """One row per finished cycle, the first trained on the seeds alone; its keys are those of `CycleReport`."""
        from .report.run_files import Run

        return Run(self.folder).metrics

    @property
    def result(self) -> dict[str, Any] | None:
        """What the test file said of the best student, scores between 0 and 1; None without one, or before the end."""
        from .report.run_files import Run

        return Run(self.folder).result

    def predictor(self) -> "Predictor":
        """The best student so far.

        Raises:
            ConfigError: no student was trained yet.
        """
        from .graph.prediction import open_student

        return open_student(str(self.folder), self.folder.parent, ()).predictor


@dataclass(frozen=True)
class ComparisonOutcome:
    """How a comparison, or this part of it, ended.

    Examples:
        >>> outcome = evokd.ComparisonOutcome(Path("compare/mine"), waiting=("small.gated.kall.s0",), limit="max_usd")
        >>> outcome.finished
        False
    """

    folder: Path
    """Holds `report.html`, `report.md` and the tables as CSV; absolute."""
    interrupted: bool = False
    """Whether Ctrl-C or SIGTERM ended it; called again, `evokd.compare` goes on."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Name of a cell -> its error."""
    waiting: tuple[str, ...] = ()
    """Cells that were cut short or never started."""
    limit: str = ""
    """The key of `[budget]` that was the reason, if one was."""

    @property
    def finished(self) -> bool:
        """Whether every cell ran to its end."""
        return not (self.interrupted or self.failed or self.waiting)
