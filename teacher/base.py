"""What an agent may ask of a teacher.

An agent builds prompts, names a pydantic schema and gets one `Answer` per prompt, in order. It never sees a client, a
retry, a cache or a key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypedDict, TypeVar

from pydantic import BaseModel

from ..tasks.errors import EvoKDError

T = TypeVar("T", bound=BaseModel)

Prompting = Literal["instruct", "completion"]
"""`instruct`: instructions and JSON answers. `completion`: a small or base model that continues a text."""

Progress = Callable[[int, int], None]
"""Called with (done, total) after each finished prompt, from any thread."""


class TeacherDown(EvoKDError):
    """The server cannot be reached, refuses the key or the account; no further call would do better.

    Examples:
        >>> issubclass(evokd.TeacherDown, evokd.EvoKDError)
        True
    """


class Message(TypedDict):
    """One turn of a chat.

    Examples:
        >>> evokd.Message(role="user", content="Which of these read like real texts?")["role"]
        'user'
    """

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Prompt:
    """One request: a chat, or a text to continue (`body` is a string).

    Examples:
        >>> chat = evokd.Prompt((evokd.Message(role="user", content="Write a text."),))
        >>> chat.sample, evokd.Prompt("Once upon a").body
        (0, 'Once upon a')
    """

    body: tuple[Message, ...] | str
    sample: int = 0
    """Which of several answers to the same body is wanted; part of the cache key and of the request's seed."""
    lesson: str | None = None
    """For the ledger and the trace only; never sent."""
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)
    """What is asked, as data (`agents.prompting.About` for our roles): for traces, and for teachers that are no
    language model. JSON-like. It is no part of the request or its cache key, and no server is told."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one answer as the server counted them; all zero when it came from the cache.

    Examples:
        >>> evokd.Usage(input=120, output=8).cached_input
        0
    """

    input: int = 0
    output: int = 0
    cached_input: int = 0


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What came back for one prompt. Exactly one of `value` and `problem` is set when a schema was asked for.

    Examples:
        >>> from evokd.testing import ScriptedTeacher
        >>> teacher = ScriptedTeacher({"critic": lambda prompt: "It reads well."})
        >>> [answer] = teacher.complete([evokd.Prompt("Is it natural?")], role="critic", cycle=1)
        >>> answer.text, answer.usage.output, answer.problem
        ('It reads well.', 5, None)
    """

    text: str
    value: T | None = None
    problem: str | None = None
    """Why there is no value, after one repair turn: a sentence for the quarantine and the report."""
    prompt: str = ""
    """Hash of the request."""
    model: str = ""
    usage: Usage = field(default_factory=Usage)


class Teacher(Protocol):
    """The LLM of a run, all roles together (each role may have its own model).

    Examples:
        >>> from pydantic import BaseModel
        >>> from evokd.testing import ScriptedTeacher
        >>> class Verdict(BaseModel):
        ...     natural: bool
        >>> teacher: evokd.Teacher = ScriptedTeacher({"critic": lambda prompt: {"natural": True}})
        >>> question = evokd.Prompt((evokd.Message(role="user", content="Is it natural?"),))
        >>> [answer] = teacher.ask([question], Verdict, role="critic", cycle=1)
        >>> answer.value, teacher.spent(cycle=1)["calls"]
        (Verdict(natural=True), 1)
    """

    def prompting(self, role: str) -> Prompting:
        """How this role's model wants to be asked."""

    def model(self, role: str) -> str:
        """Name of this role's model."""

    def ask(
        self, prompts: Sequence[Prompt], schema: type[T], *, role: str, cycle: int, progress: Progress | None = None
    ) -> list[Answer[T]]:
        """One validated answer per prompt, in order; many are in flight at once.

        Raises:
            BudgetExhausted: before the first call that would pass a limit; finished answers stay in the cache.
            TeacherDown: the server cannot be reached or refuses the key.
        """

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        role: str,
        cycle: int,
        stop: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> list[Answer[BaseModel]]:
        """One free text per prompt (`Answer.text`), for `completion` models."""

    def score_choices(
        self,
        prompts: Sequence[Prompt],
        choices: Sequence[str],
        *,
        role: str,
        cycle: int,
        progress: Progress | None = None,
    ) -> list[dict[str, float] | None]:
        """Log-probability of each choice as the continuation of each text; None where the server gave none."""

    def spent(self, cycle: int | None = None) -> dict[str, float]:
        """Calls, input, output and cached tokens, usd and seconds so far, or of one cycle.

        `tokens` are those of all answers, as if none had come from a cache.
        """

    def close(self) -> None:
        """Stop what was started (the embedded server); safe to call twice."""
