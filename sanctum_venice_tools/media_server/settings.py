"""What an operator decides about a media server, and its token."""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

MEGABYTE = 1 << 20
GIGABYTE = 1 << 30

# The token's file, beside the files that it guards.
TOKEN_FILE = "token"  # noqa: S105  # the name of a file

LONGEST_TOKEN = 500


class SettingError(ValueError):
    """A setting that can't be used; one line that says what to do."""


@dataclass(frozen=True)
class Settings:
    """What a media server goes by."""

    folder: Path
    """Where files and their index lie."""
    token: str = field(repr=False)
    """What tools and people show to be let in."""
    public_url: str
    """How people's browsers reach the server, without a slash at the end."""
    most_bytes: int = 2048 * MEGABYTE
    """Of one file."""
    quota_bytes: int | None = None
    """Of all files together; None, where only the disk is the limit."""
    drop_oldest: bool = False
    """Whether the oldest files go when the quota is reached; else nothing more is taken."""


def read_token(folder: Path) -> str:
    """The token of VENICE_MEDIA_TOKEN, else that of the folder, made at the first start.

    Raises:
        SettingError: It is too short to keep anybody out, or no text for a header.
        OSError: The folder can't be written to.
    """
    given = os.environ.get("VENICE_MEDIA_TOKEN", "").strip()
    file = folder / TOKEN_FILE
    token = given or _kept_token(file)
    is_for_header = token.isascii() and token.isprintable() and " " not in token
    if not (is_for_header and 16 <= len(token) <= LONGEST_TOKEN):
        source = "VENICE_MEDIA_TOKEN" if given else f"The token in {file}"
        advice = "" if given else " Delete that file, and a new one is made."
        told = "must have 16 to 500 letters, digits or signs of ASCII."
        raise SettingError(f"{source} {told}{advice}")
    return token


def _kept_token(file: Path) -> str:
    """The token in a file for its owner alone, which is made if it is not there."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_text(encoding="ascii", errors="replace").strip()
    token = secrets.token_urlsafe(32)
    with os.fdopen(descriptor, "w", encoding="ascii") as new:
        new.write(token)
    return token
