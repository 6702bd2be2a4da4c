"""The docs name only what exists: files, headings, settings, commands, options; their TOML is read as a run's is."""

import ast
import dataclasses
import importlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import BaseModel

from evokd.comparison.spec import Comparison, overlaid, read_spec
from evokd.graph.config.part_settings import PartSettings
from evokd.graph.config.roles import AGENTS, role_settings
from evokd.graph.config.run_config import RunConfig, parsed
from evokd.graph.config.sections import DataSettings, MemorySection, StudentSection, TaskSettings, TeacherSection
from evokd.graph.stop import Stop
from evokd.main import app
from evokd.tasks.errors import ConfigError
from evokd.teacher.settings import BudgetSettings

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("commands", "tasks", "memory", "student", "teacher", "agents", "graph", "planning", "comparison", "report")
FOLDERS = (*PRODUCT, "benchmarks", "configs", "examples", "docs", "tests")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SOURCES = sorted(
    path
    for folder in (*PRODUCT, "benchmarks", "configs")
    for path in (ROOT / folder).rglob("*.[pt][yo]*")
    if path.suffix != ".pyc"
)

GONE = ("what-left-and-why.md",)
"""Pages about what is no longer there."""

USERS = {"mine.py", "critic.py", "agent.py", "test_critic.py"}
"""Files that a page has its reader write."""

SECTIONS: dict[str, Any] = {
    "task": TaskSettings, "data": DataSettings, "teacher": TeacherSection, "student": StudentSection,
    "memory": MemorySection, "budget": BudgetSettings, "stop": Stop,
    **{f"agents.{role}": kind for role, kind in AGENTS.items()},
}  # fmt: skip


def fields(kind: Any) -> set[str]:
    """The settings of a section."""
    if issubclass(kind, BaseModel):
        return set(kind.model_fields)
    return {"kind"} | {field.name for field in dataclasses.fields(kind)}


SETTINGS = set().union(*map(fields, [*SECTIONS.values(), RunConfig, Comparison]))

page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
current = pytest.mark.parametrize(
    "path", [path for path in PAGES if path.name not in GONE], ids=lambda path: path.relative_to(ROOT).as_posix()
)


def words(path: Path) -> str:
    """A page, without what it says of earlier versions."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    text = re.sub(r"`git show [^`]*`|in\s+git\s+history\s+as\s+`[^`]*`", "", text)
    return text.replace("$trial", "python -m benchmarks.trial")


def missing_files(text: str) -> list[str]:
    """Paths in a text that are in no folder of this project."""
    named = re.findall(rf"(?<![\w./-])((?:{'|'.join(FOLDERS)})/[\w./-]*\w/?)", text)
    return [name for name in named if not (ROOT / name).exists()]


@current
def test_the_files_that_a_page_names_are_there(path: Path) -> None:
    text = words(path)
    assert missing_files(text) == []
    scripts = {name for name in re.findall(r"`(\w+\.py)`", text)} - USERS
    known = {each.name for folder in FOLDERS for each in (ROOT / folder).rglob("*.py")} | {"main.py"}
    assert scripts <= known


def test_the_files_that_comments_name_are_there() -> None:
    pattern = r"[\w./-]+/[\w./-]+\.(?:py|md|toml)\b"
    named = {path: "\n".join(re.findall(pattern, path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {path: missing for path, text in named.items() if (missing := missing_files(text))} == {}


@page
def test_the_links_of_a_page_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name) if name else path
        assert file.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(file), f"{target}: no such heading"


def anchors(path: Path) -> set[str]:
    """The headings of a page as GitHub links to them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@current
def test_the_settings_that_a_page_names_are_there(path: Path) -> None:
    text = re.sub(r"```.*?```", "", words(path), flags=re.DOTALL)
    section = "|".join(re.escape(name) for name in SECTIONS)
    for name, key in re.findall(rf"`\[?({section})\]?[ .](\w+)(?: = [^`]*)?`", text):
        is_file = (name, key) == ("student", "json")
        assert is_file or key in fields(SECTIONS[name]), f"[{name}] has no {key}"
    for key in re.findall(r"`([a-z_]{2,}) = (?!True|False)[^`]+`", text):
        assert key in SETTINGS, f"no section has {key}"
    for name in re.findall(r"`\[(agents\.\w+|\w+)\]`", text):
        assert name in SECTIONS or name == "agents.NAME", f"there is no [{name}]"


