"""Chroma collections as tables: whole rows by id, in pages, with vectors that we give ourselves."""

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, cast

import chromadb
import numpy as np
from chromadb.api.client import Client
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError

from ..tasks.errors import ConfigError
from .base import Encoder, Vectors
from .novelty import Contents

PAGE = 5000
"""Rows in one call. Chroma refuses more than 5461 in a write, and SQLite more than 32766 ids in a read."""

Values = Mapping[str, str | int | float | bool]


class Table:
    """One collection. Every row has a text key, a vector and flat values; writes replace by id.

    Reads that must miss nothing (`contents`) are exact over vectors kept in this process until the next write;
    `nearest` asks Chroma's index.
    """

    def __init__(self, collection: chromadb.Collection, dim: int):
        self._collection = collection
        self._dim = dim
        self._contents: Contents | None = None

    def rows(self, where: dict[str, Any] | None = None) -> Iterator[tuple[str, Values]]:
        """All rows that match, with their ids."""
        offset = 0
        while True:
            page = self._collection.get(where=where, limit=PAGE, offset=offset, include=["metadatas"])
            yield from zip(page["ids"], page["metadatas"] or [], strict=True)
            if len(page["ids"]) < PAGE:
                return
            offset += PAGE

    def by_id(self, ids: Sequence[str]) -> dict[str, Values]:
        """The rows of those ids that are there."""
        found: dict[str, Values] = {}
        for some in _pages(list(dict.fromkeys(ids))):
            page = self._collection.get(ids=some, include=["metadatas"])
            found.update(zip(page["ids"], page["metadatas"] or [], strict=True))  # type: ignore[arg-type]
        return found

    def put(self, rows: Mapping[str, Values], vectors: Vectors) -> None:
        """Insert or replace; `vectors` has one row for each. A page is written whole or not at all."""
        start = 0
        for ids in _pages(list(rows)):
            end = start + len(ids)
            self._contents = None
            self._collection.upsert(ids=ids, embeddings=vectors[start:end], metadatas=[dict(rows[i]) for i in ids])
            start = end

    def change(self, ids: Sequence[str], values: Values) -> None:
        """Set some values of rows that are there."""
        for some in _pages(list(ids)):
            self._collection.update(ids=some, metadatas=[dict(values) for _ in some])

    def forget(self, keys: Sequence[str]) -> None:
        """Delete the rows of these texts."""
        for some in _pages(list(keys)):
            self._contents = None
            self._collection.delete(where={"key": {"$in": some}})  # type: ignore[dict-item]

    def nearest(self, vector: Vectors, k: int) -> list[Values]:
        """The k nearest rows by cosine, nearest first, equals by id."""
        if k < 1:
            return []
        found = self._collection.query(
            query_embeddings=vector[None, :], n_results=k, include=["metadatas", "distances"]
        )
        ids, distances, values = found["ids"][0], (found["distances"] or [[]])[0], (found["metadatas"] or [[]])[0]
        ranked = sorted(zip(distances, ids, values, strict=True), key=lambda row: row[:2])
        return [row[2] for row in ranked]  # type: ignore[misc]

    def contents(self) -> Contents:
        """Keys and vectors of all rows."""
        if self._contents is None:
            keys: list[str] = []
            vectors: list[Any] = [np.zeros((0, self._dim), dtype=np.float32)]
            count = PAGE
            while count == PAGE:
                page = self._collection.get(limit=PAGE, offset=len(keys), include=["metadatas", "embeddings"])
                count = len(page["ids"])
                if count:
                    keys += [str(values["key"]) for values in page["metadatas"] or []]
                    vectors.append(np.asarray(page["embeddings"], dtype=np.float32))
            self._contents = Contents(frozenset(keys), np.concatenate(vectors))
        return self._contents


def open_tables(folder: Path, encoder: Encoder, names: Sequence[str]) -> tuple[Client, dict[str, Table]]:
    """Open the tables in `folder`, making those that are missing.

    Raises:
        ConfigError: the folder holds something else, or vectors of another encoder.
    """
    os.environ["ANONYMIZED_TELEMETRY"] = "FALSE"
    try:
        # Declared as its interface, which has no `close`.
        client = cast(Client, chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False)))
    except (ChromaError, ValueError) as error:
        raise ConfigError(
            f"The memory in {folder} cannot be opened ({error}). Is the disk full? If not, choose another "
            "folder, or restore this one."
        ) from error
    try:
        return client, {name: Table(_collection(client, name, encoder, folder), encoder.dim) for name in names}
    except BaseException:
        client.close()
        raise


def _collection(client: Client, name: str, encoder: Encoder, folder: Path) -> chromadb.Collection:
    made_with = {"embedder": encoder.fingerprint, "dim": encoder.dim}
    try:
        # Without embedding_function=None Chroma would bring its own model, and fetch it.
        found = client.get_collection(name, embedding_function=None)
    except NotFoundError:
        return client.create_collection(
            name, embedding_function=None, metadata=made_with, configuration={"hnsw": {"space": "cosine"}}
        )
    _refuse_functions(found, folder)
    there = found.metadata or {}
    if there.get("embedder") != made_with["embedder"] or there.get("dim") != made_with["dim"]:
        raise ConfigError(
            f"The memory in {folder} was made with embedder {there.get('embedder')} ({there.get('dim')} dimensions), "
            f"but memory.embedder is now {encoder.fingerprint} ({encoder.dim} dimensions). "
            "Set the embedder it was made with, or start a new run."
        )
    return found


def _refuse_functions(found: chromadb.Collection, folder: Path) -> None:
    """Refuse a collection that brings an embedding function: Chroma would build it, and it may name code to run."""
    model = found.get_model()
    for function in _functions([model.configuration_json, model.serialized_schema]):
        if function.get("type") not in ("legacy", "unknown"):  # Chroma's words for none
            raise ConfigError(
                f"The memory in {folder} was not made by EvoKD: its collection {found.name!r} brings the embedding "
                f"function {function.get('name')!r}, which may run code. Remove the folder, or start a new run."
            )


def _functions(stored: object) -> Iterator[Mapping[str, object]]:
    """Every embedding function in what Chroma keeps of a collection, at any depth."""
    inner = stored.values() if isinstance(stored, Mapping) else stored if isinstance(stored, list) else ()
    for each in inner:
        yield from _functions(each)
    function = stored.get("embedding_function") if isinstance(stored, Mapping) else None
    if isinstance(function, Mapping):
        yield function


def _pages(items: list[str]) -> Iterator[list[str]]:
    rest = iter(items)
    while page := list(islice(rest, PAGE)):
        yield page
