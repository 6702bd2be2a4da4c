"""The body of a response, read within limits: a few megabytes on the wire may hold gigabytes."""

import zlib

import httpx2

from .error_classification import CallError

MOST_BYTES = 16 * 2**20
"""Of one answer, unpacked; the longest with token probabilities have about five million."""

ENCODINGS = "gzip, deflate"
"""What is asked for: others need packages of their own, and cannot be unpacked up to a limit."""


class Body:
    """Takes the bytes of a response as they come and keeps them unpacked."""

    def __init__(self, response: httpx2.Response) -> None:
        """Look how it is packed.

        Raises:
            CallError: in a way that was not asked for.
        """
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise CallError(f"the answer is packed as {encoding!r}, which was not asked for", "answered", status=200)
        self._request = response.request
        self._unpacker = zlib.decompressobj(wbits=47) if encoding not in ("", "identity") else None  # 47: zlib or gzip
        self._bytes = bytearray()

    def add(self, chunk: bytes) -> None:
        """Take some more.

        Raises:
            CallError: that is too much.
            httpx2.DecodingError: it cannot be unpacked.
        """
        left = MOST_BYTES - len(self._bytes)
        try:
            self._bytes += self._unpacker.decompress(chunk, left + 1) if self._unpacker else chunk
        except zlib.error as error:
            raise httpx2.DecodingError(str(error), request=self._request) from error
        if len(self._bytes) > MOST_BYTES:
            raise CallError(
                f"the answer is larger than {MOST_BYTES // 2**20} MiB, the most that is read", "answered", status=200,
                is_lost=True,
            )  # fmt: skip

    def __bytes__(self) -> bytes:
        """All of it."""
        return bytes(self._bytes)
