"""A student that is the mean of several fits: a model soup (Wortsman et al. 2022, arXiv 2203.05482).

Fits on the same texts that differ only in their order end in different places. The mean of their weights is a better
student than one of them, on average (docs/results/texts-by-use.md), and no slower.
"""

import hashlib
import json
import shutil
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from ...student.base import Student
from ..base import Services


def average_fits(services: Services, folder: Path, seeds: Sequence[int], fit: Callable[[int, str], Student]) -> None:
    """Save in `folder` the mean of one fit per seed; a killed run finds the fits it had finished.

    Args:
        services: students, and the dev set for thresholds.
        folder: of the student; what is there already stays.
        seeds: of the fits.
        fit: (seed, which fit of how many) -> a student that has learnt.
    """
    if not folder.exists():
        _average(services, folder, seeds, fit)
    for part in folder.parent.glob(f".{folder.name}-*"):
        shutil.rmtree(part)


def _average(services: Services, folder: Path, seeds: Sequence[int], fit: Callable[[int, str], Student]) -> None:
    of = hash_settings(services)
    parts = [folder.with_name(f".{folder.name}-{seed}-{of}") for seed in seeds[:-1]]
    for number, (part, seed) in enumerate(zip(parts, seeds, strict=False), start=1):
        if not part.exists():
            fit(seed, f", fit {number} of {len(seeds)}").save(part)
    student = fit(seeds[-1], f", fit {len(seeds)} of {len(seeds)}" if parts else "")
    student.average(services.students.load(part) for part in parts)
    student.calibrate(services.memory.samples("dev"))
    student.save(folder)


def hash_settings(services: Services) -> str:
    """Tells fits made under other settings apart: a run that is resumed may have another student by then."""
    path = services.folder.root / "config.toml"
    raw = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    made_by = [raw.get("student"), raw.get("agents", {}).get("trainer")]
    return hashlib.sha256(json.dumps(made_by, sort_keys=True).encode()).hexdigest()[:8]
