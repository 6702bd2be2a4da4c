"""What servers say about when to come back."""

from email.utils import formatdate

import pytest

from evokd.teacher.transport.backoff import asked_wait

NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": formatdate(NOW + 90, usegmt=True)}, 90),
        ({"retry-after": formatdate(NOW - 90, usegmt=True)}, 0),
        ({"retry-after": formatdate(NOW + 90, usegmt=True), "date": formatdate(NOW + 80, usegmt=True)}, 10),
        ({"retry-after": formatdate(NOW + 90, usegmt=True), "date": "today"}, 90),
        ({"x-ratelimit-reset": str(int(NOW) - 3600), "date": formatdate(NOW - 3633, usegmt=True)}, 33),
        ({"retry-after": "Mon, 99 Foo 2026 00:00:00 GMT"}, None),
        ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
        ({"retry-after": "7", "x-ratelimit-reset-requests": "1m"}, 7),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "17ms"}, 1),
        (
            {
                "x-ratelimit-reset-requests": "8s", "x-ratelimit-remaining-requests": "3",
                "x-ratelimit-reset-tokens": "2.5s", "x-ratelimit-remaining-tokens": "0",
            },
            2.5,
        ),
        ({"x-ratelimit-reset-requests": "1h2m3s"}, 3723),
        ({"x-ratelimit-reset-requests": "in a while"}, None),
        ({"x-ratelimit-reset": "12"}, 12),
        ({"x-ratelimit-reset": str(int(NOW) + 33)}, 33),
        ({"x-ratelimit-reset": str((int(NOW) + 33) * 1000)}, 33),
        ({"x-ratelimit-reset": str(int(NOW) - 33)}, 0),
    ],
)  # fmt: skip
def test_the_wait_is_read(headers: dict[str, str], wait: float | None) -> None:
    assert asked_wait(headers, NOW) == (None if wait is None else pytest.approx(wait))
