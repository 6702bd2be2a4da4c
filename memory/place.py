"""Where the collections of a memory lie: in files of the run's folder, or on a Chroma server that many runs share."""

import logging
import os
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import chromadb
import httpx
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError

from ..tasks.errors import ConfigError
from .leftovers import BASE
from .marker import run_marker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """An open connection to Chroma, and what tells the collections of this memory from those of others."""

    client: Client
    prefix: str
    name: str
    """For errors."""


@contextmanager
def open_place(folder: Path, server: str | None) -> Iterator[Place]:
    """The place of a memory for the length of a block; `folder` is the caller's own already (`memory.lock`).

    Args:
        folder: of the memory; its files lie there, or the run that its collections on a server are named after does.
        server: address of a Chroma server, or None.

    Raises:
        ConfigError: the files are no Chroma's, the server cannot be reached, or another process uses these collections.
    """
    os.environ["ANONYMIZED_TELEMETRY"] = "FALSE"
    if server is None:
        client = _of_files(folder)
        try:
            yield Place(client, "", str(folder))
        finally:
            client.close()
        return
    prefix = f"evokd-{_run_id(folder)}-"
    client = _of_server(server)
    try:
        with _alone(client, f"{prefix}in-use", folder, server):
            yield Place(client, prefix, f"{server} ({prefix}*)")
    finally:
        client.close()


def _of_files(folder: Path) -> Client:
    try:
        # Declared as its interface, which has no `close`.
        return cast(Client, chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False)))
    except (ChromaError, ValueError, AttributeError) as error:  # the last over a file that is no database
        raise ConfigError(
            f"The memory in {folder} cannot be opened ({error}). Is the disk full, or {BASE} damaged? If so, put it "
            "back from a copy, or start a new run: `evokd run CONFIG --name NEW`."
        ) from error


def _of_server(server: str) -> Client:
    address = urlsplit(server)
    host, port, ssl = address.hostname or "", address.port or 0, address.scheme == "https"
    try:
        quiet = Settings(anonymized_telemetry=False)
        return cast(Client, chromadb.HttpClient(host, port, ssl, settings=quiet))
    except (ChromaError, httpx.HTTPError, ValueError) as error:
        raise ConfigError(
            f"memory.server = {server!r} cannot be used ({error}). Start it with `chroma run`, or correct the address."
        ) from error


def _run_id(folder: Path) -> str:
    found = str(run_marker(folder.parent).read()["id"])
    if not re.fullmatch(r"[0-9a-f]{32}", found):
        raise ConfigError(f"{folder.parent / 'run.json'} has the id {found!r:.60}, which EvoKD did not write.")
    return found


@contextmanager
def _alone(client: Client, name: str, folder: Path, server: str) -> Iterator[None]:
    """The right to write to collections: that a collection can be made once only, which names the process.

    A process that was killed leaves it there. It is taken over where that process is known to be gone: it was on this
    machine, and either had the folder that is ours now, or does not run any more.
    """
    own = {"host": socket.gethostname(), "pid": os.getpid(), "folder": str(folder.resolve())}
    if not _made(client, name, own):
        there = _owner(client, name)
        if not _is_gone(there, own):
            raise ConfigError(
                f"The memory of this run on {server} is in use by process {there.get('pid')} on {there.get('host')} "
                f"for {there.get('folder')}. Wait for it or stop it first; if it is gone, delete the collection "
                f"{name!r} there. A copy of a run cannot go on beside it."
            )
        client.delete_collection(name)
        if not _made(client, name, own):
            raise ConfigError(f"The memory of this run on {server} has just been taken by another process.")
    try:
        yield
    finally:
        try:
            client.delete_collection(name)
        except (ChromaError, httpx.HTTPError) as error:
            log.warning("The memory on %s was not released (%s); the next start of this run does it.", server, error)


def _made(client: Client, name: str, owner: Mapping[str, Any]) -> bool:
    try:
        client.create_collection(name, embedding_function=None, metadata=dict(owner))
    except ChromaError:
        if not _owner(client, name):
            raise
        return False
    return True


def _owner(client: Client, name: str) -> Mapping[str, Any]:
    """What a lock says of its process; nothing where there is none."""
    try:
        return client.get_collection(name, embedding_function=None).metadata or {}
    except NotFoundError:
        return {}


def _is_gone(there: Mapping[str, Any], own: Mapping[str, Any]) -> bool:
    if there.get("host") != own["host"]:
        return False
    return there.get("folder") == own["folder"] or not _runs(there.get("pid"))


def _runs(pid: object) -> bool:
    try:
        os.kill(int(str(pid)), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:  # it is another user's
        return True
    return True
