"""The address of a server in a config, as far as a file may hold it."""

from urllib.parse import parse_qs, urlsplit


def check_address(value: str) -> str:
    """The address of a Postgres server. It stands in a file that is copied and sent, so it must hold no password.

    Raises:
        ValueError: it is none, or it holds one, which the error does not repeat.
    """
    address = urlsplit(value)
    if address.password is not None or any("password" in key.lower() for key in parse_qs(address.query)):
        raise ValueError(
            "checkpoints holds a password, and config files are copied and sent: take it out, and set PGPASSWORD in "
            "the environment, or use ~/.pgpass"
        )
    if address.scheme not in ("postgresql", "postgres"):
        raise ValueError(
            f"checkpoints = {value!r} must be postgresql://user@host/database, or be left out: then they are kept in "
            "the run's folder"
        )
    return value
