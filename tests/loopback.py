"""Moved to `evokd.testing`."""

from evokd.testing.loopback import *  # noqa: F403
