"""Many prompts at once: each distinct request is asked once, and the first error that concerns all stops the rest."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from langchain_core.runnables import RunnableConfig, RunnableLambda

from ..tasks.errors import BudgetExhausted
from .base import Progress, Prompt
from .transport.request import Request

R = TypeVar("R")


@dataclass(frozen=True)
class Item:
    """One distinct request, and the places among the prompts that its answer goes to."""

    prompt: Prompt
    request: Request
    places: tuple[int, ...]


@dataclass(frozen=True)
class Round:
    """What all requests of one call have in common; the trace shows it."""

    run: str
    role: str
    cycle: int
    concurrency: int
    progress: Progress | None = None

    def answer(
        self,
        prompts: Sequence[Prompt],
        request: Callable[[Prompt], Request],
        one: Callable[[Item, RunnableConfig], R],
        outlook: Callable[[int, str], str],
    ) -> list[R]:
        """Answer every prompt, in order.

        Args:
            prompts: What is asked.
            request: Makes the call of a prompt; prompts with equal ones share an answer.
            one: Gets the answer.
            outlook: Says what is left where the budget ends, given the number of prompts and the role.

        LangChain's own `batch` runs the workers: threads of one's own would cut the trace into pieces.

        Raises:
            Exception: the first that a worker raised, after those in flight have finished.
        """
        items = distinct(prompts, request)
        if not items:
            return []
        halt: list[Exception] = []
        done = _Counter(len(prompts), self.progress)

        def work(item: Item, config: RunnableConfig) -> R | None:
            if halt:
                return None
            try:
                answer = one(item, config)
                done.add(len(item.places))
            except Exception as error:
                halt.append(error)
                raise
            return answer

        configs = [self._config(item) for item in items]
        answers = RunnableLambda(work).batch(items, config=configs, return_exceptions=True)
        if halt and isinstance(halt[0], BudgetExhausted):
            raise BudgetExhausted(f"{halt[0]} {outlook(done.left, self.role)}")
        if halt:
            raise halt[0]
        placed = {place: answer for item, answer in zip(items, answers, strict=True) for place in item.places}
        return [placed[place] for place in range(len(prompts))]  # type: ignore[misc]

    def _config(self, item: Item) -> RunnableConfig:
        short = {name: value for name, value in item.prompt.about.items() if isinstance(value, str | int)}
        metadata = {**short, "run": self.run, "prompt": item.request.prompt, "sample": item.request.sample}
        if item.prompt.lesson is not None:
            metadata["lesson"] = item.prompt.lesson
        return RunnableConfig(
            run_name=self.role,
            tags=[self.role, f"cycle-{self.cycle}"],
            metadata=metadata,
            max_concurrency=self.concurrency,
        )


class _Counter:
    """Counts finished prompts in order, from any thread."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress, self._lock = 0, total, progress, threading.Lock()

    @property
    def left(self) -> int:
        with self._lock:
            return self._total - self._done

    def add(self, count: int) -> None:
        with self._lock:
            self._done += count
            if self._progress is not None:
                self._progress(self._done, self._total)


def distinct(prompts: Sequence[Prompt], request: Callable[[Prompt], Request]) -> list[Item]:
    """Prompts with the same request share an item."""
    items: dict[str, Item] = {}
    for place, prompt in enumerate(prompts):
        asked = request(prompt)
        known = items.get(asked.key)
        items[asked.key] = Item(prompt, asked, (*(known.places if known else ()), place))
    return list(items.values())
