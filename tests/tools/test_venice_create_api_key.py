import json
import logging
import os
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import kept_in
from tests.tools.conftest import posts, refusal
from tests.tools.made_keys import ID, SECRET, lose_folder, new_key, whole_error

Tool = Callable[..., str]
CALL: dict[str, Any] = {"description": "For the fox bot", "limit_usd": 5, "expires": "2099-12-31"}
TODAY = datetime.now(UTC).date()
NOBODY = 65534
MAYBE_MADE = (
    "a key may have been made that nobody holds. Look for it with venice_list_api_keys, and revoke it with "
    "venice_revoke_api_key."
)


@pytest.fixture
def create(api: respx.MockRouter, media: Path, tool: Tool) -> Callable[..., Any]:
    """Ask for a key, while Venice makes this one; the tool's reply."""
    assert media.exists()

    def run(made: dict[str, Any] | None = None, **arguments: Any) -> Any:
        api.post("/api_keys").respond(json=made or new_key("/api_keys"))
        reply = tool(**{"description": "For the fox bot", **arguments})
        assert SECRET not in reply
        return json.loads(reply)

    return run


def stored(media: Path) -> list[Path]:
    """What lies in the private folder."""
    return sorted((media / ".private").iterdir())


def mode(path: Path) -> int:
    """Who may do what with a file or a folder."""
    return path.stat().st_mode & 0o777


# --- the request and the reply ---


def test_tells_all_but_the_key(create: Callable[..., Any], media: Path) -> None:
    """The reply names the file, the id, the last six characters and the limits; the file holds the key."""
    reply = create(**CALL)

    (file,) = stored(media)
    assert f"{SECRET}\n" == file.read_text()
    assert {
        "file": str(file),
        "id": ID,
        "last_six": "2V2jNW",
        "key_type": "INFERENCE",
        "limit_usd": 5,
        "limit_period": "LIFETIME",
        "model_privacy": "ALL",
        "expires": "2099-12-31T00:00:00.000Z",
        "next": "Tell the person which file on the tools' machine holds the key. Do not open it.",
    } == reply
    assert file.name.startswith("key-for-the-fox-bot-")


def test_sends_as_little_as_it_can(create: Callable[..., Any], api: respx.MockRouter) -> None:
    """Without a limit and an end, neither is sent, nor a period of what is not there."""
    create()

    assert [
        {"apiKeyType": "INFERENCE", "description": "For the fox bot", "modelPrivacy": "ALL"}
    ] == posts(api)


def test_a_key_is_bound_to_addresses(create: Callable[..., Any], api: respx.MockRouter) -> None:
    """Addresses and networks reach Venice as CIDR, each once, and what it tells of them is told."""
    made = new_key("/api_keys")
    made["data"]["ipAllowlist"] = ["203.0.114.7/32", "2a00:1::/48"]
    reply = create(made, ip_allowlist=["203.0.114.7", "2a00:1::/48 "])

    assert (
        ["203.0.114.7/32", "2a00:1::/48"] == posts(api)[0]["ipAllowlist"] == reply["ip_allowlist"]
    )
    assert "notes" not in reply


def test_addresses_that_are_not_confirmed_are_told(create: Callable[..., Any]) -> None:
    """A key that Venice does not say to be bound may be open to all: that is to be looked at."""
    assert "Venice did not confirm the ip_allowlist" in " ".join(
        create(ip_allowlist=["203.0.114.7"])["notes"]
    )


