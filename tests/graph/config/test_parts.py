"""A part of one's own is a class with its protocol's methods, allowed by the user; else nothing of it is called."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evokd.graph.config import parts
from evokd.graph.config.extension_points import STOP_RULE, STUDENT, TASK, ExtensionPoint
from evokd.graph.config.roles import role_classes
from evokd.graph.stop import Stop
from evokd.student.base import Students
from evokd.tasks.errors import ConfigError

CALLED: list[str] = []


def called(*given: object) -> Any:
    CALLED.append("called")


class LacksLoad:
    """Its `__init__` would do something."""

    def __init__(self, *given: object) -> None:
        called()

    def new(self, seed: int) -> None: ...


class Everything(type):
    """Says that its classes have whatever is asked for, and does something when they are called."""

    def __getattr__(cls, name: str) -> Any:
        return called

    def __call__(cls, *given: object) -> Any:
        return called()

    def new(cls) -> None: ...

    def load(cls) -> None: ...


class Claims(metaclass=Everything):
    pass


class Disguised:
    """An object that says it is a class."""

    @property
    def __class__(self) -> Any:
        return type

    new = load = __call__ = called


disguised = Disguised()


class Withdrawn:
    def __init__(self, *given: object) -> None:
        called()

    def new(self, seed: int) -> None: ...

    load = None


class Inherits(LacksLoad):
    def load(self, folder: Path, seed: int = 0) -> None: ...


class SetsAttributes:
    """Has the one method, and the attribute only when it is built."""

    size: int

    def __init__(self) -> None:
        self.size = 3

    def run(self) -> None: ...


class Bare(SetsAttributes):
    def __init__(self) -> None:
        called()


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is allowed, and what was imported or put on the path is forgotten afterwards."""
    monkeypatch.setattr(parts, "_allowed", set())
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    CALLED.clear()
    yield
    assert not CALLED


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("doctest:run_docstring_examples", "is a function, not a class. Name a class with the methods of the Students"),
        ("os:system", "is a builtin_function_or_method, not a class."),
        ("os:path", "is a module, not a class."),
        (
            "tests.graph.config.test_parts:called",
            "is a function, not a class. Name a class with the methods of the Students",
        ),
        ("tests.graph.config.test_parts:disguised", "is a Disguised, not a class."),
        ("tests.graph.config.test_parts:LacksLoad", "lacks load of the Students protocol."),
        ("tests.graph.config.test_parts:Withdrawn", "lacks load of the Students protocol."),
        ("tests.graph.config.test_parts:Claims", "lacks load, new of the Students protocol."),
        ("subprocess:Popen", "lacks load, new of the Students protocol."),
        ("builtins:type", "lacks load, new of the Students protocol."),
        ("tests.graph.config.test_parts:Nope", "cannot be imported (AttributeError: "),
        ("no_such_module:Nope", "cannot be imported (ModuleNotFoundError: "),
        ("__main__.x:Nope", "cannot be imported (ModuleNotFoundError: "),
    ],
)
def test_what_is_no_class_with_the_methods_is_refused_and_not_called(spec: str, said: str) -> None:
    parts.allow([spec])
    with pytest.raises(ConfigError) as refused:
        STUDENT.build(spec, {})
    assert str(refused.value).startswith(f"student.kind = '{spec}' {said}") and "\n" not in str(refused.value)


def test_inherited_methods_count_and_call_is_one() -> None:
    parts.allow(
        ["tests.graph.config.test_parts:Inherits", "tests.parts:After", "tests.graph.config.test_parts:LacksLoad"]
    )
    assert issubclass(parts.own_class("tests.graph.config.test_parts:Inherits", "student.kind", Students), object)
    assert parts.own_class("tests.parts:After", "stop.kind", Stop).__name__ == "After"
    with pytest.raises(ConfigError, match=r"lacks __call__ of the Stop protocol"):
        parts.own_class("tests.graph.config.test_parts:LacksLoad", "stop.kind", Stop)


def test_attributes_may_be_set_when_it_is_built() -> None:
    parts.allow(["tests.graph.config.test_parts:SetsAttributes", "tests.graph.config.test_parts:Bare"])
    point = ExtensionPoint("x.kind", "evokd.x", SetsAttributes)
    assert point.build("tests.graph.config.test_parts:SetsAttributes", {}).size == 3
    with pytest.raises(ConfigError, match=r"Bare' lacks size of the SetsAttributes protocol\."):
        point.build("tests.graph.config.test_parts:Bare", {})
    assert CALLED.pop() == "called", "it has all methods, so that it was built"


