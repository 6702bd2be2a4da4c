"""What a checkpoint knows of the other parts of its run, so that one that was lost or exchanged is told and not missed.

After every step the state says how the memory, the files and the students were that the following steps build on. A
kill leaves more than that, of the step that was under way; what is less, or other, is refused before anything is paid
for or written.
"""

import hashlib
import json
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from ..agents.base import Services, State
from ..memory.base import Memory, Status
from ..memory.run_folder import RunFolder
from ..tasks.base import Split
from ..tasks.errors import ConfigError
from ..teacher.accounting.ledger import count_paid
from .checkpoints import FILE
from .config.roles import ROLES

LAST = ("last_training", "calibration", "final_test")
"""Steps after the loop."""

OURS = (*ROLES, *LAST)
"""Steps of ours: they add to memory and files what is known of them."""

Ties = dict[str, str]
"""Part -> what tells it from any other: a hash, with the number of things where they are counted."""

BUILT_ON = (
    "data/*.jsonl",
    "ledger.id",
    "taxonomy.jsonl",
    "cycles/*/*.json",
    "cycles/*/drafts.jsonl",
    "cycles/*/held_out_drafts.jsonl",
    "cycles/*/cases.jsonl",
)
"""Files that later steps read. They are never changed once their step is over."""

TOLD = ("metrics.jsonl", "lessons.jsonl", "samples.jsonl")
"""Files that tell what state and memory hold; they can be written again."""

EMPTY = hashlib.sha256(b"").hexdigest()[:16]
"""Of a file that was empty already, as a pool without texts is."""

WRITES = {"annotator": ("samples", "gate"), "evaluator": ("errors", "verdicts"), "analyst": ("lessons",)}
"""What a role adds to the memory; one of the user's own may add anything."""


def ties(services: Services, state: State) -> Ties:
    """What there is when a step is over; `state` is the one after it."""
    root = services.folder.root
    found = digests(root, (*BUILT_ON, *TOLD, *(f"{name}/**/*" for name in students(state))))
    found |= {"answers": str(count_paid(root)[0])}
    found |= {f"memory/{name}": "" for name in _filled(root / "memory")}
    return found | _remembered(services.memory, state)


def note_rows(folder: RunFolder) -> None:
    """Write down how many rows the files have by which a report tells a run: one that is cut short is then seen."""
    cases = sorted(path.relative_to(folder.root).as_posix() for path in folder.root.glob("cycles/*/cases.jsonl"))
    names = (*TOLD, "ledger.jsonl", "transcripts.jsonl", "scored.jsonl", *cases)
    rows = {name: (folder.root / name).read_bytes().count(b"\n") for name in names if (folder.root / name).is_file()}
    path = folder.root / "rows.json"
    if not path.is_file() or path.read_bytes() != json.dumps(rows, indent=1).encode():
        folder.write_json(path, rows)


def students(state: Mapping[str, Any]) -> set[str]:
    """The folders of the students that a run goes on with, relative to its own."""
    undecided = f"students/cycle-{state['cycle']:03d}"
    return {"students/cycle-000", undecided, str(state.get("champion") or undecided)}


def check_files(folder: RunFolder, state: Mapping[str, Any], due: str, checkpoints: str = FILE) -> None:
    """Compare the files of a run with what its checkpoint knows of them; nothing is opened or written.

    Args:
        folder: of the run.
        state: of the newest checkpoint; empty where there is none.
        due: role of the step that may have been under way; empty where there is none.
        checkpoints: the file or the address where they are.

    Raises:
        ConfigError: something is missing, or is other than it was.
    """
    known: Ties = state.get("ties") or {}
    if not state and (began := [name for name in ("students", *TOLD) if (folder.root / name).exists()]):
        raise _lost(folder, f"{checkpoints} is missing or empty", f"{began[0]} is there", "begin again at cycle 0")
    changing = folder.relative(folder.cycle(state["cycle"])) if state and _is_own(due) else TOLD[0]
    gone_on_purpose = "students/" if not due and _are_dropped(folder) else TOLD[0]
    for name, digest in known.items():
        if not name.startswith((*TOLD, "answers", "memory:", changing, gone_on_purpose)):
            _check(folder, name, digest)


def check_answers(folder: RunFolder, state: Mapping[str, Any]) -> None:
    """Compare the answers that are kept with those that were paid for.

    Raises:
        ConfigError: the step under way would pay for some of them again, or the file is damaged.
    """
    kept, lost = count_paid(folder.root)
    lost = max(lost, int((state.get("ties") or {}).get("answers", 0)) - kept)
    if lost > 0:
        raise ConfigError(
            f"{folder.root} cannot go on: answers.sqlite lacks {lost} answers that are paid for, and those of the step "
            "under way would be paid for again. Put it back from a copy of the run; or pay, and go on with "
            f"`evokd resume {shlex.quote(str(folder.root))} --no-cache`."
        )


