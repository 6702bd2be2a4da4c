"""Names of labels: which are allowed, how a loose answer finds one, and the word that says each."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence

from ..errors import ConfigError

LONGEST_NAME = 100

LISTED = 30
"""Most names in one error, or in one correction of an answer, beside which the teacher has seen them all."""

NOTHING = "nothing"
"""What stands in tables of errors where a label was missed, or said without being there; no label may be called so."""


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
        if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
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

    Raises:
        ConfigError: `say` names no label, is empty, or two labels are said alike.
    """
    for name, word in say.items():
        if name not in names:
            raise ConfigError.unknown("`say` for label", name, names)
        if not isinstance(word, str) or not word.strip():
            raise ConfigError(f"`say` for label {name!r} is empty. Give a word, or leave it out.")
    words = {name: say[name].strip() if name in say else _split_name(name) for name in names}
    owner: dict[str, str] = {}
    for name, word in words.items():
        if (first := owner.setdefault(word.casefold(), name)) != name:
            raise ConfigError(f"Labels {first!r} and {name!r} are both said {word!r}. Set `say` for one of them.")
    return words


def _split_name(name: str) -> str:
    """The lower-case words of a name: PlayMusic, play_music and play-music are all `play music`."""
    spaced = "".join(
        f" {char}" if _starts_word(name[index - 1 : index], char, name[index + 1 : index + 2]) else char
        for index, char in enumerate(name)
    )
    return " ".join(spaced.replace("_", " ").replace("-", " ").lower().split()) or name.lower()


def _starts_word(before: str, char: str, after: str) -> bool:
    if not char.isupper() or not before:
        return False
    return before.islower() or (after.islower() and (before.isdigit() or before.isupper()))


def as_name(answer: object) -> object:
    """An answer as a label is compared with: a number as it is said, words without white space around them."""
    answer = str(answer) if type(answer) is int else answer
    return answer.strip() if isinstance(answer, str) else answer


def loosen(name: str) -> str:
    """A name without case, white space and punctuation; marks and signs of other scripts stay."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "PZC")


def by_loose_name(names: Sequence[str]) -> dict[str, list[str]]:
    """Loosened name -> the names it may mean."""
    loose: dict[str, list[str]] = {}
    for name in names:
        if key := loosen(name):
            loose.setdefault(key, []).append(name)
    return loose


def first_of(names: Sequence[str], most: int) -> str:
    """The first names for an error text, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def cut(value: object, length: int = 80) -> str:
    """A value for an error text."""
    shown = repr(value)
    return shown if len(shown) <= length else shown[: length - 3] + "..."
