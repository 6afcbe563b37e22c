"""The workbench: what Letta would store runs, a person agrees before anything is paid, and strangers get nowhere."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.fronts.run import Outcome
from sanctum_venice_tools.media_server import workbench
from sanctum_venice_tools.media_server.app import create_app
from sanctum_venice_tools.media_server.process import running_media_server
from sanctum_venice_tools.media_server.service import Service
from sanctum_venice_tools.media_server.workbench import Workbench
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import Record, read_record
from tests.media_server.conftest import PUBLIC, TOKEN
from tests.tools.conftest import balance

Bench = Callable[..., TestClient]


@pytest.fixture
def bench(service: Service, venice: LocalVenice, tmp_path: Any) -> Bench:
    """Open a workbench at the local Venice; whether it is taken for the real one is for the test to say."""

    def open_one(*, is_local: bool = True, is_let_in: bool = True) -> TestClient:
        settings = {
            "VENICE_API_KEY": venice.key,
            "VENICE_BASE_URL": venice.base_url,
            "VENICE_MEDIA": str(tmp_path / "media"),
        }
        opened = Workbench(settings, "somewhere", is_local=is_local)
        browser = TestClient(create_app(service, opened), base_url=PUBLIC)
        if is_let_in:
            browser.get("/", params={"token": TOKEN})
        return browser

    return open_one


def call(browser: TestClient, name: str, *, agreed: bool = False, **arguments: Any) -> Any:
    """What a call of a tool comes to."""
    body = {"arguments": arguments, "agreed": agreed}
    return browser.post(f"/workbench/tools/{name}", json=body).json()


def test_every_tool_is_there_with_its_text(bench: Bench) -> None:
    """The folder of tools is the list; each text is the one that Letta would store, to the letter."""
    browser = bench()

    tools = browser.get("/workbench/tools").json()["tools"]

    assert set(tool_files()) == {tool["name"] for tool in tools}
    assert "core" == tools[0]["toolset"]
    text = browser.get("/workbench/tools/venice_ask_web/text")
    assert read_record("venice_ask_web").source_code == text.text
    assert text.headers["content-type"].startswith("text/plain")


def test_a_call_runs_the_text(bench: Bench) -> None:
    """What a person types is read as meant, and the tool's reply is shown as an agent would get it."""
    told = call(bench(), "venice_rank_texts", query="animals", texts='["a fox", "a house"]')

    assert {"a fox", "a house"} == {one["text"] for one in told["reply"]["results"]}
    assert told["seconds"] > 0


def test_no_proxy_comes_between_a_call_and_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a call tells the local servers, the token among it, goes through nobody's proxy."""
    monkeypatch.delenv("VENICE_API_KEY", raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "intern.example")
    with (
        running_media_server(tmp_path, "--workbench") as server,
        httpx.Client(base_url=server.address, trust_env=False, timeout=60) as browser,
    ):
        browser.get(server.gallery)
        body = {"arguments": {"prompt": "a fox"}}
        told = browser.post("/workbench/tools/venice_generate_image", json=body).json()

    assert told["reply"]["files"][0]["url"].startswith(server.address)


def test_a_refusal_is_the_tool_s_own_line(bench: Bench) -> None:
    """A call that the tool refuses shows the line that an agent would read."""
    told = call(bench(), "venice_rank_texts", texts="[]")

    assert "The argument 'query' is missing. Call again with it." == told["refusal"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["venice_queue_video", "venice_make_video", "venice_queue_music"])
def test_dollars_are_agreed_to_with_venice_s_own_price(
    bench: Bench, venice: LocalVenice, name: str
) -> None:
    """What may cost dollars is priced for these very arguments, and bought only when a person agrees."""
    browser, before = bench(), balance(venice)

    asked = call(browser, name, prompt="a fox", duration="5s", lyrics="")

    assert asked["ask"].startswith("Venice asks 0.")
    assert before == balance(venice)
    bought = call(browser, name, prompt="a fox", agreed=True)
    assert bought["reply"]["job"]
    assert before > balance(venice)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ([], "text"),
        (["image"], "image"),
        (["image", "end_image"], "transition"),
        (["video", "image"], "video"),
        (["image", "end_image", "reference_images"], "reference"),
    ],
)
def test_the_price_of_a_film_is_of_the_kind_that_will_be_queued(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, given: list[str], kind: str
) -> None:
    """Each kind has models and prices of its own: a person agrees to that of the film that is bought."""
    priced: list[Any] = []

    def run(_: Record, arguments: Any, **__: Any) -> Outcome:
        priced.append(arguments["kind"])
        return Outcome('{"price_usd": 0.25}')

    monkeypatch.setattr(workbench, "run_tool", run)
    media: dict[str, Any] = dict.fromkeys(given, "https://a.test/b")
    call(bench(), "venice_queue_video", prompt="a fox", **media)

    assert [kind] == priced


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {
            "reference_images": '["https://a.test/1.png", "https://a.test/2.png"]',
            "model": "grok-imagine-1-5-reference-to-video-private",
        },
        {"video": "https://a.test/b.mp4"},
        {"video": "https://a.test/b.mp4", "options": '{"upscale_factor": 4}'},
        {"options": '{"image_references": [{"image_url": "https://a.test/1.png"}]}'},
        {"options": '{"choose": "cheapest"}', "reference_images": "[]"},
    ],
    ids=str,
)
def test_a_film_costs_what_was_told(bench: Bench, given: dict[str, Any]) -> None:
    """The price that a person agrees to is that of the film with all that it is made from."""
    browser = bench()

    told = call(browser, "venice_queue_video", prompt="a fox", **given)["ask"]
    bought = call(browser, "venice_queue_video", prompt="a fox", agreed=True, **given)

    assert f"Venice asks {bought['reply']['cost_usd']} US dollars for this." == told


