"""Chroma collections as tables: whole rows by id, in pages, with vectors that we give ourselves."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, Literal

import chromadb
import numpy as np
from chromadb.errors import NotFoundError

from ..tasks.errors import ConfigError
from .base import Encoder, Vectors
from .novelty import Contents
from .place import Place

PAGE = 5000
"""Rows in one call. Chroma refuses more than 5461 in a write, and SQLite more than 32766 ids in a read."""

Values = Mapping[str, str | int | float | bool]


class Table:
    """One collection. Every row has a text key, a vector and flat values; writes replace by id.

    The collection has one owner, so what was read once is known here until it is written: values are read when they are
    first asked for, vectors when something is compared with all of them (`contents`). `nearest` asks Chroma's index.
    """

    def __init__(self, collection: chromadb.Collection, dim: int):
        self._collection = collection
        self._dim = dim
        self._known: dict[str, Values] | None = None
        self._contents: Contents | None = None

    def rows(self, **values: str | int) -> Iterator[tuple[str, Values]]:
        """All rows that have these values, with their ids."""
        for i, row in self._all().items():
            if all(row.get(name) == value for name, value in values.items()):
                yield i, row

    def by_id(self, ids: Sequence[str]) -> dict[str, Values]:
        """The rows of those ids that are there."""
        there = self._all()
        return {i: there[i] for i in ids if i in there}

    def keys(self) -> set[str]:
        """The text keys of all rows."""
        return {str(row["key"]) for row in self._all().values()}

    def put(self, rows: Mapping[str, Values], vectors: Vectors) -> None:
        """Insert or replace; `vectors` has one row for each. A page is written whole or not at all."""
        start = 0
        for ids in _pages(list(rows)):
            end = start + len(ids)
            with self._changing() as known:
                self._collection.upsert(ids=ids, embeddings=vectors[start:end], metadatas=[dict(rows[i]) for i in ids])
                known |= {i: rows[i] for i in ids}
            start = end

    def change(self, ids: Sequence[str], values: Values) -> None:
        """Set some values of rows that are there."""
        for some in _pages(list(ids)):
            with self._changing() as known:
                self._collection.update(ids=some, metadatas=[dict(values) for _ in some])
                known |= {i: {**known[i], **values} for i in some}

    def forget(self, keys: Sequence[str]) -> None:
        """Delete the rows of these texts."""
        named = set(keys)
        for some in _pages([i for i, row in self._all().items() if row["key"] in named]):
            with self._changing() as known:
                self._collection.delete(ids=some)
                for i in some:
                    del known[i]

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
            found: list[Any] = [np.zeros((0, self._dim), dtype=np.float32)]
            found += [np.asarray(page["embeddings"], dtype=np.float32) for page in self._read("embeddings")]
            self._contents = Contents(frozenset(self.keys()), np.concatenate(found))
        return self._contents

    def _all(self) -> dict[str, Values]:
        if self._known is None:
            self._known = {}
            for page in self._read("metadatas"):
                self._known.update(zip(page["ids"], page["metadatas"] or [], strict=True))  # type: ignore[arg-type]
        return self._known

    def _read(self, what: Literal["metadatas", "embeddings"]) -> Iterator[chromadb.GetResult]:
        """Everything, page by page; no page is empty."""
        offset = 0
        while (page := self._collection.get(limit=PAGE, offset=offset, include=[what]))["ids"]:
            yield page
            offset += len(page["ids"])

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Values]]:
        """What is known of the rows, for a write; nothing is, where the write fails."""
        known, self._known, self._contents = self._all(), None, None
        yield known
        self._known = known


def open_tables(place: Place, encoder: Encoder, names: Sequence[str]) -> dict[str, Table]:
    """Open the tables of a memory, making those that are missing.

    Raises:
        ConfigError: there is something else, or vectors of another encoder.
    """
    return {name: Table(_collection(place, name, encoder), encoder.dim) for name in names}


def _collection(place: Place, name: str, encoder: Encoder) -> chromadb.Collection:
    made_with = {"embedder": encoder.fingerprint, "dim": encoder.dim}
    try:
        # Without embedding_function=None Chroma would bring its own model, and fetch it.
        found = place.client.get_collection(place.prefix + name, embedding_function=None)
    except NotFoundError:
        return place.client.create_collection(
            place.prefix + name,
            embedding_function=None,
            metadata=made_with,
            configuration={"hnsw": {"space": "cosine"}},
        )
    _refuse_functions(found, place)
    there = found.metadata or {}
    if there.get("embedder") != made_with["embedder"] or there.get("dim") != made_with["dim"]:
        raise ConfigError(
            f"The memory in {place.name} was made with embedder {there.get('embedder')} ({there.get('dim')} "
            f"dimensions), but memory.embedder is now {encoder.fingerprint} ({encoder.dim} dimensions). "
            "Set the embedder it was made with, or start a new run."
        )
    return found


def _refuse_functions(found: chromadb.Collection, place: Place) -> None:
    """Refuse a collection that brings an embedding function: Chroma would build it, and it may name code to run."""
    model = found.get_model()
    for function in _functions([model.configuration_json, model.serialized_schema]):
        if function.get("type") not in ("legacy", "unknown"):  # Chroma's words for none
            raise ConfigError(
                f"The memory in {place.name} was not made by EvoKD: its collection {found.name!r} brings the embedding "
                f"function {function.get('name')!r}, which may run code. Remove it, or start a new run."
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
