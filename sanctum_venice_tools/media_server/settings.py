"""What an operator decides about a media server, and its token."""

import os
import secrets
import tempfile
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
    """The token in a file for its owner alone, which is made if it is not there.

    Of servers that start at once, all have that of the first.
    """
    if not file.exists():
        _make_token(file)
    return file.read_text(encoding="ascii", errors="replace").strip()


def _make_token(file: Path) -> None:
    """Write a token into a file that is whole from the first; one that is there by then stays."""
    descriptor, name = tempfile.mkstemp(".part", ".token-", file.parent)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as new:
            new.write(secrets.token_urlsafe(32))
            new.flush()
            os.fsync(new.fileno())
        _name(part, file)
    finally:
        part.unlink(missing_ok=True)


def _name(part: Path, file: Path) -> None:
    """Give a whole file its name, unless another has it."""
    try:
        os.link(part, file)
    except FileExistsError:
        return
    except OSError:
        # Some file systems have no links, such as those of USB sticks and of network folders.
        part.replace(file)