def test_addresses_that_were_not_asked_for_are_told(create: Callable[..., Any]) -> None:
    """A key that Venice says to be open to more addresses than it is to be is to be looked at, too."""
    made = new_key("/api_keys")
    made["data"]["ipAllowlist"] = ["203.0.114.7/32", "8.8.8.8/32"]

    assert "Venice did not confirm the ip_allowlist" in " ".join(
        create(made, ip_allowlist=["203.0.114.7"])["notes"]
    )


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (["203.0.114.7", "here"], "'ip_allowlist' holds 'here', which is no public address."),
        (["192.168.1.1"], "which is no public address."),
        (["100.64.0.1"], "which is no public address."),
        (["203.0.114.7/24"], "which is no public address."),
        ([SECRET], "which is no public address."),
        ([f"8.8.{place}.8" for place in range(101)], "'ip_allowlist' may have 100 entries."),
    ],
    ids=["word", "private", "of a provider", "host bits", "key", "too many"],
)
def test_what_is_no_public_address_is_refused(
    create: Callable[..., Any], api: respx.MockRouter, entries: list[str], said: str
) -> None:
    """A list that Venice would refuse, or that would lock the key, makes none."""
    assert said in refusal(create, ip_allowlist=entries)
    assert [] == posts(api)


def test_a_bound_key_is_refused_elsewhere(
    local_tool: Tool, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over a real connection, a key works only from its addresses, and the refusal says so."""
    made = json.loads(local_tool(description="bound", ip_allowlist=["203.0.114.0/24"]))
    monkeypatch.setenv("VENICE_API_KEY", Path(made["file"]).read_text().strip())

    line = refusal(load_tool("venice_check_account"))
    assert line.endswith("(its ipAllowlist), and the tools run at another: ask the operator.")
    assert ["203.0.114.0/24"] == made["ip_allowlist"]


def test_a_private_key_is_told_to_be_one(
    local_tool: Tool,
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Over a real connection, a key for private models sees no others, and Venice's refusal of one is explained."""
    made = json.loads(local_tool(description="private", model_privacy="PRIVATE_ONLY"))
    monkeypatch.setenv("VENICE_API_KEY", Path(made["file"]).read_text().strip())
    venice.order_fault(fault="403-privacy", path="/chat/completions")

    assert "There is no text model 'gemini-3-5-flash'" in refusal(
        load_tool("venice_chat"), prompt="hi", model="gemini-3-5-flash"
    )
    line = refusal(load_tool("venice_chat"), prompt="hi")
    assert line.endswith("take one (venice_list_models, needs private), or ask the operator.")


def test_sends_what_was_asked_for(create: Callable[..., Any], api: respx.MockRouter) -> None:
    """Every setting reaches Venice under its own name; the limit holds for both currencies."""
    create(
        description=" For  bills ",
        key_type="ADMIN",
        limit_usd=2.5,
        limit_period="MONTH",
        model_privacy="PRIVATE_ONLY",
        expires="2099-02-28",
    )

    assert [
        {
            "apiKeyType": "ADMIN",
            "description": "For  bills",
            "consumptionLimit": {"usd": 2.5, "diem": 2.5},
            "limitPeriod": "MONTH",
            "modelPrivacy": "PRIVATE_ONLY",
            "expiresAt": "2099-02-28",
        }
    ] == posts(api)


def test_says_what_such_a_key_can_do(create: Callable[..., Any]) -> None:
    """What has no limit, no end, or much power is said; a period without a limit is not."""
    reply = create(
        new_key("/api_keys", apiKeyType="ADMIN", consumptionLimit={}, expiresAt=None),
        key_type="ADMIN",
    )

    assert [
        "It has no limit: it can spend all that the account has.",
        "It never expires.",
        "It can make and revoke keys.",
    ] == reply["notes"]
    assert "limit_period" not in reply


@pytest.mark.parametrize("limit", [None, {}, {"diem": 5}, {"usd": "five"}], ids=str)
def test_a_limit_that_is_not_confirmed_is_told(create: Callable[..., Any], limit: Any) -> None:
    """Where Venice does not tell the limit that was asked for, nobody knows whether there is none."""
    made = new_key("/api_keys")
    made["data"]["consumptionLimit"] = limit
    notes = create(made, limit_usd=5)["notes"]

    assert ["Venice did not confirm the limit_usd: venice_list_api_keys shows what it is."] == notes


def test_a_limit_that_venice_left_out_is_told(create: Callable[..., Any]) -> None:
    """The notes go by what Venice made, not by what was asked for."""
    reply = create(new_key("/api_keys", consumptionLimit={"usd": None}), limit_usd=5)

    assert ["It has no limit: it can spend all that the account has."] == reply["notes"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"description": " "}, "must have 1 to 64 characters"),
        ({"description": "x" * 65}, "must have 1 to 64 characters"),
        ({"limit_usd": 0}, "'limit_usd' must be 0.01"),
        ({"limit_usd": -1}, "'limit_usd' must be 0.01"),
        ({"limit_usd": 1e10}, "'limit_usd' must be 0.01"),
        ({"limit_usd": float("nan")}, "'limit_usd' must be a number, not nan."),
        ({"expires": "2099-02-30"}, "'expires' must be a day after"),
        ({"expires": "next year"}, "'expires' must be a day after"),
        ({"expires": "2099-12-31T00:00:00Z"}, "'expires' must be a day after"),
        ({"expires": str(TODAY)}, "'expires' must be a day after"),
    ],
    ids=str,
)
def test_a_wrong_argument_makes_nothing(
    create: Callable[..., Any],
    api: respx.MockRouter,
    media: Path,
    arguments: dict[str, Any],
    said: str,
) -> None:
    """What can't be meant is refused before anything is asked of Venice, or put into a file."""
    assert said in refusal(create, **arguments)
    assert ([], 0) == (kept_in(media), len(api.calls))


