"""API keys: made, and kept in private files, so that no conversation ever holds one."""

import ipaddress
import os
import re
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.media import _DAY, _media_place, _sync_folder
from sanctum_venice_tools.runtime.replies import _list_of, _number_of, _object_of, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

_ASK_FOR_ADMIN = (
    "Ask the operator whether VENICE_API_KEY is an ADMIN key, for only such a key may do this."
)
_NEEDS_ADMIN = {401: _ASK_FOR_ADMIN, 403: _ASK_FOR_ADMIN}

_UNKNOWN_KEY = "There is no key of that id. venice_list_api_keys without key_id shows the ids."
_IF_UNKNOWN = {400: _UNKNOWN_KEY, 404: _UNKNOWN_KEY}  # Venice says 400 where others say 404

# As Venice writes the settings of a key.
_TYPES_OF_KEYS = ("INFERENCE", "ADMIN")
_PERIODS = ("EPOCH", "MONTH", "LIFETIME")
_PRIVACIES = ("ALL", "PRIVATE_TEXT", "PRIVATE_ONLY")

# A key has 40 characters and more; what is shorter could be guessed, or be something else.
_KEY = re.compile("[!-~]{20,500}")

# e28e82dc-9df2-4b47-b726-d0a222ef2ab5
_ID = re.compile("[0-9A-Za-z-]{1,40}")

# 2027-01-31, 2027-01-31T00:00:00.000Z
_END = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+Z?)?", re.ASCII)

# What may be a key within an error.
_LIKE_A_KEY = re.compile(r"\S{23,}\w")

# What any error says of a request whose outcome is not known; of a key there is more to say.
_CHARGE_IN_DOUBT = re.compile("it may be charged.*")

_MOST_ADDRESSES = 100

_MAYBE_MADE = "a key may have been made that nobody holds"


@dataclass(frozen=True)
class _NewKey:
    """A key as Venice tells of it when it has just made it.

    What it does not tell, or not in its own form, is empty.
    """

    secret: str = field(repr=False)
    id: str
    key_type: str
    limit_usd: float | None
    is_without_limit: bool
    """Whether Venice says itself that there is none."""
    limit_period: str
    model_privacy: str
    ip_allowlist: list[str]
    expires: str


@dataclass(frozen=True)
class _ListedKey:
    """A key as Venice tells of it later; what it does not tell is empty."""

    description: str
    last_six: str


def _key_settings(
    *,
    description: str,
    key_type: str,
    limit_usd: float | None,
    limit_period: str,
    model_privacy: str,
    ip_allowlist: list[str] | None,
    expires: str,
) -> dict[str, Any]:
    """The body that asks for a key of these settings, checked."""
    title = description.strip()
    if not 0 < len(title) <= 64:
        fault = "The description must have 1 to 64 characters"
        raise VeniceError(f"{fault}. Say shortly what the key is for.")
    if limit_usd is not None and not 0.01 <= limit_usd <= 9_999_999_999:
        fault = "'limit_usd' must be 0.01 to 9999999999"
        raise VeniceError(f"{fault}. Leave it out for a key without a limit.")

    body: dict[str, Any] = {
        "description": title,
        "apiKeyType": key_type,
        "modelPrivacy": model_privacy,
    }
    if limit_usd is not None:
        # A DIEM pays for as much as a dollar: with a limit of dollars alone, an account that has
        # both would have none.
        body["consumptionLimit"] = {"usd": limit_usd, "diem": limit_usd}
        body["limitPeriod"] = limit_period
    networks = _read_allowlist(ip_allowlist or [])
    last_day = _read_day(expires.strip())
    return {**body, **_given(ipAllowlist=networks, expiresAt=last_day)}


def _read_allowlist(entries: list[str]) -> list[str]:
    """The addresses and networks that a key is to be bound to, as Venice takes them."""
    networks: dict[str, str] = {}  # by what was given for them
    for given in entries:
        entry = given.strip()
        network = _as_network(entry)
        is_public = bool(network) and ipaddress.ip_network(network).is_global
        if not is_public:
            shown = "[hidden]" if _KEY.fullmatch(entry) else f"{entry!r:.50}"
            told = f"'ip_allowlist' holds {shown}, which is no public address"
            forms = "addresses such as 203.0.114.7, or networks such as 203.0.114.0/24"
            raise VeniceError(f"{told}. Give {forms}, as the internet sees them; or leave it out.")
        networks[entry] = network
    if len(networks) > _MOST_ADDRESSES:
        most = f"'ip_allowlist' may have {_MOST_ADDRESSES} entries"
        raise VeniceError(f"{most}. Give networks in place of addresses.")
    return list(networks.values())


