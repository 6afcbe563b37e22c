"""API keys: made, and kept in private files, so that no conversation ever holds one."""

import os
import re
import tempfile
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sanctum_venice_tools.runtime.media import _media_folder
from sanctum_venice_tools.runtime.venice import VeniceError, _answer, _call, _given

_NEEDS_ADMIN = dict.fromkeys(
    (401, 403), "Ask the operator whether VENICE_API_KEY is an ADMIN key, for only such a key may do this."
)


def _wish(description: str, key_type: str, limit_usd: float | None, period: str, expires: str) -> dict[str, Any]:
    """The body that asks for a key of these limits, checked."""
    if not 0 < len(description.strip()) <= 64:
        raise VeniceError("The description must have 1 to 64 characters. Say shortly what the key is for.")
    if limit_usd is not None and not 0.01 <= limit_usd <= 9_999_999_999:
        raise VeniceError("'limit_usd' must be 0.01 to 9999999999. Leave it out for a key without a limit.")
    day, today = "", datetime.now(UTC).date().isoformat()
    with suppress(ValueError):
        day = date.fromisoformat(expires.strip()).isoformat()
    if expires.strip() and day <= today:
        raise VeniceError(f"'expires' must be a day after {today}, as YYYY-MM-DD. Correct it, or leave it out.")
    body = {"description": description.strip(), "apiKeyType": key_type}
    # A DIEM pays for as much as a dollar: a limit of dollars alone would be none for an account that has both.
    limit = {"consumptionLimit": {"usd": limit_usd, "diem": limit_usd}, "limitPeriod": period}
    return body | _given(expiresAt=day) | (limit if limit_usd is not None else {})


def _make_key(path: str, body: dict[str, Any], *, advice: dict[int, str], unsure: str) -> str:
    """Have Venice make a key and keep it; the tool's reply, which tells all of it but the key."""
    file = _private_file(body["description"])
    made: dict[str, Any] = {}
    try:
        made = _ask_about_keys("POST", path, advice=advice, unsure=unsure, json=body)["data"]
        with file.open("wb") as kept:
            kept.write(made["apiKey"].encode() + b"\n")
            kept.flush()
            os.fsync(kept.fileno())
    except BaseException as error:
        with suppress(OSError):
            file.unlink()
        if made:  # but nobody holds it: it must not stay
            raise _take_back(made.get("id"), error) from None
        raise
    limit, ends, kind = (made.get("consumptionLimit") or {}).get("usd"), made.get("expiresAt"), made.get("apiKeyType")
    told = {"id": made.get("id"), "last_six": made["apiKey"][-6:], "key_type": kind, "limit_usd": limit}
    told |= {} if limit is None else {"limit_period": made.get("limitPeriod")}
    told |= {"model_privacy": made.get("modelPrivacy"), "expires": ends}
    notes = ["It has no limit: it can spend all that the account has."] if limit is None else []
    notes += [] if ends else ["It never expires."]
    notes += ["It can make and revoke keys."] if kind == "ADMIN" else []
    next_step = "Tell the person which file on the tools' machine holds the key. Do not open it."
    return _answer(file=str(file), **told, notes=notes, next=next_step)


def _private_file(title: str) -> Path:
    """A new, empty file that no one else may read, where there is room: a key that can't be kept must not be made."""
    folder = _media_folder() / ".private"  # hidden, so no tool reads from it
    stem = "-".join(re.findall("[a-z0-9]+", title.lower()))[:40]
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)  # and not what the umask leaves of it
        if folder.lstat().st_mode & 0o077:
            raise OSError(f"{folder} is a link, or others can look into it")  # noqa: TRY301 - the same advice fits
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(4096))
        number, name = tempfile.mkstemp(".txt", f"key-{stem}-", folder)
        os.fchmod(number, 0o600)
        os.close(number)
    except OSError as error:
        raise VeniceError(f"No key was made: {error}. Ask the operator to check VENICE_MEDIA_DIR.") from None
    return Path(name)


def _take_back(key_id: Any, error: BaseException) -> VeniceError:
    """Revoke a key that could not be kept; the error that tells so, or names the key that is left over."""
    lost = f"The key was made, but not kept ({getattr(error, 'strerror', None) or type(error).__name__})"
    try:
        revoked, _ = _call("DELETE", "/api_keys", params={"id": key_id})
    except VeniceError:
        revoked = {}
    if revoked.get("success"):
        return VeniceError(f"{lost}, so it was revoked. Ask the operator to check VENICE_MEDIA_DIR.")
    return VeniceError(f"{lost}, and not revoked either. Ask the person to revoke it at venice.ai; its id is {key_id}.")


def _ask_about_keys(method: str, path: str, *, unsure: str = "", **content: Any) -> Any:
    """Send a request about keys; its errors say what may have become of a key, and hold nothing that could be one."""
    try:
        return _call(method, path, **content)[0]
    except VeniceError as error:
        line = re.sub("it may be charged.*", unsure, str(error))
        raise VeniceError(re.sub(r"\S{23,}\w", "[hidden]", line)) from None
