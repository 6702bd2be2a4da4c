"""Pushing folders to the Hugging Face hub, whose every refusal becomes one line that says what to do."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from httpx2 import HTTPError
from huggingface_hub import HfApi, constants, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported lazily

from ...tasks.errors import ConfigError, StepError
from ...tasks.wording import harmless, one_line

Kind = Literal["model", "dataset"]

LOGIN = (
    "Make one with the right to write at https://huggingface.co/settings/tokens, and give it to `hf auth login` or set "
    "HF_TOKEN"
)

ADVICE = {
    401: f"it does not know your token. {LOGIN}.",
    403: "your token may not write there. Give it the right to write, or take an owner that you may write for.",
    404: "there is no such owner, or your token may not see it. Look at how the name is written.",
    429: "you have asked too often. Try again later.",
}


def check_name(repo: str) -> None:
    """Refuse a name that the hub would.

    Raises:
        ConfigError: it is not OWNER/NAME, or holds what names may not.
    """
    try:
        validate_repo_id(repo)
        if repo.count("/") != 1:
            raise HFValidationError("the owner is missing")
    except HFValidationError as error:
        raise ConfigError(
            f"{repo!r} is no name of the hub ({one_line(str(error)).rstrip('.')}). It is OWNER/NAME, of letters, "
            "digits, '-', '_' and '.', like maria/helpdesk."
        ) from None


def check_login() -> None:
    """Ask the hub who we are, before anything long is begun.

    Raises:
        ConfigError: there is no token, or the hub does not know it.
        StepError: the hub cannot be reached.
    """
    if get_token() is None:
        raise ConfigError(f"There is no token for the hub. {LOGIN}.")
    with refusals("your account"):
        HfApi().whoami()


def push_folder(folder: Path, repo: str, *, kind: Kind, private: bool, only: Sequence[str]) -> str:
    """Make a repository, if it is new, and put files into it in one commit; returns its address.

    Args:
        folder: what holds the files.
        repo: `OWNER/NAME`.
        kind: of repository.
        private: whether a new one is private; an old one stays as it is.
        only: names of the files, relative to the folder.

    Raises:
        ConfigError: the hub refuses, and the user can help.
        StepError: the hub cannot be reached, or fails.
    """
    api = HfApi()
    with refusals(repo):
        address = api.create_repo(repo, repo_type=kind, private=private or None, exist_ok=True)
        api.upload_folder(
            folder_path=folder,
            repo_id=repo,
            repo_type=kind,
            allow_patterns=list(only),
            commit_message="Push what EvoKD has made",
        )
    return str(address)


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Turn what the hub raises into errors of ours; the token is never part of them."""
    try:
        yield
    except HfHubHTTPError as error:
        raise _refused(what, error) from None
    except OfflineModeIsEnabled:
        raise ConfigError("HF_HUB_OFFLINE is set, so nothing can be pushed. Unset it.") from None
    except (HTTPError, OSError) as error:
        raise StepError(
            f"The hub at {constants.ENDPOINT} cannot be reached ({type(error).__name__}). Look at your network, and "
            "push again: what is there already is not sent twice."
        ) from None
    except ValueError as error:  # of a card that the hub finds wrong
        raise ConfigError(f"The hub refuses {what}: {_safe(str(error))}") from None


def _refused(what: str, error: HfHubHTTPError) -> ConfigError | StepError:
    status = error.response.status_code
    if status in ADVICE:
        return ConfigError(f"The hub refuses {what} ({status}): {ADVICE[status]}")
    said = _safe(error.server_message or "it does not say why")
    if status >= 500:
        return StepError(f"The hub fails over {what} ({status}): {said}. Push again later.")
    return ConfigError(f"The hub refuses {what} ({status}): {said}.")


def _safe(said: str) -> str:
    """What a server said, as one line that steers no terminal and holds no token."""
    token = get_token()
    line = harmless(one_line(said))[:300].rstrip(".")
    return line.replace(token, "(token)") if token else line
