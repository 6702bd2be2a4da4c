"""One text, one class of a closed list."""

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from pydantic import JsonValue

from tasks.base import Dropped, Example, Label, Prediction, Verdict
from tasks.errors import ConfigError

DROP = "drop"
"""What the teacher answers where two classes fit or none."""

LONGEST_NAME = 100
SMALLEST_PROBABILITY = 1e-6


class Classification:
    """The task of giving a text one of at least two labels.

    Args:
        description: what the classes are about, for the teacher.
        labels: label name -> description ("" where there is none), in the order it is to be shown.
        say: label name -> the word that says it to a small teacher, where the name itself does not.
        noun: what one text is called, for a small teacher: "message to a help desk".
    """

    kind = "classification"
    metric = "accuracy"
    head = "sequence"

    def __init__(
        self, description: str, labels: Mapping[str, str], say: Mapping[str, str] | None = None, noun: str = "text"
    ):
        _check_names(list(labels))
        self.description = description.strip()
        self.noun = noun
        self._labels = MappingProxyType(dict(labels))
        self._words = MappingProxyType(_words(list(labels), dict(say or {})))
        self._loose = _loose_names(list(labels))

    @property
    def labels(self) -> Mapping[str, str]:
        """Label name -> description, in the user's order."""
        return self._labels

    def describe(self) -> str:
        """The description, then one line for each label."""
        lines = [f"- {name}: {about}" if about else f"- {name}" for name, about in self._labels.items()]
        return "\n".join([self.description, "Labels:", *lines] if self.description else ["Labels:", *lines])

    def answer_schema(self) -> dict[str, JsonValue]:
        """A string: one of the labels, or `drop`."""
        return {"type": "string", "enum": [*self._labels, DROP]}

    def read(self, text: str, answer: object) -> Label:
        """The label that is named exactly, else the only one equal but for case, white space and punctuation.

        Raises:
            Dropped: the answer is `drop`.
            ValueError: the answer names no label, or the loose match fits several.
        """
        if isinstance(answer, str):
            if answer in self._labels:
                return answer
            found = self._loose.get(_loosen(answer), [])
            if found == [DROP]:
                raise Dropped
            if len(found) == 1:
                return found[0]
        allowed = ", ".join([*self._labels, DROP])
        raise ValueError(f"{_cut(answer)} is not one of the labels. Answer with exactly one of: {allowed}.")

    def choices(self) -> Mapping[Label, str]:
        """Label -> the word that says it: the user's, or the name in lower-case words (PlayMusic -> play music)."""
        return self._words

    def settle(self, votes: Sequence[Label]) -> Verdict:
        """The majority; its share is the confidence, so that a tie is never above one half.

        Of tied labels the one voted first is taken, which keeps the verdict the same when a node runs again.

        Raises:
            ValueError: no vote, or a vote for something that is not a label.
        """
        if not votes:
            raise ValueError("There is no vote to settle.")
        self._refuse_unknown(votes)
        counts = Counter(votes)
        label, most = counts.most_common(1)[0]
        soft = None if most == len(votes) else {name: counts[name] / len(votes) for name in self._labels}
        return Verdict(label=label, confidence=most / len(votes), soft=soft, votes=dict(counts))

    def settle_soft(self, probabilities: Mapping[str, float]) -> Verdict:
        """The most probable label after normalising; labels left out count as impossible.

        Raises:
            ValueError: a name that is not a label, a negative or non-finite number, or nothing above zero.
        """
        self._refuse_unknown(probabilities)
        if not all(math.isfinite(p) and p >= 0 for p in probabilities.values()):
            raise ValueError(f"Probabilities must be finite and not negative, got {_cut(dict(probabilities))}.")
        total = math.fsum(probabilities.values())
        if total <= 0:
            raise ValueError("No label has a probability above zero.")
        soft = {name: probabilities.get(name, 0.0) / total for name in self._labels}
        label = max(soft, key=lambda name: soft[name])
        return Verdict(label=label, confidence=soft[label], soft=soft if soft[label] < 1 else None)

    def is_right(self, gold: Label, predicted: Label) -> bool:
        """Whether both are the same label."""
        return gold == predicted

    def loss(self, example: Example, prediction: Prediction) -> float:
        """Negative log probability of the example's hard label, in nats, at most -log(1e-6) = 13.8.

        The hard label also where there is a soft one: the gate asks whether the student is right, not whether it
        doubts as the teacher does.
        """
        probability = prediction.probabilities.get(example.label, 0.0)
        # Written so that NaN counts as the worst answer and not as a loss that poisons a mean.
        return (
            -math.log(min(probability, 1.0)) if probability > SMALLEST_PROBABILITY else -math.log(SMALLEST_PROBABILITY)
        )

    def score(self, gold: Sequence[Label], predictions: Sequence[Prediction]) -> dict[str, float]:
        """Accuracy and macro F1 (the unweighted mean over the labels in gold or predictions).

        Raises:
            ValueError: no example, or not one prediction for each.
        """
        if not gold or len(gold) != len(predictions):
            raise ValueError(f"Scoring needs one prediction for each example, got {len(predictions)} for {len(gold)}.")
        from sklearn.metrics import accuracy_score, f1_score

        predicted = [prediction.label for prediction in predictions]
        return {
            "accuracy": float(accuracy_score(gold, predicted)),
            "macro_f1": float(f1_score(gold, predicted, average="macro", zero_division=0.0)),
        }

    def _refuse_unknown(self, names: Sequence[str] | Mapping[str, float]) -> None:
        for name in names:
            if name not in self._labels:
                raise ValueError(f"{_cut(name)} is not one of the labels: {', '.join(self._labels)}.")


def _check_names(names: list[str]) -> None:
    """Refuse label names that a prompt, a schema or a report could not carry."""
    if len(names) < 2:
        raise ConfigError(f"A classification task needs at least two labels, got {len(names)}: {names}.")
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise ConfigError(f"Label {name!r} is empty. Give every label a name.")
        if len(name) > LONGEST_NAME:
            raise ConfigError(f"Label {_cut(name)} has {len(name)} characters; at most {LONGEST_NAME} are allowed.")
        if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
            raise ConfigError(f"Label {name!r} has a control character in it. Remove it.")
        if name != name.strip():
            raise ConfigError(f"Label {name!r} starts or ends with white space. Remove it.")
        folded = unicodedata.normalize("NFKC", name).casefold()
        if folded == DROP:
            raise ConfigError(f"Label {name!r} is the answer that gives a text up. Choose another name.")
        if folded in seen:
            raise ConfigError(f"Labels {seen[folded]!r} and {name!r} are the same but for case. Rename one.")
        seen[folded] = name


def _words(names: list[str], say: dict[str, str]) -> dict[str, str]:
    """Label -> word, each word once."""
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


def _loosen(name: str) -> str:
    """A name without case, white space and punctuation; marks and signs of other scripts stay."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(char for char in folded if unicodedata.category(char)[0] not in "PZC")


def _loose_names(names: list[str]) -> dict[str, list[str]]:
    loose: dict[str, list[str]] = {}
    for name in [*names, DROP]:
        if key := _loosen(name):
            loose.setdefault(key, []).append(name)
    return loose


def _cut(value: object, length: int = 80) -> str:
    shown = repr(value)
    return shown if len(shown) <= length else shown[: length - 3] + "..."
