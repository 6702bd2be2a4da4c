"""Probabilities are those of scipy, also where logits are extreme."""

import numpy as np
import pytest
from scipy import special

from evokd.student.codecs.probabilities import log_softmax, sigmoid, softmax

LOGITS = np.vstack([np.random.default_rng(0).normal(scale=9, size=(40, 5)), [[800, -800, 0, 3, 3]], [[1e-9] * 5]])


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (softmax, lambda x: special.softmax(x, axis=-1)),
        (log_softmax, lambda x: special.log_softmax(x, axis=-1)),
        (sigmoid, special.expit),
    ],
)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_they_are_those_of_scipy(own, expected, kind) -> None:  # type: ignore[no-untyped-def]
    logits = LOGITS.astype(kind)
    found = own(logits)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected(logits.astype(np.float64)), rtol=1e-12, atol=0)