def blocks() -> Iterator[Any]:
    """Every TOML block of the docs, its commented settings included."""
    for path in PAGES:
        for number, block in enumerate(re.findall(r"```toml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)):
            text = re.sub(r"^# (?=\w+ = )", "", block, flags=re.MULTILINE)
            yield pytest.param(text, id=f"{path.relative_to(ROOT).as_posix()}-{number}")


@pytest.mark.parametrize("block", list(blocks()))
def test_a_toml_block_would_be_accepted(block: str, tmp_path: Path) -> None:
    raw = tomllib.loads(block)
    if "project" in raw:  # a pyproject.toml
        return
    if raw.keys() & {"strategies", "variants", "set", "shots", "tasks"}:
        check_comparison(raw, tmp_path)
    else:
        check_config(raw)


def check_config(raw: Mapping[str, Any]) -> None:
    """Refuse what a run would refuse of a config, or of a part of one; parts of the reader's own are not imported."""
    task = {"description": "d", "labels": ["a", "b"]}
    least: dict[str, Any] = {"name": "x", "task": task, "data": {"seeds": "s.jsonl"}}
    for key, value in task.items():
        if "task" in raw and key not in raw["task"]:
            raw = overlaid(raw, {f"task.{key}": value}, "block")
    config = parsed({**least, **raw}, "block")
    own = {entry.partition(":")[2].lower() for entry in config.order}
    for role, settings in config.agents.items():
        assert role in AGENTS or role in own, f"there is no role {role}"
        if role in AGENTS:
            role_settings(role, AGENTS[role]).check(settings)
    if "kind" not in config.stop:
        PartSettings(Stop, "[stop]").check(config.stop)


def check_comparison(raw: dict[str, Any], folder: Path) -> None:
    """The same for a comparison; every cell's config is checked, without parts of the reader's own."""
    own = {name: each for name, each in raw.get("variants", {}).items() if ":" in "".join(each.get("order", []))}
    raw = {
        **raw,
        "variants": {**raw.get("variants", {}), **{name: {"strategy": own[name]["strategy"]} for name in own}},
    }
    tasks = {"helpdesk": {**raw.get("tasks", {}).get("helpdesk", {}), "config": str(ROOT / "configs" / "demo.toml")}}
    raw = {"strategies": ["static"], **raw, "tasks": tasks}
    (folder / "block.toml").write_text(dumped(raw), encoding="utf-8")
    read_spec(folder / "block.toml")


def dumped(raw: Mapping[str, Any]) -> str:
    """The TOML of a mapping."""
    import tomli_w

    return tomli_w.dumps(raw)


def test_an_old_setting_would_be_told() -> None:
    with pytest.raises(ConfigError, match="'gate' is not known"):
        check_config({"agents": {"generator": {"gate": 60}}})


def options_of(command: str) -> set[str]:
    """The options of a command of ours, or of a module under `benchmarks/`."""
    if command.startswith("benchmarks."):
        source = (ROOT / f"{command.replace('.', '/')}.py").read_text(encoding="utf-8")
        listed = re.findall(r'"(\w+)": \d', source)  # options that share a type are a table
        return {*re.findall(r'"(--[a-z-]+)"', source), *(f"--{name.replace('_', '-')}" for name in listed), "--help"}
    group = typer.main.get_command(app)
    names = getattr(group, "commands")  # noqa: B009 - of typer's own group class
    assert command in names, f"there is no `evokd {command}`"
    return {option for param in names[command].params for option in param.opts} | {"--help"}


@current
def test_the_commands_that_a_page_names_are_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for code in re.findall(r"`([^`\n]+)`|^ {4,}(.+)$", words(path), re.MULTILINE):
        for command, rest in re.findall(r"(?:\bevokd|python -m) ([\w.-]+)([^#;]*)", "".join(code)):
            if command not in ("benchmarks.NAME", "pytest"):
                assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options_of(command), f"{command}{rest}"
        assert set(re.findall(r"^make ([a-z-]+)", "".join(code))) <= targets


@page
def test_what_a_python_block_imports_is_there(path: Path) -> None:
    if path.name == "api.md":  # made from the docstrings, with signatures in its blocks
        return
    for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("evokd"):
                module = importlib.import_module(str(node.module))
                assert [each.name for each in node.names if not hasattr(module, each.name)] == []
