"""Moved to `evokd.testing`."""

from evokd.testing.fakes import *  # noqa: F403
