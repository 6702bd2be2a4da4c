"""The library: what the command line does, as functions that print nothing.

Libraries read their keys when they are imported, and some keys stand in `.env`: so every function imports what it needs
after it has read that file.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .outcomes import ComparisonOutcome, RunOutcome

if TYPE_CHECKING:
    from .comparison.scheduler import Now
    from .graph.config.run_config import RunConfig
    from .memory.run_folder import RunFolder
    from .planning.estimate import Estimate
    from .student.serving.parity import Parity
    from .student.serving.predictor import Predictor

Config = str | Path | Mapping[str, Any]
"""A TOML file, or what would stand in it; relative paths start from the file, or else from the current folder."""

Event = dict[str, Any]
"""What a run shows while it is at work: `step`, `cycle`, `what`, `done`, `total`; or `row`, a finished cycle."""


def run(
    config: Config,
    *,
    runs: str | Path = "runs",
    name: str | None = None,
    seed: int | None = None,
    cycles: int | None = None,
    strategy: str | None = None,
    use_cache: bool = True,
    show: Callable[[Event], None] | None = None,
) -> RunOutcome:
    """Start a run and wait for its end: minutes to hours. Keys are read from `.env` in the current folder, too.

    Args:
        config: a TOML file (its name is the run's), or a mapping of what would stand in one.
        runs: folder that holds the run folders.
        name: of the run and its folder; needed for a mapping without `name`.
        seed: random seed, 0 or more.
        cycles: most cycles.
        strategy: `gated`, `paper`, `static`, `zerogen`, `auggpt` or `none`.
        use_cache: False takes no answer of the teacher from other cycles or runs.
        show: called with what the run does while it is at work: a mapping with `step`, `cycle`, `what`, `done` and
            `total`, or with `row`, a finished cycle. Nothing is printed.

    Returns:
        How it ended, and what it left.

    Raises:
        ConfigError: the config or a row of the data cannot be used, or the folder holds a run already.
        StepError: a step failed. Nothing before it is lost; `evokd.resume` goes on.

    Examples:
        >>> from evokd.testing import world
        >>> outcome = evokd.run(world.write("."), cycles=1)  # or: evokd.run("configs/demo.toml")
        >>> outcome.how
        'finished'
        >>> len(outcome.metrics)  # cycle 0 is that of the seeds alone
        2
    """
    made = create(config, runs, name=name, seed=seed, cycles=cycles, strategy=strategy, use_cache=use_cache)
    return _drive(*made, show)


def resume(
    run: str | Path,
    *,
    runs: str | Path = "runs",
    cycles: int | None = None,
    use_cache: bool = True,
    answer: object = None,
    allow: Iterable[str] = (),
    show: Callable[[Event], None] | None = None,
) -> RunOutcome:
    """Go on with a run where it was. No call that the teacher has answered is made again.

    Args:
        run: name or folder of the run.
        runs: folder that names are looked for in.
        cycles: cycles in all: a finished run goes on with more.
        use_cache: False asks everything anew from now on, the step in progress included.
        answer: to what a role asked; any JSON value.
        allow: `module:Class` of each part of your own that the run names. A run folder may come from somebody else, and
            to import a part is to run it.
        show: as `evokd.run` has it.

    Returns:
        How it ended, and what it left.

    Raises:
        ConfigError: there is no such run, another process is at work on it, or a part is not allowed.
        StepError: a step failed. Nothing before it is lost.

    Examples:
        >>> from evokd.testing import world
        >>> outcome = evokd.run(world.write("."), cycles=1)
        >>> evokd.resume("small", cycles=2, allow=world.PARTS).why
        'all 2 cycles are done'
    """
    prepare(allow)
    from .graph.setup.create import ask_anew, read_config, with_cycles
    from .memory.run_folder import RunFolder
    from .report.run_files import Run

    folder = RunFolder(Run.find(str(run), Path(runs)).root.resolve())
    if not use_cache:
        ask_anew(folder)
    if cycles is not None:
        with_cycles(folder, cycles)
    return _drive(read_config(folder), folder, show, answer)


def plan(config: Config, *, offline: bool = False) -> "Estimate":
    """Say what a run would ask, cost and start from. Takes about a minute, and a few small calls of the teacher.

    Args:
        config: as `evokd.run` has it.
        offline: make no call: the server is not tried, and the teacher is not asked about your own examples.

    Returns:
        Calls, tokens and money by role and in all, the score of the seeds alone, and doubts to look at first.

    Raises:
        ConfigError: what would stop the run, too; or a teacher of your own, whose cost only it can tell.

    Examples:
        >>> from evokd.testing import world
        >>> server = {"kind": "openai", "model": "m", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "none"}
        >>> estimate = evokd.plan({**world.config("."), "teacher": server}, offline=True)
        >>> estimate.verdict, estimate.expected.calls > 0, estimate.expected.usd
        ('look again', True, None)
    """
    prepare(())
    from .planning.estimate import estimate

    return estimate(*_read(config, {}), offline)


def compare(
    file: str | Path,
    *,
    jobs: int = 1,
    out: str | Path = "compare",
    ray: str | None = None,
    show: Callable[["Now"], None] | None = None,
) -> ComparisonOutcome:
    """Compare strategies over shots, seeds and tasks, and write the report. Called again, it goes on where it was.

    Args:
        file: a TOML file; configs/compare.toml is an example.
        jobs: cells at work at once, each in a process of its own.
        out: folder that holds the comparisons.
        ray: run the cells on this Ray cluster, `host:port` or `auto`.
        show: called several times a second with `finished`, `total`, `at_work` and `news`. Nothing is printed.

    Returns:
        Which cells are not finished, and why; where the report lies.

    Raises:
        ConfigError: the file, a config it names, or data cannot be used; nothing has been asked then.

    Examples:
        >>> from evokd.testing import world
        >>> config = world.write(".")
        >>> _ = Path("mine.toml").write_text('''
        ... strategies = ["static", "none"]
        ... random_seeds = [0]
        ... tasks.small.config = "small.toml"
        ... ''')
        >>> outcome = evokd.compare("mine.toml", jobs=2)  # slow
        >>> outcome.finished, (outcome.folder / "report.html").exists()
        (True, True)
    """
    prepare(())
    from .comparison import scheduler
    from .comparison.executors import LocalProcesses, RayCluster
    from .comparison.spec import read_spec
    from .report.compare.pages import write_report

    spec = read_spec(Path(file))
    root = (Path(out) / spec.settings.name).resolve()
    executor = RayCluster(ray, spec.own_parts) if ray else LocalProcesses(jobs, spec.own_parts)
    ended = scheduler.compare(spec, root, executor, jobs, show or _quiet)
    write_report(root)
    return ComparisonOutcome(root, ended.interrupted, ended.failed, ended.waiting, ended.limit)


def load(model: str | Path, *, runs: str | Path = "runs", allow: Iterable[str] = ()) -> "Predictor":
    """Open a finished student.

    Args:
        model: name or folder of a run (its best student), or a student's folder.
        runs: folder that names are looked for in.
        allow: `module:Class` of the task and the student of your own that the run names. A run folder may come from
            somebody else, and to import a part is to run it.

    Returns:
        What labels texts.

    Raises:
        ConfigError: there is no such run or folder, no student was trained in it, or a part is not allowed.

    Examples:
        >>> from evokd.testing import world
        >>> outcome = evokd.run(world.write("."), cycles=1)
        >>> predictor = evokd.load("small", allow=world.PARTS)
        >>> [prediction.label for prediction in predictor.predict(["soup with bread", "a goal in the match"])]
        ['food', 'sports']
    """
    from .graph.prediction import open_student

    return open_student(str(model), Path(runs), tuple(allow)).predictor


def export(
    model: str | Path,
    to: str | Path,
    *,
    runs: str | Path = "runs",
    allow: Iterable[str] = (),
    show: Callable[[str], None] | None = None,
) -> "Parity":
    """Write a finished student for use without EvoKD: safetensors and ONNX, in float32 and, if it passes, in int8.

    Needs the extra `export`. The network in int8 is written where it gives torch's answer on 99.5 % of the run's texts.

    Args:
        model: name or folder of a run (its best student), or a student's folder.
        to: a new or empty folder, or that of an earlier export, which is replaced.
        runs: folder that names are looked for in.
        allow: `module:Class` of the task of your own that the run names.
        show: called with what is being done, a line each. Nothing is printed.

    Returns:
        What `parity.json` says: how far the networks agree with torch, their megabytes, and why int8 is missing, if so.

    Raises:
        ConfigError: there is no such run, its student is one of your own, or the folder holds what EvoKD did not make.
        StepError: torch cannot export the network.

    Examples:
        >>> from evokd.testing import world
        >>> outcome = evokd.run(world.write("."), cycles=1)
        >>> evokd.export("small", "exported", allow=world.PARTS)
        Traceback (most recent call last):
        ...
        evokd.tasks.errors.ConfigError: The student of 'small' is one of your own: EvoKD cannot know how to write ...
    """
    from .graph.exporting import export_student

    return export_student(str(model), Path(to), Path(runs), show or _quiet, tuple(allow))


def create(
    config: Config,
    runs: str | Path = "runs",
    *,
    name: str | None = None,
    seed: int | None = None,
    cycles: int | None = None,
    strategy: str | None = None,
    use_cache: bool = True,
) -> "tuple[RunConfig, RunFolder]":
    """Read and check config and data, and make the run folder; arguments as `run` has them.

    Raises:
        ConfigError: one line for the first mistake; nothing is written then.
    """
    prepare(())
    from .graph.setup import create as setup
    from .memory.run_folder import RunFolder

    chosen = {"name": name, "seed": seed, "stop.cycles": cycles, "strategy": strategy}
    chosen["teacher.use_cache"] = None if use_cache else False
    settings, base = _read(config, {key: value for key, value in chosen.items() if value is not None})
    folder = RunFolder((Path(runs) / settings.name).resolve())
    return setup.create(settings, base, folder, keep=True), folder


def prepare(allow: Iterable[str]) -> None:
    """Take the keys in the current folder's `.env`, first: libraries look once, when imported. Allow these parts.

    Raises:
        ConfigError: `.env` cannot be read, or would have other code run.
    """
    from .graph.config import parts
    from .teacher.transport.keys import take_keys

    take_keys(Path.cwd() / ".env")
    parts.allow(allow)


def _read(config: Config, overrides: Mapping[str, Any]) -> "tuple[RunConfig, Path]":
    """The checked config, and the folder that its relative paths start from."""
    from .comparison.spec import overlaid
    from .graph.config import run_config

    if isinstance(config, Mapping):
        return run_config.validate(overlaid(config, overrides, "config"), "config", trusted=True), Path.cwd()
    return run_config.load(Path(config), overrides), Path(config).resolve().parent


def _drive(
    config: "RunConfig", folder: "RunFolder", show: Callable[[Event], None] | None, answer: object = None
) -> RunOutcome:
    from .graph.run import drive, flush_traces
    from .report.run.page import page_kept

    try:
        with page_kept(folder.root, show or _quiet) as shown:
            ended = drive(config, folder, shown, answer)
    finally:
        flush_traces()
    return RunOutcome(ended.how, ended.why, folder.root)


def _quiet(event: object) -> None:
    """Show nothing."""
