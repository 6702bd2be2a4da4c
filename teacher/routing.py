"""Which client answers for which role; roles with equal settings share one, and so do embedded models."""

import threading
from collections.abc import Mapping
from types import MappingProxyType

from .custom import CustomTeacher
from .embedded.process import LocalServer
from .endpoint import Endpoint
from .settings import TeacherSettings
from .transport.connection import Connection
from .transport.custom_model import CustomModel
from .transport.langchain_client import LangChainClient
from .transport.openai_client import Client
from .transport.rate_limiter import Clock, Limits, RateLimiter
from .transport.retries import Permits, Retries

NONE: Mapping[str, type[CustomTeacher]] = MappingProxyType({})


class Routing:
    """The clients of a run by role."""

    def __init__(
        self,
        settings: TeacherSettings,
        permits: Permits,
        clock: Clock | None = None,
        own: Mapping[str, type[CustomTeacher]] = NONE,
    ) -> None:
        """Build the clients of `[teacher]` and of every named role, so that a missing key shows before the run starts.

        Args:
            settings: `[teacher]`.
            permits: The budget's word on every try.
            clock: For the pace of calls.
            own: `module:Class` -> the class, for each that the settings name.

        Raises:
            ConfigError: a key, a runtime or weights are missing.
        """
        self.settings = settings
        self._own = own
        self._lock = threading.Lock()
        self._permits = permits
        self._clock = clock or Clock()
        self._paces: dict[tuple[str, str | None, str, str], RateLimiter] = {}
        self._servers: dict[str, LocalServer] = {}
        self._clients: dict[str, Connection] = {}
        for role in ("", *settings.roles):
            self.client(role)

    def client(self, role: str) -> Connection:
        """The client of a role; a role nobody named has the settings of `[teacher]`."""
        endpoint = self.settings.role(role)
        with self._lock:
            key = endpoint.model_dump_json()
            if key not in self._clients:
                self._clients[key] = self._opened(endpoint)
            return self._clients[key]

    @property
    def keys(self) -> list[str]:
        """The keys in use; they must be shown nowhere."""
        with self._lock:
            return sorted({secret for client in self._clients.values() for secret in client.secrets})

    def close(self) -> None:
        """Close connections, stop embedded servers; safe to call twice."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            for server in self._servers.values():
                server.close()

    def _opened(self, endpoint: Endpoint) -> Connection:
        tries = Retries(self._limiter(endpoint), self.settings.retries, self._permits)
        if endpoint.kind in self._own:
            return LangChainClient(endpoint, tries, CustomModel.of(self._own[endpoint.kind], endpoint))
        if endpoint.kind == "langchain":
            return LangChainClient(endpoint, tries)
        server = self._server(endpoint.model) if endpoint.kind == "local" else None
        return Client(endpoint, tries, server)

    def _limiter(self, endpoint: Endpoint) -> RateLimiter:
        """One for each model behind an address and key: that is what a provider counts by."""
        who = (endpoint.kind, endpoint.base_url, endpoint.model, endpoint.api_key_env)
        if who not in self._paces:
            own = self.settings
            limits = Limits(own.concurrency, own.requests_per_minute, own.tokens_per_minute, own.patience)
            self._paces[who] = RateLimiter(limits, self._clock)
        return self._paces[who]

    def _server(self, model: str) -> LocalServer:
        if model not in self._servers:
            self._servers[model] = LocalServer(model, self.settings.local)
        return self._servers[model]
