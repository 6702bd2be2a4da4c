"""What a server's response comes to, read before the SDK sees it."""

import json
from typing import Any

import httpx2

NO_MONEY = (
    b"insufficient_quota", b"billing_hard_limit_reached", b"billing_not_active", b"credit balance is too low",
)  # fmt: skip
"""What a body says where waiting cannot help."""

BAD_KEY = (b"API_KEY_INVALID", b"API key not valid")
"""What Google says with a 400 where others have a 401."""

ONE_MISFIT = b"json_validate_failed"
"""What Groq says with a 400 where one generation did not fit the schema; the next may."""

TRY_AGAIN = frozenset({408, 409, *range(500, 600)})

OVERLOADED = frozenset({429, 529})
"""Refused because of too many calls; a 503 that says when to come back is the same."""


def as_told(response: httpx2.Response) -> httpx2.Response:
    """The response under the status that its body tells: gateways wrap the errors of others in a 200."""
    status = response.status_code
    if status == 400 and any(word in response.content for word in BAD_KEY):
        status = 401
    if status == 200:
        body = _read(response.content)
        error = body.get("error") if isinstance(body, dict) and not body.get("choices") else None
        code = error.get("code") if isinstance(error, dict) else None
        if error:
            status = code if isinstance(code, int) and 400 <= code < 600 else 502
    if status == response.status_code:
        return response
    headers = {name: value for name, value in response.headers.items() if name != "content-encoding"}
    return httpx2.Response(status, headers=headers, content=response.content, request=response.request)


def is_passing(response: httpx2.Response) -> bool:
    """Whether the same request may fare better later: also where an answer arrived in pieces, or holds none."""
    if response.status_code == 200:
        body = _read(response.content)
        return not (isinstance(body, dict) and body.get("choices"))
    if ONE_MISFIT in response.content:
        return True
    return response.status_code in TRY_AGAIN | OVERLOADED and not is_penniless(response)


def is_penniless(response: httpx2.Response) -> bool:
    """Whether the account has no money left."""
    return any(word in response.content for word in NO_MONEY)


def is_cut(response: httpx2.Response) -> bool:
    """Whether an answer began and did not arrive whole, so that it may be billed; a page of a proxy is none."""
    return response.status_code == 200 and response.content.lstrip()[:1] == b"{" and _read(response.content) is None


def _read(content: bytes) -> Any:
    """What the JSON holds; None where it is none (or says so)."""
    try:
        return json.loads(content)
    except ValueError:
        return None
    except RecursionError:
        return {"choices": "too deep to read here"}
