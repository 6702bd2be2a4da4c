"""What the parts of this folder need of whoever answers: an OpenAI-compatible server, or a provider of LangChain's."""

from typing import Any, Protocol

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from ..endpoint import Endpoint
from ..structured import Mode
from .request import Reply, Request


class Connection(Protocol):
    """How one endpoint is reached; shared by all threads."""

    endpoint: Endpoint
    model: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be shown nowhere."""

    @property
    def mode(self) -> Mode:
        """How much of a schema it understands, the least of all forms that were asked for."""

    def sampling(self, path: str) -> dict[str, Any]:
        """How answers are drawn, as fields of the request body."""

    def send(self, request: Request, config: RunnableConfig, schema: type[BaseModel] | None = None) -> Reply:
        """Make one call.

        Raises:
            TeacherDown: no other call would do better.
            CallFailed: this call alone failed.
        """

    def spell_out(self, schema: type[BaseModel]) -> None:
        """Give a form in words too from now on: answers do not fit it, and do once it has been given in words."""

    def lost(self) -> int:
        """Tries of this thread, since this was last asked, whose answers could not be read: they may be billed."""

    def close(self) -> None:
        """Close the connections; safe to call twice."""
