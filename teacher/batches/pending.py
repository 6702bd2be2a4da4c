"""Batches that a server is working on, as files of the run folder: what is written here is never submitted twice."""

import json
import os
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import StepError
from teacher.budget import Cost
from teacher.request import Request


class Pending(BaseModel):
    """One batch from just before it is submitted until all it brought is kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """Ours; the server keeps it with the batch, so that one whose id was lost in a kill is found by it."""
    id: str = ""
    """The server's; empty until it is known."""
    url: str
    """Where the server is; an id means nothing elsewhere."""
    model: str
    role: str
    cycle: int
    created: int
    """Seconds since 1970, by the server's clock where it tells the time: ours may have been set since."""
    price: float
    worst: Cost
    """Of all its requests together."""
    added: str
    """What was appended to the last message of each, for a server that takes no schema."""
    requests: tuple[Request, ...]
    lessons: tuple[str | None, ...]
    """Of each request."""


class PendingBatches:
    """The folder `batches/` of a run folder: one file each, written aside and renamed."""

    def __init__(self, folder: Path) -> None:
        """Open nothing; what is missing is made when there is something to keep."""
        self._folder = folder / "batches"

    def all(self) -> list[Pending]:
        """What is pending, the oldest first.

        Raises:
            StepError: a file cannot be read.
        """
        return sorted((_read(path) for path in self._folder.glob("*.json")), key=lambda each: each.created)

    def save(self, pending: Pending) -> None:
        """Write or replace one; it is on the disk itself when this returns, because it stands for money."""
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = self._folder / f".{pending.name}.{secrets.token_hex(4)}"
        with aside.open("w", encoding="ascii") as file:
            json.dump(pending.model_dump(), file)  # ASCII: prompts may hold lone surrogates
            file.flush()
            os.fsync(file.fileno())
        aside.replace(self._path(pending))

    def drop(self, pending: Pending) -> None:
        """Forget one that has been read, or that never was."""
        self._path(pending).unlink(missing_ok=True)

    def _path(self, pending: Pending) -> Path:
        return self._folder / f"{pending.name}.json"


def _read(path: Path) -> Pending:
    try:
        return Pending.model_validate(json.loads(path.read_text(encoding="ascii")))
    except (OSError, ValueError, ValidationError) as error:
        raise StepError(
            f"{path} says which batch the teacher's server is working on, and cannot be read ({error}). Delete it to "
            f"have its prompts asked again; the batch itself will still be billed."
        ) from error