@pytest.mark.parametrize(
    "arguments",
    [
        {"description": "x" * 64},
        {"limit_usd": 0.01},
        {"limit_usd": 9_999_999_999},
        {"expires": str(TODAY + timedelta(days=2))},
    ],
    ids=str,
)
def test_the_edges_are_allowed(
    create: Callable[..., Any], api: respx.MockRouter, arguments: dict[str, Any]
) -> None:
    """The last values that are allowed are sent."""
    assert ID == create(**arguments)["id"]
    assert 1 == len(posts(api))


@given(description=st.text(min_size=1, max_size=64).filter(str.strip))
@example("../../../etc/passwd")
@example("/")
@example("\0" * 64)
@example("狐" * 64)
def test_any_description_makes_a_private_file(
    create: Callable[..., Any], media: Path, description: str
) -> None:
    """Whatever a key is called, its file is in the private folder, and is new."""
    before = stored(media) if (media / ".private").exists() else []
    file = Path(create(description=description)["file"])

    assert media / ".private" == file.parent
    assert {file} == set(stored(media)) - set(before)
    assert 0o600 == mode(file)


# --- the file ---


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_modes_do_not_depend_on_the_umask(
    create: Callable[..., Any], media: Path, umask: int
) -> None:
    """Whatever the process leaves of modes, only the account itself gets at the key."""
    before = os.umask(umask)
    try:
        file = Path(create()["file"])
    finally:
        os.umask(before)

    assert (0o600, 0o700) == (mode(file), mode(media / ".private"))


def test_an_open_private_folder_is_closed(create: Callable[..., Any], media: Path) -> None:
    """A folder that others could look into no longer lets them."""
    (media / ".private").mkdir()
    (media / ".private").chmod(0o777)
    create()

    assert 0o700 == mode(media / ".private")


def test_keys_of_one_name_have_files_of_their_own(create: Callable[..., Any], media: Path) -> None:
    """No key ever takes another one's place."""
    files = [create(new_key("/api_keys", apiKey=f"{SECRET}{turn}"))["file"] for turn in range(20)]

    assert sorted(files) == [str(file) for file in stored(media)]
    assert [f"{SECRET}{turn}\n" for turn in range(20)] == [Path(file).read_text() for file in files]


