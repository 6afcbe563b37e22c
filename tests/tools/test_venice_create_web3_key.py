import json
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in
from tests.tools.conftest import posts, refusal
from tests.tools.made_keys import ID, SECRET, lose_folder, new_key, whole_error

Tool = Callable[..., str]
CALL: dict[str, Any] = {}
PATH = "/api_keys/generate_web3_key"
TOKEN = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV"
PROOF = {
    "address": "0x45B73055F3aDcC4577Bb709db10B19d11b5c94eE",
    "signature": "0x" + "bB" * 65,
    "token": TOKEN,
}
PRIVATE_KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


@pytest.fixture
def create(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Call the tool, while Venice offers a token and makes a key; the tool's reply."""
    assert media.exists()

    def run(made: dict[str, Any] | None = None, **arguments: Any) -> Any:
        api.get(PATH).respond(json={"success": True, "data": {"token": TOKEN}})
        api.post(PATH).respond(json=made or new_key(PATH, consumptionLimit={}, expiresAt=None))
        reply = tool(**arguments)
        assert SECRET not in reply
        return json.loads(reply)

    return run


def test_first_comes_a_token_to_sign(
    create: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """Without proof of a wallet, the token comes, with what its owner does; nothing is made or stored."""
    reply = create(description="For the fox bot")

    assert {
        "token": TOKEN,
        "next": "The owner signs exactly this token as a message in the wallet (personal_sign; it moves no money). "
        "Within 15 minutes, call again with the wallet's address, the signature, and this token.",
    } == reply
    assert ["GET"] == [call.request.method for call in api.calls]
    assert [] == kept_in(media)


def test_then_comes_the_key(create: Callable[..., Any], api: respx.MockRouter, media: Path) -> None:
    """With the proof, a key is made under Venice's own names, and goes into a private file."""
    padded = {name: f" {text}\n" for name, text in PROOF.items()}
    reply = create(**padded)

    (file,) = (media / ".private").iterdir()
    assert [
        PROOF | {"description": "Web3 API Key", "apiKeyType": "INFERENCE", "modelPrivacy": "ALL"}
    ] == posts(api)
    assert (f"{SECRET}\n", 0o600) == (file.read_text(), file.stat().st_mode & 0o777)
    assert {
        "file": str(file),
        "id": ID,
        "last_six": "2V2jNW",
        "key_type": "INFERENCE",
        "model_privacy": "ALL",
        "notes": ["It has no limit: it can spend all that the account has.", "It never expires."],
        "next": "Tell the person which file on the tools' machine holds the key. Do not open it.",
    } == reply


def test_sends_what_was_asked_for(create: Callable[..., Any], api: respx.MockRouter) -> None:
    """Every setting reaches Venice under its own name."""
    create(
        **PROOF,
        description="For bills",
        key_type="ADMIN",
        limit_usd=3,
        limit_period="EPOCH",
        model_privacy="PRIVATE_TEXT",
        expires="2099-02-28",
    )

    assert [
        {
            **PROOF,
            "apiKeyType": "ADMIN",
            "description": "For bills",
            "consumptionLimit": {"usd": 3, "diem": 3},
            "limitPeriod": "EPOCH",
            "modelPrivacy": "PRIVATE_TEXT",
            "expiresAt": "2099-02-28",
        }
    ] == posts(api)


@pytest.mark.parametrize("name", ["address", "signature", "token", "description"])
@pytest.mark.parametrize("text", [PRIVATE_KEY, f"0x{PRIVATE_KEY}", f" {PRIVATE_KEY.upper()}\n"])
def test_a_private_key_goes_nowhere(
    create: Callable[..., Any],
    api: respx.MockRouter,
    caplog: pytest.LogCaptureFixture,
    name: str,
    text: str,
) -> None:
    """What looks like a wallet's private key is refused before anything is sent, and not repeated."""
    caplog.set_level(logging.DEBUG)
    told = whole_error(create, **{name: text})

    assert "VeniceError: That looks like a wallet's private key; it was not sent." in told
    assert PRIVATE_KEY not in (told + caplog.text).lower()
    assert 0 == len(api.calls)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"address": ""},
            "'address' must be 0x and 40 hex digits. Give all of address, signature, token, or none",
        ),
        ({"address": PROOF["address"][:-1]}, "'address' must be"),
        ({"address": PROOF["address"] + "0"}, "'address' must be"),
        (
            {
                "address": "abandon ability able about above absent absorb abstract absurd abuse access"
            },
            "'address' must",
        ),
        ({"signature": ""}, "'signature' must be 0x and at least 130 hex digits."),
        ({"signature": PROOF["signature"][:-2]}, "'signature' must be"),
        ({"signature": "0x" + "zz" * 65}, "'signature' must be"),
        ({"token": ""}, "'token' must be the whole token from the first call."),
        ({"token": TOKEN.rpartition(".")[0]}, "'token' must be"),
        ({"description": "x" * 65}, "1 to 64 characters"),
        ({"limit_usd": 0}, "'limit_usd' must be"),
        ({"expires": "2020-01-01"}, "'expires' must be a day after"),
    ],
    ids=str,
)
def test_a_wrong_argument_makes_nothing(
    create: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    changed: dict[str, Any],
    said: str,
) -> None:
    """What can't be a proof or a limit is refused before anything is sent, and never repeated."""
    message = refusal(create, **PROOF | changed)

    assert said in message
    assert not any(len(str(value)) > 20 and str(value) in message for value in changed.values())
    assert ([], 0) == (kept_in(media), len(api.calls))


