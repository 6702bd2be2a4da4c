"""Which client answers for which role; roles with equal settings share one, and so do embedded models."""

import threading

from teacher.client import Client
from teacher.local import LocalServer
from teacher.settings import TeacherSettings


class Roles:
    """The clients of a run by role."""

    def __init__(self, settings: TeacherSettings) -> None:
        """Build the clients of `[teacher]` and of every named role, so that a missing key shows before the run starts.

        Raises:
            ConfigError: a key, a runtime or weights are missing.
        """
        self.settings = settings
        self._lock = threading.Lock()
        self._servers: dict[str, LocalServer] = {}
        self._clients: dict[str, Client] = {}
        for role in ("", *settings.roles):
            self.client(role)

    def client(self, role: str) -> Client:
        """The client of a role; a role nobody named has the settings of `[teacher]`."""
        endpoint = self.settings.role(role)
        with self._lock:
            key = endpoint.model_dump_json()
            if key not in self._clients:
                server = self._server(endpoint.model) if endpoint.kind == "local" else None
                self._clients[key] = Client(endpoint, self.settings.retries, server)
            return self._clients[key]

    def close(self) -> None:
        """Close connections, stop embedded servers; safe to call twice."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            for server in self._servers.values():
                server.close()

    def _server(self, model: str) -> LocalServer:
        if model not in self._servers:
            self._servers[model] = LocalServer(model, self.settings.local)
        return self._servers[model]
