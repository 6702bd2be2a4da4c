"""The file by which a folder is known as EvoKD's own: where it is missing, all that lies there is somebody else's.

It is the first file that is written. `run.json` marks a run folder, `comparison.json` the folder of a comparison,
`export.json` a student that was exported.
"""

import json
import os
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..tasks.errors import ConfigError
from ..tasks.files import write_text

SCHEMA = 1
"""Of what the marker says and of the folder; another version may lay out its folders in another way."""

ELSEWHERE = (
    "Choose a new or empty folder: another --name or --runs; for a comparison, another name or --out; for an export, "
    "another --to."
)


@dataclass(frozen=True)
class Marker:
    """The marker of one folder, written or not."""

    path: Path
    command: str
    """What makes such a folder."""

    def check_free(self) -> None:
        """Refuse a folder that holds anything EvoKD did not make.

        Raises:
            ConfigError: a file stands there, the folder is not empty and has no marker, or one that is not known.
        """
        root = self.path.parent
        if os.path.lexists(self.path):
            self.read()
        elif os.path.lexists(root) and not root.is_dir():
            raise ConfigError(f"{root} is not a folder. {ELSEWHERE}")
        elif root.exists() and not all(map(self._is_torn, root.iterdir())):
            raise ConfigError(
                f"{root} is not empty, and EvoKD did not make it (no {self.path.name}): nothing in it is touched. "
                f"{ELSEWHERE}"
            )

    def claim(self) -> None:
        """Make and mark the folder, if it is new or empty; a marked one stays as it is.

        Raises:
            ConfigError: as `check_free` does.
        """
        self.check_free()
        if not self.path.exists():
            self.mark()

    def mark(self) -> None:
        """Mark a folder that the caller has made."""
        self._write({"schema": SCHEMA, "id": uuid.uuid4().hex})

    def lock(self) -> FileLock:
        """The right to begin or go on in the folder, which is made if it is new, until `release()` or the process ends.

        Raises:
            ConfigError: as `check_free` does; or another process, or another call of this one, has it.
        """
        self.check_free()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise ConfigError(
                f"{self.path.parent} is in use by another process. Wait for it or stop it first, or choose another "
                "--name."
            ) from None
        return lock

    def read(self) -> dict[str, Any]:
        """What the marker says: `schema`, `id`, and whatever was noted.

        Raises:
            ConfigError: there is none, or it is not one of this version.
        """
        try:
            said = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            made = f"was not made by `evokd {self.command}` (it has no {self.path.name})"
            raise ConfigError(f"{self.path.parent} {made}. Name one that was.") from None
        except (OSError, ValueError, RecursionError) as error:
            raise self._unknown(f"it cannot be read, {error}") from None
        if not isinstance(said, dict) or not isinstance(said.get("id"), str):
            raise self._unknown("it has no id")
        if said.get("schema") != SCHEMA:
            raise self._unknown(f"its schema is {said.get('schema')!r:.60}")
        return said

    def note(self, **said: object) -> None:
        """Add to what the marker says."""
        self._write({**self.read(), **said})

    def _is_torn(self, path: Path) -> bool:
        """Whether a file is what a kill left of writing this marker, or its lock."""
        return re.fullmatch(rf"\.{re.escape(self.path.name)}\.(\d+|lock)", path.name) is not None

    def _write(self, said: dict[str, Any]) -> None:
        write_text(self.path, json.dumps(said, ensure_ascii=False, indent=1))

    def _unknown(self, why: str) -> ConfigError:
        return ConfigError(
            f"{self.path} is not a marker that this version of EvoKD knows (schema {SCHEMA}): {why}. Nothing in the "
            f"folder is touched. Use the version that made it. {ELSEWHERE}"
        )


def run_marker(root: Path) -> Marker:
    """The marker of a run folder."""
    return Marker(root / "run.json", "run")


def comparison_marker(root: Path) -> Marker:
    """The marker of a comparison's folder."""
    return Marker(root / "comparison.json", "compare")


def export_marker(root: Path) -> Marker:
    """The marker of an exported student."""
    return Marker(root / "export.json", "export")