def test_no_tool_reads_the_file(
    create: Callable[..., Any], api: respx.MockRouter, media: Path, load_tool: Callable[[str], Tool]
) -> None:
    """A tool that takes stored files in knows none of this name, however it is written."""
    file = Path(create()["file"])
    (media / "link").symlink_to(file)
    (media / "folder").symlink_to(media / ".private")
    names = (file.name, str(file), f".private/{file.name}", f"./.private/../.private/{file.name}")
    for name in (*names, "link", f"folder/{file.name}"):
        message = refusal(load_tool("venice_upscale_image"), image=name)

        assert "No stored file is called" in message
        assert file.name not in message.partition("Near it:")[2]
    assert 1 == len(api.calls)


def as_file(media: Path) -> None:
    """A file where the private folder should be."""
    (media / ".private").write_text("")


def as_link(media: Path) -> None:
    """A link to a folder that tools can read from."""
    (media / "open").mkdir(mode=0o700)
    (media / ".private").symlink_to(media / "open")


def as_open_link(media: Path) -> None:
    """A link to a folder that everybody uses."""
    (media / "open").mkdir()
    (media / "open").chmod(0o777)
    (media / ".private").symlink_to(media / "open")


def as_loose_end(media: Path) -> None:
    """A link to nothing."""
    (media / ".private").symlink_to(media / "nothing")


@pytest.mark.parametrize("spoil", [as_file, as_link, as_open_link, as_loose_end])
def test_without_a_private_folder_no_key_is_made(
    create: Callable[..., Any], api: respx.MockRouter, media: Path, spoil: Callable[[Path], None]
) -> None:
    """What can't be kept is found out before Venice is asked; nothing that a link leads to is changed."""
    spoil(media)
    before = [(path, path.lstat().st_mode) for path in sorted(media.rglob("*"))]

    assert "No key was made: " in (message := refusal(create))
    assert message.endswith("Ask the operator to check VENICE_MEDIA_DIR.")
    assert before == [(path, path.lstat().st_mode) for path in sorted(media.rglob("*"))]
    assert 0 == len(api.calls)


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Nobody in particular, to whom a folder belongs; the super-user could write anywhere."""
    if os.geteuid():
        yield
        return
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_in_a_read_only_folder_no_key_is_made(
    create: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be written, nothing is asked of Venice."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        monkeypatch.setenv("VENICE_MEDIA_DIR", name)
        with unprivileged(folder):
            folder.chmod(0o500)
            message = refusal(create)
            folder.chmod(0o700)

    assert "Permission denied" in message
    assert 0 == len(api.calls)


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only the super-user can make a folder that belongs to another"
)
def test_in_another_accounts_private_folder_no_key_is_made(
    create: Callable[..., Any], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private folder that somebody else has put there gets no key."""
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("VENICE_MEDIA_DIR", name)
        (Path(name) / ".private").mkdir()
        (Path(name) / ".private").chmod(0o777)
        with unprivileged(Path(name)):
            assert "Operation not permitted" in refusal(create)

    assert 0 == len(api.calls)


def test_without_room_no_key_is_made(
    create: Callable[..., Any], api: respx.MockRouter, media: Path
) -> None:
    """A full disk is found out before Venice is asked."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        message = refusal(create)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (
        "No key was made: [Errno 27] File too large. Ask the operator to check VENICE_MEDIA_DIR."
        == message
    )
    assert ([], 0) == (stored(media), len(api.calls))


# --- what goes wrong ---


def test_a_key_that_is_not_kept_is_revoked(tool: Tool, api: respx.MockRouter, media: Path) -> None:
    """When the file can't be written after all, the key goes too, and the error says so."""
    api.post("/api_keys").mock(side_effect=lose_folder(media, "/api_keys"))
    api.delete("/api_keys").respond(json={"success": True})
    told = whole_error(tool, description="x")

    why = "The key was made, but not kept (No such file or directory), so it was revoked"
    said = f"VeniceError: {why}. Ask the operator"
    assert said in told.splitlines()[-1]
    assert SECRET not in told
    assert ["POST", "DELETE"] == [call.request.method for call in api.calls]
    assert {"id": ID} == dict(api.calls.last.request.url.params)


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(200, json={"success": False}),
        httpx.Response(400, json={"error": f"no {SECRET}"}),
        None,
    ],
    ids=["not done", "refused", "no reply"],
)
def test_a_key_that_is_neither_kept_nor_revoked_is_named(
    tool: Tool, api: respx.MockRouter, media: Path, reply: httpx.Response | None
) -> None:
    """When revoking fails too, the error has the id that the person needs, and not the key."""
    api.post("/api_keys").mock(side_effect=lose_folder(media, "/api_keys"))
    api.delete("/api_keys").mock(return_value=reply, side_effect=None if reply else httpx.ReadError)
    told = whole_error(tool, description="x")

    assert f"not revoked either. Ask the person to revoke it at venice.ai; its id is {ID}." in told
    assert SECRET not in told


