"""Files on the operator's media server: put there by whatever tool made them, used by tools that ran elsewhere."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server
from tests.media_server.conftest import shown_by
from tests.tools.conftest import balance, refusal

Tool = Callable[..., str]
Sandbox = Callable[..., Tool]

SERVER = "http://media.internal:8490"
TOKEN = "a-token-of-the-media-server"


@pytest.fixture(scope="module")
def media_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMediaServer]:
    """A media server over a real socket."""
    with running_media_server(tmp_path_factory.mktemp("media-server")) as running:
        yield running


@pytest.fixture
def sandbox(
    media_server: RunningMediaServer,
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Sandbox]:
    """Give a tool as in a sandbox that has nothing but its environment, and is another for each name."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv("VENICE_MEDIA", media_server.address)
    monkeypatch.setenv("VENICE_MEDIA_TOKEN", media_server.token)
    monkeypatch.setenv("LETTA_AGENT_ID", "agent-7")
    opened: list[Tool] = []

    def take(tool: str, place: str = "first") -> Tool:
        monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / place))
        opened.append(load_tool(tool))
        return opened[-1]

    yield take
    for tool in opened:
        for client in ("_client", "_media_client", "_bucket_client"):
            if client in tool.__globals__ and tool.__globals__[client].cache_info().currsize:
                tool.__globals__[client]().close()


def made(reply: str) -> dict[str, Any]:
    """A tool's answer."""
    answer: dict[str, Any] = json.loads(reply)
    return answer


def test_a_picture_has_an_address_that_shows_it(sandbox: Sandbox, tmp_path: Path) -> None:
    """The agent gets the address, and a line of markdown to show it by; the file is a name that works anywhere."""
    (picture,) = made(sandbox("venice_generate_image")(prompt="A [red] fox!"))["files"]

    assert f"![a red fox]({picture['url']})" == picture["markdown"]
    assert "/" not in picture["file"]
    local = (tmp_path / "first" / picture["file"]).read_bytes()
    assert local == httpx.get(picture["url"]).content


def test_the_gallery_knows_how_it_was_made(
    sandbox: Sandbox, media_server: RunningMediaServer
) -> None:
    """Tool, agent, arguments, model, and each file's share of the price go along."""
    answer = made(sandbox("venice_generate_image")(prompt="two owls", variants="2", seed=5))

    first, second = shown_by(media_server)[:2]
    assert {first["name"], second["name"]} == {file["file"] for file in answer["files"]}
    assert ("venice_generate_image", "agent-7") == (first["tool"], first["agent"])
    assert {"prompt": "two owls", "variants": "2", "seed": 5} == first["facts"]["arguments"]
    assert "two owls" == first["title"]
    assert answer["model"] == first["model"]
    assert answer["cost_usd"] == pytest.approx(first["cost_usd"] + second["cost_usd"])


def test_half_a_character_is_published_too(
    sandbox: Sandbox, media_server: RunningMediaServer
) -> None:
    """What has no bytes of its own is replaced, as in what Venice gets: a paid picture is not lost for it."""
    (picture,) = made(sandbox("venice_generate_image")(prompt="fox \ud800"))["files"]

    shown = shown_by(media_server)[0]
    assert picture["file"] == shown["name"]
    assert "fox \ufffd" == shown["facts"]["arguments"]["prompt"]


def test_a_name_with_half_a_character_is_nowhere(sandbox: Sandbox) -> None:
    """The media server is asked for it all the same, and the usual line comes."""
    line = refusal(sandbox("venice_upscale_image"), image="fox\ud800.png")

    assert "No stored file is called 'fox\\ud800.png'" in line


@pytest.mark.parametrize("by", ["file", "url"])
def test_what_one_tool_made_the_next_uses_elsewhere(sandbox: Sandbox, by: str) -> None:
    """A picture is taken by its name or address, in a sandbox that never saw it; Venice could not have fetched it."""
    (picture,) = made(sandbox("venice_generate_image")(prompt=f"a fox by {by}"))["files"]

    edited = made(
        sandbox("venice_edit_image", "second")(images=picture[by], instruction="Brighter")
    )
    larger = made(sandbox("venice_upscale_image", "third")(image=edited[by]))

    assert (picture["width"], picture["height"]) == (edited["input_width"], edited["input_height"])
    assert edited["width"] == larger["input_width"]


