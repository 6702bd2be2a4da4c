"""What a class takes beyond what it is given is its settings, whichever way its constructor is written."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from evokd.graph.config.part_settings import PartSettings
from evokd.tasks.errors import ConfigError


@dataclass(frozen=True)
class Nested:
    depth: int = 1


@dataclass(frozen=True)
class Role:
    much: Annotated[float, Field(gt=0)]
    words: tuple[str, ...] = ()
    nested: Nested = Nested()
    names: list[str] = field(default_factory=lambda: ["a"])
    none: int | None = 3
    hidden: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.much > 9:
            raise ValueError("much must be 9 at most.")


class Plain:
    def __init__(self, one: "Undefined", two: int, /, how: Literal["x", "y"], *more: Any, json: bool = True) -> None:  # type: ignore[name-defined]  # noqa: F821
        self.how, self.json = how, json


class Passes(Plain):
    def __init__(self, *given: Any, run: str, style: str = "s", **named: Any) -> None:
        super().__init__(*given, **named)


@dataclass
class Given:
    folder: "Undefined"  # type: ignore[name-defined]  # noqa: F821
    size: int = 2


class Unreadable:
    def __init__(self, what: "Undefined" = None) -> None:  # type: ignore[name-defined]  # noqa: F821
        self.what = what


class Foreign:
    def __init__(self, what: Plain | None = None) -> None:
        self.what = what


@pytest.mark.parametrize(
    ("kind", "given", "named", "names"),
    [
        (Role, 0, (), ["much", "words", "nested", "names", "none"]),
        (Plain, 2, (), ["how", "json"]),
        (Plain, 3, (), ["json"]),
        (Passes, 3, ("run",), ["style"]),
        (Given, 1, (), ["size"]),
        (object, 0, (), []),
    ],
)
def test_settings_are_what_is_not_given(kind: type, given: int, named: tuple[str, ...], names: list[str]) -> None:
    assert PartSettings(kind, "[x]", given, named).names() == names


def test_values_are_checked_at_any_depth_and_written_with_their_defaults() -> None:
    settings = PartSettings(Role, "[agents.role]")
    built = settings.build({"much": 2, "words": ["b"], "nested": {"depth": 4}})
    assert built == Role(2.0, ("b",), Nested(4))
    written = settings.write({"much": 2})
    assert written == {"much": 2.0, "words": [], "nested": {"depth": 1}, "names": ["a"], "none": 3}
    assert settings.build(written) == Role(2.0)
    assert settings.check({"much": 2})["names"] is not settings.check({"much": 2})["names"], "no default is shared"
    assert settings.write({"much": 2}, is_whole=True)["none"] is None, "TOML has no null: what is not there is null"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "[x]: the key 'much' is missing."),
        ({"much": 0}, "[x]: much = 0: Input should be greater than 0."),
        ({"much": 10}, "[x]: much must be 9 at most."),
        (
            {"much": 1, "nested": {"dept": 1}},
            "[x]: the key 'nested.dept' is not known. Did you mean 'depth'?",
        ),
        ({"much": 1, "hidden": 1}, "[x]: the key 'hidden' is not known. Allowed: much, names, nested, none, words."),
    ],
)
def test_a_mistake_is_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        PartSettings(Role, "[x]").build(given)
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)


@pytest.mark.parametrize("kind", [Unreadable, Foreign])
def test_a_type_that_no_config_can_hold_is_told(kind: type) -> None:
    with pytest.raises(ConfigError, match=rf"^\[x\]: the types of the settings of {kind.__name__} cannot be read: "):
        PartSettings(kind, "[x]").check({})
