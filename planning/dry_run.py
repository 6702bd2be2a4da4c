"""A teacher that is never asked: it keeps the prompts that agents would send and answers with stand-ins.

So that a plan shows what a run really sends, the run's own agents are dry run. What depends on answers nobody has
given is filled with words of the user's own texts, of the lengths that real ones would have.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..agents.base import Draft
from ..agents.generator.lengths import tokens_of
from ..agents.generator.taxonomy import ClassSubtypes, Subtype
from ..tasks.base import Example
from ..tasks.task import Task
from ..teacher.base import Answer, Progress, Prompt, Prompting
from ..teacher.endpoint import Endpoint

T = TypeVar("T", bound=BaseModel)

MOST = 200
"""Items in a stand-in list; agents take as many as they asked for."""


@dataclass(frozen=True)
class Asked:
    """One call that would be made."""

    role: str
    cycle: int
    prompt: Prompt
    schema: type[BaseModel] | None
    """None for a text that is only to be continued."""

    @property
    def title(self) -> str:
        """Who asks for what."""
        return f"{self.role}, cycle {self.cycle}: {self.schema.__name__ if self.schema else 'a text to go on with'}"

    @property
    def text(self) -> str:
        """All that would be sent, one turn after the other."""
        body = self.prompt.body
        return body if isinstance(body, str) else "\n\n".join(f"{m['role']}:\n{m['content']}" for m in body)


class DryRun:
    """Implements `Teacher`."""

    def __init__(self, endpoints: dict[str, Endpoint], default: Endpoint, task: Task, own: Sequence[Example]) -> None:
        """Make stand-ins from the user's own examples `own`; `endpoints` are those of roles that differ."""
        self.asked: list[Asked] = []
        self._endpoints = endpoints
        self._default = default
        self._task = task
        words = [example.text.split() for example in own]
        self._lengths = [len(each) for each in words]
        self._words = sorted({word for each in words for word in each})
        self._dice = random.Random(0)

    def prompting(self, role: str) -> Prompting:
        """As the config has it."""
        return self._endpoint(role).prompting

    def model(self, role: str) -> str:
        """As the config has it."""
        return self._endpoint(role).model or self._endpoint(role).kind

    def ask(
        self, prompts: Sequence[Prompt], schema: type[T], *, role: str, cycle: int, progress: Progress | None = None
    ) -> list[Answer[T]]:
        """Keep the prompts; a stand-in for each, or a problem where the form is not one of ours."""
        self.asked += [Asked(role, cycle, prompt, schema) for prompt in prompts]
        if "classes" in schema.model_fields:  # names every class each time: once is enough, and of many classes dear
            return [self._answer(schema)] * len(prompts)
        return [self._answer(schema) for _ in prompts]

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        role: str,
        cycle: int,
        stop: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> list[Answer[BaseModel]]:
        """Keep the prompts; a few words for each, from the annotator a label."""
        self.asked += [Asked(role, cycle, prompt, None) for prompt in prompts]
        if role == "annotator":
            return [Answer(self._said()) for _ in prompts]
        return [Answer(next(self._texts())) for _ in prompts]

    def score_choices(
        self,
        prompts: Sequence[Prompt],
        choices: Sequence[str],
        *,
        role: str,
        cycle: int,
        progress: Progress | None = None,
    ) -> list[dict[str, float] | None]:
        """Keep the prompts; the first choice for each."""
        self.asked += [Asked(role, cycle, prompt, None) for prompt in prompts]
        return [dict.fromkeys(choices, -9.0) | {choices[0]: -0.1} for _ in prompts]

    def spent(self, cycle: int | None = None) -> dict[str, float]:
        """Nothing."""
        return {"calls": 0, "input": 0, "output": 0, "cached": 0, "usd": 0.0, "seconds": 0.0, "tokens": 0}

    def close(self) -> None:
        """Nothing to release."""

    def _endpoint(self, role: str) -> Endpoint:
        return self._endpoints.get(role, self._default)

    def _answer(self, schema: type[T]) -> Answer[T]:
        try:
            value = schema.model_validate(self._fields(set(schema.model_fields)))
        except ValidationError:
            return Answer("", problem="nobody was asked: this is a plan")
        return Answer(value.model_dump_json(), value)

    def _fields(self, names: set[str]) -> dict[str, Any]:
        """Stand-ins for the forms that our agents ask for."""
        listed = {"hard", "typical", "probe", "texts"} & names
        if "lessons" in names:
            lesson = {"pattern": "a pattern", "advice": "what to write", "cases": [1]}
            probe = {"name": "a shape", "shape": "a shape", "advice": "what to write"}
            return {"lessons": [{"name": f"lesson {n}", **lesson} for n in range(MOST)], "probe": probe}
        if "classes" in names:
            subtypes = tuple(Subtype(name=f"subtype {n}", topics=("a topic", "another")) for n in range(8))
            target_classes = self._task.target_classes([])
            return {
                "classes": [
                    ClassSubtypes(label=target_class, subtypes=list(subtypes)).model_dump()
                    for target_class in target_classes
                ]
            }
        if "labels" in names:
            return {"labels": [{"id": n, "label": self._said()} for n in range(1, MOST + 1)]}
        texts, said = self._texts(), self._said()
        return {name: [{"text": next(texts), "label": said} for _ in range(MOST)] for name in listed}

    def _said(self) -> str:
        """A label."""
        return self._task.say("", self._task.stand_in(None))

    def _texts(self) -> Iterator[str]:
        while True:
            length = self._dice.choice(self._lengths)
            yield " ".join(self._dice.choices(self._words, k=max(3, length)))


def answer_tokens(drafts: Sequence[Draft], task: Task, votes: int) -> tuple[int, int]:
    """Tokens that writing the drafts, and labelling them so many times, would take: (written, labelled).

    Nobody writes the texts of the pool.
    """
    written = sum(tokens_of(draft.text) + 8 for draft in drafts if draft.source != "pool")
    label = tokens_of(task.say("", task.stand_in(None))) + 10
    return written, votes * label * len(drafts)
