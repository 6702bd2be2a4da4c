"""How figures, counts and foreign texts are written for a terminal."""

from ..tasks.wording import harmless as harmless
from .run_files import Row

SETS = {"test": "test file", "dev": "dev file", "gate": "gate", "train": "written or pool", "seed": "your seeds"}
"""Split -> its words."""

BATCH_STATS = {
    "lessons_refused": "lessons refused",
    "analysis_failed": "analyses failed",
    "drafted": "drafted",
    "refused": "refused",
    "accepted": "accepted",
    "held_out": "held out for the gate",
    "quarantined": "quarantined",
    "repaired": "answers repaired",
    "unusable": "answers unusable",
    "for_lessons": "for lessons",
    "too_hard": "too hard",
    "no_longer_too_hard": "no longer too hard",
    "trained_on": "trained on",
}
"""Field of `stats` in `metrics.jsonl` -> its words, in the order of a cycle. `other` has the words of its role."""


def batch_stats(stats: Row) -> str:
    """What became of a cycle's texts as a line: `drafted 8, quarantined 2 (not confident 2)`; zeros are left out."""
    counts = {words: stats[field] for field, words in BATCH_STATS.items() if field in stats} | stats.get("other", {})
    return ", ".join(_count(words, count) for words, count in counts.items() if count) or "nothing counted"


def _count(words: str, count: int | dict[str, int]) -> str:
    if isinstance(count, int):
        return f"{words} {count}"
    return f"{words} {sum(count.values())} ({', '.join(f'{name} {each}' for name, each in count.items())})"


def percent(score: Row | None) -> str:
    """A score in whole percent."""
    return f"{100 * score['value']:.0f} %" if score else "-"


def interval(score: Row | None) -> str:
    """A score in percent with its interval."""
    return f"{100 * score['value']:.1f} {bounds(score, '.0f')}" if score else "-"


def bounds(score: Row, form: str) -> str:
    """Its interval in percent, each end in a format like `.0f`."""
    if score["low"] is None:
        return "[too few to tell]"
    return f"[{100 * score['low']:{form}}, {100 * score['high']:{form}}]"


def calibration_line(calibration: Row) -> str:
    """What the test set said of the probabilities, and what they were calibrated on."""
    before, after = (f"{100 * calibration[side]['ece']:.1f} %" for side in ("before", "after"))
    if calibration["source"] == "none":
        return f"Expected calibration error on the test set: {before}. The probabilities are not calibrated."
    texts = "rows of the dev file" if calibration["source"] == "dev" else "training texts, out of fold"
    return (
        f"Expected calibration error on the test set: {after}; without the temperature of "
        f"{calibration['temperature']:.2f}, found on {calibration['n']} {texts}: {before}."
    )