@pytest.mark.parametrize("odd", ["schlüssel\ud800" + SECRET, None, 7])
def test_what_is_no_key_is_revoked(
    tool: Tool, api: respx.MockRouter, media: Path, odd: Any
) -> None:
    """A reply whose key can't be written down leaves no key and no file behind, and shows nothing of it."""
    reply = new_key("/api_keys")
    reply["data"]["apiKey"] = odd
    api.post("/api_keys").respond(
        content=json.dumps(reply), headers={"content-type": "application/json"}
    )
    api.delete("/api_keys").respond(json={"success": True})
    told = whole_error(tool, description="x")

    assert "so it was revoked" in told
    assert "nobody_may" not in told
    assert [] == stored(media)


ODD_REPLIES = [
    "{}",
    "null",
    "[]",
    '"made"',
    '{"data": null}',
    '{"data": {}}',
    '{"success": true, "data": [1]}',
    "[" * 900,
]


@pytest.mark.parametrize("reply", ODD_REPLIES)
def test_a_reply_without_a_key_says_that_one_may_exist(
    tool: Tool, api: respx.MockRouter, media: Path, reply: str
) -> None:
    """Nobody holds such a key: the error says how to find and revoke it, and no file is left."""
    api.post("/api_keys").respond(content=reply, headers={"content-type": "application/json"})

    assert refusal(tool, description="x").endswith(MAYBE_MADE)
    assert ([], 1) == (stored(media), len(api.calls))


@pytest.mark.parametrize(
    "odd",
    ["", " ", "sk", SECRET[:19], f"{SECRET}\n", f"a b{SECRET}", "schl\u00fcssel" * 9, [SECRET]],
)
def test_what_could_be_no_key_is_revoked(
    tool: Tool, api: respx.MockRouter, media: Path, odd: Any
) -> None:
    """An empty key is none: it is not reported as made."""
    reply = new_key("/api_keys")
    reply["data"]["apiKey"] = odd
    api.post("/api_keys").respond(json=reply)
    route = api.delete("/api_keys").respond(json={"success": True})

    assert "not kept (it was not in Venice's reply), so it was revoked." in refusal(
        tool, description="x"
    )
    assert (1, []) == (route.call_count, stored(media))


def test_a_key_at_the_top_of_a_reply_is_kept(
    tool: Tool, api: respx.MockRouter, media: Path
) -> None:
    """A key is not lost because it stands elsewhere."""
    api.post("/api_keys").respond(json={"apiKey": SECRET, "id": ID})
    reply = json.loads(tool(description="x"))

    (file,) = stored(media)
    assert f"{SECRET}\n" == file.read_text()
    assert (str(file), ID, "2V2jNW") == (reply["file"], reply["id"], reply["last_six"])


@pytest.mark.parametrize("key_id", [SECRET, SECRET[:36], f"id {SECRET}", None, 7, "", ID * 2])
def test_what_is_no_id_is_not_shown(
    tool: Tool, api: respx.MockRouter, media: Path, key_id: Any
) -> None:
    """An id that is the key, or a part of it, stays hidden; the person learns how to find the key."""
    reply = new_key("/api_keys")
    reply["data"]["id"] = key_id
    api.post("/api_keys").respond(json=reply)
    told = tool(description="x")

    assert "nobody_may" not in told
    assert "id" not in json.loads(told)
    assert "Venice told no id: venice_list_api_keys shows it, by the last six characters." in told
    assert f"{SECRET}\n" == stored(media)[0].read_text()


