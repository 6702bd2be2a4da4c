"""The run folder as agents see it: where a thing lies, and writes that a kill can't tear.

run.json            says that EvoKD made the folder, and what it wrote at the start (`memory/marker.py`)
config.toml         what the run was asked to do, resolved
guidelines.toml     what counts where annotators would differ; made to be edited (tasks that need it)
samples.conll       seeds and kept texts, a token and its tag a line (entities)
samples.jsonl       every kept, shelved and quarantined text with its label, source and votes
map.jsonl           where texts lie by their vectors, for the report
report.html         the report, written anew after every cycle
versions.json       what the run was begun with
lessons.jsonl       what the analyst wrote and what each lesson brought
metrics.jsonl       one row per cycle
ledger.jsonl        one row per teacher call      transcripts.jsonl  what was sent and said
cycles/003/         conversation.json, drafts.jsonl, cases.jsonl (the fresh batch before and after);
                    held_out_drafts.jsonl, which no role but the annotator reads; held_out.jsonl, what the
                    champion says of gate and dev, which the report alone reads
students/cycle-003/ the champion or challenger of that cycle, as safetensors
students/final-003/ the last student: what the champion of cycle 3 learnt, and the gate's texts; the best one has
                    confidence.json: its temperature, and how sure it was of right and wrong answers
best                link to the best student, or a file that names its folder
progress.json       what a process at work is doing; gone when it has ended
stop                written by who wants the run to end after its step
end.json            hashes of what the end made
rows.json           how many rows the files above had after the last step
result.json         what the test set said        scored.jsonl  every test text under the best student
"""

import json
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ..tasks.files import led_to, write_text

M = TypeVar("M", bound=BaseModel)


OWN_STUDENT = re.compile(r"(cycle|final)-\d{3,}|\.+(cycle|final|rival)-\d{3,}.*")
"""Names of folders under `students/` that EvoKD makes; those that begin with a point are unfinished or for a while."""


def json_lines(rows: Iterable[BaseModel | dict[str, Any]]) -> str:
    """The text of a JSON lines file."""
    dumped = (row.model_dump(mode="json") if isinstance(row, BaseModel) else row for row in rows)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in dumped)


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    root: Path

    def cycle(self, cycle: int) -> Path:
        """Working files of one cycle."""
        return self.root / "cycles" / f"{cycle:03d}"

    def student(self, cycle: int) -> Path:
        """The student trained in one cycle."""
        return self.root / "students" / f"cycle-{cycle:03d}"

    @property
    def stop_file(self) -> Path:
        """While it is there, the run ends after the step it is in, as after Ctrl-C; whoever may write here may ask."""
        return self.root / "stop"

    def rival(self, cycle: int) -> Path:
        """A student trained only to be compared, without the batch; removed when its cycle is decided."""
        return self.root / "students" / f".rival-{cycle:03d}"

    def drop_rival(self, cycle: int) -> None:
        """Remove the student that was trained for a comparison now decided."""
        shutil.rmtree(self.rival(cycle), ignore_errors=True)

    def drop_students(self) -> None:
        """Remove every student of ours but the best one; each takes as much room as the encoder."""
        best = self.best
        for student in self.root.glob("students/*"):  # those whose names begin with a point too
            is_own = OWN_STUDENT.fullmatch(student.name) and student.is_dir() and not student.is_symlink()
            if best and is_own and student.resolve() != best:
                shutil.rmtree(student)

    def crown(self, student: str) -> None:
        """Point `best` at a student (a path relative to the run folder): a link, or a file with the path in it.

        The file is for file systems without symbolic links (exFAT, some mounts of WSL).
        """
        aside = self.root / f".best.{os.getpid()}"
        aside.unlink(missing_ok=True)
        try:
            aside.symlink_to(student, target_is_directory=True)
        except (OSError, NotImplementedError):  # of a full disk, too, which is told by the next line
            write_text(self.root / "best", f"{student}\n")
        else:
            aside.replace(self.root / "best")

    @property
    def best(self) -> Path | None:
        """The folder of the best student, absolute; None where there is none, or what says so is damaged."""
        return led_to(self.root / "best")

    def write_rows(self, path: Path, rows: Iterable[BaseModel | dict[str, Any]]) -> None:
        """Write JSON lines, whole or not at all."""
        write_text(path, json_lines(rows))

    def read_rows(self, path: Path, model: type[M]) -> list[M]:
        """Read JSON lines written by `write_rows`; an absent file has no rows."""
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").split("\n")  # splitlines() would also cut at U+2028 inside a text
        return [model.model_validate_json(line) for line in lines if line]

    def write_json(self, path: Path, value: object) -> None:
        """Write one JSON value, whole or not at all."""
        write_text(path, json.dumps(value, ensure_ascii=False, indent=1))

    def read_json(self, path: Path) -> Any:
        """Read what `write_json` wrote."""
        return json.loads(path.read_text(encoding="utf-8"))

    def relative(self, path: Path) -> str:
        """A path for the state: relative to the run folder, so that a run can be moved."""
        return path.relative_to(self.root).as_posix()
