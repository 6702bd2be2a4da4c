"""The tries of one call: how many may be billed without an answer, and how long to rest before the next."""

import threading

LONGEST_REST = 30.0
"""Seconds between two tries of one call; they begin with one second and grow fourfold, so that a few tries outlast an
outage of most of a minute."""


class Tries(threading.local):
    """Those of the call that each thread makes whose answers never arrived whole: they may be billed."""

    lost = 0

    def lose(self, tries: int = 1) -> None:
        """Count some."""
        self.lost += tries

    def take(self) -> int:
        """How many there were since this was last asked."""
        count, self.lost = self.lost, 0
        return count


def rest_after(tries: int) -> float:
    """Seconds to rest after so many tries that failed."""
    return float(min(LONGEST_REST, 4.0 ** (tries - 1)))
