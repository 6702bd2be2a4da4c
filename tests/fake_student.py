"""Moved to `evokd.testing`."""

from evokd.testing.students import *  # noqa: F403