def test_a_film_is_found_by_its_job_from_anywhere(sandbox: Sandbox, venice: LocalVenice) -> None:
    """Once a film lies on the media server it is retrieved from there, also when Venice has deleted its copy."""
    call = {"prompt": "a fox runs", "model": "wan-2.5-preview-text-to-video", "duration": "5s"}
    job = made(sandbox("venice_queue_video")(**call))["job"]
    first = made(sandbox("venice_retrieve_video")(job=job))
    made(sandbox("venice_delete_video", "second")(job=job))
    venice.order_fault(fault="status-500", path="/video/retrieve", times=1)

    again = made(sandbox("venice_retrieve_video", "third")(job=job))

    venice.clear_faults()
    assert first["url"] == again["url"]
    assert first["bytes"] == again["bytes"]


def test_a_stored_text_is_read_on_elsewhere(sandbox: Sandbox) -> None:
    """A long text lies on the media server, and reading on goes by its name."""
    kept = made(sandbox("venice_embed_texts")(texts=["a fox", "a house"]))

    ranked = made(sandbox("venice_rank_texts", "second")(query="animals", file=kept["file"]))

    assert {"a fox", "a house"} == {result["text"] for result in ranked["results"]}


def test_a_name_that_is_nowhere_is_refused(sandbox: Sandbox) -> None:
    """A name that neither the folder nor the server has ends in the usual line."""
    line = refusal(sandbox("venice_upscale_image"), image="no-such-file.png")

    assert "No stored file is called 'no-such-file.png'" in line


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("VENICE_MEDIA", "http://127.0.0.1:9", "does not answer at VENICE_MEDIA"),
        ("VENICE_MEDIA", "http://user:pw@127.0.0.1", "VENICE_MEDIA is no http address"),
        ("VENICE_MEDIA", "http:/x", "VENICE_MEDIA is no http address"),
        ("VENICE_MEDIA", "http://media..internal", "VENICE_MEDIA is no http address"),
        ("VENICE_MEDIA", "http://media.internal:99999", "VENICE_MEDIA is no http address"),
        (
            "VENICE_MEDIA",
            "http://127.0.0.1:9/?token=s3cret",
            "VENICE_MEDIA is the gallery's address",
        ),
        ("VENICE_MEDIA", "http://127.0.0.1:9/#files", "VENICE_MEDIA is the gallery's address"),
        ("VENICE_MEDIA_TOKEN", "wrong", "Ask the operator to set VENICE_MEDIA_TOKEN."),
        ("VENICE_MEDIA_TOKEN", "tökén", "Ask the operator to set VENICE_MEDIA_TOKEN."),
        ("VENICE_MEDIA_TOKEN", "", "Ask the operator to set VENICE_MEDIA_TOKEN."),
    ],
)
def test_what_can_not_be_kept_is_not_bought(  # noqa: PLR0917  # two fixtures, three parameters, pytest's own
    sandbox: Sandbox,
    venice: LocalVenice,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    expected: str,
) -> None:
    """A media server that is not there, or does not let the agent in, is found out before anything is paid."""
    tool = sandbox("venice_generate_image")
    monkeypatch.setenv(setting, value)
    before = balance(venice)

    line = refusal(tool, prompt="a fox")

    assert expected in line
    assert "s3cret" not in line
    assert before == balance(venice)


