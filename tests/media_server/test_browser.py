"""The gallery in a real browser: what is there is seen, heard and found, by mouse or keyboard, and nothing else runs.

It needs Debian's Chromium (`apt-get install chromium`), and is left out where that is not installed.
"""

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # it has no types
from playwright.sync_api import (
    APIResponse,
    Browser,
    ConsoleMessage,
    Page,
    Route,
    expect,
    sync_playwright,
)

from sanctum_venice_tools.emulator import film, pictures, sound
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server
from tests.media_server.conftest import declaration, shown_by

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: apt-get install chromium"),
]

# How the gallery asks for what is new.
LOOKS = "**/gallery/files?since=*"

# What leads to this machine, too, though to browsers it is another.
NAMED_HOST = "media.internal"

PAGE = b"<!doctype html><title>evil</title><script>document.title = 'it ran'</script>"


def upload(
    server: RunningMediaServer, name: str, content: bytes, prompt: str, agent: str = "Anna"
) -> str:
    """Put a file on the server; its address."""
    with tool_at(server) as tool:
        return store(tool, name, content, prompt, agent)


def tool_at(server: RunningMediaServer) -> httpx.Client:
    """A tool that has the token."""
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.Client(base_url=server.address, headers=headers)


def store(tool: httpx.Client, name: str, content: bytes, prompt: str, agent: str) -> str:
    """Put a file on the server, as a tool does; its address."""
    facts = {"tool": "venice_generate_image", "agent": agent, "model": "a-model", "cost_usd": 0.25}
    declared = declaration(name, content, **facts, arguments={"prompt": prompt})
    told = tool.post("/files", json=declared).raise_for_status().json()
    tool.put(told["upload"], content=content).raise_for_status()
    return str(tool.post(told["confirm"]).raise_for_status().json()["url"])


def drawn(caption: str) -> bytes:
    """A picture."""
    return pictures.encode(pictures.draw(caption, (320, 240), "1"), "png")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMediaServer]:
    """A media server with a picture, a film, speech, a text, and a page that would like to run."""
    with running_media_server(tmp_path_factory.mktemp("media-server")) as running:
        upload(running, "fox.png", drawn("a fox"), "a fox at dusk")
        picture = pictures.draw("it runs", (320, 240), "1").convert("RGB")
        upload(running, "run.mp4", film.make(picture, (320, 240), 2, "fox", audio=True), "it runs")
        spoken = sound.encode(sound.murmur("The owl speaks.", "af_sky", 1, 24_000), 24_000, "mp3")
        upload(running, "owl.mp3", spoken, "the owl speaks", agent="Ben")
        upload(running, "words.txt", b"a text of an agent", "some words")
        upload(running, "evil.html", PAGE, "an evil page")
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser without a window."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", f"--host-resolver-rules=MAP {NAMED_HOST} 127.0.0.1"],
        )
        yield running
        running.close()


@pytest.fixture
def gallery(server: RunningMediaServer, browser: Browser) -> Iterator[Page]:
    """The gallery, open; no error may show in the browser's console."""
    troubles: list[str] = []

    def note(said: ConsoleMessage) -> None:
        if said.type == "error":
            troubles.append(said.text)

    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", note)
    page.goto(f"{server.address}/?token={server.token}")
    page.wait_for_selector("#files li")
    yield page
    context.close()
    assert [] == troubles


def test_all_kinds_are_seen_and_heard(gallery: Page) -> None:
    """A picture has its pixels, a film plays and can be scrubbed, speech plays, and a text can be read."""
    assert "token" not in gallery.url
    picture = gallery.locator('img[alt="a fox at dusk"]')
    assert 320 == picture.evaluate("async one => { await one.decode(); return one.naturalWidth }")

    film_shown = gallery.locator("video").first
    film_shown.evaluate("async one => { one.muted = true; await one.play(); one.pause() }")
    seek = "one => new Promise(done => { one.onseeked = () => done(one.currentTime); one.currentTime = 1.5 })"
    assert 1.5 == pytest.approx(film_shown.evaluate(seek), abs=0.1)

    speech = gallery.locator("audio").first
    speech.evaluate("async one => { one.muted = true; await one.play() }")
    assert speech.evaluate("one => one.duration") > 0.5
    expect(gallery.locator("#files pre").last).to_have_text("a text of an agent")


