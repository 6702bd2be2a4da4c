"""Addresses of servers: which can be used, and how one is shown without what may be secret in it."""

import re
from urllib.parse import urlsplit

from .secret_settings import hide


def check_address(url: str, where: str) -> str:
    """The address without white space around it.

    Args:
        url: As the user wrote it; not quoted in errors with what may be secret in it.
        where: What holds it.

    Raises:
        PydanticCustomError: it is empty, has no scheme or host, or has a query, after which no path can be added.
    """
    url = url.strip()
    if not url:
        raise hide(f"{where} is empty: leave it out for OpenAI's own server, or name yours")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise hide(f"{where} is no address ({error})") from None
    shown = shown_address(url)
    if parts.scheme not in ("http", "https"):
        raise hide(f"{where} = {shown!r} has no http:// or https:// at its beginning: 'http://{shown}', perhaps?")
    if not host:
        raise hide(f"{where} = {shown!r} names no host: write it as 'http://HOST:PORT/v1'")
    if parts.query or parts.fragment:
        raise hide(f"{where} = {shown!r} may hold nothing after '?' or '#': paths are added to it")
    return url


def shown_address(url: str) -> str:
    """An address without what may be secret in it: user, password, query; also of one without a scheme."""
    bare = re.split(r"[?#]", url, maxsplit=1)[0]
    scheme, mark, rest = bare.rpartition("://")
    authority, slash, path = rest.partition("/")
    return scheme + mark + authority.rpartition("@")[2] + slash + path


def secrets_of(url: str) -> tuple[str, ...]:
    """What of an address must be shown nowhere: its password, and a user who has none, who is a token."""
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:
        return ()
    secret = password if password else user
    return (secret, f"{user}:{password}@") if password and secret else (secret,) if secret else ()