def test_what_the_user_has_not_named_is_not_imported_and_all_flags_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sent_one.py").write_text("from tests.graph.config.test_parts import called\ncalled()\n")
    parts.allow(["other:Part"])
    with pytest.raises(ConfigError) as refused:
        parts.require(["sent_one:A", "other:Part", "sent_two:B"], "runs/x/config.toml")
    said = str(refused.value)
    assert said.startswith("runs/x/config.toml names code that is not EvoKD's") and "other:Part" not in said
    assert "add --allow sent_one:A --allow sent_two:B (" in said
    with pytest.raises(ConfigError, match=r"task\.kind names code .* add --allow sent_one:A "):
        TASK.build("sent_one:A", {})
    with pytest.raises(ConfigError, match=r"task\.kind names code .* add --allow sent_one:A "):
        TASK.write("sent_one:A", {})


@pytest.mark.parametrize(
    "spec", [":", "a:", ":B", "a:b:c", "a;rm:B", "a:B\nx", "a:B --allow c:D", ".a:B", "a..b:C", "a:$(B)"]
)
def test_what_could_be_something_else_in_a_shell_is_not_offered_to_be_copied(spec: str) -> None:
    with pytest.raises(ConfigError, match=r"is not of the form `module:Class`\.$") as refused:
        parts.require([spec], "x")
    assert "--allow" not in str(refused.value).replace(repr(spec), "") and "\n" not in str(refused.value)


def test_the_current_folder_is_looked_in_for_an_allowed_module_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')\n")
    parts.allow(["tests.parts:After", "json:JSONDecoder", "absent_part:X", "present_part:X"])
    parts.own_class("tests.parts:After", "stop.kind", Stop)
    for spec in ("json:JSONDecoder", "absent_part:X"):
        with pytest.raises(ConfigError):
            parts.own_class(spec, "stop.kind", Stop)
    assert sys.path == before, "what is installed, or nowhere, needs no other folder"
    (tmp_path / "present_part.py").write_text(
        "class X:\n    def __call__(self, state):\n        import present_friend\n        return present_friend.said\n"
    )
    (tmp_path / "present_friend.py").write_text("said = 'later'\n")
    kind = parts.own_class("present_part:X", "stop.kind", Stop)
    assert sys.path == [*before, str(tmp_path)] and kind()(None) == "later", "its own modules are found later, too"


def offer(folder: Path, package: str, name: str, value: str, group: str = "evokd.stop_rules") -> None:
    """What an installed package leaves that offers a part."""
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{group}]\n{name} = {value}\n")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages."""
    sys.path.append(str(tmp_path / "site"))
    return tmp_path / "site"


def test_an_installed_part_is_found_by_its_name_and_needs_no_flag(site: Path) -> None:
    offer(site, "lessons-first", "lessons", "tests.parts:After")
    assert STOP_RULE.own("lessons").__name__ == "After"
    with pytest.raises(ConfigError, match=r"stop\.kind 'lesons' is not known\. Did you mean 'lessons'\?"):
        STOP_RULE.own("lesons")
    with pytest.raises(ConfigError, match=r"task\.kind 'lessons' is not known\. Allowed: classification, "):
        TASK.own("lessons")


def test_a_name_that_two_packages_offer_is_refused_with_both(site: Path) -> None:
    offer(site, "one", "soon", "tests.parts:After")
    offer(site, "two", "soon", "tests.parts:Other")
    with pytest.raises(ConfigError) as refused:
        STOP_RULE.own("soon")
    assert "more than one installed package offers: one (tests.parts:After) and two (tests.parts:Other)." in str(
        refused.value
    )


def test_names_of_ours_win(site: Path) -> None:
    offer(site, "thief", "transformer", "tests.parts:Students", "evokd.students")
    offer(site, "other-thief", "generator", "tests.parts:Critic", "evokd.agents")
    assert STUDENT.write("transformer", {}) == {}
    assert role_classes(["generator"])["generator"].__module__ == "evokd.agents.generator.agent"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("tests.parts:Nope", r"which the package broken offers as 'tests\.parts:Nope', cannot be imported \(Attribute"),
        ("nowhere_at_all:Part", r"cannot be imported \(ModuleNotFoundError: .*\)\. Update or reinstall broken\."),
        ("tests.parts:config", r"'part' \(of the package broken\) is a function, not a class\."),
        ("tests.parts:NoMemory", r"'part' \(of the package broken\) lacks __call__ of the Stop protocol\."),
    ],
)
def test_an_installed_part_that_cannot_be_used_is_told_with_its_package(site: Path, value: str, said: str) -> None:
    offer(site, "broken", "part", value)
    with pytest.raises(ConfigError, match=said):
        STOP_RULE.own("part")


def test_what_lies_in_the_current_folder_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parts, "_added", set())
    (tmp_path / "mine_here.py").write_text("class X:\n    def __call__(self, state): ...\n")
    offer(tmp_path, "sent", "soon", "tests.parts:After")
    parts.allow(["mine_here:X"])
    parts.own_class("mine_here:X", "stop.kind", Stop)
    assert str(tmp_path) in sys.path
    with pytest.raises(ConfigError, match=r"'soon' is not known"):
        STOP_RULE.own("soon")
