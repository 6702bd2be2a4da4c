"""Labels that are probably wrong, by what students that had not seen them would say (confident learning).

Northcutt et al. 2021, arXiv 1911.00068, by the library cleanlab: out-of-fold probabilities of a logistic regression on
the memory's embeddings, compared with the labels. A text is doubted where its label is out of line with how sure the
regression usually is of that label. Or, without a verdict on single texts: weights that are learnt (SunGen).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from agents.base import Services
from tasks.base import Example
from tasks.errors import ConfigError

Cure = Literal["off", "drop", "soften", "learn"]
"""What becomes of a doubted text: nothing, not learnt, learnt half as labelled and half as the others have it; or every
text counts as much as a weight that is learnt (`student/weighing.py`)."""

FOLDS = 4

LIGHT = 0.5
"""Learnt weight below which a label counts as doubted; all begin with 1."""

REGULARISATION = 1.0
"""C of the logistic regression that doubts: closer fits doubt more right labels, looser ones find fewer wrong ones
(docs/results.md)."""


def cured(services: Services, cure: Cure, examples: Sequence[Example], counts: dict[str, int]) -> list[Example]:
    """The examples as they are to be learnt; the user's own are never doubted. How many were is written to `counts`.

    Nothing is dropped or softened where a label has fewer texts than there are folds; weights need no folds.

    Raises:
        ConfigError: the task is not one of one label a text.
    """
    if cure == "off":
        return list(examples)
    labels = [example.label for example in examples]
    if not all(isinstance(label, str) for label in labels):
        raise ConfigError(
            f"agents.trainer.noise = {cure!r} needs one label a text; for {services.task.kind} set it to 'off'."
        )
    names = sorted(services.task.labels)
    if cure == "learn":
        return _weighed(services, examples, names, counts)
    if min(Counter(labels)[name] for name in names) < FOLDS:
        return list(examples)
    shares = out_of_fold(services, examples, names)
    numbers = [names.index(str(label)) for label in labels]
    doubted = {i for i in issues(numbers, shares) if examples[i].origin.stance != "gold"}
    counts["doubted labels"] = len(doubted)
    if cure == "drop":
        return [example for i, example in enumerate(examples) if i not in doubted]
    others = [dict(zip(names, row, strict=True)) for row in shares]
    return [_softened(each, others[i]) if i in doubted else each for i, each in enumerate(examples)]


def out_of_fold(
    services: Services, examples: Sequence[Example], names: Sequence[str], c: float = REGULARISATION
) -> np.ndarray:
    """Probability of each label for each text, from a regression that had not seen the text; shape (texts, labels).

    Args:
        services: the memory's embeddings.
        examples: with one label each.
        names: of all labels.
        c: of the regression; the smaller, the smoother.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    vectors = services.memory.embed([example.text for example in examples])
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=services.seed)
    regression = LogisticRegression(C=c, max_iter=2000)
    labels = [names.index(str(example.label)) for example in examples]
    return np.asarray(cross_val_predict(regression, vectors, labels, cv=folds, method="predict_proba"))


def issues(labels: Sequence[int], shares: np.ndarray) -> set[int]:
    """Places of the labels that are probably wrong, by what `out_of_fold` says of them."""
    from cleanlab.filter import find_label_issues

    found = find_label_issues(np.array(labels), shares, filter_by="both", n_jobs=1)
    return {int(place) for place in np.flatnonzero(found)}


def _weighed(
    services: Services, examples: Sequence[Example], names: Sequence[str], counts: dict[str, int]
) -> list[Example]:
    """The examples with learnt weights, the user's own with what they had."""
    from student.weighing import learnt_weights

    vectors = services.memory.embed([example.text for example in examples])
    targets = np.array([[_own(example).get(name, 0.0) for name in names] for example in examples])
    weights = learnt_weights(vectors, targets, services.seed, services.bar("weighing labels")).tolist()
    weighed = [
        example if example.origin.stance == "gold" else example.model_copy(update={"weight": weight})
        for example, weight in zip(examples, weights, strict=True)
    ]
    counts["doubted labels"] = sum(example.weight < LIGHT for example in weighed)
    return weighed


def _own(example: Example) -> dict[str, float]:
    return example.soft or {str(example.label): 1.0}


def _softened(example: Example, others: dict[str, float]) -> Example:
    own = _own(example)
    soft = {name: (own.get(name, 0.0) + float(share)) / 2 for name, share in others.items()}
    return example.model_copy(update={"soft": soft})
