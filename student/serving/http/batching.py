"""Many requests at once, one student: what waits is read together."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ....tasks.base import Prediction
from .metrics import Metrics
from .problems import Problem

BATCH = 64
"""Most texts that the student reads at once, unless one request has more."""

Predict = Callable[[Sequence[str]], list[Prediction]]

log = logging.getLogger("evokd.serve")


@dataclass(frozen=True)
class _Job:
    texts: Sequence[str]
    answer: asyncio.Future[list[Prediction]]


class Batcher:
    """Asks the student in one thread of its own, for all requests that are waiting when it is free.

    Nobody waits for a batch to fill: while the student reads, the next batch gathers by itself.
    """

    def __init__(self, predict: Predict, most_waiting: int, metrics: Metrics):
        """Wrap what labels texts; `run` must be at work for anything to be answered."""
        self._predict = predict
        self._most = most_waiting
        self._metrics = metrics
        self._thread = ThreadPoolExecutor(1, "student")
        self._jobs: deque[_Job] = deque()
        self._there = asyncio.Event()
        self._waiting = 0
        self.failed = False
        """Whether the last batch ended in an error."""

    async def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Predictions for the texts of one request, in order.

        Raises:
            Problem: too many texts are waiting (429), or the student cannot read these (424).
        """
        if self._waiting + len(texts) > self._most:
            raise Problem(429, "overloaded", f"the server is busy: {self._waiting} texts are waiting. Try again later.")
        job = _Job(texts, asyncio.get_running_loop().create_future())
        self._count(len(texts))
        self._jobs.append(job)
        self._there.set()
        return await job.answer

    async def run(self) -> None:
        """Answer until cancelled."""
        try:
            while True:
                await self._there.wait()
                await self._answer(self._take())
                if not self._jobs:
                    self._there.clear()
        finally:
            self._thread.shutdown(wait=False)

    def _take(self) -> list[_Job]:
        """What is read next. Those whose client has gone are left out: it may be asking again already."""
        taken: list[_Job] = []
        size = 0
        while self._jobs and (not taken or size + len(self._jobs[0].texts) <= BATCH):
            job = self._jobs.popleft()
            if job.answer.cancelled():
                self._count(-len(job.texts))
            else:
                taken.append(job)
                size += len(job.texts)
        return taken

    async def _answer(self, jobs: list[_Job]) -> None:
        """Answer each job; where the student fails, each alone, so that one request cannot fail the others."""
        if not jobs:
            return
        try:
            found = iter(await self._ask([text for job in jobs for text in job.texts]))
        except Exception as error:
            if len(jobs) > 1:
                for job in jobs:
                    await self._answer([job])
                return
            self.failed = True
            log.exception("The student failed on a request with %d texts.", len(jobs[0].texts))
            self._finish(jobs[0], Problem(424, "backend", f"the student failed ({type(error).__name__})."))
            return
        self.failed = False
        for job in jobs:
            self._finish(job, [next(found) for _ in job.texts])

    async def _ask(self, texts: list[str]) -> list[Prediction]:
        began = time.perf_counter()
        found = await asyncio.get_running_loop().run_in_executor(self._thread, self._predict, texts)
        if len(found) != len(texts):
            raise ValueError(f"the student gave {len(found)} predictions for {len(texts)} texts")
        self._metrics.batch_seconds.observe(time.perf_counter() - began)
        self._metrics.batch_texts.observe(len(texts))
        return found

    def _finish(self, job: _Job, outcome: list[Prediction] | Problem) -> None:
        self._count(-len(job.texts))
        if job.answer.cancelled():
            return
        if isinstance(outcome, Problem):
            job.answer.set_exception(outcome)
        else:
            self._metrics.texts.inc(len(outcome))
            job.answer.set_result(outcome)

    def _count(self, texts: int) -> None:
        self._waiting += texts
        self._metrics.waiting.set(self._waiting)
