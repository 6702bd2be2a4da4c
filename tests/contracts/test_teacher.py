"""Our teachers, on a loopback server and on a provider's package, and their fake do what every teacher must."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt, Teacher
from evokd.teacher.custom import CustomTeacher
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings
from evokd.testing import CompletionTeacherContract, ScriptedTeacher, TeacherContract, words
from evokd.testing.contracts.teacher import answer_to, chance
from evokd.testing.loopback import Body, Said, chat, prompt_of, serving, text, tops


def opened(folder: Path, **given: Any) -> Teacher:
    settings = TeacherSettings(**given)
    return open_teacher(settings, Budget(BudgetSettings(), settings), folder, run="contract", seed=0)


class TestScripted(CompletionTeacherContract):
    def make(self, folder: Path) -> Teacher:
        def speak(prompt: Prompt) -> object:
            if isinstance(prompt.body, str):
                return f"{prompt.body} and on\nsecond line"
            return json.loads(answer_to(words(prompt)))

        return ScriptedTeacher({"annotator": speak}, {"annotator": lambda prompt, choice: chance(choice)})


def script(body: Body) -> Said:
    said = prompt_of(body) if "prompt" in body else str(body["messages"][0]["content"])
    if "prompt" not in body:
        return chat(answer_to(said))
    if body.get("logprobs"):
        return text("x", logprobs=tops({" yes": chance("yes"), " no": chance("no")}))
    return text(f"{body['prompt'][0]} and on" if isinstance(body["prompt"], list) else f"{body['prompt']} and on")


class TestOnLoopback(CompletionTeacherContract):
    @pytest.fixture(autouse=True)
    def server(self) -> Iterator[None]:
        with serving(script) as server:
            self.url = server.url
            yield

    def make(self, folder: Path) -> Teacher:
        return opened(folder, kind="openai", model="m", base_url=self.url, api_key_env="none")


class Model(SimpleChatModel):
    """A chat model as LangChain's packages have them."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _call(self, messages: list[BaseMessage], *given: Any, **more: Any) -> str:
        return answer_to(str(messages[0].content).partition("\n\nAnswer with one JSON object")[0])


class TestOfAProvider(TeacherContract):
    @pytest.fixture(autouse=True)
    def package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("evokd.teacher.transport.langchain_client.open_model", lambda endpoint: Model())

    def make(self, folder: Path) -> Teacher:
        return opened(folder, kind="langchain", model="acme:echo")


class Repeating(CustomTeacher):
    """A teacher of the user's own in its short form."""

    def answer(self, messages: Sequence[Message], schema: dict[str, Any] | None) -> str:
        return answer_to(messages[0]["content"].partition("\n\nAnswer with one JSON object")[0])


class TestOnesOwn(TeacherContract):
    def make(self, folder: Path) -> Teacher:
        settings = TeacherSettings(kind="mine:Repeating")
        limits = Budget(BudgetSettings(), settings)
        return open_teacher(settings, limits, folder, run="contract", seed=0, own={"mine:Repeating": Repeating})
