"""The texts of a run for the page's browser and map: as many as fit, what is worth a look first."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..document import Section, Table
from ..formats.html import embedded
from ..labels import names, slips, told
from ..run_files import Row, Run
from ..wording import SETS

LONGEST = 400
"""Characters of a text that the page shows."""

NOWHERE = (-1, -1)
"""The place of a text that is not on the map."""

MAP_SHARE = 0.4
"""Of the room for texts, what those of the map may take."""

Packed = list[Any]
"""A text as the script reads it; the columns stand at the top of formats/page.js."""


def texts(run: Run) -> Section:
    """Where the texts are looked through, and how many there are of each fate."""
    counts: dict[tuple[str, str, str], int] = {}
    for row in run.samples:
        key = (row["split"], row["status"], row.get("reason", "") if row["status"] == "quarantined" else "")
        counts[key] = counts.get(key, 0) + 1
    rows = [[SETS.get(split, split), *rest, str(count)] for (split, *rest), count in sorted(counts.items())]
    table = Table(("set", "what became of it", "why", "texts"), rows)
    return Section("The texts", tables=[table], widget="browser")


def text_map(run: Run) -> Section | None:
    """Where the texts lie by their vectors; None where the run has not written that down."""
    if not run.rows("map.jsonl"):
        return None
    notes = [
        "Texts that mean alike lie close together: their vectors, flattened onto the plane that keeps most of their "
        "distances (PCA). Most of the distances are lost by that, so near is a hint and no proof. At most 2,000 texts. "
        "Right or wrong is what the student said before it had learnt the text. Click on one to read it."
    ]
    return Section("A map of the texts", notes, widget="map", on_screen=False)


def packed(run: Run, room: int) -> tuple[dict[str, Any], str]:
    """What the script shows, in at most `room` bytes of JSON, and a sentence that says what was left out.

    A fair sample for the map comes first, then the texts that the student got wrong, those of lessons and those put
    aside, then a fair sample of the rest.
    """
    places = {row["id"]: (row["x"], row["y"]) for row in run.rows("map.jsonl")}
    scale = _scale(list(places.values()))
    rows = sorted(_rows(run), key=lambda row: row["id"])  # ids are hashes: in their order any part is a fair sample
    tables, free = _Tables(), room - 2000
    # The map first, and that of a fair sample: of what went wrong alone it would tell a false story.
    chosen = tables.pack_within(
        int(MAP_SHARE * free), ((row, scale(places[row["id"]])) for row in rows if row["id"] in places)
    )
    mapped = {(row["split"], row["id"]) for row, _ in chosen}
    others = [row for row in rows if (row["split"], row["id"]) not in mapped]
    others.sort(key=lambda row: not row["first"])
    chosen += tables.pack_within(free, ((row, NOWHERE) for row in others))
    order = list(SETS)
    chosen.sort(key=lambda pair: (order.index(pair[0]["split"]), pair[0]["cycle"], pair[0]["id"]))
    return {**tables.lists(), "texts": [one for _, one in chosen]}, _left_out(rows, [row for row, _ in chosen])


def _left_out(rows: Sequence[Row], shown: Sequence[Row]) -> str:
    """What of the texts the page does not have, in a sentence or two."""
    said = []
    if missing := len(rows) - len(shown):
        said.append(
            f"{missing:,} of {len(rows):,} texts are left out here to keep the page small: those shown are a fair "
            "sample, and before all the ones the student got wrong, those of lessons and those put aside. "
            "samples.jsonl and scored.jsonl have all."
        )
    if cut := sum(len(row["text"]) > LONGEST for row in shown):
        said.append(f"{cut:,} long texts are cut after {LONGEST} characters.")
    return " ".join(said)


def _rows(run: Run) -> Iterable[Row]:
    """Every text with what is known of it; one that stands in several files once for each."""
    tried = _tried(run)
    lessons = {lesson["id"]: lesson["name"] for lesson in run.lessons}
    for sample in run.samples:
        origin, case = sample["origin"], tried.get((sample["split"], sample["id"]))
        fate = sample["status"] if sample["split"] == "train" else ""
        lesson = lessons.get(origin.get("lesson"), "")
        yield {
            **{key: sample[key] for key in ("id", "text", "label", "split")}, "fate": fate,
            "reason": sample.get("reason", ""), "source": origin.get("source", ""), "cycle": origin.get("cycle", -1),
            "confidence": origin.get("confidence"), "lesson": lesson, "said": case and case["said"],
            "first": bool(lesson) or fate not in ("", "kept") or sample["split"] == "seed" or _wrong(sample, case),
        }  # fmt: skip
    for split, rows in (("test", run.tested), ("dev", run.dev)):
        for row in rows:
            yield {
                **{key: row[key] for key in ("id", "text", "label")}, "split": split, "fate": "", "reason": "",
                "source": "", "cycle": -1, "confidence": None, "lesson": "", "said": row["predicted"],
                "first": bool(any(slips(row["label"], row["predicted"]))),
            }  # fmt: skip


def _tried(run: Run) -> dict[tuple[str, str], Row]:
    """What a student said of a training text before it had learnt it, and of the gate the champion now."""
    found: dict[tuple[str, str], Row] = {}
    for row in run.metrics:
        for case in run.rows(f"cycles/{row['cycle']:03d}/cases.jsonl"):
            found["train", case["id"]] = {"said": case["before"]}
    if run.metrics:
        for row in run.held_out(run.metrics[-1]["cycle"], "gate"):
            found["gate", row["id"]] = {"said": row["predicted"]}
    return found


def _wrong(sample: Row, case: Row | None) -> bool:
    return case is not None and any(slips(sample["label"], case["said"]))


def _scale(places: Sequence[tuple[float, float]]) -> Any:
    """A function that puts a place onto a field of 1000 by 1000."""
    if not places:
        return lambda place: NOWHERE
    (left, right), (low, high) = ((min(side), max(side)) for side in zip(*places, strict=True))
    width, height = (right - left) or 1.0, (high - low) or 1.0

    def scaled(place: tuple[float, float]) -> tuple[int, int]:
        return round(1000 * (place[0] - left) / width), round(1000 * (place[1] - low) / height)

    return scaled


class _Tables:
    """Words that many texts share, each told once and known by its number."""

    def __init__(self) -> None:
        self._words: Mapping[str, dict[str, int]] = {
            "sets": {name: number for number, name in enumerate(SETS.values())},
            **{kind: {"": 0} for kind in ("fates", "sources", "lessons", "reasons")},
            "names": {},
        }
        self._bytes = 0
        """Of all that was packed, words included."""

    def pack_within(self, most: int, rows: Iterable[tuple[Row, tuple[int, int]]]) -> list[tuple[Row, Packed]]:
        """Pack texts with their places, until all that was ever packed takes more than `most` bytes of JSON."""
        packed = []
        for row, place in rows:
            one = self.pack(row, place)
            self._bytes += len(embedded(one).encode()) + 1
            if self._bytes > most:
                break
            packed.append((row, one))
        return packed

    def lists(self) -> dict[str, list[str]]:
        """Kind -> words, in the order of their numbers."""
        return {kind: list(words) for kind, words in self._words.items()}

    def pack(self, row: Row, place: tuple[int, int]) -> Packed:
        """One text."""
        text, said = row["text"], row["said"]
        missed, extra = slips(row["label"], said) if said is not None else ([], [])
        wrong = bool(missed or extra)
        sure = -1 if row["confidence"] is None else round(100 * row["confidence"])
        return [
            text if len(text) <= LONGEST else f"{text[:LONGEST]}…",
            told(row["label"], text)[:LONGEST],
            told(said, text)[:LONGEST] if wrong else "",
            *([self._number("names", name) for name in each] for each in (sorted(names(row["label"])), missed, extra)),
            self._number("sets", SETS[row["split"]]),
            self._number("fates", row["fate"]),
            self._number("sources", row["source"]),
            row["cycle"],
            self._number("lessons", row["lesson"]),
            sure,
            self._number("reasons", row["reason"][:200]),
            0 if said is None else 2 if wrong else 1,
            *place,
        ]

    def _number(self, kind: str, word: str) -> int:
        words = self._words[kind]
        if word not in words:
            words[word] = len(words)
            self._bytes += len(embedded(word).encode()) + 1
        return words[word]
