"""Fakes that behave: each implements a protocol of ours and passes the same contract tests as the real part."""

import hashlib
import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from ..memory.base import MemorySettings, Status, Vectors
from ..tasks.base import HELD_OUT, ErrorCase, Example, Lesson, Split, normalise
from ..teacher.base import Answer, Progress, Prompt, Prompting, Usage

T = TypeVar("T", bound=BaseModel)

Speak = Callable[[Prompt], Any]
"""What a role answers: a value of the schema asked for or its dict, a text for `complete`, an exception to raise."""


class ScriptedTeacher:
    """A teacher whose roles are functions. A value that does not fit the schema becomes a problem.

    Answers are remembered by role, schema and prompt: like the real teacher it is asked once, and says so in `spent`.
    """

    def __init__(
        self,
        roles: Mapping[str, Speak],
        rates: Mapping[str, Callable[[Prompt, str], float]] | None = None,
        prompting: Prompting = "instruct",
    ) -> None:
        self.roles = dict(roles)
        self.rates = dict(rates or {})
        self.asked: list[tuple[str, Prompt]] = []
        """(role, prompt) of every call that was not answered from memory; a test greps it for what must not leak."""
        self.closed = False
        self._prompting = prompting
        self._known: dict[tuple[str, str, Prompt], Any] = {}
        self._calls: dict[int, int] = {}
        self._lock = threading.Lock()

    def prompting(self, role: str) -> Prompting:
        return self._prompting

    def model(self, role: str) -> str:
        return f"scripted-{role}"

    def ask(
        self, prompts: Sequence[Prompt], schema: type[T], *, role: str, cycle: int, progress: Progress | None = None
    ) -> list[Answer[T]]:
        def one(prompt: Prompt) -> Answer[T]:
            said, usage = self._said(role, cycle, schema.__name__, prompt, self.roles[role])
            given = said.model_dump() if isinstance(said, BaseModel) else said
            try:
                value = schema.model_validate(given)
            except ValidationError as error:
                problem = f"the JSON does not fit the schema: {error.errors()[0]['msg']}"
                return Answer(str(given), problem=problem, prompt=_name(prompt), model=self.model(role), usage=usage)
            return Answer(value.model_dump_json(), value, None, _name(prompt), self.model(role), usage)

        return self._all(prompts, one, progress)

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        role: str,
        cycle: int,
        stop: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> list[Answer[BaseModel]]:
        def one(prompt: Prompt) -> Answer[BaseModel]:
            said, usage = self._said(role, cycle, "", prompt, self.roles[role])
            for end in stop:
                said = str(said).split(end)[0]
            return Answer(str(said), prompt=_name(prompt), model=self.model(role), usage=usage)

        return self._all(prompts, one, progress)

    def score_choices(
        self,
        prompts: Sequence[Prompt],
        choices: Sequence[str],
        *,
        role: str,
        cycle: int,
        progress: Progress | None = None,
    ) -> list[dict[str, float] | None]:
        def one(prompt: Prompt) -> dict[str, float] | None:
            if role not in self.rates:
                return None
            score_choices = self.rates[role]
            said, _ = self._said(
                role, cycle, "rate", prompt, lambda each: {choice: score_choices(each, choice) for choice in choices}
            )
            return dict(said)

        return self._all(prompts, one, progress)

    def spent(self, cycle: int | None = None) -> dict[str, float]:
        calls = sum(count for at, count in self._calls.items() if cycle in (None, at))
        return {"calls": calls, "input": 10.0 * calls, "output": 5.0 * calls, "cached": 0.0, "seconds": 0.0, "usd": 0.0}

    def close(self) -> None:
        self.closed = True

    def _all(self, prompts: Sequence[Prompt], one: Callable[[Prompt], Any], progress: Progress | None) -> list[Any]:
        answers = []
        for done, prompt in enumerate(prompts, 1):
            answers.append(one(prompt))
            if progress is not None:
                progress(done, len(prompts))
        return answers

    def _said(self, role: str, cycle: int, kind: str, prompt: Prompt, speak: Speak) -> tuple[Any, Usage]:
        key = (role, kind, Prompt(_frozen(prompt), prompt.sample))
        with self._lock:
            if key in self._known:
                return self._known[key], Usage()
        said = speak(prompt)
        if isinstance(said, Exception):
            raise said
        with self._lock:
            self.asked.append((role, prompt))
            self._calls[cycle] = self._calls.get(cycle, 0) + 1
            self._known[key] = said
        return said, Usage(10, 5)


def words(prompt: Prompt) -> str:
    """All that is said in a prompt, for scripts that look at it."""
    return prompt.body if isinstance(prompt.body, str) else "\n".join(message["content"] for message in prompt.body)


def _frozen(prompt: Prompt) -> str:
    return prompt.body if isinstance(prompt.body, str) else repr(prompt.body)


def _name(prompt: Prompt) -> str:
    return f"prompt-{abs(hash((_frozen(prompt), prompt.sample))):016x}"