def test_options_that_are_none_are_told_before_anything_is_bought(bench: Bench) -> None:
    """Options that can't be read have no price, and the reason is shown."""
    asked = call(bench(), "venice_queue_video", prompt="a fox", options="{choose")

    assert asked["ask"].startswith("Its price is not known. 'options' must be a JSON object")


def test_a_price_that_is_not_to_be_had_is_told(bench: Bench) -> None:
    """Where Venice gives no quote, its reason is shown before a person decides."""
    asked = call(bench(), "venice_queue_video", prompt="a fox", model="no-such-model")

    assert asked["ask"].startswith("Its price is not known. ")
    assert "no-such-model" in asked["ask"]


def test_cents_are_agreed_to_where_they_are_real(bench: Bench, venice: LocalVenice) -> None:
    """At the real Venice every paid call is asked about, in the tool's own words; what is free never is."""
    before = balance(venice)

    asked = call(bench(is_local=False), "venice_generate_image", prompt="a fox")

    assert {"ask": "Costs 1 to 30 cents each."} == asked
    assert before == balance(venice)
    assert "reply" in call(bench(is_local=False), "venice_list_models")
    assert {"ask": "Costs 0.1 to 10 cents."} == call(bench(is_local=False), "venice_chat")
    told = {"ask": "Costs about 1 US cent for 2 minutes."}
    assert told == call(bench(is_local=False), "venice_transcribe_audio")


def test_what_changes_the_account_is_agreed_to(bench: Bench) -> None:
    """A key is never made unasked, at the local Venice either."""
    asked = call(bench(), "venice_create_api_key", description="x")

    assert {"ask": "It changes your Venice account."} == asked


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"arguments": 7}', b'{"arguments": [1]}', b"\xff", b"[" * 100_000],
    ids=["none", "list", "empty", "number", "items", "binary", "deep"],
)
def test_what_is_no_call_is_refused(bench: Bench, body: bytes) -> None:
    """A body of another form is one line."""
    refused = bench().post("/workbench/tools/venice_chat", content=body)

    assert (422, "A call is an object of arguments, and of agreed.") == (
        refused.status_code,
        refused.json()["error"],
    )


def test_there_are_no_other_tools(bench: Bench) -> None:
    """A name that is none of ours leads to no file."""
    browser = bench()

    assert 404 == browser.post("/workbench/tools/venice_nothing", json={}).status_code
    assert 404 == browser.get("/workbench/tools/venice_nothing/text").status_code
    assert 404 == browser.get("/workbench/tools/..%2F..%2Fapp/text").status_code


def test_strangers_and_other_sites_call_nothing(bench: Bench, venice: LocalVenice) -> None:
    """Without the cookie, or from another site's page, nothing is shown, run or paid."""
    stranger, before = bench(is_let_in=False), balance(venice)
    body = {"arguments": {"prompt": "a fox"}, "agreed": True}
    evil = {"Origin": "https://evil.test"}

    assert 401 == stranger.get("/workbench").status_code
    assert 401 == stranger.get("/workbench/tools").status_code
    assert 401 == stranger.post("/workbench/tools/venice_chat", json=body).status_code
    assert 403 == bench().post("/workbench/tools/venice_chat", json=body, headers=evil).status_code
    assert before == balance(venice)


def test_a_media_server_has_none_unless_it_is_wanted(person: TestClient) -> None:
    """Without --workbench there is no address that runs anything."""
    assert 404 == person.get("/workbench").status_code
    assert 404 == person.post("/workbench/tools/venice_chat", json={}).status_code
    assert person.get("/gallery/files").json()["workbench"] is False
