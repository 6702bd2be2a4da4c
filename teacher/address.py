"""Addresses of servers: which can be used, and how one is shown without what may be secret in it."""

import re
from urllib.parse import parse_qsl, urlsplit

from .key_names import hide

PUBLIC = {"api-version": re.compile(r"[A-Za-z0-9.-]{1,40}")}
"""What may stand in the query of an address, as it holds no secret -> what it looks like. Azure wants one."""


def check_address(url: str, where: str) -> str:
    """The address without white space around it.

    Args:
        url: As the user wrote it; not quoted in errors with what may be secret in it.
        where: What holds it.

    Raises:
        PydanticCustomError: it is empty, has no scheme or host, or has more after its path than `PUBLIC` allows.
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
    if parts.fragment or not is_public(parts.query):
        raise hide(f"{where} = {shown!r} may hold nothing after '?' but {', '.join(PUBLIC)}=..., and nothing after '#'")
    return url


def is_public(query: str) -> bool:
    """Whether all of a query may be kept in a config and shown."""
    pairs = parse_qsl(query, keep_blank_values=True)
    shown = all(name in PUBLIC and PUBLIC[name].fullmatch(value) for name, value in pairs)
    return shown and len(pairs) == len(dict(pairs)) == (query.count("&") + 1 if query else 0)


def without_query(url: str) -> tuple[str, dict[str, str]]:
    """An address that paths can be added to, and what every call to it says in its query."""
    bare, _, query = url.partition("?")
    return bare, dict(parse_qsl(query))


def shown_address(url: str) -> str:
    """An address without what may be secret in it: user, password, query; also of one without a scheme."""
    bare, *more = re.split(r"[?#]", url, maxsplit=1)
    scheme, mark, rest = bare.rpartition("://")
    authority, slash, path = rest.partition("/")
    query = f"?{more[0]}" if more and more[0] and is_public(more[0]) else ""
    return scheme + mark + authority.rpartition("@")[2] + slash + path + query


def secrets_of(url: str) -> tuple[str, ...]:
    """What of an address must be shown nowhere: its password, and a user who has none, who is a token."""
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:
        return ()
    secret = password if password else user
    return (secret, f"{user}:{password}@") if password and secret else (secret,) if secret else ()