def _as_network(value: Any) -> str:
    """An address, or a network of them, as CIDR; nothing, if it is none."""
    with suppress(ValueError):
        return str(ipaddress.ip_network(_text_of(value)))
    return ""


def _read_day(expires: str) -> str:
    """The day on which a key is to end, as Venice writes it; nothing, if it is to have no end."""
    if not expires:
        return ""
    day = ""
    today = datetime.now(UTC).date().isoformat()
    with suppress(ValueError):
        day = date.fromisoformat(expires).isoformat()
    if day <= today:
        fault = f"'expires' must be a day after {today}, as YYYY-MM-DD"
        raise VeniceError(f"{fault}. Correct it, or leave it out.")
    return day


def _make_key(path: str, settings: dict[str, Any], *, advice: dict[int, str], unsure: str) -> str:
    """Have Venice make a key and keep it; the tool's reply, which tells all of it but the key.

    `unsure` is what to do when it may have been made, but is not in the reply.
    """
    file = _private_file(settings["description"])
    if_unread = f"{_MAYBE_MADE}. {unsure}"
    try:
        reply = _ask_about_keys("POST", path, advice=advice, unsure=if_unread, json=settings)
        made = _read_new_key(reply)
        _keep_key(file, made, unsure=unsure)
    except Exception:
        with suppress(OSError):
            file.unlink()
        raise
    return _tell_of_key(made, file, settings)


def _read_new_key(reply: Any) -> _NewKey:
    """The key in Venice's reply: where the document has it, or at the top."""
    whole = _object_of(reply)
    told = _object_of(whole.get("data")) or whole
    secret = _as_form(told.get("apiKey"), _KEY)
    key_id = _as_form(told.get("id"), _ID)
    if secret and (secret in key_id or key_id in secret):
        # What has the key in it, or is a part of it, is no id, and must not be shown as one.
        key_id = ""
    limit = _object_of(told.get("consumptionLimit"))
    return _NewKey(
        secret=secret,
        id=key_id,
        key_type=_as_choice(told.get("apiKeyType"), _TYPES_OF_KEYS),
        limit_usd=_number_of(limit.get("usd")),
        is_without_limit="usd" in limit and limit["usd"] is None,
        limit_period=_as_choice(told.get("limitPeriod"), _PERIODS),
        model_privacy=_as_choice(told.get("modelPrivacy"), _PRIVACIES),
        ip_allowlist=_read_networks(told.get("ipAllowlist")),
        expires=_as_form(told.get("expiresAt"), _END),
    )


def _read_networks(told: Any) -> list[str]:
    """The networks that Venice lists."""
    networks = [_as_network(one) for one in _list_of(told)[:_MOST_ADDRESSES]]
    return [network for network in networks if network]


def _as_form(value: Any, form: re.Pattern[str]) -> str:
    """A text, if it is of a form; else an empty one."""
    text = _text_of(value)
    return text if form.fullmatch(text) else ""


def _as_choice(value: Any, choices: tuple[str, ...]) -> str:
    """A text, if it is one of these; else an empty one."""
    return value if value in choices else ""


def _read_listed_key(reply: Any) -> _ListedKey:
    """The key in Venice's reply to a question for one."""
    told = _object_of(_object_of(reply).get("data"))
    description = _text_of(told.get("description"))
    last_six = _text_of(told.get("last6Chars"))
    return _ListedKey(description, last_six)


