"""`import evokd`: light, whole, told to type checkers, and hidden by no folder of ours."""

import ast
import importlib
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import evokd
import evokd.testing
from tests.parts import ROOT

HEAVY = {"torch", "transformers", "langgraph", "langchain_core", "langsmith", "openai", "chromadb", "pydantic", "numpy",
         "datasets", "typer", "rich"}  # fmt: skip


def answered(program: str, **env: str) -> str:
    """What a fresh interpreter prints."""
    given = {**os.environ, "PYTHONPATH": str(Path(evokd.__path__[0]).parent), **env}
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_import_is_light_and_so_is_looking_around() -> None:
    said = answered("import sys, evokd; dir(evokd); print(*sorted({name.split('.')[0] for name in sys.modules}))")
    assert not HEAVY & set(said.split())
    said = answered("import sys, evokd; print(*(name for name in sys.modules if name.startswith('evokd')))")
    assert said == "evokd"


def test_errors_and_fakes_do_without_torch_and_pytest() -> None:
    said = answered(
        "import sys, evokd; from evokd.testing import ScriptedTeacher, ListMemory, WordStudents;"
        "evokd.ConfigError, evokd.Draft, evokd.Teacher, evokd.Predictor; print(*sys.modules)"
    )
    assert not {"torch", "transformers", "langgraph", "chromadb", "pytest"} & set(said.split())


@pytest.mark.parametrize("package", [evokd, evokd.testing], ids=["evokd", "evokd.testing"])
def test_every_name_is_there_and_type_checkers_are_told_the_same(package: object) -> None:
    names: list[str] = package.__all__  # type: ignore[attr-defined]
    homes: dict[str, str] = package._HOME  # type: ignore[attr-defined]
    assert names == sorted(set(names)) == dir(package) and set(names) == set(homes)
    block, _ = [node for node in ast.parse(Path(package.__file__).read_text()).body if isinstance(node, ast.If)]  # type: ignore[attr-defined]
    told = {a.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for a in node.names}
    assert told == homes
    for name, home in homes.items():
        module = importlib.import_module(f"{package.__name__}.{home}")  # type: ignore[attr-defined]
        assert getattr(package, name) is getattr(module, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'evokd' has no attribute 'train'"):
        evokd.train  # type: ignore[attr-defined] # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'Trainer'"):
        importlib.import_module("evokd")
        exec("from evokd import Trainer")


@pytest.fixture(scope="module")
def inside() -> list[str]:
    """What a fresh interpreter says that has imported all of it: a line of names, a line of the environment."""
    program = (
        "import os; os.environ.pop('LANGGRAPH_STRICT_MSGPACK', 0);"
        "import evokd, evokd.main, evokd.api, evokd.graph.run, evokd.planning.estimate, evokd.comparison.scheduler;"
        "print(*(type(each).__name__ for each in (evokd.run, evokd.plan, evokd.compare, evokd.load, evokd.resume)),"
        "evokd.main.main.__name__, evokd.graph.run.drive.__name__);"
        "from langgraph.checkpoint.serde import jsonplus;"
        "print(os.environ['LANGGRAPH_STRICT_MSGPACK'], os.environ['ANONYMIZED_TELEMETRY'])"
    )
    return answered(program, ANONYMIZED_TELEMETRY="TRUE").splitlines()


def test_no_folder_or_file_of_ours_hides_a_public_name(inside: list[str]) -> None:
    assert not set(evokd.__all__) & {module.name for module in pkgutil.iter_modules([str(ROOT)])}
    assert inside[0] == " ".join(["function"] * 5 + ["main", "drive"])


def test_the_libraries_find_our_environment_where_the_user_has_none(inside: list[str]) -> None:
    assert inside[1] == "true TRUE"


SCRIPT = """
from dataclasses import dataclass
from pathlib import Path

import evokd


@dataclass(frozen=True)
class Critic:
    most: int = 40

    def __call__(self, state: evokd.State, services: evokd.Services) -> evokd.State:
        drafts = services.folder.read_rows(services.folder.cycle(state["cycle"]) / "drafts.jsonl", evokd.Draft)
        return evokd.State(stats=evokd.add_stats(state["stats"], other={"criticised": len(drafts[: self.most])}))


critic: evokd.Agent = Critic()


def best(config: Path) -> list[evokd.Prediction]:
    outcome = evokd.run(config, cycles=3, show=print)
    reveal_type(outcome)
    reveal_type(evokd.plan(config).expected.calls)
    try:
        return evokd.load(outcome.folder).predict(["a text"])
    except evokd.ConfigError as error:
        raise SystemExit(str(error)) from error
"""


@pytest.mark.slow
def test_a_users_script_passes_mypy_strict_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "wrong.py").write_text("import evokd\nevokd.run(3)\nevokd.nothing\nevokd.Stop(cycles='x')\n")
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout/evokd").symlink_to(evokd.__path__[0])
    env = {**os.environ, "MYPYPATH": str(tmp_path / "checkout")}
    mypy = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache")]

    def checked(file: str) -> str:
        done = subprocess.run([*mypy, file], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
        return done.stdout

    said = checked("script.py")
    assert '"evokd.outcomes.RunOutcome"' in said and '"float"' in said and "error:" not in said, said
    said = checked("wrong.py")
    assert [line.split(":")[1] for line in said.splitlines() if "error:" in line] == ["2", "3", "4"], said
