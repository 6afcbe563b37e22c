"""The gallery's pages and what they ask for: for people who have been let in, and for nobody else."""

import time
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from sanctum_venice_tools.media_server.app import create_app
from sanctum_venice_tools.media_server.index import StoredFile
from sanctum_venice_tools.media_server.service import Service
from tests.media_server.conftest import PUBLIC, TOKEN, upload

PICTURE = b"\x89PNG\r\n\x1a\n"
SOUND = b"ID3\x04\0\0"


def titles(person: TestClient, **query: Any) -> list[str]:
    """What a page of the gallery shows."""
    reply = person.get("/gallery/files", params=query)
    assert 200 == reply.status_code
    return [file["title"] or file["name"] for file in reply.json()["files"]]


def test_the_gallery_opens_with_its_token_once(stranger: TestClient) -> None:
    """The token in the address is exchanged for a cookie that no page and no other site can read or use."""
    assert 401 == stranger.get("/").status_code

    entered = stranger.get("/", params={"token": TOKEN})

    assert (303, "/") == (entered.status_code, entered.headers["location"])
    cookie = entered.headers["set-cookie"]
    assert TOKEN not in cookie
    for attribute in ("HttpOnly", "SameSite=lax", "Secure"):
        assert attribute in cookie
    assert "<title>Gallery" in stranger.get("/").text


@pytest.mark.parametrize(
    ("address", "is_secure"),
    [
        ("http://media.test", True),
        ("http://127.0.0.1:8490", False),
        ("http://media.test:8490", False),
    ],
)
def test_the_cookie_is_for_https_where_the_public_address_is(
    service: Service, address: str, is_secure: bool
) -> None:
    """Behind a proxy that says nothing of https the cookie is for https alone; who comes past it by http gets in."""
    browser = TestClient(create_app(service), base_url=address, follow_redirects=False)

    entered = browser.get("/", params={"token": TOKEN})

    assert is_secure == ("Secure" in entered.headers["set-cookie"])


def test_a_person_can_type_the_token(stranger: TestClient) -> None:
    """The page that asks for the token takes it, and takes no other."""
    assert 401 == stranger.post("/enter", data={"token": "wrong"}).status_code
    assert 303 == stranger.post("/enter", data={"token": f" {TOKEN} "}).status_code
    assert 200 == stranger.get("/gallery/files").status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/gallery/files"), ("GET", "/gallery/spending"), ("DELETE", "/gallery/files/x")],
)
def test_nothing_is_told_to_strangers(stranger: TestClient, method: str, path: str) -> None:
    """What the gallery shows is for those who have been let in, not for who has a wrong cookie."""
    assert 401 == stranger.request(method, path).status_code
    entered = stranger.get("/", params={"token": TOKEN})
    stranger.cookies.clear()
    cookie = {"Cookie": f"{entered.headers['set-cookie'].partition('=')[0]}=wrong"}
    assert 401 == stranger.request(method, path, headers=cookie).status_code


def test_a_browser_is_let_in_by_two_media_servers_of_one_machine(
    person: TestClient, service: Service
) -> None:
    """Entering one does not log out of another, though browsers keep cookies by host and not by port."""
    token = "a-token-of-another-server"
    other = Service(replace(service.settings, token=token), service.index, service.shelf)
    there = TestClient(create_app(other), base_url=PUBLIC, follow_redirects=False)
    there.cookies.update(person.cookies)

    assert 303 == there.get("/", params={"token": token}).status_code
    person.cookies.update(there.cookies)

    assert 200 == there.get("/gallery/files").status_code
    assert 200 == person.get("/gallery/files").status_code


def test_another_site_s_page_can_do_nothing(tool: TestClient, person: TestClient) -> None:
    """A request from a page of another origin is refused, cookie or not."""
    made = upload(tool, "fox.png", PICTURE)

    for origin in ("https://evil.test", "null", "http://[::1", "https://media.test.evil.test"):
        refused = person.delete(f"/gallery/files/{made['id']}", headers={"Origin": origin})
        assert 403 == refused.status_code
    assert 1 == len(titles(person))


