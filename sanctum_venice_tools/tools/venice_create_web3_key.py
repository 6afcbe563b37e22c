"""Make an API key for the owner of a wallet."""

import re
from dataclasses import dataclass
from typing import Literal

from sanctum_venice_tools.runtime.arguments import _read_as_meant
from sanctum_venice_tools.runtime.keys import _ask_about_keys, _key_settings, _make_key
from sanctum_venice_tools.runtime.replies import _object_of, _text_of
from sanctum_venice_tools.runtime.venice import VeniceError, _answer

TOOLSET = "admin"
COST = "account"

# Venice reads no key here, so the operator's, which goes along as ever, decides nothing.
_PATH = "/api_keys/generate_web3_key"
_ANEW = "A token is good once, for 15 minutes: begin again with a new one."
_REFUSED = {401: _ANEW, 403: _ANEW}

# As a private key of 32 bytes is written.
_PRIVATE_KEY = re.compile("(0x)?[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class _Form:
    """How an argument must look, and the same in words."""

    pattern: re.Pattern[str]
    in_words: str


# A token is a JSON Web Token, RFC 7519: three parts with points between them.
_FORMS = {
    "address": _Form(re.compile("0x[0-9a-fA-F]{40}"), "0x and 40 hex digits"),
    "signature": _Form(re.compile("0x([0-9a-fA-F]{2}){65,}"), "0x and at least 130 hex digits"),
    "token": _Form(re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"), "the whole token from the first call"),
}


def _offer() -> str:
    """A token of Venice's, for the owner of a wallet to sign."""
    reply = _object_of(_ask_about_keys("GET", _PATH, advice=_REFUSED))
    token = _text_of(_object_of(reply.get("data")).get("token"))
    if not _FORMS["token"].pattern.fullmatch(token):
        raise VeniceError(
            "Venice's reply holds no token. Nothing was made: try again, or tell the person."
        )
    return token


_HOW_TO_SIGN = (
    "The owner signs exactly this token as a message in the wallet "
    "(personal_sign; it moves no money). "
    "Within 15 minutes, call again with the wallet's address, the signature, and this token."
)


def _check_no_private_key(*texts: str) -> None:
    """Refuse what may be the private key of a wallet."""
    for text in texts:
        if _PRIVATE_KEY.fullmatch(text):
            raise VeniceError(
                "That looks like a wallet's private key; it was not sent. "
                "Tell the person that this conversation now holds it, so the wallet is no longer "
                "safe, and that only a signature is needed."
            )


@_read_as_meant
def venice_create_web3_key(
    *,
    address: str = "",
    signature: str = "",
    token: str = "",
    description: str = "Web3 API Key",
    key_type: Literal["INFERENCE", "ADMIN"] = "INFERENCE",
    limit_usd: float | None = None,
    limit_period: Literal["EPOCH", "MONTH", "LIFETIME"] = "LIFETIME",
    model_privacy: Literal["ALL", "PRIVATE_TEXT", "PRIVATE_ONLY"] = "ALL",
    ip_allowlist: list[str] | None = None,
    expires: str = "",
) -> str:
    """Make a Venice API key for the owner of a wallet that holds sVVV (staked VVV); only when they asked for one.

    Two calls: without address, signature and token it returns a token for the owner to sign; with
    all three it makes the key, which goes into a private file, never into this conversation. Free.
    Never ask for a wallet's private key or recovery words: nothing here needs them.

    Args:
        address: The wallet's address, 0x and 40 hex digits.
        signature: The token, signed in the wallet.
        token: The token that was signed, from the first call.
        description: What the key is for, 1 to 64 characters.
        key_type: "ADMIN" only for a key that must manage keys or see bills.
        limit_usd: The most that it may spend, in US dollars (and as much in DIEM), 0.01 or more;
            none when left out.
        limit_period: When the limit starts anew: "EPOCH" each day (UTC), "MONTH" each month,
            "LIFETIME" never.
        model_privacy: "PRIVATE_TEXT" allows only private models for text, "PRIVATE_ONLY" only
            private ones at all.
        ip_allowlist: Only from these public addresses or networks may it be used, such as
            "203.0.114.0/24"; at most 100. Give only addresses that the person named: from any other
            the key is refused.
        expires: The day on which it ends, "YYYY-MM-DD", after today; empty for never.

    Returns:
        JSON: token, next; then file, id, last_six, key_type, limit_usd, limit_period,
            model_privacy, ip_allowlist, expires, notes.
    """
    proof = {"address": address.strip(), "signature": signature.strip(), "token": token.strip()}
    _check_no_private_key(*proof.values(), description.strip())
    if not any(proof.values()):
        return _answer(token=_offer(), next=_HOW_TO_SIGN)
    for name, form in _FORMS.items():
        if not form.pattern.fullmatch(proof[name]):
            all_names = ", ".join(_FORMS)
            raise VeniceError(
                f"'{name}' must be {form.in_words}. Give all of {all_names}, or none to begin."
            )

    settings = _key_settings(
        description=description,
        key_type=key_type,
        limit_usd=limit_usd,
        limit_period=limit_period,
        model_privacy=model_privacy,
        ip_allowlist=ip_allowlist,
        expires=expires,
    )
    unsure = f"Its owner can find and revoke it at venice.ai. {_ANEW}"
    return _make_key(_PATH, {**proof, **settings}, advice=_REFUSED, unsure=unsure)
