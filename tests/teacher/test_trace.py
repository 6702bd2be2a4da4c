"""Every call hangs below its batch in the trace, with the names the report and LangSmith look for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableLambda

from evokd.teacher.accounting.budget import Budget
from evokd.teacher.base import Message, Prompt
from evokd.teacher.factory import open_teacher
from evokd.teacher.settings import BudgetSettings, TeacherSettings
from evokd.testing.loopback import chat, serving, text


class Seen(BaseCallbackHandler):
    """Keeps (name, parent, tags, metadata) of every run."""

    def __init__(self) -> None:
        self.runs: dict[UUID, tuple[str, UUID | None, Sequence[str], dict[str, Any]]] = {}

    def _start(self, kind: str, **given: Any) -> None:
        self.runs[given["run_id"]] = (kind, given["parent_run_id"], given["tags"] or [], given["metadata"] or {})

    def on_chain_start(self, serialized: Any, inputs: Any, **given: Any) -> None:
        self._start(given.get("name") or "chain", **given)

    def on_chat_model_start(self, serialized: Any, messages: Any, **given: Any) -> None:
        self._start("chat", **given)

    def on_llm_start(self, serialized: Any, prompts: Any, **given: Any) -> None:
        self._start("text", **given)


def test_calls_nest_below_the_node_and_carry_role_cycle_run_prompt_and_lesson(tmp_path: Path) -> None:
    seen = Seen()
    with serving(lambda body: text("x") if "prompt" in body else chat("x")) as server:
        settings = TeacherSettings(kind="openai", model="m", base_url=server.url, api_key_env="none")
        teacher = open_teacher(settings, Budget(BudgetSettings(), settings), tmp_path, run="run-7", seed=0)
        about = {"purpose": "labels", "count": 1, "texts": [{"id": 1, "text": "x"}], "run": "not this one"}
        prompts = [Prompt((Message(role="user", content="x"),), lesson="l1", about=about)]
        prompts.append(Prompt("y", lesson="l2", about=about))
        node = RunnableLambda(lambda _: teacher.complete(prompts, role="generator", cycle=3))
        node.invoke(None, {"callbacks": [seen], "run_name": "node"})
        teacher.close()
    calls = [run for run in seen.runs.values() if run[0] in ("chat", "text")]
    assert sorted(run[0] for run in calls) == ["chat", "text"]
    for _, parent, tags, metadata in calls:
        assert {"generator", "cycle-3"} <= set(tags)
        assert metadata["run"] == "run-7" and metadata["lesson"] in ("l1", "l2") and len(metadata["prompt"]) == 32
        assert (metadata["purpose"], metadata["count"]) == ("labels", 1) and "texts" not in metadata
        assert parent is not None
        name, above, _, _ = seen.runs[parent]
        assert name == "generator" and above is not None and seen.runs[above][0] == "node"