def test_a_person_can_delete_behind_a_proxy(tool: TestClient, person: TestClient) -> None:
    """A page of the public address is this server's own also when a proxy has another name for it in Host."""
    made = upload(tool, "fox.png", PICTURE)
    headers = {"Origin": PUBLIC, "Host": "127.0.0.1:8490"}

    assert 204 == person.delete(f"/gallery/files/{made['id']}", headers=headers).status_code


def test_pages_load_nothing_from_elsewhere(person: TestClient) -> None:
    """The pages are made of this server's own parts, which the browser is told to hold them to."""
    page = person.get("/")

    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "http" not in page.text
    for part in ("gallery.css", "gallery.js"):
        assert f"/pages/{part}" in page.text
        assert 200 == person.get(f"/pages/{part}").status_code
    assert 404 == person.get("/pages/gallery.py").status_code
    assert 404 == person.get("/pages/..%2fapp.py").status_code


def test_a_file_is_shown_with_how_it_was_made(tool: TestClient, person: TestClient) -> None:
    """Prompt, model, price, agent and the call itself stand with a file."""
    arguments = {"prompt": "a red fox", "seed": 7}
    upload(
        tool,
        "fox.png",
        PICTURE,
        tool="venice_generate_image",
        agent="agent-1",
        model="z-image-turbo",
        cost_usd=0.01,
        arguments=arguments,
        answer={"seed": 7},
    )

    (file,) = person.get("/gallery/files").json()["files"]

    assert ("a red fox", "image", "agent-1") == (file["title"], file["kind"], file["agent"])
    assert ("z-image-turbo", 0.01) == (file["model"], file["cost_usd"])
    assert arguments == file["facts"]["arguments"]
    assert PICTURE == person.get(file["url"]).content


def test_numbers_of_before_break_no_page(person: TestClient, service: Service) -> None:
    """A file whose facts have a number that JSON has not, as older servers took it, is shown with the rest."""
    fill(service, 2, moment=lambda number: number + 1, facts={"x": [float("inf"), float("nan")]})

    files = person.get("/gallery/files").json()["files"]

    assert [{"x": ["Infinity", "NaN"]}] * 2 == [file["facts"] for file in files]


def test_the_newest_come_first_and_can_be_narrowed(tool: TestClient, person: TestClient) -> None:
    """Kind, agent and words of any case choose; all words must fit, and none is a pattern."""
    upload(tool, "1.png", PICTURE, agent="Anna", arguments={"prompt": "A Fox in the city"})
    upload(tool, "2.png", PICTURE + b"2", agent="Ben", arguments={"prompt": "an owl, 100% grey"})
    upload(tool, "3.mp3", SOUND, agent="Anna", arguments={"text": "the fox sleeps"})

    assert ["the fox sleeps", "an owl, 100% grey", "A Fox in the city"] == titles(person)
    assert ["the fox sleeps"] == titles(person, kind="audio")
    assert ["an owl, 100% grey"] == titles(person, agent="Ben")
    assert ["the fox sleeps", "A Fox in the city"] == titles(person, words="FOX the")
    assert ["an owl, 100% grey"] == titles(person, words="100%")
    assert [] == titles(person, words="f_x")
    assert ["Anna", "Ben"] == person.get("/gallery/files").json()["agents"]


def test_a_search_knows_the_letters_of_all_languages(tool: TestClient, person: TestClient) -> None:
    """Words are found in any case also where their letters are not those of English."""
    upload(tool, "1.png", PICTURE, arguments={"prompt": "Über den Wolken, ÖL"})

    assert ["Über den Wolken, ÖL"] == titles(person, words="über öl")


