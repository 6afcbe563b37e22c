"""Revoke an API key."""

import os

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.keys import (
    _ID,
    _IF_UNKNOWN,
    _NEEDS_ADMIN,
    _ask_about_keys,
    _read_listed_key,
)
from sanctum_venice_tools.runtime.replies import _object_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "admin"
COST = "account"

_PERSON_CAN = "The person can, at venice.ai."


@_read_as_meant
def venice_revoke_api_key(*, key_id: str, description: str) -> str:
    """Revoke an API key of the person's Venice account, for good; use it only for a key that they named.

    Whatever uses the key stops working at once. Free. venice_list_api_keys shows ids and
    descriptions.

    Args:
        key_id: The key's id; never the key itself.
        description: The description of the key that is meant, letter by letter: nothing is revoked
            if it is not that of key_id. Empty only for a key without one.

    Returns:
        JSON: revoked (the id), description, last_six.
    """
    # Longer things, and those with other signs, are keys or paths: they must not get into an
    # address.
    if not _ID.fullmatch(key_id):
        raise VeniceError("That is not the id of a key. Look at venice_list_api_keys.")
    advice = {**_NEEDS_ADMIN, **_IF_UNKNOWN}
    found = _read_listed_key(_ask_about_keys("GET", f"/api_keys/{key_id}", advice=advice))
    if not found.last_six:
        told = "Venice does not tell which key that is, so it was not revoked"
        raise VeniceError(f"{told}. {_PERSON_CAN}")
    own = os.environ["VENICE_API_KEY"].strip()[-6:]
    if found.last_six == own:
        told = "The Venice tools run with this key, so they cannot revoke it"
        raise VeniceError(f"{told}. {_PERSON_CAN}")

    # Its real description is not told: an agent would repeat it, and a wrong id would be confirmed
    # unread.
    if found.description.strip() != description.strip():
        raise VeniceError(
            "The key of that id has another description, so it was not revoked. Compare both in "
            "venice_list_api_keys, and ask the person which key is meant."
        )

    unsure = "it may have been revoked. Look at venice_list_api_keys."
    which = {"id": key_id}
    done = _ask_about_keys("DELETE", "/api_keys", advice=_NEEDS_ADMIN, unsure=unsure, params=which)
    if _object_of(done).get("success") is not True:
        told = "Venice did not revoke the key, and says no reason"
        raise VeniceError(f"{told}. Try again, or ask the person to do it.")
    return _answer(revoked=key_id, description=found.description, last_six=found.last_six)
