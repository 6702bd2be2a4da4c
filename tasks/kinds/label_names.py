"""Names of labels: which are allowed, how a loose answer finds one, and the word that says each."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from ..errors import ConfigError
from ..wording import DIRECTIONS

LONGEST_NAME = 100

LISTED = 30
"""Most names in one error, or in one correction of an answer, beside which the teacher has seen them all."""

NOTHING = "nothing"
"""What stands in tables of errors where a label was missed, or said without being there; no label may be called so."""

MINUS, APOSTROPHES = "\u2212", "'\u2019"

HYPHEN = re.compile(r"(?<=[^\W_])-+(?=[^\W_])|(?<=\s)-+(?=\s)")
"""One that joins words; before a number or after a mark (-1, A-) it is a sign."""

SPACE = re.compile(r"(?<!\d) | (?!\d)")
BULLET = re.compile(r"^\s*[-*\u2022]\s+(?!\d)")
ENDS = ".,;:!?\u3002\u3001"
AROUND = {
    **dict(zip("([{<\u201c\u2018\xab\u300c\u300e\u3010", ")]}>\u201d\u2019\xbb\u300d\u300f\u3011", strict=True)),
    **{mark: mark for mark in "\"'`*_"},
    "\u201e": "\u201c\u201d",
}
"""What a name is put between -> what it is closed with."""


def check_names(names: Sequence[str], reserved: Collection[str]) -> None:
    """Refuse label names that a prompt, a schema or a report could not carry.

    Args:
        names: the labels.
        reserved: answers of another meaning, in lower case.

    Raises:
        ConfigError: says which name and what to do.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"Label {name!r} is empty. Give every label a name.")
        if len(name) > LONGEST_NAME:
            raise ConfigError(f"Label {cut(name)} has {len(name)} characters; at most {LONGEST_NAME} are allowed.")
        if any(char in DIRECTIONS or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
            raise ConfigError(f"Label {name!r} has a control character in it. Remove it.")
        if name != name.strip():
            raise ConfigError(f"Label {name!r} starts or ends with white space. Remove it.")
        folded = unicodedata.normalize("NFKC", name).casefold()
        if folded in reserved:
            raise ConfigError(f"Label {name!r} is an answer of another meaning to the teacher. Choose another name.")
        if folded in seen:
            raise ConfigError(f"Labels {seen[folded]!r} and {name!r} are the same but for case. Rename one.")
        seen[folded] = name


def words_for(names: Sequence[str], say: Mapping[str, str]) -> dict[str, str]:
    """Label -> the word that says it, each word once: the user's, or the name in lower-case words.

    Names that would be said alike (`play_music`, `PlayMusic`) are said as they are, in lower case.

    Raises:
        ConfigError: `say` names no label, is empty, or two labels are said alike.
    """
    for name, word in say.items():
        if name not in names:
            raise ConfigError.unknown("`say` for label", name, names)
        if not isinstance(word, str) or not word.strip():
            raise ConfigError(f"`say` for label {name!r} is empty. Give a word, or leave it out.")
    split = {name: _split_name(name) for name in names if name not in say}
    often = Counter(word.casefold() for word in (*split.values(), *say.values()))
    plain = {name: word if often[word.casefold()] == 1 else name.lower() for name, word in split.items()}
    words = {name: say[name].strip() if name in say else plain[name] for name in names}
    owner: dict[str, str] = {}
    for name, word in words.items():
        if (first := owner.setdefault(word.casefold(), name)) != name:
            raise ConfigError(
                f"Labels {first!r} and {name!r} are both said {word!r}. `say` is the word that says a label to a model "
                f"which continues texts; give one of them another under [task.say], for instance: {name!r} = "
                f"{f'{word} 2'!r}."
            )
    return words


def _split_name(name: str) -> str:
    """The lower-case words of a name: PlayMusic, play_music and play-music are all `play music`, but -1 is `-1`."""
    spaced = "".join(
        f" {char}" if _starts_word(name[index - 1 : index], char, name[index + 1 : index + 2]) else char
        for index, char in enumerate(name)
    )
    return " ".join(HYPHEN.sub(" ", spaced.replace("_", " ")).lower().split()) or name.lower()


def _starts_word(before: str, char: str, after: str) -> bool:
    if not char.isupper() or not before:
        return False
    return before.islower() or (after.islower() and (before.isdigit() or before.isupper()))


def as_name(value: object) -> object:
    """A value as a label is compared with: numbers and truth values as they are said, words without space around."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    return value.strip() if isinstance(value, str) else value


def fold(name: str) -> str:
    """A name without case, white space and forms of Unicode: what a name in the user's own data may differ in.

    White space between digits stays, and a minus sign is a hyphen.
    """
    name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).replace(MINUS, "-")
    seen = "".join(char for char in name if char.isspace() or unicodedata.category(char)[0] != "C")
    return SPACE.sub("", " ".join(seen.split()))


def loosen(name: str) -> str:
    """A folded name without what a teacher adds to it or leaves out of it.

    That are a bullet, quotes and brackets around it, a point after it, and what only joins words (play-list, don't,
    U.S.). Signs (-1, A-), symbols (C#) and points beside digits (4.5) make another name, and stay.
    """
    bare = fold(BULLET.sub("", name))
    while bare and (bare[-1] in ENDS or (len(bare) > 1 and bare[-1] in AROUND.get(bare[0], ""))):
        bare = bare[:-1] if bare[-1] in ENDS else bare[1:-1]
    around = zip(f" {bare}", bare, f"{bare[1:]} ", strict=False)
    return "".join(char for before, char, after in around if not _only_joins(before, char, after))


def _only_joins(before: str, char: str, after: str) -> bool:
    left, right = (unicodedata.category(each)[0] for each in (before, after))
    if left not in "LMN" or right not in "LMN":
        return False
    if char == ".":
        return "N" not in (left, right)
    return char in APOSTROPHES or (unicodedata.category(char) in ("Pd", "Pc") and (left, right) != ("N", "N"))


def by_loose_name(names: Sequence[str], form: Callable[[str], str] = loosen) -> dict[str, list[str]]:
    """Loosened name -> the names it may mean."""
    loose: dict[str, list[str]] = {}
    for name in names:
        if key := form(name):
            loose.setdefault(key, []).append(name)
    return loose


def named_in_data(value: object, names: Collection[str], folded: Mapping[str, Sequence[str]]) -> str | None:
    """The label that a value of the user's own data is: exactly, else the only one that is equal when folded."""
    name = as_name(value)
    if not isinstance(name, str) or name in names:
        return name if isinstance(name, str) else None
    found = folded.get(fold(name), ())
    return found[0] if len(found) == 1 else None


def hint(value: object, names: Collection[str]) -> str:
    """What a value that is no label seems to stand for, for the end of an error; often nothing."""
    name = as_name(value)
    if isinstance(name, str) and name.endswith(".0") and name[:-2] in names:
        return f"Write {name[:-2]!r} for {name!r}: a table with empty cells turns whole numbers into such"
    if name == "-1":
        return "Test sets of contests hide their labels as -1: use another split"
    return ""


def first_of(names: Sequence[str], most: int) -> str:
    """The first names for an error text, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def cut(value: object, length: int = 80) -> str:
    """A value for an error text."""
    shown = repr(value)
    return shown if len(shown) <= length else shown[: length - 3] + "..."
