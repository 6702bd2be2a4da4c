"""A student that is the mean of several fits: a model soup (Wortsman et al. 2022, arXiv 2203.05482).

Fits on the same texts that differ only in their order end in different places. The mean of their weights is a better
student than one of them, on average (docs/results.md), and no slower.
"""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from agents.base import Services
from student.base import Student


def cook(services: Services, folder: Path, seeds: Sequence[int], fitted: Callable[[int, str], Student]) -> None:
    """Save in `folder` the mean of one fit per seed; a killed run finds the fits it had finished.

    Args:
        services: students, and the dev set for thresholds.
        folder: of the student; what is there already stays.
        seeds: of the fits.
        fitted: (seed, which fit of how many) -> a student that has learnt.
    """
    if folder.exists():
        return
    parts = [folder.with_name(f".{folder.name}-{seed}") for seed in seeds[:-1]]
    for number, (part, seed) in enumerate(zip(parts, seeds, strict=False), start=1):
        if not part.exists():
            fitted(seed, f", fit {number} of {len(seeds)}").save(part)
    student = fitted(seeds[-1], f", fit {len(seeds)} of {len(seeds)}" if parts else "")
    student.average(services.students.load(part) for part in parts)
    student.calibrate(services.memory.samples("dev"))
    student.save(folder)
    for part in parts:
        shutil.rmtree(part)
