"""The memory in Chroma: samples, held-out examples, errors and lessons, on disk or on a server."""

import json
import logging
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from ..tasks.base import HELD_OUT, ErrorCase, Example, Frozen, Lesson, Split, text_id
from ..tasks.errors import ConfigError
from ..tasks.files import write_text
from .base import Encoder, MemorySettings, Status, Vectors
from .lock import owned
from .novelty import Contents, refusals

if TYPE_CHECKING:
    from .table import Table, Values

log = logging.getLogger(__name__)

TABLES = ("samples", "heldout", "errors", "lessons")

NEAR_TEST = 1000
"""Texts of the test file that new ones are compared with by their vectors; of all of them the same text is refused.

Ten thousand news take four minutes of one core, a thousand 23 seconds (questions: 5), and that once in a run."""

Item = TypeVar("Item", bound=Frozen)


class ChromaMemory:
    """`Memory` in a folder, or on a server for the run of that folder, that this process owns until `close`.

    Each row keeps its object whole, as JSON, beside flat values to select by. Vectors always come from the encoder
    that is given; its fingerprint is stored, and another encoder is refused.

    Args:
        folder: made if it is missing.
        embedder: turns texts into vectors.
        settings: the threshold of sameness, and the server, if there is one.

    Raises:
        ConfigError: folder or server cannot be used, another process uses it, or it was made with another encoder.
    """

    def __init__(self, folder: Path, embedder: Encoder, settings: MemorySettings | None = None):
        from .place import open_place  # Chroma takes its time
        from .table import open_tables

        self._embedder = embedder
        self._settings = settings or MemorySettings()
        self._vectors: dict[str, Vectors] = {}
        with ExitStack() as opened:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                opened.callback(owned(folder).release)
            except OSError as error:
                raise ConfigError(f"The memory folder {folder} cannot be used: {error.strerror or error}.") from error
            place = opened.enter_context(open_place(folder, self._settings.server))
            tables = open_tables(place, embedder, TABLES)
            self._test_ids = folder / "test-ids"
            self._test = set(self._test_ids.read_text().split()) if self._test_ids.exists() else set[str]()
            self._open = opened.pop_all()
        self._samples, self._held_out = tables["samples"], tables["heldout"]
        self._errors, self._lessons = tables["errors"], tables["lessons"]

    def remember(
        self,
        examples: Iterable[Example] = (),
        errors: Iterable[ErrorCase] = (),
        lessons: Iterable[Lesson] = (),
        status: Status = "kept",
        reason: str = "",
    ) -> None:
        """Insert or replace by id; what is there with the same content stays as it is, its status too."""
        examples, errors = list(examples), list(errors)
        if held := [case.example.id for case in errors if case.example.split in HELD_OUT]:
            raise ValueError(f"Errors on held-out examples may not be remembered: {', '.join(held[:3])}.")
        self._remember_held_out([example for example in examples if example.split in HELD_OUT])
        samples = self._learnable(examples)
        # One id is one row: of two in the same call the later counts.
        self._put(
            self._samples,
            {example.id: example for example in samples},
            {example.id: _example_values(example, status, reason) for example in samples},
        )
        seen_errors = {f"{case.cycle:06d}-{case.example.id}": case for case in self._allowed_errors(errors)}
        self._put(self._errors, seen_errors, {i: _error_values(case) for i, case in seen_errors.items()})
        told = {lesson.id: lesson for lesson in lessons}
        self._put(self._lessons, told, {i: _lesson_values(lesson) for i, lesson in told.items()})

    def mark(self, ids: Sequence[str], status: Status, reason: str = "") -> None:
        """Change the status of examples already remembered."""
        there = self._samples.by_id(ids)
        if len(there) < len(set(ids)):
            log.warning(
                "%d of %d examples to be marked %s are no samples.", len(set(ids) - set(there)), len(ids), status
            )
        changed = [i for i, row in there.items() if (row["status"], row["reason"]) != (status, reason)]
        self._samples.change(changed, {"status": status, "reason": reason})

    def samples(self, split: Split, status: Status = "kept") -> list[Example]:
        """Examples of a split, by cycle, then id; none of the test file."""
        table = self._held_out if split in HELD_OUT else self._samples
        found = table.rows(split=split, status=status)
        examples = [_load(Example, row) for _, row in found]
        return sorted(examples, key=lambda example: (example.origin.cycle, example.id))

    def get(self, ids: Sequence[str]) -> list[Example]:
        """Seed and train examples by id, in the order asked."""
        there = self._samples.by_id(ids)
        return [_load(Example, there[i]) for i in ids if i in there]

    def reasons(self, status: Status) -> dict[str, str]:
        """Id -> why it has that status."""
        return {i: str(row["reason"]) for i, row in sorted(self._samples.rows(status=status))}

    def errors(self, cycle: int | None = None) -> list[ErrorCase]:
        """All error cases, or those of one cycle, by cycle, then id."""
        found = self._errors.rows() if cycle is None else self._errors.rows(cycle=cycle)
        return [_load(ErrorCase, row) for _, row in sorted(found, key=lambda pair: pair[0])]

    def lessons(self) -> list[Lesson]:
        """All lessons, by cycle, then id."""
        lessons = [_load(Lesson, row) for _, row in self._lessons.rows()]
        return sorted(lessons, key=lambda lesson: (lesson.cycle, lesson.id))

    def similar(self, text: str, k: int) -> list[ErrorCase]:
        """The k nearest past errors, nearest first."""
        return [_load(ErrorCase, row) for row in self._errors.nearest(self.embed([text])[0], k)]

    def novel(self, texts: Sequence[str]) -> list[str | None]:
        """None for a new text, else `held-out` or `duplicate`."""
        held_out = self._held_out.contents()
        return refusals(
            [text_id(text) for text in texts],
            self.embed(texts),
            Contents(held_out.keys | self._test, held_out.vectors),
            self._samples.contents(),
            self._settings.duplicate_cosine,
        )

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, one row per text; a text is encoded once in the life of the object."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embedder.encode(new), strict=True))
        if not texts:
            return np.zeros((0, self._embedder.dim), dtype=np.float32)
        return np.stack([self._vectors[text] for text in texts])

    def close(self) -> None:
        """Release the files; a second time does nothing."""
        self._open.close()

    def _remember_held_out(self, examples: list[Example]) -> None:
        # The split is part of the id: a text that stands in two of the user's own files is scored in both.
        held = {f"{example.split}:{example.id}": example for example in examples if example.split != "test"}
        self._put(self._held_out, held, {i: _example_values(example, "kept", "") for i, example in held.items()})
        self._withhold({text_id(example.text): example.text for example in examples if example.split == "test"})
        keys = [text_id(example.text) for example in examples]
        for table in (self._samples, self._errors):
            table.forget(keys)

    def _withhold(self, texts: dict[str, str]) -> None:
        """Know test texts by their ids, and some by their vectors, so that no text or label can be read back."""
        new = sorted(texts.keys() - self._test)  # ids are hashes: the first of them are a fair sample
        if not new:
            return
        room = NEAR_TEST - sum(1 for _ in self._held_out.rows(split="test"))
        if near := new[: max(0, room)]:
            log.info("Embedding %d texts of the test file, so that nothing near them is written.", len(near))
            rows: dict[str, Values] = {f"test:{key}": {"key": key, "split": "test"} for key in near}
            self._held_out.put(rows, self._embedder.encode([texts[key] for key in near]))
        self._test.update(new)
        write_text(self._test_ids, "".join(f"{key}\n" for key in sorted(self._test)))

    def _learnable(self, examples: list[Example]) -> list[Example]:
        """The seed and train examples without those whose text is held out."""
        open_ones = [example for example in examples if example.split not in HELD_OUT]
        if not open_ones:
            return []
        held = self._held_out.keys() | self._test
        kept = [example for example in open_ones if text_id(example.text) not in held]
        if len(kept) < len(open_ones):
            log.warning("%d examples are held-out texts; they are no samples.", len(open_ones) - len(kept))
        return kept

    def _allowed_errors(self, errors: list[ErrorCase]) -> list[ErrorCase]:
        kept = {example.id for example in self._learnable([case.example for case in errors])}
        return [case for case in errors if case.example.id in kept]

    def _put(self, table: "Table", items: dict[str, Item], values: "dict[str, Values]") -> None:
        """Write the items that are new or have changed."""
        there = table.by_id(list(items)) if items else {}
        # Equal as objects, not as JSON: the order of votes in a dict says nothing.
        new = [i for i, item in items.items() if i not in there or _load(type(item), there[i]) != item]
        if new:
            rows = {i: {**values[i], "json": json.dumps(items[i].model_dump())} for i in new}
            table.put(rows, self.embed([_text(items[i]) for i in new]))


def _text(item: Frozen) -> str:
    """What an object is found by."""
    if isinstance(item, Example):
        return item.text
    if isinstance(item, ErrorCase):
        return item.example.text
    if isinstance(item, Lesson):
        return f"{item.name}: {item.pattern}"
    raise TypeError(f"{type(item).__name__} is nothing that is remembered.")


def _example_values(example: Example, status: Status, reason: str) -> "Values":
    return {
        "key": text_id(example.text),
        "split": example.split,
        "status": status,
        "reason": reason,
        "cycle": example.origin.cycle,
    }


def _error_values(case: ErrorCase) -> "Values":
    return {"key": text_id(case.example.text), "cycle": case.cycle}


def _lesson_values(lesson: Lesson) -> "Values":
    return {"key": lesson.id, "cycle": lesson.cycle, "kind": lesson.kind}


def _load(kind: type[Item], row: "Values") -> Item:
    return _parsed(kind, str(row["json"]))  # type: ignore[return-value]


@lru_cache(maxsize=1 << 15)
def _parsed(kind: type[Frozen], said: str) -> Frozen:
    """Objects never change, and all of them are asked for after every step: each is read once."""
    return kind.model_validate(json.loads(said))
