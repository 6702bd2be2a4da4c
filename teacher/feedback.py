"""Feedback on spans of a LangSmith trace, sent beside the run: a server that is slow or down must not hold it up."""

import logging
import queue
import threading
import time
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from langsmith import Client

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Judged:
    """One score for one span."""

    span: UUID
    trace: UUID
    began: datetime
    project: str
    key: str
    score: float


class Feedback:
    """Sends scores in the order in which they come, from a thread of its own."""

    def __init__(self, client: Client) -> None:
        """Begin nothing before there is something to send."""
        self._client = client
        self._waiting: queue.Queue[Judged] = queue.Queue()
        self._projects: dict[str, UUID] = {}

    def send(self, judged: Judged) -> None:
        """Queue a score."""
        self._waiting.put(judged)
        self._thread  # noqa: B018 - starts with the first score

    def wait(self, seconds: float) -> None:
        """Wait until all is sent, for at most `seconds`."""
        end = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks and (left := end - time.monotonic()) > 0:
                self._waiting.all_tasks_done.wait(left)

    @cached_property
    def _thread(self) -> threading.Thread:
        thread = threading.Thread(target=self._work, name="feedback", daemon=True)
        thread.start()
        return thread

    def _work(self) -> None:
        is_taken = True
        while True:
            judged = self._waiting.get()
            try:
                if is_taken:
                    self._create(judged)
            except Exception as error:  # whatever LangSmith raises: the run goes on without, and says so once
                is_taken = False
                LOG.warning("LangSmith takes no feedback on this run's trace: %s", " ".join(str(error).split()))
            finally:
                self._waiting.task_done()

    def _create(self, judged: Judged) -> None:
        project = self._projects.get(judged.project)
        if project is None:
            project = self._projects[judged.project] = self._client.read_project(project_name=judged.project).id
        self._client.create_feedback(
            run_id=judged.span,
            trace_id=judged.trace,
            session_id=project,
            start_time=judged.began,
            key=judged.key,
            score=judged.score,
        )
