"""Parts of the user's own, named `module:Class`. Importing a module runs it, so only what the user named is imported.

A run folder holds such names too, and may have been sent by somebody else: what stands there is not the user's word.
A name without a colon is that of an entry point of an installed package, which the user chose by installing it.
"""

import importlib
import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ...tasks.errors import ConfigError

_allowed: set[str] = set()
"""What this process may import. One for all, as an import cannot be taken back."""

_added: set[str] = set()
"""Folders that `_look_here` put on the path; what lies there is not installed."""


def allow(specs: Iterable[str]) -> None:
    """Let these be imported from now on: they stand in a file or a flag that the user named."""
    _allowed.update(specs)


def require(specs: Iterable[str], where: str) -> None:
    """Refuse what the user has not named; nothing has been imported then.

    Args:
        specs: each `module:Class`.
        where: what names them, for the error.

    Raises:
        ConfigError: with the flags that allow what is missing.
    """
    if missing := [spec for spec in dict.fromkeys(specs) if spec not in _allowed]:
        for spec in missing:
            _parted(spec, where)
        raise ConfigError(
            f"{where} names code that is not EvoKD's, and to import it is to run it: {', '.join(missing)}. If you "
            f"trust it, add {' '.join(flags(missing))} (for `langgraph dev`, name it in the config of EVOKD_CONFIG)."
        )


def flags(specs: Iterable[str]) -> list[str]:
    """The words of a command line that allow these."""
    return [word for spec in specs for word in ("--allow", spec)]


def own_class(spec: str, where: str, *contracts: type) -> type[Any]:
    """The class behind `module:Class`; nothing of it has been called.

    Args:
        spec: what the user wrote.
        where: the key that holds it, for the error.
        contracts: protocols (or classes of ours), of one of which it must have all methods.

    Raises:
        ConfigError: it is not allowed, cannot be imported, is no class, or lacks a method.
    """
    require([spec], where)
    module, name = _parted(spec, where)
    try:
        _look_here(module.partition(".")[0])
        found = getattr(importlib.import_module(module), name)
    except Exception as error:  # a user's module may fail in any way; what it says is what helps
        raise ConfigError(
            f"{where} = {spec!r} cannot be imported ({type(error).__name__}: {error}). Write it as `module:Class`, "
            "with the module in the folder you start from or installed."
        ) from error
    return _usable(found, f"{where} = {spec!r}", *contracts)


def installed_class(name: str, where: str, group: str, ours: Iterable[str], *contracts: type) -> type[Any]:
    """The class behind the name of an entry point; nothing of it has been called.

    Args:
        name: what the user wrote.
        where: the key that holds it, for the error.
        group: of the entry points, `evokd.tasks` and so on.
        ours: the names that are ours, for the error.
        contracts: as in `own_class`.

    Raises:
        ConfigError: no package or more than one offers it, it cannot be imported, is no class, or lacks a method.
    """
    offers = _installed(group)
    found = [(owner, point) for owner, point in offers if point.name == name]
    if not found:
        raise ConfigError.unknown(where, name, {*ours, "module:Class", *(point.name for _, point in offers)})
    if len(found) > 1:
        told = " and ".join(sorted(f"{owner} ({point.value})" for owner, point in found))
        raise ConfigError(
            f"{where} = {name!r} is what more than one installed package offers: {told}. Uninstall all but one, or "
            "write the class itself, as `module:Class`."
        )
    [(owner, point)] = found
    try:
        kind = point.load()
    except Exception as error:  # as above
        raise ConfigError(
            f"{where} = {name!r}, which the package {owner} offers as {point.value!r}, cannot be imported "
            f"({type(error).__name__}: {error}). Update or reinstall {owner}."
        ) from error
    return _usable(kind, f"{where} = {name!r} (of the package {owner})", *contracts)


def _installed(group: str) -> list[tuple[str, EntryPoint]]:
    """Package and entry point, for all of a group; of two versions of a package the one that is imported."""
    found: dict[str, list[EntryPoint]] = {}
    for package in distributions(path=[place for place in sys.path if place not in _added]):
        owner = str(package.metadata["Name"])
        found.setdefault(owner.casefold().replace("_", "-"), list(package.entry_points.select(group=group)))
    return [(owner, point) for owner, points in found.items() for point in points]


def build(kind: type[Any], where: str, contract: type, given: Iterable[Any], named: dict[str, Any]) -> Any:
    """A part of the user's own, built as ours is, with its own settings besides.

    Methods are looked for before; attributes, which `__init__` may set, on what was built.

    Args:
        kind: as `own_class` or `installed_class` found it.
        where: the key that holds it and what it says, for the error.
        contract: the protocol it must have the attributes of.
        given: the arguments our own part gets.
        named: those by name, and its settings.

    Raises:
        ConfigError: it cannot be built, or lacks an attribute.
    """
    try:
        part = kind(*given, **named)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{where} cannot be built: {str(error).rstrip('.')}.") from error
    public = {*vars(contract), *getattr(contract, "__annotations__", {})}
    if lacking := sorted(name for name in public if not name.startswith("_") and not hasattr(part, name)):
        raise _lacks(where, contract, lacking)
    return part


def _usable(found: Any, said: str, *contracts: type) -> type[Any]:
    if not issubclass(type(found), type):  # not isinstance: an object may claim to be of another class
        raise ConfigError(
            f"{said} is a {type(found).__name__}, not a class. Name a class with the methods of the "
            f"{contracts[0].__name__} protocol: {', '.join(sorted(_methods(contracts[0])))}."
        )
    lacking = [sorted(name for name in _methods(each) if not _defines(found, name)) for each in contracts]
    if all(lacking):
        others = "".join(f" Or inherit from {each.__module__}.{each.__name__}." for each in contracts[1:])
        raise ConfigError(f"{_lacks(said, contracts[0], lacking[0])}{others}")
    return found  # type: ignore[no-any-return]


def _lacks(said: str, contract: type, names: Iterable[str]) -> ConfigError:
    return ConfigError(f"{said} lacks {', '.join(names)} of the {contract.__name__} protocol.")


def _parted(spec: str, where: str) -> tuple[str, str]:
    """Module and name; identifiers alone, as an error may ask the user to copy them into a shell."""
    module, _, name = spec.partition(":")
    if not all(part.isidentifier() for part in (*module.split("."), name)):
        raise ConfigError(f"{where}: {spec!r} is not of the form `module:Class`.")
    return module, name


def _look_here(package: str) -> None:
    """Put the current folder last on the path where a package lies there and nowhere else.

    It is not there from the start: a file that was sent along would be taken for any optional package (matplotlib, ray)
    that is not installed.
    """
    here = str(Path.cwd())
    if package not in sys.modules and find_spec(package) is None and PathFinder.find_spec(package, [here]) is not None:
        sys.path.append(here)
        _added.add(here)


def _methods(contract: type) -> Iterator[str]:
    for name, value in vars(contract).items():
        if callable(value) and (name == "__call__" or not name.startswith("_")):
            yield name


def _defines(kind: type, name: str) -> bool:
    """Whether a class or one it inherits from has a method; what a metaclass would answer does not count."""
    return next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None) is not None
