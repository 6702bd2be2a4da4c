"""What a LangSmith trace must not show: the keys of the teacher, and what the user's patterns match."""

import re
from collections.abc import Iterable
from typing import Any

from langsmith import Client, configure
from langsmith.utils import tracing_is_enabled

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
    """LangSmith's client, with everything redacted: its `anonymizer` leaves out the options of a call and the tags."""

    def __init__(self, redactor: Redactor) -> None:
        """Take address and key from the environment, as LangSmith does."""
        super().__init__(anonymizer=redactor)
        self._redactor = redactor

    def create_run(self, name: str, inputs: dict[str, Any], run_type: Any, **more: Any) -> None:
        """Begin a span."""
        super().create_run(self._redactor(name), inputs, run_type, **self._shown(more))

    def update_run(self, run_id: Any, **more: Any) -> None:
        """End a span."""
        super().update_run(run_id, **self._shown(more))

    def _shown(self, more: dict[str, Any]) -> dict[str, Any]:
        """The fields that LangSmith does not pass to an anonymizer."""
        rest = ("name", "extra", "serialized", "tags", "events")
        return {key: self._redactor(value) if key in rest and value else value for key, value in more.items()}


def redact_traces(patterns: Iterable[str], secrets: Iterable[str]) -> None:
    """From now on, redact every trace this process sends; without tracing do nothing."""
    if tracing_is_enabled():
        configure(client=RedactingClient(Redactor(patterns, secrets)))
