"""The teacher of a run: prompts in, checked answers out, many at once, through LangChain so that traces nest."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from langchain_core.runnables import RunnableConfig
from pydantic import BaseModel

from ..tasks.errors import StepError
from .base import Answer, Message, Progress, Prompt, Prompting, Usage
from .calls import Calls, Purpose
from .logprobs import scoring as rating
from .logprobs.next_tokens import NextTokens
from .parallel import Item, Round
from .routing import Routing
from .structured import Mode, Parsed, instruction, parse, response_format
from .transport.connection import Connection
from .transport.errors import CallFailed
from .transport.request import Path, Reply, Request

T = TypeVar("T", bound=BaseModel)

BAD_STREAK = 20
"""Bad answers in a row after which the run stops: the prompt or the model does not work at all."""

QUOTED = 4000
"""Characters of a bad answer that are sent back for repair."""


class ChatTeacher:
    """Implements `Teacher` over one or several endpoints. Build it with `teacher.factory.open_teacher`."""

    def __init__(self, roles: Routing, calls: Calls, run: str, seed: int) -> None:
        """Hold the parts; nothing is started before the first call.

        Args:
            roles: Whom to ask.
            calls: Cache, budget and ledger.
            run: Name of the run, for the trace.
            seed: Of the run; another seed gets other answers.
        """
        self._roles = roles
        self._calls = calls
        self._run = run
        self._seed = seed
        self._lock = threading.Lock()
        self._bad: deque[str] = deque(maxlen=BAD_STREAK)
        self._limits: dict[str, dict[Path, int]] = {}
        self._kept_forms: set[str] = set()

    def prompting(self, role: str) -> Prompting:
        """How this role's model wants to be asked."""
        return self._roles.client(role).endpoint.prompting

    def model(self, role: str) -> str:
        """Name of this role's model."""
        return self._roles.client(role).model

    def mode(self, role: str) -> Mode:
        """How much of a schema this role's server understands: `json_schema`, `json_object`, or `none`."""
        return self._roles.client(role).mode

    def ask(
        self, prompts: Sequence[Prompt], schema: type[T], *, role: str, cycle: int, progress: Progress | None = None
    ) -> list[Answer[T]]:
        """One validated answer per prompt, in order, after at most one repair turn.

        Raises:
            BudgetExhausted: before the first call that would pass a limit; finished answers stay in the cache.
            TeacherDown: the server cannot be reached or refuses the key.
            StepError: `BAD_STREAK` bad answers in a row.
        """
        client = self._roles.client(role)

        def request(prompt: Prompt) -> Request:
            body = {**_chat(prompt), **client.sampling("/chat/completions"), "response_format": response_format(schema)}
            return self._request(client, "/chat/completions", body, prompt)

        def one(item: Item, config: RunnableConfig) -> Answer[T]:
            return self._asked(client, item, schema, Purpose(role, cycle, item.prompt.lesson), config)

        return self._round(role, cycle, progress).answer(prompts, request, one, self._calls.budget.outlook)

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        role: str,
        cycle: int,
        stop: Sequence[str] = (),
        progress: Progress | None = None,
    ) -> list[Answer[BaseModel]]:
        """One free text per prompt: a text is continued, a chat is answered. Raises as `ask` does."""
        client = self._roles.client(role)

        def request(prompt: Prompt) -> Request:
            path: Path = "/completions" if isinstance(prompt.body, str) else "/chat/completions"
            asked = {"prompt": prompt.body} if isinstance(prompt.body, str) else _chat(prompt)
            more = {"stop": list(stop)} if stop else {}
            return self._request(client, path, {**asked, **client.sampling(path), **more}, prompt)

        def one(item: Item, config: RunnableConfig) -> Answer[BaseModel]:
            try:
                purpose = Purpose(role, cycle, item.prompt.lesson)
                reply, _, kept = self._calls.make(client, item.request, purpose, config, _any_text)
            except CallFailed as error:
                self._judge(str(error), "", False)
                return Answer("", problem=str(error), prompt=item.request.prompt, model=client.model)
            self._judge(None, reply.text, kept)
            return Answer(
                reply.text, prompt=item.request.prompt, model=client.model, usage=Usage() if kept else reply.usage
            )

        return self._round(role, cycle, progress).answer(prompts, request, one, self._calls.budget.outlook)

    def score_choices(
        self,
        prompts: Sequence[Prompt],
        choices: Sequence[str],
        *,
        role: str,
        cycle: int,
        progress: Progress | None = None,
    ) -> list[dict[str, float] | None]:
        """Log-probability of each choice as the continuation of each text, or as the answer to each chat.

        A prompt is None where the server does not list what is needed. Raises as `ask` does.
        """
        client = self._roles.client(role)

        def make(path: Path, body: dict[str, Any], prompt: Prompt, wanted: tuple[str, ...]) -> Request:
            return self._request(client, path, body, prompt, wanted)

        next_tokens = NextTokens(self._calls, client, make, self._judge, self._limits.setdefault(client.model, {}))

        def one(item: Item, config: RunnableConfig) -> dict[str, float] | None:
            purpose = Purpose(role, cycle, item.prompt.lesson)
            return rating.score_choices(choices, next_tokens.listing(item.prompt, purpose, config))

        return self._round(role, cycle, progress).answer(prompts, next_tokens.first, one, self._calls.budget.outlook)

    def spent(self, cycle: int | None = None) -> dict[str, float]:
        """As the ledger has it; `usd` only where every price is known."""
        return self._calls.ledger.spent(cycle)

    def close(self) -> None:
        """Stop what was started; safe to call twice."""
        self._roles.close()
        self._calls.close()

    def _round(self, role: str, cycle: int, progress: Progress | None) -> Round:
        return Round(self._run, role, cycle, self._roles.settings.concurrency, progress)

    def _request(
        self, client: Connection, path: Path, body: dict[str, Any], prompt: Prompt, wanted: tuple[str, ...] = ()
    ) -> Request:
        return Request(path, {"model": client.model, **body}, prompt.sample, self._seed, wanted, prompt.about)

    def _asked(
        self, client: Connection, item: Item, schema: type[T], purpose: Purpose, config: RunnableConfig
    ) -> Answer[T]:
        """One prompt: the call and, if its answer does not fit, one repair turn in the same conversation."""
        request, usage, text, fresh, is_untold = item.request, Usage(), "", False, False
        parsed: Parsed[T] = Parsed(problem="not asked")

        def read(reply: Reply) -> Parsed[T]:
            return parse(reply.text, schema, reply.finish_reason, reply.refusal)

        try:
            for turn in (purpose, Purpose(purpose.role, purpose.cycle, purpose.lesson, "repair")):
                reply, parsed, kept = self._calls.make(client, request, turn, config, read, schema)
                text, fresh = reply.text, fresh or not kept
                usage = usage if kept else _sum(usage, reply.usage)
                if parsed.value is not None:
                    self._learn_form(client, schema, turn.attempt, is_untold)
                    break
                is_untold = parsed.is_invalid and not reply.added
                request = _repair(request, reply, parsed.problem or "", "" if reply.added else instruction(schema))
        except CallFailed as error:
            parsed, fresh = Parsed(problem=str(error)), True
        self._judge(parsed.problem, text, not fresh)
        return Answer(text, parsed.value, parsed.problem, item.request.prompt, client.model, usage)

    def _learn_form(self, client: Connection, schema: type[BaseModel], attempt: str, is_untold: bool) -> None:
        """Have the form given in words from now on where no answer fitted before a repair turn gave it in words."""
        form = f"{client.model} {schema.__name__}"
        if attempt == "first":
            self._kept_forms.add(form)
        elif is_untold and form not in self._kept_forms:
            client.spell_out(schema)

    def _judge(self, problem: str | None, text: str, kept: bool) -> None:
        """Count bad answers in a row; those from the cache were judged when they came.

        Raises:
            StepError: it is one too many.
        """
        if kept:
            return
        with self._lock:
            if problem is None:
                self._bad.clear()
                return
            self._bad.append(f"{text[:200]!r}\n    ({problem[:200]})")
            if len(self._bad) < BAD_STREAK:
                return
            last = "\n  ".join(list(self._bad)[-3:])
            self._bad.clear()
        remedy = "Try a stronger teacher.model, or raise teacher.max_tokens if answers are cut off" if text else (
            "Change under [teacher] what the server says it does not take"
        )  # fmt: skip
        raise StepError(
            f"{BAD_STREAK} answers in a row could not be used. The last three:\n  {last}\n"
            f"{remedy}; then resume (with --no-cache, if the same model is to be asked again)."
        )


def _chat(prompt: Prompt) -> dict[str, Any]:
    body = (Message(role="user", content=prompt.body),) if isinstance(prompt.body, str) else prompt.body
    return {"messages": [dict(message) for message in body]}


def _repair(request: Request, reply: Reply, problem: str, form: str) -> Request:
    """The same conversation, continued: the bad answer, what is wrong with it, and the form if it was not given yet."""
    told = form or "Answer again with one JSON object that fits the schema, and nothing else."
    turns = [
        {"role": "assistant", "content": reply.text[:QUOTED] or "(no answer)"},
        {"role": "user", "content": f"That answer cannot be used: {problem}. {told}"},
    ]
    body = {**request.body, "messages": [*request.body["messages"], *turns]}
    return replace(request, body=body)


def _any_text(reply: Reply) -> Parsed[BaseModel]:
    return Parsed()


def _sum(a: Usage, b: Usage) -> Usage:
    return Usage(a.input + b.input, a.output + b.output, a.cached_input + b.cached_input)
