"""What a run was begun with: versions of Python, of EvoKD, and of the packages that decide what comes out."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "evokd", "torch", "transformers", "numpy", "scikit-learn", "scipy", "chromadb", "langgraph", "langchain-core",
    "openai", "xllamacpp",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Name -> version, of those that are there."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # an extra that is not installed, or a checkout that is not
            continue
    return found
