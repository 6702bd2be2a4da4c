"""Tiny encoders, written once for all tests that only read them."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.student import tiny


@pytest.fixture(scope="session")
def encoders(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Family -> folder with a random encoder of it."""
    folder = tmp_path_factory.mktemp("encoders")
    return cache(lambda family: tiny.encoder(folder / family, family))
