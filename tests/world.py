"""Moved to `evokd.testing`."""

from evokd.testing.world import *  # noqa: F403
