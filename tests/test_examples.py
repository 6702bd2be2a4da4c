"""Every public name is told, with an example that is true."""

import doctest
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import evokd


def examples() -> list[Any]:
    finder, found = doctest.DocTestFinder(), []
    for name in evokd.__all__:
        public = getattr(evokd, name)
        if name == "Label":  # a union has no docstring of its own
            continue
        module = sys.modules[public.__module__]
        for test in finder.find(public, name, module, globs={"evokd": evokd, "Path": Path}):
            slow = "# slow" in (test.docstring or "")
            if test.examples:
                found.append(pytest.param(test, id=test.name, marks=pytest.mark.slow if slow else ()))
    return found


@pytest.mark.parametrize("example", examples())
def test_the_example_is_true(example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(example, out=told.append)
    assert not runner.failures, "".join(told)


@pytest.mark.parametrize("name", evokd.__all__)
def test_every_name_has_a_docstring_with_an_example(name: str) -> None:
    if name == "Label":
        source = Path(sys.modules["evokd.tasks.base"].__file__ or "").read_text(encoding="utf-8")
        assert source.partition("\nLabel = ")[2].partition("\nclass ")[0].count(">>> ") == 1
        return
    said = getattr(evokd, name).__doc__ or ""
    assert said[:1].isupper() and "Examples:\n" in said and ">>> " in said, f"{name}: {said!r}"


@pytest.mark.parametrize("name", ["run", "resume", "plan", "compare", "load"])
def test_every_argument_and_what_comes_back_is_told(name: str) -> None:
    function = getattr(evokd, name)
    arguments = function.__doc__.partition("Args:")[2].partition("Returns:")[0]
    for argument in function.__annotations__:
        assert argument == "return" or f"\n        {argument}: " in arguments, argument
    assert "Raises:\n        ConfigError: " in function.__doc__


def test_the_page_of_the_library_is_that_of_the_docstrings() -> None:
    pytest.importorskip("griffe2md", reason="comes with the dev extra: pip install -e '.[dev]'")
    from docs.make_api import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page(), f"{os.path.relpath(PAGE)} is stale: run `make docs`"
