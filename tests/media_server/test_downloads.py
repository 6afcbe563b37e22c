"""How files go out of the media server: to tools by name, to whoever has the address, and never as a program."""

import sqlite3
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from starlette.testclient import TestClient

from sanctum_venice_tools.media_server.service import Service
from sanctum_venice_tools.media_server.shelf import FolderShelf
from sanctum_venice_tools.media_server.uploads import sweep
from tests.media_server.conftest import upload

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PAGE = b"<!doctype html><script>alert(1)</script>"


def test_an_address_shows_the_picture_to_anybody(tool: TestClient, stranger: TestClient) -> None:
    """Who has the address needs no token; it may be kept for ever, for it leads to the same bytes always."""
    url = upload(tool, "fox.png", PICTURE)["url"]

    reply = stranger.get(url)

    assert (200, PICTURE) == (reply.status_code, reply.content)
    assert "image/png" == reply.headers["content-type"]
    assert 'inline; filename="fox.png"' == reply.headers["content-disposition"]
    assert "immutable" in reply.headers["cache-control"]


def test_films_can_be_scrubbed(tool: TestClient, stranger: TestClient) -> None:
    """A part of a file is given when it is asked for, and what lies beyond its end is refused."""
    url = upload(tool, "fox.png", PICTURE)["url"]

    part = stranger.get(url, headers={"Range": "bytes=10-19"})
    beyond = stranger.get(url, headers={"Range": "bytes=5000-"})

    assert (206, PICTURE[10:20]) == (part.status_code, part.content)
    assert f"bytes 10-19/{len(PICTURE)}" == part.headers["content-range"]
    assert 416 == beyond.status_code


def test_an_address_can_not_be_guessed(tool: TestClient, stranger: TestClient) -> None:
    """Two files have nothing in common in their addresses, and a name alone leads nowhere."""
    first = upload(tool, "a.png", PICTURE)
    second = upload(tool, "b.png", PICTURE + b"x")

    assert 24 == len(first["id"])
    assert 404 == stranger.get(f"/m/{first['id']}/b.png").status_code
    assert 404 == stranger.get(f"/m/{'x' * 24}/{first['name']}").status_code
    assert first["id"][:8] != second["id"][:8]


def test_a_name_of_before_is_shown(
    tool: TestClient, stranger: TestClient, service: Service
) -> None:
    """A file whose name older servers took, with letters that a header can't hold, is shown as any other."""
    made = upload(tool, "fox.png", PICTURE)
    old = service.index.find(id=made["id"])
    assert old
    service.index.forget(old.id)
    service.index.declare(replace(old, name="nul.\u0661"))

    reply = stranger.get(f"/m/{old.id}/nul.\u0661")

    assert (200, PICTURE) == (reply.status_code, reply.content)
    assert "inline; filename*=UTF-8''nul.%D9%A1" == reply.headers["content-disposition"]


@pytest.mark.parametrize(
    ("name", "content", "shown_as"),
    [
        ("evil.svg", SVG, "text/plain; charset=utf-8"),
        ("evil.html", PAGE, "text/plain; charset=utf-8"),
        ("evil.png", PAGE, "text/plain; charset=utf-8"),
        ("evil.js", b"alert(1)", "text/plain; charset=utf-8"),
        ("evil.pdf", b"%PDF-1.7 /JavaScript", "application/octet-stream"),
        ("evil.bin", b"\0\1\2", "application/octet-stream"),
        ("evil.txt", b"\xff\xfe<\0s\0", "application/octet-stream"),
    ],
)
def test_nothing_runs_in_a_browser(
    tool: TestClient, stranger: TestClient, name: str, content: bytes, shown_as: str
) -> None:
    """Whatever a file is called, its bytes say how it is shown, in a sandbox: as text, or not at all."""
    reply = stranger.get(upload(tool, name, content)["url"])

    assert shown_as == reply.headers["content-type"]
    assert "nosniff" == reply.headers["x-content-type-options"]
    assert reply.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    kind = "inline" if shown_as.startswith("text") else "attachment"
    assert reply.headers["content-disposition"].startswith(kind)


def test_a_tool_takes_a_file_by_its_name(tool: TestClient) -> None:
    """What one tool stored, another gets by name, or by the name without its ending."""
    upload(tool, "wan-2-5-abc.mp4", PICTURE)

    by_name = tool.get("/files", params={"name": "wan-2-5-abc.mp4"}).json()
    by_stem = tool.get("/files", params={"stem": "wan-2-5-abc"}).json()

    assert by_name == by_stem
    assert PICTURE == tool.get(by_name["content"]).content


@pytest.mark.parametrize("query", [{"name": "nothing.png"}, {"stem": "fo_"}, {"stem": "%"}, {}])
def test_a_name_that_is_not_there_leads_nowhere(tool: TestClient, query: dict[str, str]) -> None:
    """A name that no file has is not taken for a pattern."""
    upload(tool, "fox.png", PICTURE)

    assert 404 == tool.get("/files", params=query).status_code


def test_names_like_it_are_told(tool: TestClient) -> None:
    """Who mistypes a name is told those that begin alike."""
    upload(tool, "a-red-fox-1.png", PICTURE)

    assert ["a-red-fox-1.png"] == tool.get("/files", params={"name": "a-red-fax.png"}).json()[
        "near"
    ]


def test_what_is_deleted_is_gone(tool: TestClient, stranger: TestClient) -> None:
    """A deleted file is at no address, and its name is free again."""
    made = upload(tool, "fox.png", PICTURE)

    assert 204 == tool.delete(f"/files/{made['id']}").status_code

    assert 404 == stranger.get(made["url"]).status_code
    assert 404 == tool.delete(f"/files/{made['id']}").status_code
    assert upload(tool, "fox.png", PICTURE)["id"] != made["id"]


@pytest.mark.parametrize("address", ["/files/{}", "/gallery/files/{}"])
def test_bytes_that_could_not_be_deleted_go_later(
    tool: TestClient,
    person: TestClient,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> None:
    """A file whose bytes can't be taken away is shown no more; that they are not gone is told until they are."""
    made = upload(tool, "fox.png", PICTURE)
    client = person if "gallery" in address else tool

    with monkeypatch.context() as away:
        away.setattr(FolderShelf, "remove", Mock(side_effect=PermissionError("read-only")))
        refused = [client.delete(address.format(made["id"])) for _ in range(2)]

    assert [500, 500] == [one.status_code for one in refused]
    assert "could not be taken away yet" in refused[1].json()["error"]
    assert 404 == tool.get(made["url"]).status_code
    assert list((service.settings.folder / "files").iterdir())
    sweep(service)
    assert [] == list((service.settings.folder / "files").iterdir())
    assert 404 == client.delete(address.format(made["id"])).status_code


@pytest.mark.parametrize("address", ["/files/{}", "/gallery/files/{}"])
def test_what_can_not_be_deleted_stays(tool: TestClient, person: TestClient, address: str) -> None:
    """Where the index has no room, that a file can't be deleted is told in one line, and the file is still there."""
    made = upload(tool, "fox.png", PICTURE)
    client = person if "gallery" in address else tool

    def fill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("UPDATE", "DELETE")):
            raise sqlite3.OperationalError("database or disk is full")

    sa.event.listen(sa.Engine, "before_cursor_execute", fill)
    try:
        refused = client.delete(address.format(made["id"]))
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", fill)

    assert 507 == refused.status_code
    assert "The index can't be written: database or disk is full." == refused.json()["error"]
    assert PICTURE == tool.get(made["url"]).content
