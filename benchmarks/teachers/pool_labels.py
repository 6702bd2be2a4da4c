"""Labels of train rows as a strong teacher gives them: the gold, a few replaced, and those not at random.

A strong LLM errs where a text lies between two classes. So the errors fall on the fifth of the rows that are nearest to
another class than their own, by TF-IDF and the classes' centroids, and each is given that other class.
"""

import random
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from evokd.tasks.errors import ConfigError
from evokd.tasks.task import Task

CONTESTED = 0.2
"""Share of the rows among which the errors are."""


def read_pool_labels(file: Path, task: Task, noise: float, seed: int) -> dict[str, str]:
    """Text of a train file (white space collapsed) -> label in the task's one-line form.

    Args:
        file: rows with one label each.
        task: reads the labels.
        noise: share of all rows whose label is replaced.
        seed: draws them.

    Raises:
        ConfigError: errors are asked for where a text has spans or several labels, or more than the contested rows are.
    """
    from benchmarks.teachers.replay import read_rows

    gold: dict[str, str] = {}
    for row in read_rows(file):
        text = " ".join((row["text"] if "text" in row else " ".join(row["tokens"])).split())
        gold[text] = task.say(text, task.gold(text, row["label"] if "label" in row else row["tags"]))
    if not noise:
        return gold
    if task.head != "sequence" or noise > CONTESTED:
        raise ConfigError(f"noise = {noise}: errors of a pool are known for one label a text, up to {CONTESTED}.")
    return gold | _errors(gold, noise, seed)


def _errors(gold: Mapping[str, str], noise: float, seed: int) -> dict[str, str]:
    """The texts that are labelled wrongly, with the labels that they get."""
    texts, names = list(gold), sorted(set(gold.values()))
    own = np.array([names.index(gold[text]) for text in texts])
    vectors = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    centroids = np.vstack([np.asarray(vectors[own == place].mean(axis=0)) for place in range(len(names))])
    nearness = np.asarray(vectors @ (centroids / np.linalg.norm(centroids, axis=1, keepdims=True)).T)
    rows = np.arange(len(texts))
    to_own = nearness[rows, own].copy()
    nearness[rows, own] = -np.inf
    contested = np.argsort(to_own - nearness.max(axis=1), kind="stable")[: round(CONTESTED * len(texts))]
    wrong = random.Random(f"pool {seed}").sample(contested.tolist(), round(noise * len(texts)))
    return {texts[i]: names[int(nearness[i].argmax())] for i in wrong}
