"""At which cosine of their vectors two lessons are the same in other words: precision and recall over written pairs.

    python benchmarks/lessons_again.py

`lesson_pairs.json` has thirty lessons about three tasks, each in two wordings. A lesson is compared with the others of
its task, as in a run: the second wording of the same lesson is to be found, all the others are not.
"""

import itertools
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from evokd.memory.embedder import Embedder

CUTS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85)


def main() -> None:
    rows = json.loads((Path(__file__).parent / "lesson_pairs.json").read_text(encoding="utf-8"))
    said = [(task, number, text) for number, (task, *pair) in enumerate(rows) for text in pair]
    vectors = Embedder().encode([text for *_, text in said])
    of_task = [(a, b) for a, b in itertools.combinations(range(len(said)), 2) if said[a][0] == said[b][0]]
    cosines = np.array([vectors[a] @ vectors[b] for a, b in of_task])
    same = np.array([said[a][1] == said[b][1] for a, b in of_task])
    print(f"{same.sum()} pairs that are the same, {(~same).sum()} that are not")
    print(f"cosines of the same: {np.percentile(cosines[same], [0, 25, 50, 75, 100]).round(2)}")
    print(f"cosines of others:   {np.percentile(cosines[~same], [0, 50, 90, 99, 100]).round(2)}")
    for cut in CUTS:
        found = cosines > cut
        right = int((found & same).sum())
        precision = right / found.sum() if found.any() else float("nan")
        print(f"above {cut:.2f}: found {found.sum():3d}, precision {precision:.2f}, recall {right / same.sum():.2f}")


if __name__ == "__main__":
    main()
