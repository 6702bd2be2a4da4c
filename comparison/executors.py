"""Where the cells of a comparison are at work: in processes of this machine, or of the nodes of a Ray cluster."""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..tasks.errors import ConfigError

if TYPE_CHECKING:
    from ..teacher.settings import BudgetSettings

MAIN = Path(__file__).resolve().parents[1] / "main.py"


class Job(Protocol):
    """One cell at work."""

    def poll(self) -> int | None:
        """The exit code, or None while it is at work; below zero is the signal that ended it."""

    def stop(self) -> None:
        """Ask it to end after the current step."""

    def kill(self) -> None:
        """End it at once; what it had answered and finished is not lost."""


class Executor(Protocol):
    """Starts cells."""

    def start(self, folder: Path, limits: "BudgetSettings") -> Job:
        """Run or resume the cell that lives in `folder`, within `limits`."""


class LocalProcesses:
    """Child processes, which share the cores and `answers.sqlite`."""

    def __init__(self, jobs: int, own_parts: Sequence[str] = ()) -> None:
        """Share the cores of this machine between `jobs` cells, which may import `own_parts` (`module:Class`)."""
        self._own_parts = own_parts
        self._threads = max(1, (os.cpu_count() or 1) // jobs)

    def start(self, folder: Path, limits: "BudgetSettings") -> Job:
        """Run or resume the cell that lives in `folder`, within `limits`."""
        said = limits.model_dump_json(exclude_none=True)
        return Process(folder, said, "answers.sqlite", self._threads, self._own_parts)


class Process:
    """A child process. It ends by itself, after a whole step, if this process dies in whatever way."""

    def __init__(
        self,
        folder: Path,
        limits: str,
        cache: str,
        threads: int,
        own_parts: Sequence[str] = (),
        home: Path | None = None,
    ) -> None:
        words = ["cell", str(folder), "--limits", limits, "--cache", str(folder.parents[1] / cache)]
        words += [word for spec in own_parts for word in ("--allow", spec)]
        with (folder / "cell.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(MAIN), *words],
                stdin=subprocess.PIPE,  # never written to: its end tells the child that we are gone
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is ours to pass on
                cwd=home,
                env={"OMP_NUM_THREADS": str(threads), **os.environ},
            )

    def poll(self) -> int | None:
        """The exit code, or None while it is at work."""
        code = self._process.poll()
        if code is not None and self._process.stdin is not None:
            self._process.stdin.close()
        return code

    def stop(self) -> None:
        """Ask it to end after the current step."""
        self._process.terminate()

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


class NodeProcess(Process):
    """A child process of a Ray worker. The answer cache is the node's own: SQLite's log can't be shared over a network.

    It is sent to the nodes by value, so it may use the standard library and `MAIN` only.
    """

    def __init__(self, folder: Path, limits: str, home: Path, own_parts: Sequence[str] = ()) -> None:
        super().__init__(folder, limits, f"answers-{platform.node()}.sqlite", 1, own_parts, home)


class RayCluster:
    """One actor with one CPU for every cell.

    EvoKD, the run folders and the current folder (a `.env` with keys, modules of the user's own) must be at the same
    paths on every node: on a file system that all of them see.
    """

    def __init__(self, address: str, own_parts: Sequence[str] = ()) -> None:
        """Connect.

        Args:
            address: `host:port` of the head node, `auto` for the cluster this machine belongs to, or `ray://...`.
            own_parts: the `module:Class` that cells may import.

        Raises:
            ConfigError: Ray is not installed, or no cluster answers.
        """
        try:
            import ray
        except ImportError:
            raise ConfigError("--ray needs Ray, which is not installed: pip install 'evokd[ray]'") from None
        try:
            if address.count(":") == 1:  # Ray itself would try for minutes
                host, _, port = address.partition(":")
                socket.create_connection((host, int(port)), timeout=10).close()
            ray.init(address=address, log_to_driver=False, logging_level="WARNING")
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(f"--ray {address}: no Ray cluster can be reached there ({error}).") from error
        ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # workers do not know our folders
        self._own_parts = tuple(own_parts)
        self._ray: Any = ray
        self._actor: Any = ray.remote(num_cpus=1)(NodeProcess)

    def start(self, folder: Path, limits: "BudgetSettings") -> Job:
        """Run or resume the cell that lives in `folder`, within `limits`, once a CPU of the cluster is free."""
        said = limits.model_dump_json(exclude_none=True)
        actor = self._actor.remote(folder, said, Path.cwd(), self._own_parts)
        return RayJob(self._ray, actor, folder)


class RayJob:
    """One actor, asked without waiting for it."""

    def __init__(self, ray: Any, actor: Any, folder: Path) -> None:
        self._ray, self._actor, self._folder = ray, actor, folder
        self._asked = actor.poll.remote()
        self._has_begun = False

    def poll(self) -> int | None:
        """The exit code, or None while it is at work or waits for a CPU; 1 where its node was lost."""
        if not self._ray.wait([self._asked], timeout=0)[0]:
            return None
        try:
            code: int | None = self._ray.get(self._asked)
        except self._ray.exceptions.RayError as error:
            with (self._folder / "cell.log").open("a", encoding="utf-8") as log:
                log.write(f"{error}\n")
            return 1
        self._has_begun = True
        if code is None:
            self._asked = self._actor.poll.remote()
        return code

    def stop(self) -> None:
        """Ask it to end after the current step."""
        if self._has_begun:
            self._actor.stop.remote()
        else:
            self._ray.kill(self._actor)

    def kill(self) -> None:
        """End it at once."""
        if self._has_begun:
            self._actor.kill.remote()
        else:
            self._ray.kill(self._actor)
