"""What a LangSmith trace shows of the teacher, and what it must not: its keys, and what the user's patterns match."""

import os
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol
from uuid import UUID

from langchain_core.tracers.langchain import LangChainTracer
from langsmith import Client, configure
from langsmith.utils import tracing_is_enabled

from .base import Answer
from .feedback import Feedback, Judged
from .parallel import Item

REDACTED = "[redacted]"


class Redactor:
    """Replaces what its patterns match in every text of JSON-like data, names of fields included, at any depth.

    LangSmith's own `create_anonymizer` leaves names of fields and what lies deeper than ten levels as they are.
    """

    def __init__(self, patterns: Iterable[str], secrets: Iterable[str] = ()) -> None:
        """Compile the patterns; secrets are taken literally and go first."""
        literal = [re.escape(secret) for secret in secrets if secret]
        self._patterns = [re.compile(pattern) for pattern in (*literal, *patterns)]

    def __call__(self, data: Any) -> Any:
        """A copy of the data without what must not be shown."""
        if isinstance(data, str):
            for pattern in self._patterns:
                data = pattern.sub(REDACTED, data)
            return data
        if isinstance(data, dict):
            return {self(key): self(value) for key, value in data.items()}
        if isinstance(data, list | tuple):
            return [self(value) for value in data]
        return data


class RedactingClient(Client):
    """LangSmith's client, with everything redacted, and nothing sent twice.

    Its own `anonymizer` leaves out the options of a call and the tags. What a span was given is sent when it begins.
    LangChain sends it again when it ends, and half of a trace is prompts.
    """

    def __init__(self, redactor: Redactor) -> None:
        """Take address and key from the environment, as LangSmith does."""
        super().__init__(anonymizer=redactor)
        self._redactor = redactor

    def create_run(self, name: str, inputs: dict[str, Any], run_type: Any, **more: Any) -> None:
        """Begin a span."""
        super().create_run(self._redactor(name), inputs, run_type, **self._shown(more))

    def update_run(self, run_id: Any, **more: Any) -> None:
        """End a span."""
        more.pop("inputs", None)
        super().update_run(run_id, **self._shown(more))

    def _shown(self, more: dict[str, Any]) -> dict[str, Any]:
        """The fields that LangSmith does not pass to an anonymizer."""
        rest = ("name", "extra", "serialized", "tags", "events")
        return {key: self._redactor(value) if key in rest and value else value for key, value in more.items()}


def redact_traces(patterns: Iterable[str], secrets: Iterable[str]) -> None:
    """From now on, redact every trace this process sends; without tracing do nothing."""
    if tracing_is_enabled():
        configure(client=RedactingClient(Redactor(patterns, secrets)))


class Words(Protocol):
    """How the steps of a run are told in a trace (`graph.traces.StepWords`)."""

    def inputs(self, data: Any) -> Any:
        """What is shown in place of what a step was given."""

    def outputs(self, step: str, data: Any) -> Any:
        """What is shown in place of what it changed."""

    def judgements(self, data: Any) -> Sequence[tuple[str, str, float]]:
        """Step, what is judged, score: what the change says of the last time that those steps were done."""


class ReadableTracer(LangChainTracer):
    """LangChain's tracer, with steps and calls in words, and feedback on the steps of a finished cycle.

    A prompt stands in the span of its call. One that was answered from the cache made no call, and has it beside the
    answer.
    """

    def __init__(self, words: Words, **more: Any) -> None:
        """Take the words of the steps; the rest is LangChain's."""
        super().__init__(**more)
        self._words = words
        self._last: dict[str, Any] = {}
        is_sent = os.environ.get("LANGSMITH_TRACING_MODE") != "otel"  # OpenTelemetry knows no feedback
        self._feedback = Feedback(self.client) if is_sent else None
        self._asked: dict[UUID, Item] = {}

    def copy_with_metadata_defaults(self, **defaults: Any) -> "ReadableTracer":
        """A tracer with more tags and metadata that knows the same spans."""
        base = LangChainTracer(
            project_name=self.project_name, client=self.client, tags=self.tags, metadata=self.tracing_metadata
        ).copy_with_metadata_defaults(**defaults)
        copy = ReadableTracer(
            self._words,
            client=self.client,
            project_name=self.project_name,
            tags=base.tags,
            metadata=base.tracing_metadata,
            run_map=self.run_map,
            order_map=self.order_map,
            _external_run_ids=self._external_run_ids,
        )
        copy._last, copy._asked, copy._feedback = self._last, self._asked, self._feedback
        return copy

    def on_chain_start(self, serialized: dict[str, Any], inputs: Any, *, run_id: UUID, **more: Any) -> Any:
        """Begin the span of a step or of one question to the teacher."""
        if isinstance(inputs, Item):
            self._asked[run_id] = inputs
            shown = {"prompt": inputs.request.prompt, "sample": inputs.request.sample}
            return super().on_chain_start(serialized, shown, run_id=run_id, **more)
        span = super().on_chain_start(serialized, self._words.inputs(inputs), run_id=run_id, **more)
        self._last[span.name] = span
        return span

    def on_chain_end(self, outputs: Any, *, run_id: UUID, inputs: Any = None, **more: Any) -> Any:
        """End it, and judge the steps before it where it ended a cycle."""
        asked, span = self._asked.pop(run_id, None), self.run_map.get(str(run_id))
        if isinstance(outputs, Answer):
            shown = _describe_answer(outputs, asked)
        else:
            shown = self._words.outputs(span.name if span else "", outputs)
        for step, key, score in self._words.judgements(outputs):
            if self._feedback and (judged := self._last.get(step)):
                place = (judged.id, judged.trace_id, judged.start_time, judged.session_name)
                self._feedback.send(Judged(*place, key, score))
        return super().on_chain_end(shown, run_id=run_id, **more)

    def wait(self, seconds: float) -> None:
        """Wait until the feedback is sent, for at most `seconds`."""
        if self._feedback:
            self._feedback.wait(seconds)


def _describe_answer(answer: Answer[Any], asked: Item | None) -> dict[str, Any]:
    said: dict[str, Any] = {"answer": answer.value or answer.text}
    if answer.problem:
        said["not usable"] = answer.problem
    if asked is not None and not answer.usage.input and not answer.usage.output:
        said |= {"from": "the cache", "prompt": asked.prompt.body}
    return said
