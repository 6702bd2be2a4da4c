"""The routes: `/predict`, `/health`, `/info`, `/metrics` and `/openapi.json`."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from .answers import Entity, Refusal, Score
from .limits import Limits
from .metrics import Measured, Metrics
from .problems import Problem
from .requests import PredictRequest, read_request
from .served import Served
from .service import Service

T = TypeVar("T")

GONE = 499
"""Status for the log of a request whose client went away; nobody receives it."""

ABOUT = "Labels for texts. The API is that of Text Embeddings Inference; a student of entities gives entities."

REFUSALS: dict[int | str, dict[str, object]] = {
    status: {"model": Refusal, "description": about}
    for status, about in {
        400: "No JSON, or no text",
        401: "The token is missing or wrong",
        413: "The body is too large, or there are too many texts",
        415: "The content type is not JSON",
        422: "JSON that is no such request, or a text that is too long",
        424: "The student failed",
        429: "Too many texts are waiting",
    }.items()
}


def make_app(served: Served, limits: Limits, token: str | None = None) -> FastAPI:
    """The app that serves one student.

    Args:
        served: the student.
        limits: of a request, and of all that wait.
        token: what clients must send as `Authorization: Bearer TOKEN` for `/predict` and `/info`; None asks for none.
    """
    service = Service(served, limits)

    @asynccontextmanager
    async def at_work(app: FastAPI) -> AsyncIterator[None]:
        answering = asyncio.create_task(service.batcher.run())
        yield
        answering.cancel()

    app = FastAPI(title="EvoKD", summary=ABOUT, lifespan=at_work, docs_url=None, redoc_url=None)
    _add_routes(app, service, token)
    _add_refusals(app, service.metrics)
    app.add_middleware(Measured, metrics=service.metrics, paths={getattr(route, "path", "") for route in app.routes})
    return app


def _add_routes(app: FastAPI, service: Service, token: str | None) -> None:
    closed = [Depends(_checked(token))] if token else []
    about = service.served.info(service.limits)

    @app.post(
        "/predict",
        dependencies=closed,
        response_model=list[Score] | list[Entity] | list[list[Score]] | list[list[Entity]],
        responses=REFUSALS,
        openapi_extra={"requestBody": {"required": True, "content": _body()}},
    )
    async def predict(request: Request) -> Response:
        """Label one text or a batch: scores of all labels, the highest first, or the entities of each text."""
        asked = await read_request(request, service.limits)
        return JSONResponse(await _unless_gone(request, service.predict(asked)))

    @app.get("/info", dependencies=closed)
    async def info() -> dict[str, object]:
        """What is served, and the limits of a request."""
        return about

    @app.get("/health", responses={503: {"model": Refusal, "description": "The student fails"}})
    async def health() -> Response:
        """Whether the student answers: 200 with nothing, or 503."""
        await service.check_health()
        return Response()

    @app.get("/metrics")
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


async def _unless_gone(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """The work's result; it is given up when the client goes away.

    Raises:
        ClientDisconnect: it has.
    """
    working, going = asyncio.ensure_future(work), asyncio.ensure_future(request.receive())
    await asyncio.wait({working, going}, return_when=asyncio.FIRST_COMPLETED)
    going.cancel()
    if working.done():
        return working.result()
    working.cancel()
    raise ClientDisconnect


def _body() -> dict[str, object]:
    return {"application/json": {"schema": PredictRequest.model_json_schema()}}


def _checked(token: str) -> Callable[..., Awaitable[None]]:
    """A dependency that lets only those in who know the token; how long it takes tells nothing about it."""
    bearer = HTTPBearer(auto_error=False)

    async def check(given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> None:
        if given is None or not secrets.compare_digest(given.credentials.encode(), token.encode()):
            raise Problem(401, "unauthorized", "the token is missing or wrong; send `Authorization: Bearer TOKEN`.")

    return check


def _add_refusals(app: FastAPI, metrics: Metrics) -> None:
    """Every refusal is JSON of one form, and counted."""

    @app.exception_handler(Problem)
    async def tell(request: Request, problem: Problem) -> Response:
        metrics.errors.labels(problem.kind).inc()
        headers = {"WWW-Authenticate": "Bearer"} if problem.status == 401 else None
        return JSONResponse(problem.body(), problem.status, headers)

    @app.exception_handler(HTTPException)
    async def tell_of_route(request: Request, error: HTTPException) -> Response:
        routes = "POST /predict; GET /health, /info, /metrics, /openapi.json"
        problem = Problem(error.status_code, "validation", f"{error.detail.lower()}; the routes are {routes}.")
        return await tell(request, problem)

    @app.exception_handler(ClientDisconnect)
    async def forget(request: Request, gone: ClientDisconnect) -> Response:
        return Response(status_code=GONE)