def test_words_kind_and_agent_narrow_it(gallery: Page) -> None:
    """Typing a word leaves what has it; kind and agent likewise, and together."""
    gallery.fill("input[name=words]", "OWL")
    expect(gallery.locator("#files .open")).to_have_text(["the owl speaks"])

    gallery.fill("input[name=words]", "")
    gallery.select_option("select[name=kind]", "image")
    expect(gallery.locator("#files .open")).to_have_text(["a fox at dusk"])

    gallery.select_option("select[name=agent]", "Ben")
    expect(gallery.locator("#files li")).to_have_count(0)
    assert "Nothing fits." == gallery.locator("#status").inner_text()


def test_what_is_new_appears_by_itself(gallery: Page, server: RunningMediaServer) -> None:
    """A picture that an agent makes while a person looks comes to the top without a reload."""
    upload(server, "new.png", drawn("new"), "a picture that is new")

    gallery.wait_for_selector("text=a picture that is new", timeout=10_000)

    assert "a picture that is new" == gallery.locator("#files .open").first.inner_text()


def test_the_keyboard_alone_gets_everywhere(gallery: Page) -> None:
    """A file is opened, read, and closed again by keys, and the focus is where it was."""
    opener = gallery.get_by_role("button", name="a fox at dusk")
    opener.focus()
    gallery.keyboard.press("Enter")

    assert gallery.locator("dialog").is_visible()
    assert 'prompt="a fox at dusk",' in gallery.locator("#again").inner_text()
    assert "a-model" in gallery.locator("#facts").inner_text()
    gallery.keyboard.press("Escape")
    assert not gallery.locator("dialog").is_visible()
    assert opener.evaluate("one => one === document.activeElement")


def test_a_person_deletes_a_file(gallery: Page, server: RunningMediaServer) -> None:
    """Asked once more, the file is gone from the page and from the server."""
    url = upload(server, "gone.png", drawn("gone"), "it is to go")
    gallery.wait_for_selector("text=it is to go", timeout=10_000)
    gallery.on("dialog", lambda dialog: dialog.accept())

    gallery.get_by_role("button", name="it is to go").click()
    gallery.get_by_role("button", name="Delete").click()

    expect(gallery.locator("#files").get_by_text("it is to go")).to_have_count(0)
    assert 404 == httpx.get(url).status_code


def test_a_text_that_is_still_to_come_is_accessible(gallery: Page) -> None:
    """axe-core finds nothing while the beginning of a text is on its way."""
    gallery.route("**/start", lambda _: None)
    gallery.reload()
    gallery.wait_for_selector("#files pre")

    assert [] == [found["id"] for found in Axe().run(gallery).response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390], ids=["wide", "phone"])
def test_it_is_accessible(gallery: Page, scheme: str, width: int) -> None:
    """axe-core finds nothing, in light and dark, wide and on a phone, with a file open too."""
    gallery.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its words
    gallery.set_viewport_size({"width": width, "height": 900})
    assert [] == [found["id"] for found in Axe().run(gallery).response["violations"]]

    gallery.get_by_role("button", name="a fox at dusk").click()
    assert [] == [found["id"] for found in Axe().run(gallery).response["violations"]]
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert gallery.evaluate(fits)


def test_a_hostile_file_does_nothing(gallery: Page, server: RunningMediaServer) -> None:
    """A page that an agent stored is shown as text, at its own address too."""
    (evil,) = [file for file in shown_by(server) if file["name"] == "evil.html"]

    gallery.goto(server.address + evil["url"])

    assert "it ran" != gallery.title()
    assert "document.title" in gallery.locator("pre").inner_text()


