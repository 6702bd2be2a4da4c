"""LangChain's models of one OpenAI-compatible endpoint, opened at the first call."""

import threading
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx2
from langchain_core.outputs import ChatResult
from langchain_openai import ChatOpenAI, OpenAI
from pydantic import SecretStr

from ...tasks.errors import ConfigError
from ..address import shown_address, without_query
from ..embedded.process import LocalServer
from ..endpoint import Endpoint
from .http import HttpClient
from .mending import thoughts_in
from .retries import Retries


class ThoughtfulChat(ChatOpenAI):
    """OpenAI's chat model, with what a compatible server says that a model thought: it tells why an answer is empty."""

    def _create_chat_result(self, response: Any, generation_info: dict[str, Any] | None = None) -> ChatResult:
        result = super()._create_chat_result(response, generation_info)
        raw = response if isinstance(response, dict) else response.model_dump(warnings=False)
        for generation, choice in zip(result.generations, raw["choices"], strict=False):
            if thoughts := thoughts_in(choice["message"]):
                generation.message.additional_kwargs["reasoning_content"] = thoughts
        return result


class Models:
    """A chat model and one that continues texts, over one HTTP client. Safe to use from many threads."""

    def __init__(self, endpoint: Endpoint, key: SecretStr, local: LocalServer | None, tries: Retries) -> None:
        """Open nothing yet.

        Args:
            endpoint: What is asked.
            key: Sent with every call.
            local: The embedded server, which is started first; it belongs to who made it.
            tries: Repeats what may have been an accident.
        """
        self.url = endpoint.url
        """Where calls go; the embedded server's is known once it has started."""
        self._endpoint = endpoint
        self._key = key
        self._local = local
        self._tries = tries
        self._name = local.name if local else endpoint.model
        self._lock = threading.Lock()
        self._http: HttpClient | None = None
        self._chat: ThoughtfulChat | None = None
        self._text: OpenAI | None = None

    def chat(self) -> ThoughtfulChat:
        """The model that answers chats; raises `ConfigError` as `_opened` does."""
        with self._lock:
            if self._chat is None:
                # Without socket options of its own LangChain does not warn of proxies, which our client does heed.
                more: dict[str, Any] = {
                    "http_socket_options": (),
                    "use_responses_api": False,
                    "disable_streaming": True,
                }
                self._chat = ThoughtfulChat(**self._common(), **more)
            return self._chat

    def text(self) -> OpenAI:
        """The model that continues texts; raises `ConfigError` as `_opened` does."""
        with self._lock:
            if self._text is None:
                self._text = OpenAI(**self._common())
            return self._text

    def close(self) -> None:
        """Close the connections; safe to call twice."""
        with self._lock:
            if self._http is not None:
                self._http.close()

    def _common(self) -> dict[str, Any]:
        """What both kinds of model are built with; starts the embedded server. Call it with the lock held."""
        if self._local is not None:
            self.url = self._local.start()
        if self._http is None:
            self._http = self._opened()
        address, query = without_query(self.url)
        return {
            "model": self._name,
            "base_url": address,
            "default_query": query or None,
            "api_key": self._key,
            "timeout": self._endpoint.timeout,
            "max_retries": 0,  # `Retries` repeats
            "http_client": self._http,
            "cache": False,
            "openai_proxy": None,
        }

    def _opened(self) -> HttpClient:
        """The HTTP client, with the certificates and proxies of the system and the environment.

        Raises:
            ConfigError: they cannot be used.
        """
        try:
            return HttpClient(
                self._tries, self._endpoint.timeout, self._name, trust_env=self._local is None, verify=_tls()
            )
        except (ImportError, OSError, ValueError) as error:
            raise ConfigError(
                f"No connection to {shown_address(self.url)} can be prepared ({error}). Correct the proxy or the "
                "certificate file that the environment names (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE, "
                "SSL_CERT_DIR); a SOCKS proxy needs one package more: pip install socksio"
            ) from error


@cache
def _tls() -> SSLContext:
    """Certificates of the system; reading them takes a tenth of a second."""
    return httpx2.create_ssl_context()
