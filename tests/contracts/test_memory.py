"""Our memory and its fake do what every memory must."""

from pathlib import Path

from evokd.memory.base import MemorySettings
from evokd.memory.chroma import ChromaMemory
from evokd.testing import HashEmbedder, ListMemory, MemoryContract


class TestChroma(MemoryContract):
    def make(self, folder: Path) -> ChromaMemory:
        return ChromaMemory(folder, HashEmbedder(), MemorySettings())


class TestList(MemoryContract):
    persists = False

    def make(self, folder: Path) -> ListMemory:
        return ListMemory()