def test_a_tool_called_from_its_form_gives_its_picture(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In the workbench a form is made from a tool's schema; what it makes is shown, and lies in the gallery."""
    folder = tmp_path_factory.mktemp("workbench")
    with running_media_server(folder, "--workbench") as server:
        page = browser.new_page()
        page.goto(server.gallery)
        page.get_by_role("link", name="Workbench").click()
        page.get_by_role("link", name="generate_image").click()
        page.get_by_label("prompt (needed)").fill("a fox on a bench")
        page.get_by_role("button", name="Call", exact=True).click()

        picture = page.locator("#result img")
        expect(picture).to_be_visible(timeout=30_000)
        assert (
            picture.evaluate("async one => { await one.decode(); return one.naturalWidth }") > 500
        )
        assert [] == [found["id"] for found in Axe().run(page).response["violations"]]
        assert ["a fox on a bench"] == [file["title"] for file in shown_by(server)]
        page.close()


def test_what_is_bought_is_what_was_priced(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A form that is changed while its price is asked for changes nothing of what is then agreed to."""
    sent: list[dict[str, Any]] = []

    def slowly(route: Route) -> None:
        sent.append(json.loads(route.request.post_data or ""))
        time.sleep(1)
        route.continue_()

    folder = tmp_path_factory.mktemp("workbench")
    with running_media_server(folder, "--workbench") as server:
        page = browser.new_page()
        page.goto(server.gallery)
        page.goto(f"{server.address}/workbench#venice_queue_video")
        page.route("**/workbench/tools/venice_queue_video", slowly)
        page.get_by_label("prompt (needed)").fill("a fox")
        page.get_by_label("duration").fill("5s")
        page.evaluate(
            """() => {
                document.querySelector("#call button").click();
                document.querySelector("#call [name=duration]").value = "10s";
            }"""
        )
        expect(page.locator("#price")).to_contain_text("Venice asks 0.5 US", timeout=30_000)
        assert '"duration": "5s"' in page.locator("#priced").inner_text()
        assert [] == [found["id"] for found in Axe().run(page).response["violations"]]
        page.get_by_role("button", name="Call it").click()
        expect(page.locator("#result pre")).to_be_visible(timeout=30_000)
        page.close()

    asked, bought = sent
    assert {"prompt": "a fox", "duration": "5s"} == asked["arguments"]
    assert (asked["arguments"], True) == (bought["arguments"], bought["agreed"])


# --- a gallery of one's own, whose files the test decides on ---


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RunningMediaServer]:
    """A media server without a file."""
    with running_media_server(tmp_path) as running:
        yield running


@pytest.fixture
def own_gallery(browser: Browser) -> Iterator[Page]:
    """A phone that is to open its gallery; here the console may tell of what the test leads astray."""
    page = browser.new_page(viewport={"width": 360, "height": 800})
    yield page
    page.close()


def fill(server: RunningMediaServer, numbers: range) -> None:
    """Put many files on the server, of no kind that is shown."""
    with tool_at(server) as tool:
        for number in numbers:
            store(tool, f"{number}.bin", bytes([0, number]), f"words {number}", "Anna")


def test_what_came_while_nobody_looked_is_all_there(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """A tab that was hidden shows all that came meanwhile, also where that is more than a page."""
    fill(own_server, range(6))
    own_gallery.goto(own_server.gallery)
    expect(own_gallery.locator("#files li")).to_have_count(6)
    own_gallery.evaluate("Object.defineProperty(document, 'hidden', {value: true, writable: true})")
    fill(own_server, range(6, 106))

    own_gallery.evaluate("document.hidden = false")

    status = own_gallery.locator("#status")
    expect(status).to_have_text("60 files, and there are more", timeout=10_000)
    own_gallery.get_by_role("button", name="Show more").click()
    expect(status).to_have_text("106 files")
    titles = own_gallery.locator("#files .open").all_inner_texts()
    assert [f"words {number}" for number in reversed(range(106))] == titles


def test_what_was_chosen_while_the_server_was_away_is_shown(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """When the server is back, the list is what was chosen meanwhile, and the status tells no trouble any more."""
    upload(own_server, "a.txt", b"a", "of Anna", "Anna")
    upload(own_server, "b.txt", b"b", "of Ben", "Ben")
    own_gallery.goto(own_server.gallery)
    titles, status = own_gallery.locator("#files .open"), own_gallery.locator("#status")
    expect(titles).to_have_text(["of Ben", "of Anna"])
    own_gallery.route("**/gallery/files?*", lambda route: route.abort())
    own_gallery.select_option("select[name=agent]", "Anna")
    expect(status).to_have_text("Failed to fetch. Trying again.")

    own_gallery.unroute_all()

    expect(titles).to_have_text(["of Anna"], timeout=10_000)
    expect(status).to_have_text("1 file")


def test_a_server_that_was_away_is_trouble_no_more(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """A look that failed is forgotten with the next that does not, also where nothing is new."""
    upload(own_server, "a.txt", b"a", "of Anna")
    own_gallery.goto(own_server.gallery)
    status = own_gallery.locator("#status")
    expect(status).to_have_text("1 file")
    own_gallery.route("**/gallery/files?*", lambda route: route.abort())
    expect(status).to_have_text("Failed to fetch. Trying again.", timeout=10_000)

    own_gallery.unroute_all()

    expect(status).to_have_text("1 file", timeout=10_000)


def test_a_text_that_is_gone_is_told(
    own_gallery: Page, own_server: RunningMediaServer, tmp_path: Path
) -> None:
    """Where a text's bytes were taken away, that is said, and not shown as if it were the text."""
    upload(own_server, "words.txt", b"a text of an agent", "some words")
    for file in (tmp_path / "files").iterdir():
        file.unlink()
    own_gallery.goto(own_server.gallery)

    expect(own_gallery.locator("#files .view")).to_have_text("Its bytes are not here any more.")
    expect(own_gallery.locator("#files pre")).to_have_count(0)
    assert [] == [found["id"] for found in Axe().run(own_gallery).response["violations"]]


def test_a_text_that_does_not_come_is_told(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """Where a proxy answers in the server's place, or nobody does, that is told, too."""
    upload(own_server, "words.txt", b"a text of an agent", "some words")
    own_gallery.route("**/start", lambda route: route.fulfill(status=502, body="<h1>Bad"))
    own_gallery.goto(own_server.gallery)
    shown = own_gallery.locator("#files .view")
    expect(shown).to_have_text("The server answered 502.")

    own_gallery.unroute_all()
    own_gallery.route("**/start", lambda route: route.abort())
    own_gallery.reload()
    expect(shown).to_have_text("Failed to fetch")


def test_a_file_that_is_not_deleted_is_told(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """The refusal stands where the person is, who may try again; the next file that is opened has none."""
    fill(own_server, range(2))
    own_gallery.goto(own_server.gallery)
    own_gallery.on("dialog", lambda dialog: dialog.accept())
    own_gallery.route("**/gallery/files/*", lambda route: route.fulfill(status=507))
    trouble, button = own_gallery.get_by_role("alert"), own_gallery.locator("#delete")

    own_gallery.get_by_role("button", name="words 0").click()
    button.click()
    expect(trouble).to_have_text("Deleting failed. The server answered 507.")
    assert [] == [found["id"] for found in Axe().run(own_gallery).response["violations"]]
    own_gallery.get_by_role("button", name="Close").click()
    own_gallery.get_by_role("button", name="words 1").click()
    expect(trouble).to_have_text("")

    own_gallery.unroute_all()
    own_gallery.route("**/gallery/files/*", lambda route: route.abort())
    button.click()
    expect(trouble).to_have_text("Deleting failed. Failed to fetch.")

    own_gallery.unroute_all()
    button.click()
    expect(own_gallery.locator("#files .open")).to_have_text(["words 0"])


def test_an_agent_s_id_fits_on_a_phone(own_gallery: Page, own_server: RunningMediaServer) -> None:
    """The ids that Letta gives make the page no wider than the screen."""
    upload(own_server, "a.txt", b"a", "a", "agent-3f6c2b1e-8d7a-4c55-9b0e-6f2d1a7c9e84")

    own_gallery.goto(own_server.gallery)

    expect(own_gallery.locator("#files li")).to_have_count(1)
    assert 360 == own_gallery.evaluate("document.documentElement.scrollWidth")


def test_the_keyboard_keeps_its_place(own_gallery: Page, own_server: RunningMediaServer) -> None:
    """After the last page, and after deleting, the focus is at the next file, and not back at the page's top."""
    fill(own_server, range(62))
    own_gallery.goto(own_server.gallery)
    own_gallery.on("dialog", lambda dialog: dialog.accept())

    own_gallery.get_by_role("button", name="Show more").press("Enter")
    expect(own_gallery.get_by_role("button", name="words 1", exact=True)).to_be_focused()
    own_gallery.keyboard.press("Enter")
    own_gallery.get_by_role("button", name="Delete").press("Enter")
    expect(own_gallery.get_by_role("button", name="words 0", exact=True)).to_be_focused()
    own_gallery.keyboard.press("Enter")
    own_gallery.get_by_role("button", name="Delete").press("Enter")
    expect(own_gallery.get_by_role("button", name="words 2", exact=True)).to_be_focused()


def test_more_comes_once_and_is_offered_where_there_is_more(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """The button is there only while files are left, and pressed twice it brings none of them twice."""
    fill(own_server, range(61))
    own_gallery.goto(own_server.gallery)
    button = own_gallery.get_by_role("button", name="Show more")
    button.evaluate("one => { one.click(); one.click(); }")

    expect(own_gallery.locator("#status")).to_have_text("61 files")
    expect(button).to_be_hidden()
    own_gallery.wait_for_load_state("networkidle")
    assert 61 == own_gallery.locator("#files li").count()


def test_a_deleted_file_does_not_come_back(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """A look that was answered before a file was deleted, and arrives after that, does not bring it back."""
    answered: list[tuple[Route, APIResponse]] = []
    fill(own_server, range(2))
    own_gallery.goto(own_server.gallery)
    own_gallery.on("dialog", lambda dialog: dialog.accept())
    own_gallery.route(LOOKS, lambda route: answered.append((route, route.fetch())))
    while not answered:
        own_gallery.wait_for_timeout(100)
    own_gallery.get_by_role("button", name="words 1").click()
    own_gallery.get_by_role("button", name="Delete").click()
    titles = own_gallery.locator("#files .open")
    expect(titles).to_have_text(["words 0"])

    for route, response in answered:
        route.fulfill(response=response)
    own_gallery.unroute_all()
    with own_gallery.expect_response(LOOKS):
        pass

    expect(titles).to_have_text(["words 0"])
    expect(own_gallery.locator("#status")).to_have_text("1 file")


def test_it_opens_from_a_page_of_another_site(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """Its address lets a person in also where it is clicked in a mail or a chat that a browser shows."""
    link = f'<a href="{own_server.gallery}">the gallery</a>'
    own_gallery.route(
        "http://chat.test/", lambda route: route.fulfill(body=link, content_type="text/html")
    )
    own_gallery.goto("http://chat.test/")

    own_gallery.get_by_role("link").click()

    expect(own_gallery).to_have_title("Gallery: Venice media")


def test_a_wrong_token_is_told(own_gallery: Page, own_server: RunningMediaServer) -> None:
    """Who gave a wrong token reads so, typed or in the address; who gave none yet is only asked for it."""
    told, trouble = "That is not the token of this media server.", own_gallery.get_by_role("alert")
    own_gallery.goto(own_server.address)
    expect(trouble).to_have_count(0)

    own_gallery.get_by_label("The token of this media server").fill("wrong")
    own_gallery.get_by_role("button", name="Open the gallery").click()
    expect(trouble).to_have_text(told)
    assert [] == [found["id"] for found in Axe().run(own_gallery).response["violations"]]

    own_gallery.goto(own_server.address)
    expect(trouble).to_have_count(0)
    own_gallery.goto(f"{own_server.address}/?token=wrong")
    expect(trouble).to_have_text(told)


@pytest.mark.parametrize("host", ["127.0.0.1", NAMED_HOST])
def test_a_call_is_copied(own_gallery: Page, tmp_path: Path, host: str) -> None:
    """The call is copied also at a plain http address that is not this machine's, where browsers have no clipboard."""
    with running_media_server(tmp_path, "--allow-host", NAMED_HOST) as server:
        fill(server, range(1))
        own_gallery.goto(server.gallery.replace("127.0.0.1", host))
        own_gallery.get_by_role("button", name="words 0").click()

        own_gallery.get_by_role("button", name="Copy").click()

        dialog = own_gallery.get_by_role("dialog")
        expect(dialog.get_by_role("status")).to_have_text("Copied.")
        own_gallery.get_by_role("button", name="Close").click()
        own_gallery.get_by_label("Search").press("Control+V")
        copied = own_gallery.get_by_label("Search").input_value()
        assert 'venice_generate_image(     prompt="words 0", )' == copied


def test_a_call_that_is_not_copied_is_told(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """Where a browser does not let the page copy, that stands where the person is, who may try again."""
    fill(own_server, range(2))
    own_gallery.goto(own_server.gallery)
    own_gallery.evaluate("() => { navigator.clipboard.writeText = () => { throw Error('No') } }")
    trouble, button = own_gallery.get_by_role("alert"), own_gallery.locator("#copy")
    own_gallery.get_by_role("button", name="words 0").click()
    button.click()
    expect(trouble).to_have_text("Copying failed. No.")
    own_gallery.get_by_role("button", name="Close").click()
    own_gallery.get_by_role("button", name="words 1").click()
    expect(trouble).to_have_text("")

    button.click()
    expect(trouble).to_have_text("Copying failed. No.")
    own_gallery.evaluate("() => { navigator.clipboard.writeText = () => {} }")
    button.click()
    expect(own_gallery.get_by_role("dialog").get_by_role("status")).to_have_text("Copied.")
    expect(trouble).to_have_text("")


def test_only_what_is_tried_again_is_said_to_be(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """More files that did not come are asked for when a person asks again; the page does not say that it does."""
    fill(own_server, range(61))
    own_gallery.goto(own_server.gallery)
    expect(own_gallery.locator("#files li")).to_have_count(60)
    own_gallery.evaluate("Object.defineProperty(document, 'hidden', {value: true})")
    own_gallery.route("**/gallery/files?before=*", lambda route: route.fulfill(status=502))

    own_gallery.get_by_role("button", name="Show more").click()

    expect(own_gallery.locator("#status")).to_have_text("The server answered 502.")


def test_trouble_is_told_once(own_gallery: Page, own_server: RunningMediaServer) -> None:
    """While the server is away, each look finds the same; a screen reader reads it once."""
    fill(own_server, range(1))
    own_gallery.goto(own_server.gallery)
    status = own_gallery.locator("#status")
    expect(status).to_have_text("1 file")
    status.evaluate(
        "one => { window.told = 0; new MutationObserver(() => told++).observe(one, {childList: true}) }"
    )
    own_gallery.route(LOOKS, lambda route: route.abort())
    for _ in range(3):
        with own_gallery.expect_request(LOOKS):
            pass

    expect(status).to_have_text("Failed to fetch. Trying again.")
    assert 1 == own_gallery.evaluate("told")


def test_spending_that_did_not_come_is_asked_for_again(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """What was spent is told as soon as the server tells it; until then its place says why not."""
    fill(own_server, range(1))
    own_gallery.route("**/gallery/spending?*", lambda route: route.fulfill(status=502))
    own_gallery.goto(own_server.gallery)
    total = own_gallery.locator("#total")
    expect(total).to_have_text("The server answered 502.")
    expect(own_gallery.locator("#status")).to_have_text("1 file")

    own_gallery.unroute_all()

    expect(total).to_have_text("$0.25", timeout=10_000)


def test_a_clock_that_was_ahead_hides_nothing(
    own_gallery: Page, own_server: RunningMediaServer, tmp_path: Path
) -> None:
    """What is new appears by itself also where a file is from a time that is still to come."""
    fill(own_server, range(1))
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as index:
        index.execute("UPDATE files SET moment = moment + 3600 * 1000000")
        index.commit()
    own_gallery.goto(own_server.gallery)
    expect(own_gallery.locator("#files li")).to_have_count(1)

    fill(own_server, range(1, 2))

    expect(own_gallery.locator("#files li")).to_have_count(2, timeout=10_000)


def test_the_chosen_tool_is_told(own_gallery: Page, tmp_path: Path) -> None:
    """In the workbench a screen reader is told which of the tools is the one that is shown."""
    with running_media_server(tmp_path, "--workbench") as server:
        own_gallery.goto(server.gallery)
        own_gallery.goto(f"{server.address}/workbench#venice_queue_video")
        chosen = own_gallery.locator("#tools a[aria-current=true]")
        expect(chosen).to_have_text("queue_video")

        own_gallery.get_by_role("link", name="generate_image").click()

        expect(chosen).to_have_text("generate_image")


def test_tools_that_do_not_come_are_told(own_gallery: Page, tmp_path: Path) -> None:
    """Where a proxy answers in the server's place, the workbench says so, rather than nothing at all."""
    with running_media_server(tmp_path, "--workbench") as server:
        own_gallery.goto(server.gallery)
        own_gallery.route(
            "**/workbench/tools", lambda route: route.fulfill(status=502, body="<h1>Bad")
        )
        own_gallery.goto(f"{server.address}/workbench")

        expect(own_gallery.get_by_role("status")).to_have_text("The server answered 502.")


def test_a_whole_text_does_not_look_cut(own_gallery: Page, own_server: RunningMediaServer) -> None:
    """An ellipsis stands only where there is more than is shown, whatever the letters have in bytes."""
    words, long = "狐" * 135, "狐" * 40_000
    upload(own_server, "words.txt", words.encode(), "some words")
    upload(own_server, "long.txt", long.encode(), "many words")
    own_gallery.goto(own_server.gallery)

    shown = own_gallery.locator("#files pre")
    expect(shown).to_have_text([f"{'狐' * 300}…", words])
    own_gallery.get_by_role("button", name="many words").click()
    expect(own_gallery.locator("#large pre")).to_have_text(re.compile(r"^狐{33333}.?…$"))


def test_what_fits_nothing_is_not_told_as_an_empty_gallery(
    own_gallery: Page, own_server: RunningMediaServer
) -> None:
    """Where files are there and none fits what was chosen, the page says that; where none is there, it says so."""
    own_gallery.goto(own_server.gallery)
    status = own_gallery.locator("#status")
    expect(status).to_have_text("There is nothing here yet.")
    fill(own_server, range(1))
    expect(status).to_have_text("1 file", timeout=10_000)

    own_gallery.fill("input[name=words]", "owl")

    expect(status).to_have_text("Nothing fits.")