def test_pages_follow_each_other_without_gap_or_repetition(
    tool: TestClient, person: TestClient, service: Service
) -> None:
    """A place leads to the next page, also where several files have the same moment."""
    fill(service, 150, moment=lambda number: 1_000_000 + number // 7)

    seen: list[str] = []
    query: dict[str, str] = {}
    for _ in range(3):
        page = person.get("/gallery/files", params=query).json()
        seen += [file["id"] for file in page["files"]]
        query = {"before": page["more"]}

    assert "" == page["more"]
    assert 150 == len(set(seen)) == len(seen)
    assert tool is not None


@pytest.mark.parametrize(
    "query",
    [{"before": "x-y"}, {"before": f"{'9' * 23}-y"}, {"since": "9" * 23}, {"since": "-1"}],
    ids=str,
)
def test_places_that_nobody_gave_are_refused(person: TestClient, query: dict[str, str]) -> None:
    """A place that is none, or that no database could hold, is told in one line."""
    refused = person.get("/gallery/files", params=query)

    assert 422 == refused.status_code
    assert "places that this server has given" in refused.json()["error"]


def test_what_came_since_is_told(tool: TestClient, person: TestClient) -> None:
    """The page learns what is new from the moment of the newest that it has."""
    upload(tool, "1.png", PICTURE)
    (first,) = person.get("/gallery/files").json()["files"]
    time.sleep(0.001)
    upload(tool, "2.png", PICTURE + b"2")

    assert ["2.png"] == titles(person, since=first["moment"] + 1)


def test_a_text_that_is_gone_is_told(
    tool: TestClient, person: TestClient, service: Service
) -> None:
    """The beginning of a text whose bytes were taken away by hand is nowhere, and no error of the server's."""
    made = upload(tool, "words.txt", b"words")
    start = f"/gallery/files/{made['id']}/start"
    assert "words" == person.get(start).text

    (service.settings.folder / "files" / made["id"]).unlink()

    assert 404 == person.get(start).status_code


def test_spending_is_told_by_day_and_agent(tool: TestClient, person: TestClient) -> None:
    """What tools said that they cost is added up; what cost nothing is no row."""
    for number, (agent, cost) in enumerate([("a", 0.25), ("a", 0.5), ("b", 1.0), ("b", None)]):
        upload(tool, f"{number}.png", PICTURE + bytes([number]), agent=agent, cost_usd=cost)

    spent = person.get("/gallery/spending").json()["spent"]

    assert [("a", 0.75), ("b", 1.0)] == [(row["agent"], row["usd"]) for row in spent]
    assert {int(time.time()) // 86_400} == {row["day"] for row in spent}


def test_spending_is_of_the_files_that_are_here(tool: TestClient, person: TestClient) -> None:
    """What was paid for a file that is deleted is no longer counted, and the page says of what its sum is."""
    for number in range(2):
        upload(tool, f"{number}.png", PICTURE + bytes([number]), cost_usd=0.25)
    (newest, _) = person.get("/gallery/files").json()["files"]

    tool.delete(f"/files/{newest['id']}")

    assert [0.25] == [row["usd"] for row in person.get("/gallery/spending").json()["spent"]]
    assert "Spent in the last 30 days on the files that are here" in person.get("/").text


def test_a_person_can_delete(tool: TestClient, person: TestClient) -> None:
    """From the gallery's own page a file can be taken away for good."""
    made = upload(tool, "fox.png", PICTURE)

    assert (
        204
        == person.delete(
            f"/gallery/files/{made['id']}", headers={"Origin": "https://media.test"}
        ).status_code
    )

    assert [] == titles(person)
    assert 404 == person.get(made["url"]).status_code


def fill(service: Service, count: int, moment: Any, facts: Any = None) -> None:
    """So many files in the index, without bytes."""
    for number in range(count):
        service.index.declare(
            StoredFile(
                id=f"id-{number}",
                name=f"{number}.png",
                sha256="0" * 64,
                bytes=1,
                moment=moment(number),
                is_whole=True,
                media_type="image/png",
                kind="image",
                tool="venice_generate_image",
                agent="agent",
                model="model",
                title=f"picture {number}",
                cost_usd=0.01,
                facts=facts or {},
            )
        )