class HashEmbedder:
    """Texts that share letters are near, whatever their punctuation: signed hashes of character trigrams, no model.

    What it encodes is listed in `encoded`.
    """

    def __init__(self, dim: int = 256, name: str = "hash"):
        self.dim = dim
        self.fingerprint = f"{name}@{dim}"
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            padded = " ".join(["", *re.findall(r"[^\W_]+", normalise(text)), ""])
            for i in range(len(padded) - 2):
                digest = hashlib.blake2b(padded[i : i + 3].encode("utf-8", "replace"), digest_size=4).digest()
                place = int.from_bytes(digest, "big")
                row[(place >> 1) % self.dim] += 1.0 if place & 1 else -1.0
            row[0] += not row.any()
            row /= np.linalg.norm(row)
        return vectors


class ListMemory:
    """`Memory` in dicts, for tests of what uses it."""

    def __init__(self, embedder: HashEmbedder | None = None, settings: MemorySettings | None = None):
        self.embedder = embedder or HashEmbedder()
        self.settings = settings or MemorySettings()
        self.kept: dict[str, tuple[Example, Status, str]] = {}
        self.held_out: dict[tuple[str, str], Example] = {}
        self.cases: dict[tuple[int, str], ErrorCase] = {}
        self.told: dict[str, Lesson] = {}
        self._vectors: dict[str, Vectors] = {}

    def remember(
        self,
        examples: Iterable[Example] = (),
        errors: Iterable[ErrorCase] = (),
        lessons: Iterable[Lesson] = (),
        status: Status = "kept",
        reason: str = "",
    ) -> None:
        examples, errors = list(examples), list(errors)
        if any(case.example.split in HELD_OUT for case in errors):
            raise ValueError("Errors on held-out examples may not be remembered.")
        self.held_out |= {(example.split, example.id): example for example in examples if example.split in HELD_OUT}
        held = {normalise(example.text) for example in self.held_out.values()}
        for example in examples:
            there = self.kept.get(example.id)
            if normalise(example.text) not in held and (there is None or there[0] != example):
                self.kept[example.id] = (example, status, reason)
        self.cases |= {(case.cycle, case.example.id): case for case in errors}
        self.kept = {i: row for i, row in self.kept.items() if normalise(row[0].text) not in held}
        self.cases = {i: case for i, case in self.cases.items() if normalise(case.example.text) not in held}
        self.told |= {lesson.id: lesson for lesson in lessons}

    def mark(self, ids: Sequence[str], status: Status, reason: str = "") -> None:
        for i in ids:
            if i in self.kept:
                self.kept[i] = (self.kept[i][0], status, reason)

    def samples(self, split: Split, status: Status = "kept") -> list[Example]:
        readable = split != "test" and status == "kept"
        found = [example for example in self.held_out.values() if example.split == split and readable]
        found += [example for example, its, _ in self.kept.values() if example.split == split and its == status]
        return sorted(found, key=lambda example: (example.origin.cycle, example.id))

    def get(self, ids: Sequence[str]) -> list[Example]:
        return [self.kept[i][0] for i in ids if i in self.kept]

    def reasons(self, status: Status) -> dict[str, str]:
        return {i: reason for i, (_, its, reason) in sorted(self.kept.items()) if its == status}

    def errors(self, cycle: int | None = None) -> list[ErrorCase]:
        return [case for (its, _), case in sorted(self.cases.items()) if cycle in (None, its)]

    def lessons(self) -> list[Lesson]:
        return sorted(self.told.values(), key=lambda lesson: (lesson.cycle, lesson.id))

    def similar(self, text: str, k: int) -> list[ErrorCase]:
        found = [(f"{cycle:06d}-{i}", case) for (cycle, i), case in self.cases.items()]
        if not found:
            return []
        cosines = self.embed([case.example.text for _, case in found]) @ self.embed([text])[0]
        ranked = sorted(zip(-cosines, found, strict=True), key=lambda pair: (pair[0], pair[1][0]))
        return [case for _, (_, case) in ranked[: max(k, 0)]]

    def novel(self, texts: Sequence[str]) -> list[str | None]:
        samples = [example.text for example, _, _ in self.kept.values()]
        held_out = [example.text for example in self.held_out.values()]
        reasons: list[str | None] = []
        for text in texts:
            reasons.append("held-out" if self._near(text, held_out) else None)
            if reasons[-1] is None and self._near(text, samples):
                reasons[-1] = "duplicate"
            if reasons[-1] is None:
                samples.append(text)
        return reasons

    def embed(self, texts: Sequence[str]) -> Vectors:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors |= dict(zip(new, self.embedder.encode(new), strict=True))
        return np.array([self._vectors[text] for text in texts], dtype=np.float32).reshape(-1, self.embedder.dim)

    def close(self) -> None:
        pass

    def _near(self, text: str, others: list[str]) -> bool:
        cosines = self.embed(others) @ self.embed([text])[0]
        alike = any(normalise(text) == normalise(other) for other in others)
        return alike or bool((cosines > self.settings.duplicate_cosine).any())
