"""What a teacher of one's own inherits from: one method, from messages to a text; EvoKD does the rest."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from .base import Message
from .endpoint import Endpoint
from .transport.keys import key_in
from .transport.request import Reply


class CustomTeacher(ABC):
    """A model that no setting reaches: a library of your own, a queue, a person.

    Inherit, write `answer`, and name the class in `[teacher] kind = "module:Class"`. Answers are checked and repaired
    once; cache, budget, ledger, transcripts, repetitions, concurrency, rate limits and traces are those of every
    teacher.

        class Shouting(CustomTeacher):
            def answer(self, messages, schema):
                return my_model(messages[-1]["content"]).upper()
    """

    takes_schema: ClassVar[bool] = False
    """Whether `answer` keeps to the JSON schema it is given. If not, the last message asks for the form in words."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Keep the settings of `[teacher]`; a class with settings of its own takes them as keyword arguments too.

        Args:
            endpoint: Model, temperature, `max_tokens` and so on, as the config has them; None where it does not say.

        Raises:
            ConfigError: `api_key_env` names a variable that holds no key.
        """
        self.endpoint = endpoint
        named = endpoint.api_key_env not in ("", "none")
        self.key = key_in(endpoint.api_key_env, "or leave api_key_env out") if named else ""
        """What `api_key_env` names, else empty. It is kept out of answers, errors and traces."""

    @abstractmethod
    def answer(self, messages: Sequence[Message], schema: dict[str, Any] | None) -> str | Reply:
        """Answer a chat. Called from `teacher.concurrency` threads at once: set it to 1 for what takes only one.

        Args:
            messages: The turns, oldest first.
            schema: The JSON schema that the answer should fit; None where any text will do.

        Returns:
            The text, or a `Reply` that also says how many tokens it took (`usage`) and how it ended. Tokens that are
            not told are estimated at four characters each.

        Raises:
            Exception: any; one with a `status_code`, or named as time-outs and lost connections are, is understood as
                that of a server, and the call is made again where that can help.
        """

    def close(self) -> None:  # noqa: B027 - most have nothing to release
        """Release what was opened; called once, at the end of the run."""
