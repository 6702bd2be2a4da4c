"""A teacher of one's own as a chat model of LangChain's, so that it is asked, repeated and traced as all others are."""

import inspect
import logging
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from ...tasks.errors import ConfigError
from ..base import Message, Usage
from ..custom import CustomTeacher
from ..endpoint import Endpoint
from .error_classification import CallError, told_by
from .request import Reply

log = logging.getLogger(__name__)


class CustomModel(BaseChatModel):
    """Asks a `CustomTeacher`."""

    teacher: Any
    """A `CustomTeacher`; pydantic need not look into it."""
    name_of_model: str
    api_key: SecretStr | None

    @classmethod
    def of(cls, kind: type[CustomTeacher], endpoint: Endpoint) -> "CustomModel":
        """Build the user's class with the settings of its endpoint.

        Raises:
            ConfigError: it cannot be built with them, or there is no key where one was named.
        """
        where = f"teacher.kind = {endpoint.kind!r}"
        if endpoint.prompting == "completion":
            raise ConfigError(f"{where} answers chats and does not continue texts: leave prompting = 'completion' out.")
        try:
            teacher = kind(endpoint, **endpoint.settings)
        except TypeError as error:
            raise ConfigError(
                f"{where} cannot be built ({error}). Its settings stand in [teacher.settings]."
            ) from error
        if not hasattr(teacher, "endpoint"):
            raise ConfigError(f"{where}: its __init__ must call super().__init__(endpoint).")
        key = SecretStr(teacher.key) if teacher.key else None
        return cls(teacher=teacher, name_of_model=endpoint.model, api_key=key, cache=False, disable_streaming=True)

    @property
    def _llm_type(self) -> str:
        return "custom"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model_name": self.name_of_model}

    def with_structured_output(self, schema: Any, **options: Any) -> Runnable[Any, Any]:
        """The model with a schema, for a teacher that keeps to it.

        Raises:
            NotImplementedError: it does not.
        """
        if not self.teacher.takes_schema:
            raise NotImplementedError
        return self.bind(schema=schema)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        schema: dict[str, Any] | None = None,
        **more: Any,
    ) -> ChatResult:
        turns = cast(Sequence[Message], convert_to_openai_messages(messages))
        try:
            said = self.teacher.answer(turns, schema)
        except Exception as error:  # it may be any: the code is the user's
            raise _explained(error, type(self.teacher)) from error
        message = _message(said, self.teacher)
        return ChatResult(generations=[ChatGeneration(message=message)])


def _explained(error: Exception, kind: type) -> CallError:
    """What the error of a user's own code says: as that of any package, or else what it is and where it was raised."""
    known = error if isinstance(error, CallError) else told_by(error)
    if known.what != "other" or known is error:
        return known
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == inspect.getsourcefile(kind)]
    at = (own or frames)[-1]
    log.debug("%s.answer failed", kind.__name__, exc_info=error)
    return CallError(f"{type(error).__name__}: {error} ({Path(at.filename).name}, line {at.lineno})")


def _message(said: object, teacher: CustomTeacher) -> AIMessage:
    reply = Reply(said) if isinstance(said, str) else said
    if not isinstance(reply, Reply):
        if inspect.iscoroutine(said):
            said.close()
        raise CallError(f"{type(teacher).__name__}.answer returned a {type(said).__name__}, not a str or a Reply")
    meta = {"finish_reason": reply.finish_reason} if reply.finish_reason else {}
    more = {"refusal": reply.refusal} if reply.refusal else {}
    return AIMessage(reply.text, response_metadata=meta, additional_kwargs=more, usage_metadata=_metadata(reply.usage))


def _metadata(usage: Usage) -> UsageMetadata | None:
    if usage == Usage():
        return None
    total = usage.input + usage.output
    return UsageMetadata(
        input_tokens=usage.input,
        output_tokens=usage.output,
        total_tokens=total,
        input_token_details={"cache_read": usage.cached_input},
    )
