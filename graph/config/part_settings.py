"""Settings of a part, ours or the user's own: whatever its constructor takes beyond what EvoKD itself gives it.

So one rule serves all parts. Roles and stop rules are given nothing, and all their fields are settings.
"""

import dataclasses
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, get_type_hints

from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation

from ...tasks.errors import ConfigError
from .validation import first_mistake, with_nulls

BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclasses.dataclass(frozen=True)
class PartSettings:
    """The settings that a class takes."""

    kind: type[Any]
    where: str
    """The table of the config that holds them, for errors."""
    given: int = 0
    """How many arguments EvoKD gives by place."""
    named: tuple[str, ...] = ()
    """The arguments EvoKD gives by name."""

    def names(self) -> list[str]:
        """What may be set.

        Raises:
            ConfigError: the constructor cannot be looked at.
        """
        return [parameter.name for parameter in self._parameters()]

    def check(self, settings: Mapping[str, Any], *, is_whole: bool = False) -> dict[str, Any]:
        """Every setting with its value, defaults included, types checked, unknown keys refused at any depth.

        Args:
            settings: what the config says.
            is_whole: whether defaults are written out in it, so that what may be null and is not there is null.

        Raises:
            ConfigError: one line for the first mistake.
        """
        checked = self._checked(settings, is_whole)
        return {field.name: getattr(checked, field.name) for field in dataclasses.fields(checked)}

    def write(self, settings: Mapping[str, Any], *, is_whole: bool = False) -> dict[str, Any]:
        """The same as plain values, for a file."""
        checked = self._checked(settings, is_whole)
        try:
            return dict(_form(self).adapter.dump_python((checked,), mode="json")[0])
        except ValueError as error:
            raise ConfigError(f"{self.where}: a setting of {self.kind.__name__} cannot be written: {error}") from None

    def build(self, settings: Mapping[str, Any]) -> Any:
        """An object of a class that EvoKD gives nothing: a role, a stop rule.

        Raises:
            ConfigError: as `check` does, or the class refuses its settings.
        """
        values = self.check(settings)
        try:
            return self.kind(**values)
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{self.where}: {str(error).rstrip('.')}.") from error

    def _checked(self, settings: Mapping[str, Any], is_whole: bool) -> Any:
        form = _form(self)
        try:
            given = with_nulls(form.table, settings) if is_whole else dict(settings)
            return form.adapter.validate_python((given,))[0]
        except ValidationError as error:
            raise ConfigError(f"{self.where}: {first_mistake(error, tuple[form.table])}") from None  # type: ignore[name-defined]

    def make_form(self) -> "Form":
        """The form that settings are checked by.

        Raises:
            ConfigError: the constructor cannot be looked at.
        """
        table = self._table()
        try:
            # Inside a tuple, since a config that forbids unknown keys may not be given for a dataclass itself.
            adapter = TypeAdapter(tuple[table], config=ConfigDict(extra="forbid"))  # type: ignore[valid-type]
        except (PydanticUserError, PydanticUndefinedAnnotation) as error:
            raise self._unreadable(str(error).splitlines()[0]) from None
        return Form(table, adapter)

    def _table(self) -> type:
        """A dataclass with a field for each setting."""
        parameters = self._parameters()
        factories = {
            field.name: field.default_factory
            for field in (dataclasses.fields(self.kind) if dataclasses.is_dataclass(self.kind) else ())
            if field.default_factory is not dataclasses.MISSING
        }
        hints = self._hints([parameter.name for parameter in parameters])
        fields = []
        for each in parameters:
            has_default = each.default is not inspect.Parameter.empty
            factory = factories.get(each.name, lambda value=each.default: value)
            field: Any = dataclasses.field(default_factory=factory) if has_default else dataclasses.field()
            fields.append((each.name, hints.get(each.name, Any), field))
        return dataclasses.make_dataclass(self.kind.__name__, fields, kw_only=True)

    def _parameters(self) -> list[inspect.Parameter]:
        try:
            parameters = list(inspect.signature(self.kind).parameters.values())
        except (TypeError, ValueError) as error:
            raise self._unreadable(str(error)) from None
        by_place = [each.name for each in parameters if each.kind in BY_PLACE]
        taken = {*self.named, *by_place[: self.given]}
        return [each for each in parameters if each.kind in BY_NAME and each.name not in taken]

    def _hints(self, names: list[str]) -> dict[str, Any]:
        """The types of some parameters; of others they may stand in a module that only a type checker imports."""
        hints: dict[str, Any] = {}
        for annotations, module in self._annotations():
            wanted = type("Wanted", (), {"__annotations__": {n: a for n, a in annotations.items() if n in names}})
            try:
                hints |= get_type_hints(wanted, vars(sys.modules[module]), include_extras=True)
            except Exception as error:  # a type that is written as text may be any expression
                raise self._unreadable(str(error)) from None
        return hints

    def _annotations(self) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Annotations and the module they are to be read in, those of a class after those it inherits from."""
        if not dataclasses.is_dataclass(self.kind):
            init: Any = self.kind.__init__
            yield getattr(init, "__annotations__", {}), getattr(init, "__module__", None) or self.kind.__module__
            return
        for each in reversed(self.kind.__mro__):
            yield vars(each).get("__annotations__", {}), each.__module__

    def _unreadable(self, why: str) -> ConfigError:
        return ConfigError(
            f"{self.where}: the types of the settings of {self.kind.__name__} cannot be read: {why}".rstrip(".") + "."
        )


@dataclasses.dataclass(frozen=True)
class Form:
    """A dataclass with a field for each setting, and what fills it."""

    table: type
    adapter: TypeAdapter[Any]


@lru_cache(maxsize=128)
def _form(settings: PartSettings) -> Form:
    """Made once: each takes about 10 ms, and the config of a run is checked several times."""
    return settings.make_form()