@pytest.mark.parametrize(
    ("key", "key_id"),
    [(SECRET, SECRET[-6:]), ("abcdefghijklmnopqrstuvwxy", "xabcdefghijklmnopqrstuvwxy")],
    ids=["a part of the key", "the key in it"],
)
def test_an_id_that_has_to_do_with_the_key_is_not_shown(
    tool: Tool, api: respx.MockRouter, key: str, key_id: str
) -> None:
    """Such an id stays hidden also where it has no sign that an id would not have."""
    reply = new_key("/api_keys")
    reply["data"] |= {"apiKey": key, "id": key_id}
    api.post("/api_keys").respond(json=reply)
    told = tool(description="x")

    assert key not in told
    assert "id" not in json.loads(told)


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from([SECRET, f"x{SECRET}", ID, "\ud800"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "data",
                    "apiKey",
                    "id",
                    "expiresAt",
                    "consumptionLimit",
                    "usd",
                    "limitPeriod",
                    "apiKeyType",
                    "modelPrivacy",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=14,
)


@given(body=ANYTHING.map(lambda reply: json.dumps(reply).encode()) | st.binary(max_size=60))
def test_no_reply_loses_or_shows_a_key(
    tool: Tool, api: respx.MockRouter, media: Path, body: bytes
) -> None:
    """Whatever Venice answers: the key is in a file, or was revoked, or may exist; and it is nowhere else."""
    api.post("/api_keys").respond(content=body, headers={"content-type": "application/json"})
    api.delete("/api_keys").respond(json={"success": True})
    shutil.rmtree(media / ".private", ignore_errors=True)
    try:
        said = tool(description="x")
    except tool.__globals__["VeniceError"] as error:
        said = str(error)
        assert [] == stored(media)
        assert "it was revoked" in said or MAYBE_MADE in said
        assert said.isprintable()
    else:
        reply = json.loads(said, parse_constant=pytest.fail)
        assert SECRET in Path(reply["file"]).read_text()
    assert "nobody_may" not in said


@pytest.mark.parametrize("status", [400, 401, 403, 409, 500])
def test_a_refusal_leaves_no_file_and_shows_no_key(
    tool: Tool, api: respx.MockRouter, media: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """Venice's reason comes back without anything in it that could be a key."""
    caplog.set_level(logging.DEBUG)
    body = {
        "error": "Not saved",
        "details": {"apiKey": {"_errors": [f"{SECRET}"]}, "_errors": ["twice:" + SECRET]},
    }
    api.post("/api_keys").respond(status, json=body)
    told = whole_error(tool, description="x")

    assert f"VeniceError: Venice answered {status}: Not saved; apiKey: [hidden]; [hidden]" in told
    assert SECRET not in told + caplog.text
    assert [] == stored(media)
    assert 1 == len(api.calls)


@pytest.mark.parametrize("failure", [httpx.ReadTimeout, httpx.ReadError, "not JSON"])
def test_a_lost_reply_says_what_may_be_there(
    tool: Tool, api: respx.MockRouter, media: Path, failure: type[Exception] | str
) -> None:
    """When nobody knows whether a key was made, the error says where to look; nothing is sent twice."""
    route = api.post("/api_keys")
    if isinstance(failure, str):
        route.respond(content=json.dumps(new_key("/api_keys"))[:-1])
    else:
        route.mock(side_effect=failure)
    told = whole_error(tool, description="x")

    assert told.endswith(f"; {MAYBE_MADE}\n")
    assert SECRET not in told
    assert ([], 1) == (stored(media), route.call_count)


def test_no_log_holds_the_key(create: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """Not even the most talkative log tells a key."""
    caplog.set_level(logging.DEBUG)
    create()

    assert SECRET not in caplog.text


@pytest.mark.parametrize("status", [401, 403])
def test_without_the_right_to_it_the_operator_is_asked(
    tool: Tool, api: respx.MockRouter, status: int
) -> None:
    """Whichever way Venice refuses a key that may not make keys, the error names the kind that may."""
    api.post("/api_keys").respond(status, json={"error": "No"})

    said = (
        "Ask the operator whether VENICE_API_KEY is an ADMIN key, for only such a key may do this."
    )
    assert f"Venice answered {status}: No. {said}" == refusal(tool, description="x")


# --- at the local Venice ---


def listed(venice: LocalVenice, key: str = "") -> list[dict[str, Any]]:
    """The keys of the local Venice, asked for with one of them."""
    reply = httpx.get(
        f"{venice.base_url}/api_keys", headers={"Authorization": f"Bearer {key or venice.key}"}
    )
    keys: list[dict[str, Any]] = reply.raise_for_status().json()["data"]
    return keys


def test_the_local_venices_key_works(
    local_tool: Tool, venice: LocalVenice, caplog: pytest.LogCaptureFixture
) -> None:
    """Over a real connection, the file holds a key that Venice takes, with the limits that were asked for."""
    caplog.set_level(logging.DEBUG)
    text = local_tool(**CALL, key_type="ADMIN", limit_period="MONTH", model_privacy="PRIVATE_TEXT")
    reply = json.loads(text)
    key = Path(reply["file"]).read_text().strip()
    (found,) = [one for one in listed(venice, key) if one["id"] == reply["id"]]

    assert key[-6:] == reply["last_six"] == found["last6Chars"]
    assert (5, 5) == (found["consumptionLimits"]["usd"], found["consumptionLimits"]["diem"])
    assert ("For the fox bot", "MONTH", "PRIVATE_TEXT", "ADMIN") == (
        found["description"],
        found["limitPeriod"],
        found["modelPrivacy"],
        found["apiKeyType"],
    )
    assert "2099-12-31" == found["expiresAt"][:10]
    assert key not in text + caplog.text


def test_an_inference_key_makes_none(
    local_tool: Tool, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    """With a key that may not make keys, the error says what the operator needs."""
    key = Path(json.loads(local_tool(**CALL))["file"])
    monkeypatch.setenv("VENICE_API_KEY", key.read_text().strip())
    local_tool.__globals__["_client"].cache_clear()
    before = listed(venice)

    assert (
        "Venice answered 401: Admin API key required. "
        "Ask the operator whether VENICE_API_KEY is an ADMIN key, for only such a key may do this."
    ) == refusal(local_tool, description="x")
    assert ([key], len(before)) == (stored(media), len(listed(venice)))


def test_the_local_venices_key_is_taken_back(
    local_tool: Tool, venice: LocalVenice, media: Path
) -> None:
    """When the private folder goes while Venice works, no key stays behind."""
    before = {key["id"] for key in listed(venice)}
    venice.order_fault(fault="stall", path="/api_keys", method="POST", seconds=1)
    folder = media / ".private"

    def spoil() -> None:
        while not list(folder.glob("key-*")):
            time.sleep(0.01)
        shutil.rmtree(folder)

    folder.mkdir()
    thread = threading.Thread(target=spoil, daemon=True)
    thread.start()
    message = refusal(local_tool, description="x")
    thread.join(5)

    assert "but not kept (No such file or directory), so it was revoked." in message
    assert before == {key["id"] for key in listed(venice)}


@pytest.mark.parametrize("fault", ["reset", "reset-midway", "empty", "broken-json"])
def test_the_local_venices_lost_reply_leaves_no_file(
    local_tool: Tool, venice: LocalVenice, media: Path, fault: str
) -> None:
    """A broken reply ends in one line that says where to look."""
    venice.order_fault(fault=fault, path="/api_keys", method="POST")

    assert "a key may have been made that nobody holds" in refusal(local_tool, description="x")
    assert [] == stored(media)