def test_a_full_server_is_found_out_before_anything_is_paid(
    sandbox: Sandbox, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At the quota nothing is made, and the operator's server says why."""
    with running_media_server(tmp_path / "full", "--quota-gb", "0.0000001") as full:
        tool = sandbox("venice_generate_image")
        monkeypatch.setenv("VENICE_MEDIA", full.address)
        monkeypatch.setenv("VENICE_MEDIA_TOKEN", full.token)
        made(tool(prompt="the first is too large, and is kept where the tools run"))
        before = balance(venice)
        httpx.post(
            f"{full.address}/files",
            headers={"Authorization": f"Bearer {full.token}"},
            json={"name": "x", "bytes": 107, "sha256": "0" * 64},
        )
        tool.__globals__["_check_media_server"].cache_clear()

        line = refusal(tool, prompt="a fox")

    assert "The media server answered 507: The quota of this media server is reached." in line
    assert before == balance(venice)


# --- a media server that fails, or that is none of ours ---


@pytest.fixture
def failing(venice: LocalVenice, monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.Router]:
    """A media server whose answers a test makes up; it would take a file."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv("VENICE_MEDIA", f"{SERVER}/")
    monkeypatch.setenv("VENICE_MEDIA_TOKEN", TOKEN)
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.get(f"{SERVER}/room").respond(json={"public_url": SERVER})
        yield router


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (httpx.Response(500, text="<html>oops"), "answered 500: no reason given"),
        (
            httpx.Response(409, json={"error": "Another file is called x."}),
            "Another file is called x.",
        ),
        (
            httpx.Response(400, json={"error": f"bad header Bearer {TOKEN} {'x' * 170} {TOKEN}"}),
            f"answered 400: bad header Bearer [token] {'x' * 170} [to. Tell",
        ),
        (httpx.ConnectError("gone"), "does not answer at VENICE_MEDIA"),
        (httpx.ReadTimeout("slow"), "took too long"),
    ],
    ids=["broken", "refused", "repeats the token", "gone", "slow"],
)
def test_a_paid_picture_is_told_of_when_it_could_not_be_uploaded(
    failing: respx.Router, load_tool: Callable[[str], Tool], reply: Any, reason: str
) -> None:
    """What was made is paid: it stays in the folder, its path is told, and a note says why it has no address."""
    route = failing.post(f"{SERVER}/files")
    if isinstance(reply, Exception):
        route.mock(side_effect=reply)
    else:
        route.mock(return_value=reply)

    answer = made(load_tool("venice_generate_image")(prompt="a fox"))

    (picture,) = answer["files"]
    assert Path(picture["file"]).is_file()
    assert "url" not in picture
    (note,) = answer["notes"]
    assert "lies only where the tools run" in note
    assert reason in note
    assert "a-token-of-the-media-server" not in str(answer)


def test_a_paid_picture_that_can_not_be_opened_is_told_of(
    failing: respx.Router, load_tool: Callable[[str], Tool], tmp_path: Path
) -> None:
    """Where a file is gone before it is uploaded, the call ends well all the same, and a note says what happened."""

    def lose_the_other(_: httpx.Request) -> httpx.Response:
        for path in (tmp_path / "media").glob("*.webp"):
            path.unlink()
        return httpx.Response(200, json={"url": f"{SERVER}/m/1/fox.webp"})

    failing.post(f"{SERVER}/files").mock(side_effect=lose_the_other)

    answer = made(load_tool("venice_generate_image")(prompt="a fox", variants=2))

    first, second = answer["files"]
    assert f"{SERVER}/m/1/fox.webp" == first["url"]
    assert "url" not in second
    assert "lies only where the tools run: [Errno 2] No such file" in answer["notes"][-1]


NO_PLACE = "The media server named no place for the file. Tell the operator."
NO_ADDRESS = "The media server told no address of it. Tell the operator."
WAY_IN = {"upload": "/files/1/content", "confirm": "/files/1/confirm"}


@pytest.mark.parametrize(
    ("declared", "confirmed", "reason"),
    [
        ({}, {}, NO_ADDRESS),
        ([], {}, NO_ADDRESS),
        (7, {}, NO_ADDRESS),
        ({"url": 7}, {}, NO_ADDRESS),
        ({"url": ""}, {}, NO_ADDRESS),
        ({"upload": "/files/1/content"}, {}, NO_PLACE),
        ({**WAY_IN, "confirm": 7}, {}, NO_PLACE),
        ({**WAY_IN, "confirm": ""}, {}, NO_PLACE),
        ({**WAY_IN, "confirm": "ftp://media.internal/1"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": 7, "url": "there"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": None}, {}, NO_PLACE),
        ({**WAY_IN, "upload": "files/1"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": "/\ud800"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": "/a\nb"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": "http://[/x"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": "http://a..b/x"}, {}, NO_PLACE),
        ({**WAY_IN, "upload": "http://a.test:99999/x"}, {}, NO_PLACE),
        (WAY_IN, {}, NO_ADDRESS),
        (WAY_IN, [{"url": "there"}], NO_ADDRESS),
        (WAY_IN, {"url": None}, NO_ADDRESS),
    ],
    ids=json.dumps,
)
def test_a_media_server_that_names_no_place_publishes_nothing(
    failing: respx.Router,
    load_tool: Callable[[str], Tool],
    declared: Any,
    confirmed: Any,
    reason: str,
) -> None:
    """Whatever its answers are, the paid picture keeps its path, and the note says what was missing."""
    failing.post(f"{SERVER}/files").respond(201, content=json.dumps(declared))
    failing.put(f"{SERVER}/files/1/content").respond(204)
    failing.post(f"{SERVER}/files/1/confirm").respond(content=json.dumps(confirmed))

    answer = made(load_tool("venice_generate_image")(prompt="a fox"))

    (picture,) = answer["files"]
    assert Path(picture["file"]).is_file()
    assert not {"url", "markdown"} & set(picture)
    name = Path(picture["file"]).name
    assert [f"{name} lies only where the tools run: {reason}"] == answer["notes"]


def test_what_is_asked_with_an_upload_is_sent_as_far_as_it_is_a_header(
    failing: respx.Router, load_tool: Callable[[str], Tool]
) -> None:
    """Numbers, lists and letters beyond ASCII are no header's value; the upload does not break on them."""
    headers = {"x-sum": "1", "x-number": 7, "x-list": ["a"], "x-letters": "\u00e9", "\u00e9": "b"}
    failing.post(f"{SERVER}/files").respond(201, json={**WAY_IN, "upload_headers": headers})
    upload = failing.put(f"{SERVER}/files/1/content").respond(204)
    failing.post(f"{SERVER}/files/1/confirm").respond(json={"url": f"{SERVER}/m/1/fox.webp"})

    (picture,) = made(load_tool("venice_generate_image")(prompt="a fox"))["files"]

    sent = upload.calls.last.request.headers
    assert {"x-sum"} == {name for name in sent if name.startswith("x-")}
    assert f"{SERVER}/m/1/fox.webp" == picture["url"]


def test_no_other_server_gets_the_token_with_the_confirmation(
    failing: respx.Router, load_tool: Callable[[str], Tool]
) -> None:
    """A place with a host of its own gets the token only if that is the media server's."""
    named = {"upload": f"{SERVER}/files/1/content", "confirm": "http://elsewhere.test/files/1"}
    failing.post(f"{SERVER}/files").respond(201, json=named)
    own = failing.put(f"{SERVER}/files/1/content").respond(204)
    other = failing.post(named["confirm"]).respond(json={"url": f"{SERVER}/m/1/fox.webp"})

    made(load_tool("venice_generate_image")(prompt="a fox"))

    assert "authorization" in own.calls.last.request.headers
    assert "authorization" not in other.calls.last.request.headers


@pytest.mark.parametrize(
    ("server", "other"),
    [
        ("http://media", "http://media.evil.test"),
        ("http://media.internal:84", "http://media.internal:8490"),
    ],
    ids=["host", "port"],
)
def test_a_server_whose_address_begins_alike_does_not_get_the_token(
    failing: respx.Router,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    server: str,
    other: str,
) -> None:
    """The media server's address ends where it ends: a longer name, or a longer port, is another's."""
    monkeypatch.setenv("VENICE_MEDIA", server)
    failing.get(f"{server}/room").respond(json={})
    failing.post(f"{server}/files").respond(201, json={**WAY_IN, "upload": f"{other}/files/1"})
    foreign = failing.put(f"{other}/files/1").respond(204)
    own = failing.post(f"{server}/files/1/confirm").respond(json={"url": f"{server}/m/1/fox.webp"})

    made(load_tool("venice_generate_image")(prompt="a fox"))

    assert "authorization" not in foreign.calls.last.request.headers
    assert "authorization" in own.calls.last.request.headers


def test_a_bucket_does_not_get_the_token(
    failing: respx.Router, load_tool: Callable[[str], Tool]
) -> None:
    """Where the media server names another place for the bytes, they go there, and the token does not."""
    upload = {
        "upload": "https://bucket.test/key?signed=1",
        "upload_headers": {"x-amz-checksum-sha256": "sum"},
        "confirm": "/files/1/confirm",
    }
    failing.post(f"{SERVER}/files").respond(201, json=upload)
    bucket = failing.put("https://bucket.test/key").respond(200)
    failing.post(f"{SERVER}/files/1/confirm").respond(json={"url": f"{SERVER}/m/1/fox.webp"})

    (picture,) = made(load_tool("venice_generate_image")(prompt="a fox"))["files"]

    sent = bucket.calls.last.request
    assert "authorization" not in sent.headers
    assert "sum" == sent.headers["x-amz-checksum-sha256"]
    assert picture["bytes"] == len(sent.content) == int(sent.headers["content-length"])
    assert f"{SERVER}/m/1/fox.webp" == picture["url"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", ".hidden", "a/b", "x" * 300, 7, None])
def test_a_name_of_the_server_leads_to_no_other_folder(
    failing: respx.Router, load_tool: Callable[[str], Tool], tmp_path: Path, name: Any
) -> None:
    """A media server can't have a file written elsewhere than into the media folder."""
    failing.get(f"{SERVER}/files").respond(json={"name": name, "content": "/files/x/content"})
    failing.get(f"{SERVER}/files/x/content").respond(content=b"evil")

    line = refusal(load_tool("venice_upscale_image"), image="fox.png")

    assert "The media server sent no name of a file" in line
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("status", [302, 401, 404, 500])
def test_a_file_that_does_not_come_is_no_file(
    failing: respx.Router, load_tool: Callable[[str], Tool], tmp_path: Path, status: int
) -> None:
    """Where the bytes of a file do not come, nothing lies in the folder, and the line says whose fault it is."""
    found = {"name": "fox.png", "content": "/files/x/content"}
    failing.get(f"{SERVER}/files").respond(json=found)
    failing.get(f"{SERVER}/files/x/content").respond(
        status, headers={"location": "http://evil.test"}
    )

    line = refusal(load_tool("venice_upscale_image"), image="fox.png")

    assert "media server" in line
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_media_server_that_leads_elsewhere_is_the_operators_affair(
    failing: respx.Router, load_tool: Callable[[str], Tool]
) -> None:
    """As from http to https: the line names the setting, and of the place only its host."""
    headers = {"location": "https://media.example/files?token=secret"}
    failing.get(f"{SERVER}/files").respond(301, headers=headers)

    told = "The media server answered 301: VENICE_MEDIA leads elsewhere, to https://media.example"
    assert f"{told}. Ask the operator to set it to where it redirects." == refusal(
        load_tool("venice_upscale_image"), image="fox.png"
    )


def test_a_bucket_that_leads_elsewhere_is_not_named_as_the_setting(
    failing: respx.Router, load_tool: Callable[[str], Tool]
) -> None:
    """Where only a place of the media server's redirects, VENICE_MEDIA is right."""
    place = "https://bucket.example/fox.png"
    failing.get(f"{SERVER}/files").respond(json={"name": "fox.png", "content": place})
    failing.get(place).respond(307, headers={"location": "https://other.example/?token=secret"})

    line = refusal(load_tool("venice_upscale_image"), image="fox.png")

    assert "The media server answered 307: no reason given. Tell the operator." == line


@pytest.mark.parametrize("told", [0, 7, 10**12])
def test_a_part_of_a_file_is_no_file(
    failing: respx.Router, load_tool: Callable[[str], Tool], tmp_path: Path, told: int
) -> None:
    """What a proxy cut, or a disk lost, is not kept as if it were whole: fewer bytes come than were told, or more."""
    found = {"name": "fox.png", "content": "/files/x/content", "bytes": told}
    failing.get(f"{SERVER}/files").respond(json=found)
    failing.get(f"{SERVER}/files/x/content").respond(content=b"a fox")

    line = refusal(load_tool("venice_upscale_image"), image="fox.png")

    assert f"The media server sent 5 bytes of fox.png, which has {told:,}" in line
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [None, 7, "", "files/x", "/\ud800", "http://a..b/x"], ids=ascii)
def test_a_file_that_lies_nowhere_is_no_file(
    failing: respx.Router, load_tool: Callable[[str], Tool], tmp_path: Path, content: Any
) -> None:
    """Where the media server names no place to get a file from, the line says so, and nothing stays."""
    found = {"name": "fox.png", "content": content}
    failing.get(f"{SERVER}/files").respond(content=json.dumps(found))

    assert NO_PLACE in refusal(load_tool("venice_upscale_image"), image="fox.png")
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


# --- without a media server ---


def test_a_folder_may_be_named_by_either_setting(
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """VENICE_MEDIA is a folder where it is no address, and goes before VENICE_MEDIA_DIR."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv("VENICE_MEDIA", str(tmp_path / "chosen"))

    (picture,) = made(load_tool("venice_generate_image")(prompt="a fox"))["files"]

    assert tmp_path / "chosen" == Path(picture["file"]).parent
    assert "url" not in picture


@pytest.mark.parametrize("variable", ["E2B_SANDBOX", "MODAL_TASK_ID", "KUBERNETES_SERVICE_HOST"])
def test_in_a_sandbox_of_a_cloud_a_path_is_not_praised(
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
) -> None:
    """Where a path means nothing to a person, the agent is told so, unless the operator chose the folder."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv(variable, "1")
    monkeypatch.chdir(tmp_path)

    def draw() -> dict[str, Any]:
        tool = load_tool("venice_generate_image")
        tool.__globals__["_CONTAINER_FILES"] = ()  # the tests may run in a container themselves
        return made(tool(prompt="a fox"))

    chosen = draw()
    monkeypatch.delenv("VENICE_MEDIA_DIR")
    unchosen = draw()

    assert "notes" not in chosen
    assert [
        "The file lies inside of the container that runs the tools; a person may not find it there."
    ] == unchosen["notes"]