def check_memory(folder: RunFolder, memory: Memory, state: Mapping[str, Any], due: str) -> None:
    """Compare what is remembered with what the checkpoint knows of it; see `check_files`.

    Raises:
        ConfigError: something is missing, or is of another run or another time.
    """
    known = {name: digest for name, digest in (state.get("ties") or {}).items() if name.startswith("memory:")}
    if not known or _is_own(due):
        return
    there = _remembered(memory, state)
    for name in sorted(known.keys() | there.keys()):
        kind, cycle = name.removeprefix("memory:").split()
        under_way = name not in known and kind in WRITES.get(due, ()) and int(cycle) == state["cycle"]
        if known.get(name) != there.get(name) and not under_way:
            wanted, found = (_count(each.get(name)) for each in (known, there))
            what = f"memory/ holds {found} {kind} of cycle {cycle} where the checkpoint knows of {wanted}"
            what += ", and not the same ones" if found == wanted else ""
            raise _lost(folder, what, "checkpoint and students are there", "go on with other texts")


def is_told_right(folder: RunFolder, state: Mapping[str, Any]) -> bool:
    """Whether the files that tell what state and memory hold are as they were when the last cycle ended."""
    known: Ties = state.get("ties") or {}
    paths = {name: folder.root / name for name in TOLD if name in known}
    return all(path.is_file() and _hash_file(path) == known[name] for name, path in paths.items())


def digests(root: Path, patterns: Iterable[str]) -> Ties:
    """The files of a run that are there, by their names in its folder; one that is added later does no harm."""
    paths = [path for pattern in patterns for path in root.glob(pattern) if path.is_file()]
    return {path.relative_to(root).as_posix(): _hash_file(path) for path in paths}


def _is_own(due: str) -> bool:
    """Whether the role is one of the user's own, which may have been in the midst of changing anything."""
    return bool(due) and due not in OURS


def _check(folder: RunFolder, name: str, digest: str) -> None:
    path = folder.root / name
    if not path.is_file() or (not path.stat().st_size and digest != EMPTY):
        raise _lost(folder, f"{name} is missing or empty", "the checkpoint knows of it", "go on with wrong data")
    if digest and _hash_file(path) != digest:
        raise _lost(folder, f"{name} is not as the run left it", "the checkpoint is there", "go on with wrong data")


def _are_dropped(folder: RunFolder) -> bool:
    """Whether the best student alone is left: so a cell of a comparison is left when it has ended."""
    best = folder.best
    return best is not None and [path.resolve() for path in folder.root.glob("students/*")] == [best]


def _lost(folder: RunFolder, what: str, holds: str, would: str) -> ConfigError:
    return ConfigError(
        f"{folder.root} cannot go on: {what}, while {holds}; it would {would}. Put it back from a copy of the run, or "
        "start anew: `evokd run CONFIG --name NEW`."
    )


def _remembered(memory: Memory, state: Mapping[str, Any]) -> Ties:
    """Kind and cycle -> number and hash of what is remembered, as far as the step to come does not change it."""
    batch, groups = set(state.get("batch", ())), defaultdict(list)
    splits: tuple[Split, ...] = ("seed", "train", "gate", "dev")
    for split in splits:
        kind = "samples" if split in ("seed", "train") else split
        for status in get_args(Status) if kind == "samples" else ("kept",):
            for example in memory.samples(split, status):
                fate = "" if example.id in batch else status  # the batch is being decided about
                if example.id in batch and status == "kept":
                    groups[f"verdicts {state['cycle']}"].append(example.id)
                groups[f"{kind} {example.origin.cycle}"].append(f"{example.id} {split} {fate} {example.label!r}")
    for case in memory.errors():
        groups[f"errors {case.cycle}"].append(f"{case.example.id} {case.predicted!r}")
    for lesson in memory.lessons():
        groups[f"lessons {lesson.cycle}"].append(lesson.id)
    return {f"memory:{name}": f"{len(rows)} {_hash_rows(rows)}" for name, rows in groups.items()}


def _count(digest: str | None) -> str:
    return digest.split()[0] if digest else "no"


def _hash_rows(rows: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(rows)).encode("utf-8", "replace")).hexdigest()[:16]


def _filled(folder: Path) -> Iterator[str]:
    """Files that a memory keeps at the top of its folder; one that is empty is a lock."""
    return (path.name for path in folder.glob("*") if path.is_file() and path.stat().st_size > 0)


def _hash_file(path: Path) -> str:
    there = path.stat()
    return _hashed(path, there.st_ino, there.st_size, there.st_mtime_ns)


@lru_cache(maxsize=4096)
def _hashed(path: Path, inode: int, size: int, changed: int) -> str:
    """A file that was not touched since is not read again in this process."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