def _keep_key(file: Path, made: _NewKey, *, unsure: str) -> None:
    """Write a key into its file, and through to the disk; one that can't be kept is revoked."""
    if not made.secret:
        raise _take_back(made, "it was not in Venice's reply", unsure)
    try:
        with file.open("wb") as kept:
            kept.write(made.secret.encode() + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
        _sync_folder(file.parent)
    except OSError as error:
        raise _take_back(made, error.strerror or type(error).__name__, unsure) from None


def _take_back(made: _NewKey, why: str, unsure: str) -> VeniceError:
    """Revoke a key that could not be kept; the error that tells so, or what is left to do."""
    if not made.id:
        return VeniceError(f"No key was kept ({why}), but {_MAYBE_MADE}. {unsure}")
    lost = f"The key was made, but not kept ({why})"
    try:
        revoked, _ = _call("DELETE", "/api_keys", params={"id": made.id})
    except VeniceError:
        revoked = None
    if _object_of(revoked).get("success") is True:
        advice = "Ask the operator to check VENICE_MEDIA_DIR"
        return VeniceError(f"{lost}, so it was revoked. {advice}.")
    advice = f"Ask the person to revoke it at venice.ai; its id is {made.id}"
    return VeniceError(f"{lost}, and not revoked either. {advice}.")


def _tell_of_key(made: _NewKey, file: Path, settings: dict[str, Any]) -> str:
    """All of a key but itself, and what to mind of it, beside what was asked for."""
    has_limit = made.limit_usd is not None
    wants_limit = "consumptionLimit" in settings
    where = "venice_list_api_keys shows"
    notes = []
    if not has_limit and wants_limit and not made.is_without_limit:
        notes.append(f"Venice did not confirm the limit_usd: {where} what it is.")
    elif not has_limit:
        notes.append("It has no limit: it can spend all that the account has.")
    if not made.expires:
        notes.append("It never expires.")
    if made.key_type == "ADMIN":
        notes.append("It can make and revoke keys.")
    if set(made.ip_allowlist) != set(settings.get("ipAllowlist") or []):
        notes.append(f"Venice did not confirm the ip_allowlist: {where} what it is.")
    if not made.id:
        notes.append(f"Venice told no id: {where} it, by the last six characters.")
    return _answer(
        file=str(file),
        id=made.id,
        last_six=made.secret[-6:],
        key_type=made.key_type,
        limit_usd=made.limit_usd,
        limit_period=made.limit_period if has_limit else None,
        model_privacy=made.model_privacy,
        ip_allowlist=made.ip_allowlist,
        expires=made.expires,
        notes=notes,
        next="Tell the person which file on the tools' machine holds the key. Do not open it.",
    )


def _private_file(title: str) -> Path:
    """A new, empty file that no one else may read, where there is room.

    For a key that can't be kept must not be made.
    """
    folder = _media_place() / ".private"  # hidden, so no tool reads from it
    words = re.findall("[a-z0-9]+", title.lower())
    stem = "-".join(words)[:40]
    try:
        _make_private(folder)
        _sweep_empty(folder)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(4096))
        descriptor, name = tempfile.mkstemp(".txt", f"key-{stem}-", folder)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    except OSError as error:
        advice = "Ask the operator to check VENICE_MEDIA_DIR."
        raise VeniceError(f"No key was made: {error}. {advice}") from None
    return Path(name)


def _sweep_empty(folder: Path) -> None:
    """Delete the files that never got their key: their processes were killed a day ago or more."""
    a_day_ago = time.time() - _DAY
    for file in folder.glob("key-*.txt"):
        with suppress(OSError):  # another process may be faster
            kept = file.stat()
            if kept.st_size == 0 and kept.st_mtime < a_day_ago:
                file.unlink()


def _make_private(folder: Path) -> None:
    """Make a folder into which only its owner can look; links are not followed."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise OSError(f"{folder} is a link")
    folder.chmod(0o700)  # and not what the umask leaves of it
    if folder.lstat().st_mode & 0o077:
        raise OSError(f"others can look into {folder}")


def _ask_about_keys(method: str, path: str, *, unsure: str = "", **content: Any) -> Any:
    """Send a request about keys.

    Its errors say what may have become of a key, and hold nothing that could be one.
    """
    try:
        reply, _ = _call(method, path, **content)
    except VeniceError as error:
        line = _CHARGE_IN_DOUBT.sub(unsure, str(error))
        raise VeniceError(_LIKE_A_KEY.sub("[hidden]", line)) from None
    return reply
