"""What the routes do, apart from HTTP."""

from .answers import Answer, answer_of
from .batching import Batcher
from .limits import Limits
from .metrics import Metrics
from .problems import Problem, invalid
from .requests import PredictRequest, texts_of
from .served import Served


class Service:
    """What the routes share."""

    def __init__(self, served: Served, limits: Limits):
        """Serve one student within limits."""
        self.served = served
        self.limits = limits
        self.metrics = Metrics()
        self.batcher = Batcher(served.model.predict, limits.waiting, self.metrics)

    async def predict(self, asked: PredictRequest) -> Answer | list[Answer]:
        """The answer to a request.

        Raises:
            Problem: there is none.
        """
        texts, batch = texts_of(asked.inputs, self.limits)
        if asked.truncate is False:
            self._check_lengths(texts)
        found = await self.batcher.predict(texts)
        answers = [answer_of(one, text, asked.raw_scores) for one, text in zip(found, texts, strict=True)]
        return answers if batch else answers[0]

    def _check_lengths(self, texts: list[str]) -> None:
        reach = self.served.reach
        for place, text in enumerate(texts):
            if reach and (tokens := reach.count(text)) > reach.tokens:
                raise invalid(
                    f"text {place} (from 0) has {tokens} tokens; the student reads {reach.tokens}. Leave `truncate` "
                    "out to have its end cut off."
                )

    async def check_health(self) -> None:
        """Ask the student, where it failed last.

        Raises:
            Problem: it fails again.
        """
        try:
            if self.batcher.failed:
                await self.batcher.predict(["Are you well?"])
        except Problem as problem:
            raise Problem(503, "unhealthy", f"unhealthy: {problem}") from None
