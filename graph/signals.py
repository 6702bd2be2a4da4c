"""Ctrl-C and SIGTERM: the step under way may end, and what is stopped can go on."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from langgraph.runtime import RunControl

STOPPING = b"\nStopping when this step has ended; the same again stops at once. Nothing is lost either way.\n"


@contextlib.contextmanager
def drained_by_signals(control: RunControl) -> Iterator[None]:
    """The first SIGINT or SIGTERM lets the step end, but not wait for a batch; the second ends the process at once.

    Neither loses anything.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def drain(number: int, frame: object) -> None:
        control.request_drain(signal.Signals(number).name)
        os.write(2, STOPPING)  # not printed: the signal may have come in the middle of a print
        for each in previous:
            signal.signal(each, signal.SIG_DFL)

    previous = {number: signal.signal(number, drain) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
