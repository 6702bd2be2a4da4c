"""One process owns a memory folder."""

from pathlib import Path

from filelock import FileLock, Timeout

from ..tasks.errors import ConfigError


def owned(folder: Path) -> FileLock:
    """The right to write to a folder, until `release()` or the end of the process, however it ends.

    Chroma takes writes of several processes without an error and then misses rows in its index for ever.

    Raises:
        ConfigError: another process, or another object of this one, has it.
    """
    lock = FileLock(folder / "in-use")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ConfigError(
            f"The memory in {folder} is in use by another process. Wait for it or stop it first."
        ) from None
    return lock
