"""What a run was asked to do, by what rules, and with which versions."""

from ..document import Section, Table
from ..run_files import Run, read_json

LONGEST = 60_000
"""Characters of the config that are shown."""


def guidelines(run: Run) -> Section | None:
    """The annotation guidelines, if the task has any."""
    found = run.guidelines.guideline
    if not found:
        return None
    rows = [[each.pattern, each.text, each.answer, each.status] for each in found]
    notes = ["They stand in guidelines.toml. Those marked assumed are yours to decide."]
    return Section("Guidelines", notes, tables=[Table(("pattern", "example", "answer", "status"), rows)])


def config(run: Run) -> Section:
    """The whole config; it never holds a key."""
    text = (run.root / "config.toml").read_text(encoding="utf-8")
    notes = ["All settings, defaults included (config.toml)."]
    if len(text) > LONGEST:
        notes.append(f"The first {LONGEST:,} of {len(text):,} characters.")
    return Section("The config", notes, listing=text[:LONGEST], on_screen=False)


def versions(run: Run) -> Section | None:
    """What the run was begun with, if it noted that."""
    path = run.root / "versions.json"
    if not path.exists():
        return None
    rows = [[name, str(version)[:200]] for name, version in read_json(path).items()]
    return Section("Versions", ["When the run began."], tables=[Table(("of", "version"), rows)], on_screen=False)
