"""Is this machine ready for a run? What is looked at, what was found, and what helps where something is wrong."""

import importlib.util
import logging
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..graph.config.run_config import RunConfig
from ..tasks.errors import EvoKDError
from .connection_test import check_connection
from .estimate import price_notes

NEEDED = ("torch", "transformers", "chromadb", "langgraph", "langchain-openai", "scikit-learn", "scipy")

ROOM = 2e9
"""Free bytes below which a run may fill the disk: ten students of MiniLM take one gigabyte."""

OLDEST = (3, 11)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    of: str
    is_well: bool
    said: str
    advice: str = ""
    """What helps where something is wrong, or what more can be had where all is well."""


def examine(runs: Path, config: RunConfig | None = None) -> Iterator[Finding]:
    """Look at everything, one finding after the other, as the last ones ask servers.

    Args:
        runs: the folder that run folders are made in.
        config: of the run to come; with it the teacher gets one tiny call for each of its models.
    """
    yield _python()
    yield _packages()
    yield _charts()
    yield _device()
    yield _room(runs)
    yield _writable(runs)
    yield _tracing()
    if config is not None:
        yield from _teacher(config)


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.platform()}"
    is_well = sys.version_info >= OLDEST
    return Finding("python", is_well, found, "" if is_well else "EvoKD needs Python 3.11 or newer.")


def _packages() -> Finding:
    found, missing = [], []
    for name in NEEDED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        advice = "Install EvoKD anew: `pip install evokd`, or `make install` in a checkout."
        return Finding("packages", False, f"missing: {', '.join(missing)}", advice)
    return Finding("packages", True, ", ".join(found))


def _charts() -> Finding:
    there = importlib.util.find_spec("matplotlib") is not None
    said = "reports have their charts" if there else "reports have no charts"
    return Finding("charts", True, said, "" if there else "pip install 'evokd[plots]' brings them.")


def _device() -> Finding:
    import torch  # it takes its time

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "the CPU (no CUDA GPU is there)"
    more = "student.threads says how many a student takes; one is fastest where anything else computes."
    return Finding("device", True, f"students learn on {gpu}; {cores} CPU cores may be used", more)


def _room(runs: Path) -> Finding:
    place = next(each for each in (runs.absolute(), *runs.absolute().parents) if each.exists())
    free = shutil.disk_usage(place).free
    said, advice = f"{free / 1e9:.1f} GB are free at {place}", "Free some, or choose another disk with --runs."
    return Finding("disk", free >= ROOM, said, "" if free >= ROOM else advice)


def _writable(runs: Path) -> Finding:
    place = next(each for each in (runs.absolute(), *runs.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            return Finding("writing", True, f"{place} can be written to")
    except OSError as error:
        advice = "Choose a folder of your own with --runs."
        return Finding("writing", False, f"{place} cannot be written to: {error.strerror or error}", advice)


def _tracing() -> Finding:
    from langsmith import Client
    from langsmith.utils import LangSmithError, tracing_is_enabled

    if not tracing_is_enabled():
        return Finding("langsmith", True, "tracing is off", "LANGSMITH_TRACING=true turns it on (docs/tracing.md).")
    logging.getLogger("langsmith").setLevel(logging.CRITICAL)  # it would say the same, at length and in its own words
    client = Client(timeout_ms=(3000, 5000))
    try:
        client.request_with_retries("GET", "/info", stop_after_attempt=1)
    except (LangSmithError, OSError) as error:
        said = f"{client.api_url} does not answer ({type(error).__name__})"
        advice = "Look at LANGSMITH_ENDPOINT and LANGSMITH_API_KEY, or set LANGSMITH_TRACING=false. Runs go on anyway."
        return Finding("langsmith", False, said, advice)
    return Finding("langsmith", True, f"{client.api_url} answers")


def _teacher(config: RunConfig) -> Iterator[Finding]:
    from langsmith import tracing_context

    advice = "Look at [teacher]: model, base_url and api_key_env (docs/teachers.md)."
    with tempfile.TemporaryDirectory() as place, tracing_context(enabled=False):
        try:
            tried = check_connection(config, Path(place) / "trial")
        except EvoKDError as error:
            yield Finding("teacher", False, str(error), advice)
            return
    if not tried.ok:
        yield Finding("teacher", False, tried.said, advice)
        return
    yield Finding("teacher", True, f"answers in {tried.seconds:.1f} s; {tried.said}")
    for note in price_notes(config.teacher, ("analyst", "generator", "annotator")):
        is_needed = config.budget.max_usd is not None and "is unknown" in note
        yield Finding("price", not is_needed, note, "budget.max_usd cannot hold without it." if is_needed else "")