def test_a_long_signature_is_taken(create: Callable[..., Any], api: respx.MockRouter) -> None:
    """Wallets that are contracts sign with more than 65 bytes."""
    create(**PROOF | {"signature": "0x" + "0f" * 200})

    assert "0x" + "0f" * 200 == posts(api)[0]["signature"]


def test_a_refusal_shows_nothing_of_the_proof(
    tool: Tool, api: respx.MockRouter, media: Path
) -> None:
    """Venice's reason comes without key, signature and token; the advice is that of a wallet, not of the operator."""
    api.post(PATH).respond(401, json={"error": f"Bad: {SECRET} {PROOF['signature']} {TOKEN}"})
    told = whole_error(tool, **PROOF)

    advice = "A token is good once, for 15 minutes: begin again with"
    said = f"Venice answered 401: Bad: [hidden] [hidden] [hidden]. {advice}"
    assert said in told
    assert not any(text in told for text in (SECRET, *PROOF.values()))
    assert [] == list((media / ".private").iterdir())


def test_a_lost_reply_says_what_may_be_there(tool: Tool, api: respx.MockRouter) -> None:
    """When nobody knows whether a key was made, the error says so; nothing is sent twice."""
    route = api.post(PATH).mock(side_effect=httpx.ReadError)

    told = refusal(tool, **PROOF)
    assert told.startswith(
        "Venice sent no whole reply; a key may have been made that nobody holds. "
    )
    assert "Its owner can find and revoke it at venice.ai." in told
    assert 1 == route.call_count


@pytest.mark.parametrize(
    "reply",
    [
        "{}",
        "null",
        "[]",
        '{"data": null}',
        '{"data": {"token": ["a.b.c"]}}',
        '{"data": {"token": ""}}',
    ],
)
def test_no_token_is_one_line(tool: Tool, api: respx.MockRouter, reply: str) -> None:
    """A first call that brings no token says that nothing was made."""
    api.get(PATH).respond(content=reply, headers={"content-type": "application/json"})

    assert (
        "Venice's reply holds no token. Nothing was made: try again, or tell the person."
        == refusal(tool)
    )


@pytest.mark.parametrize("reply", ["{}", "null", '{"data": null}', '{"data": {"id": 7}}'])
def test_a_reply_without_a_key_says_that_one_may_exist(
    tool: Tool, api: respx.MockRouter, reply: str
) -> None:
    """Nobody holds such a key: its owner learns where to look for it."""
    api.post(PATH).respond(content=reply, headers={"content-type": "application/json"})

    said = (
        "a key may have been made that nobody holds. Its owner can find and revoke it at venice.ai."
    )
    assert said in refusal(tool, **PROOF)


def test_a_key_that_is_not_kept_is_named(tool: Tool, api: respx.MockRouter, media: Path) -> None:
    """A wallet's key may be of another account than the operator's: when it can't be revoked, its id is told."""
    api.post(PATH).mock(side_effect=lose_folder(media, PATH))
    api.delete("/api_keys").respond(400, json={"error": "API key not found"})
    told = whole_error(tool, **PROOF)

    assert f"Ask the person to revoke it at venice.ai; its id is {ID}." in told
    assert SECRET not in told


def sign(token: str) -> dict[str, str]:
    """A proof as a wallet would make it; the local Venice looks at its form only."""
    return {
        "address": "0x" + secrets.token_hex(20),
        "signature": "0x" + secrets.token_hex(65),
        "token": token,
    }


def test_the_local_venice_makes_a_key_that_works(
    local_tool: Tool, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real connection, both calls lead to a key that Venice takes; a wrong one of the operator's is no hurt."""
    monkeypatch.setenv("VENICE_API_KEY", "not-yet-a-key")
    proof = sign(json.loads(local_tool())["token"])
    text = local_tool(**proof, key_type="ADMIN", limit_usd=1)
    reply = json.loads(text)
    key = Path(reply["file"]).read_text().strip()
    shown = httpx.get(
        f"{venice.base_url}/api_keys/{reply['id']}", headers={"Authorization": f"Bearer {key}"}
    ).json()

    assert key[-6:] == reply["last_six"] == shown["data"]["last6Chars"]
    assert ("Web3 API Key", 1, 1, "LIFETIME") == (
        shown["data"]["description"],
        shown["data"]["consumptionLimits"]["usd"],
        reply["limit_usd"],
        reply["limit_period"],
    )
    assert key not in text


def test_a_token_is_good_once_at_the_local_venice(local_tool: Tool, tmp_path: Path) -> None:
    """A token that was used is refused, with the way to a new one, and leaves no file."""
    proof = sign(json.loads(local_tool())["token"])
    local_tool(**proof)

    said = "Invalid or expired token. A token is good once, for 15 minutes: begin again with a new one."
    assert f"Venice answered 401: {said}" == refusal(local_tool, **proof)
    assert 1 == len(list((tmp_path / "media" / ".private").iterdir()))


def test_no_token_at_the_local_venice_is_one_line(local_tool: Tool, venice: LocalVenice) -> None:
    """A broken first call costs nothing and can be repeated."""
    venice.order_fault(fault="reset", path=PATH, method="GET")

    assert "Venice sent no whole reply; nothing was charged. Try again." == refusal(local_tool)
