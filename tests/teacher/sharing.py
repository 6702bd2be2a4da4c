"""Puts two hundred answers into a cache, started as a process of its own; both processes use the same keys."""

import sys
from pathlib import Path

from evokd.teacher.accounting.cache import AnswerCache

if __name__ == "__main__":
    path, name = Path(sys.argv[1]), sys.argv[2]
    sys.stdin.readline()  # both begin at once
    for round_ in range(10):
        cache = AnswerCache(path.with_name(f"{round_}.sqlite"))
        for number in range(20):
            cache.put(f"k{number}", f"{name} {number}", name, {"id": f"{name}{number}"})
            assert cache.get(f"k{number}") is not None
        cache.close()
