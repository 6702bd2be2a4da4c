"""What `/metrics` tells Prometheus."""

import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TEXTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """The figures of one server, and of its process (memory, CPU seconds, open files)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter("evokd_requests", "Requests answered.", ["path", "status"], registry=self.registry)
        self.seconds = Histogram(
            "evokd_request_seconds",
            "From a request's head to its answer.",
            ["path"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.errors = Counter("evokd_errors", "Requests refused or failed.", ["error_type"], registry=self.registry)
        self.texts = Counter("evokd_texts", "Texts answered.", registry=self.registry)
        self.waiting = Gauge("evokd_waiting_texts", "Texts taken and not yet answered.", registry=self.registry)
        self.batch_texts = Histogram(
            "evokd_batch_texts", "Texts the student read at once.", buckets=TEXTS, registry=self.registry
        )
        self.batch_seconds = Histogram(
            "evokd_batch_seconds", "Of one such batch.", buckets=SECONDS, registry=self.registry
        )


class Measured:
    """An app whose requests are counted and timed, also those that no route takes."""

    def __init__(self, app: ASGIApp, metrics: Metrics, paths: Collection[str]):
        """Wrap an app; all other paths than these are counted as one, or a client could make figures without end."""
        self.app = app
        self.metrics = metrics
        self.paths = paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), "500"  # unless an answer is begun

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            path = scope["path"] if scope["path"] in self.paths else "other"
            self.metrics.requests.labels(path, status).inc()
            self.metrics.seconds.labels(path).observe(time.perf_counter() - began)
