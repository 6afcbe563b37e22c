"""How files come to the media server: declared, sent, confirmed; whole or not at all."""

import json
import resource
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from sanctum_venice_tools.media_server.index import Choice, Index, StoredFile, microseconds_now
from sanctum_venice_tools.media_server.service import Service
from sanctum_venice_tools.media_server.shelf import FolderShelf
from sanctum_venice_tools.media_server.uploads import Declaration, sweep
from tests.media_server.conftest import PUBLIC, declaration, tool_of, upload

PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)
HOUR = 60 * 60 * 1_000_000


def files_in(folder: Path) -> list[str]:
    """What lies on the shelf, parts included."""
    return sorted(path.name for path in (folder / "files").iterdir())


def test_a_file_is_there_from_its_confirmation_on(tool: TestClient) -> None:
    """A file has an address at once, and is shown there when its bytes have come and are confirmed."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()

    assert told["url"].startswith(f"{PUBLIC}/m/")
    assert told["url"].endswith("/fox.png")
    assert 404 == tool.get(told["url"]).status_code
    tool.put(told["upload"], content=PICTURE)
    assert 404 == tool.get(told["url"]).status_code
    tool.post(told["confirm"])
    assert PICTURE == tool.get(told["url"]).content


def test_what_is_there_is_not_sent_again(tool: TestClient, service: Service) -> None:
    """The same file declared again has the same address, and nothing is to be uploaded."""
    first = upload(tool, "fox.png", PICTURE, tool="venice_generate_image")

    again = tool.post("/files", json=declaration("fox.png", PICTURE))

    assert (200, first) == (again.status_code, again.json())
    assert 1 == len(files_in(service.settings.folder))


def test_what_is_gone_from_the_folder_is_taken_anew(tool: TestClient, service: Service) -> None:
    """A file whose bytes were taken away by hand is not told as stored: it is asked for, and shown again."""
    first = upload(tool, "fox.png", PICTURE)
    (service.settings.folder / "files" / first["id"]).unlink()

    found = tool.get("/files", params={"name": "fox.png"})
    again = upload(tool, "fox.png", PICTURE)

    assert (404, []) == (found.status_code, found.json()["near"])
    assert PICTURE == tool.get(again["url"]).content


def test_an_upload_that_broke_off_is_taken_up_again(tool: TestClient) -> None:
    """A file that was declared and never came has the same address when it is declared anew."""
    first = tool.post("/files", json=declaration("fox.png", PICTURE)).json()

    again = tool.post("/files", json=declaration("fox.png", PICTURE))

    assert (201, first) == (again.status_code, again.json())


@pytest.mark.parametrize(
    "sent",
    [PICTURE[:-1], PICTURE + b"x", PICTURE[:-1] + b"x", b""],
    ids=["short", "long", "other", "none"],
)
def test_other_bytes_than_were_declared_are_refused(
    tool: TestClient, service: Service, sent: bytes
) -> None:
    """What is cut, too long, or another file leaves nothing behind, and can't be confirmed."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()

    refused = tool.put(told["upload"], content=sent)

    assert 422 == refused.status_code
    assert "not the file that was declared" in refused.json()["error"]
    assert [] == files_in(service.settings.folder)
    assert 409 == tool.post(told["confirm"]).status_code


def test_a_name_stands_for_one_content(tool: TestClient) -> None:
    """Another file of a name that is taken is refused: an address never changes what it leads to."""
    upload(tool, "fox.png", PICTURE)

    refused = tool.post("/files", json=declaration("fox.png", PICTURE + b"x"))

    assert (409, "Another file is called fox.png.") == (
        refused.status_code,
        refused.json()["error"],
    )


def test_a_whole_file_is_never_overwritten(tool: TestClient) -> None:
    """Bytes for a file that is whole change nothing."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()
    tool.put(told["upload"], content=PICTURE)
    tool.post(told["confirm"])

    tool.put(told["upload"], content=b"another")

    assert 200 == tool.post(told["confirm"]).status_code
    assert PICTURE == tool.get(told["url"]).content


def test_the_slower_of_two_gets_the_address_too(tool: TestClient) -> None:
    """A sender whose file another has brought meanwhile is told that all is well, and where it is."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()
    other = upload(tool, "fox.png", PICTURE)

    assert 204 == tool.put(told["upload"], content=PICTURE).status_code
    assert other == tool.post(told["confirm"]).json()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "../fox.png"}, "name"),
        ({"name": ".private"}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 300}, "name"),
        ({"name": "nul.\u0661"}, "name"),
        ({"bytes": 0}, "bytes"),
        ({"bytes": "many"}, "bytes"),
        ({"sha256": "zz"}, "sha256"),
        ({"facts": []}, "facts"),
        ({"facts": {"cost_usd": -1}}, "facts.cost_usd"),
        ({"facts": {"tool": "x" * 65}}, "facts.tool"),
        ({"facts": {"agent": "x" * 101}}, "facts.agent"),
        ({"facts": {"model": "x" * 201}}, "facts.model"),
    ],
    ids=str,
)
def test_a_declaration_that_is_none_names_its_fault(
    tool: TestClient, change: dict[str, Any], field: str
) -> None:
    """What can't be a file is refused in one line that names the field, before anything comes."""
    refused = tool.post("/files", json=declaration("fox.png", PICTURE) | change)

    assert 422 == refused.status_code
    assert refused.json()["error"].startswith(f"{field}: ")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "[Infinity]"])
@pytest.mark.parametrize("place", ["arguments", "answer"])
def test_numbers_that_json_has_not_are_refused(tool: TestClient, number: str, place: str) -> None:
    """What the gallery could not tell again is not taken, however deep it stands."""
    body = json.dumps(declaration("fox.png", PICTURE, **{place: {"x": 7}})).replace(
        "7}", f"{number}}}"
    )

    refused = tool.post("/files", content=body)

    assert 422 == refused.status_code
    assert refused.json()["error"].startswith("facts: ")


def test_what_no_database_can_hold_is_left_out(tool: TestClient, service: Service) -> None:
    """A NUL in what a tool tells costs nobody the file that was paid: the index has the words without it."""
    facts = {"tool": "t\0", "agent": "\0a", "model": "m\0", "arguments": {"prompt": "\0 a fo\0x"}}

    made = upload(tool, "fox.png", PICTURE, **facts)

    file = service.index.find(id=made["id"])
    assert file
    assert ("t", "a", "m", "a fox") == (file.tool, file.agent, file.model, file.title)
    assert facts["arguments"] == file.facts["arguments"]


def test_a_file_that_is_deleted_while_it_comes_leaves_nothing(
    tool: TestClient, service: Service
) -> None:
    """Bytes whose file is gone from the index when they are whole are taken away, and the sender is told."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()

    def pieces() -> Iterator[bytes]:
        yield PICTURE[:10]
        assert 204 == tool_of(service).delete(f"/files/{told['id']}").status_code
        yield PICTURE[10:]

    refused = tool.put(told["upload"], content=pieces())

    assert (404, "The file was deleted while it came.") == (
        refused.status_code,
        refused.json()["error"],
    )
    assert [] == files_in(service.settings.folder)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"x" * 300_000], ids=["empty", "cut", "null", "long"]
)
def test_a_body_that_is_no_declaration_is_refused(tool: TestClient, body: bytes) -> None:
    """Any other body ends in one line, too."""
    refused = tool.post("/files", content=body)

    assert 422 == refused.status_code
    assert refused.json()["error"]


def test_a_file_that_is_too_large_is_refused(make_service: Callable[..., Service]) -> None:
    """More than the operator allows is refused before a byte of it comes."""
    tool = tool_of(make_service(most_bytes=100))

    refused = tool.post("/files", json=declaration("fox.png", bytes(101)))

    assert 413 == refused.status_code


def test_a_full_quota_takes_nothing(make_service: Callable[..., Service]) -> None:
    """At the quota a file is refused, and whoever asks before making one is told."""
    tool = tool_of(make_service(quota_bytes=250))
    upload(tool, "a.txt", b"a" * 100)
    upload(tool, "b.txt", b"b" * 150)

    assert 507 == tool.get("/room").status_code
    assert 507 == tool.post("/files", json=declaration("c.txt", b"c")).status_code
    assert (
        b"a" * 100
        == tool.get(tool.get("/files", params={"name": "a.txt"}).json()["content"]).content
    )


def test_the_oldest_files_go_when_the_operator_says_so(
    make_service: Callable[..., Service],
) -> None:
    """With that setting the quota holds by the oldest files' going, and the bytes go with them."""
    service = make_service(quota_bytes=250, drop_oldest=True)
    tool = tool_of(service)
    for name in ("a", "b", "c"):
        upload(tool, f"{name}.txt", name.encode() * 100)

    there = [tool.get("/files", params={"name": f"{name}.txt"}).status_code for name in "abc"]
    assert [404, 200, 200] == there
    assert 2 == len(files_in(service.settings.folder))


def test_what_has_just_come_is_not_what_goes(
    make_service: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was told to be there stays, also where older ones seem newer: a clock was ahead."""
    tool = tool_of(make_service(quota_bytes=250, drop_oldest=True))
    with monkeypatch.context() as ahead:
        ahead.setattr(
            "sanctum_venice_tools.media_server.index.microseconds_now",
            lambda: microseconds_now() + 5 * HOUR,
        )
        for name in ("a", "b"):
            upload(tool, f"{name}.txt", name.encode() * 100)

    told = upload(tool, "c.txt", b"c" * 100)

    assert b"c" * 100 == tool.get(told["url"]).content
    there = [tool.get("/files", params={"name": f"{name}.txt"}).status_code for name in "ab"]
    assert [404, 200] == there


def test_a_quota_that_was_lowered_is_kept_to_in_few_steps(
    make_service: Callable[..., Service],
) -> None:
    """Many files that go at once take the index no longer than a few: nobody else comes in meanwhile."""
    before = tool_of(make_service())
    for number in range(50):
        upload(before, f"{number}.txt", str(number).encode())
    service = make_service(quota_bytes=20, drop_oldest=True)
    tool = tool_of(service)
    steps: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        steps.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    upload(tool, "last.txt", b"last")
    sa.event.remove(sa.Engine, "before_cursor_execute", note)

    assert len(steps) < 20
    assert [4] + 8 * [2] == [file.bytes for file in service.index.choose(Choice(), 100)]
    assert 9 == len(files_in(service.settings.folder))


def test_what_could_not_go_goes_later(
    make_service: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is stored though older ones can't be taken away for it: these don't count, and the sweep takes them."""
    before = tool_of(make_service())
    for number in range(20):
        upload(before, f"{number}.txt", f"{number:04}".encode() * 250)
    service = make_service(quota_bytes=3000, drop_oldest=True)
    tool = tool_of(service)
    told = tool.post("/files", json=declaration("last.txt", b"last" * 250)).json()
    tool.put(told["upload"], content=b"last" * 250)

    with monkeypatch.context() as away:
        away.setattr(FolderShelf, "remove", Mock(side_effect=PermissionError("read-only")))
        assert 200 == tool.post(told["confirm"]).status_code

    assert b"last" * 250 == tool.get(told["url"]).content
    assert (3000, 0) == service.index.bytes_held()
    assert 404 == tool.get("/files", params={"name": "0.txt"}).status_code
    assert 201 == tool.post("/files", json=declaration("0.txt", b"new")).status_code
    sweep(service)
    there = [file.id for file in service.index.choose(Choice(), 100)]
    assert sorted(there) == files_in(service.settings.folder)
    assert 3 == len(there)


@pytest.mark.parametrize("length", [251, 200], ids=["too large", "never sent"])
def test_nothing_goes_for_bytes_that_did_not_come(
    make_service: Callable[..., Service], length: int
) -> None:
    """A declaration drops no file, neither one that the quota could never hold, nor one that never comes."""
    tool = tool_of(make_service(quota_bytes=250, drop_oldest=True))
    for name in ("a", "b"):
        upload(tool, f"{name}.txt", name.encode() * 100)

    declared = tool.post("/files", json=declaration("c.txt", b"c" * length))

    assert (507 if length > 250 else 201) == declared.status_code
    there = [tool.get("/files", params={"name": f"{name}.txt"}).status_code for name in "ab"]
    assert [200, 200] == there


def test_what_is_on_its_way_is_not_dropped(make_service: Callable[..., Service]) -> None:
    """A file that can't fit beside those that are declared is refused, and so is whoever asks for room."""
    tool = tool_of(make_service(quota_bytes=250, drop_oldest=True))
    told = tool.post("/files", json=declaration("a.txt", b"a" * 250)).json()

    assert 507 == tool.post("/files", json=declaration("b.txt", b"b")).status_code
    assert 507 == tool.get("/room").status_code
    tool.put(told["upload"], content=b"a" * 250)
    assert 200 == tool.post(told["confirm"]).status_code
    assert 200 == tool.get("/room").status_code
    upload(tool, "b.txt", b"b")


def test_the_quota_holds_for_tools_side_by_side(make_service: Callable[..., Service]) -> None:
    """Of many tools that declare at once, only those are let in that fit together."""
    tool = tool_of(make_service(quota_bytes=1073))

    def declare(number: int) -> int:
        return tool.post("/files", json=declaration(f"{number}.bin", bytes(500))).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(declare, range(32)))

    assert (2, 30) == (statuses.count(201), statuses.count(507))


def test_what_never_came_is_forgotten_after_two_hours(tool: TestClient, service: Service) -> None:
    """A declaration without bytes does not count for ever; a fresh one stays."""
    old = tool.post("/files", json=declaration("old.txt", b"old")).json()
    fresh = tool.post("/files", json=declaration("fresh.txt", b"fresh")).json()
    index = service.index
    index.forget(old["id"])
    before = index.find(id=fresh["id"])
    assert before
    index.declare(type(before)(**{**vars(before), "id": "old", "name": "old.txt", "moment": 0}))

    sweep(service)

    assert index.find(id="old") is None
    assert index.find(id=fresh["id"]) is not None
    assert before.moment <= microseconds_now()


def test_the_sweep_forgets_only_what_it_took_away(
    tool: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes that can't be taken away keep no others from going, and go with a later sweep."""
    for name in ("a", "b", "c"):
        told = tool.post("/files", json=declaration(f"{name}.txt", name.encode())).json()
        tool.put(told["upload"], content=name.encode())
        age(service, told["id"])
    stuck, *_ = service.index.unfinished(microseconds_now())
    remove = FolderShelf.remove

    def fail_once(shelf: FolderShelf, file_id: str) -> None:
        if file_id == stuck.id:
            raise PermissionError("read-only")
        remove(shelf, file_id)

    with monkeypatch.context() as away:
        away.setattr(FolderShelf, "remove", fail_once)
        sweep(service)
    assert [stuck.id] == files_in(service.settings.folder)

    sweep(service)
    assert [] == files_in(service.settings.folder)
    assert [] == service.index.unfinished(microseconds_now())


def test_what_is_set_aside_while_it_comes_leaves_nothing(
    tool: TestClient, service: Service
) -> None:
    """Bytes that come for a file that is being taken away are taken away too, and can't be confirmed."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()

    def pieces() -> Iterator[bytes]:
        yield PICTURE[:10]
        service.index.set_aside(told["id"])
        yield PICTURE[10:]

    assert 404 == tool.put(told["upload"], content=pieces()).status_code
    assert [] == files_in(service.settings.folder)
    assert 409 == tool.post(told["confirm"]).status_code


def test_a_full_disk_is_told_before_anything_is_made(tool: TestClient, service: Service) -> None:
    """Whoever asks for room is told of a disk that takes no file, or of a folder that is gone."""
    assert 200 == tool.get("/room").status_code
    assert [] == files_in(service.settings.folder)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        on_full_disk = tool.get("/room")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    (service.settings.folder / "files").rmdir()
    without_folder = tool.get("/room")

    assert [507, 507] == [on_full_disk.status_code, without_folder.status_code]
    assert "Nothing can be kept here: File too large." == on_full_disk.json()["error"]
    assert "Nothing can be kept here: No such file or directory." == without_folder.json()["error"]


def test_an_index_that_can_not_be_written_is_a_reason(tool: TestClient, service: Service) -> None:
    """Where the index has no room, a declaration and a confirmation are refused in one line that says so."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()
    tool.put(told["upload"], content=PICTURE)

    def fill(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(("INSERT", "UPDATE")):
            raise sqlite3.OperationalError("database or disk is full")

    sa.event.listen(sa.Engine, "before_cursor_execute", fill)
    refused = [
        tool.post("/files", json=declaration("owl.png", PICTURE)),
        tool.post(told["confirm"]),
    ]
    sa.event.remove(sa.Engine, "before_cursor_execute", fill)

    reason = "The index can't be written: database or disk is full."
    assert 2 * [(507, reason)] == [(one.status_code, one.json()["error"]) for one in refused]
    assert 200 == tool.post(told["confirm"]).status_code
    assert service.index.find(name="owl.png") is None


def age(service: Service, file_id: str) -> StoredFile:
    """Have a file that was declared be declared three hours ago."""
    file = service.index.find(id=file_id)
    assert file
    service.index.forget(file_id)
    return service.index.declare(replace(file, moment=file.moment - 3 * HOUR))


def test_what_is_declared_again_is_not_forgotten_while_it_comes(
    tool: TestClient, service: Service
) -> None:
    """An old declaration whose sender was killed is new when another sender takes it up."""
    age(service, tool.post("/files", json=declaration("film.mp4", PICTURE)).json()["id"])
    told = tool.post("/files", json=declaration("film.mp4", PICTURE)).json()

    def pieces() -> Iterator[bytes]:
        yield PICTURE[:10]
        sweep(service)
        yield PICTURE[10:]

    assert 204 == tool.put(told["upload"], content=pieces()).status_code
    assert 200 == tool.post(told["confirm"]).status_code
    assert PICTURE == tool.get(told["url"]).content


def test_another_file_of_a_name_does_not_renew_its_declaration(
    tool: TestClient, service: Service
) -> None:
    """A name is free again two hours after its own file was declared, whoever else asks for it."""
    age(service, tool.post("/files", json=declaration("fox.png", PICTURE)).json()["id"])

    assert 409 == tool.post("/files", json=declaration("fox.png", b"another")).status_code
    sweep(service)
    assert 201 == tool.post("/files", json=declaration("fox.png", b"another")).status_code


def test_what_is_confirmed_during_the_sweep_stays(
    tool: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that comes whole between the sweep's look and its deed is not forgotten."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()
    tool.put(told["upload"], content=PICTURE)
    old = age(service, told["id"])

    def look(_index: Index, _before: int) -> list[StoredFile]:
        assert 200 == tool.post(told["confirm"]).status_code
        return [old]

    monkeypatch.setattr(Index, "unfinished", look)
    sweep(service)

    assert PICTURE == tool.get(told["url"]).content


@pytest.mark.parametrize("take_out", [Index.forget, Index.set_aside])
def test_what_is_deleted_during_its_confirmation_is_not_there(
    tool: TestClient, service: Service, monkeypatch: pytest.MonkeyPatch, take_out: Any
) -> None:
    """Nobody is told the address of a file that went while it was counted in."""
    told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()
    tool.put(told["upload"], content=PICTURE)

    def read_start(_shelf: FolderShelf, _file_id: str, _count: int) -> bytes:
        take_out(service.index, told["id"])
        return PICTURE

    monkeypatch.setattr(FolderShelf, "read_start", read_start)

    assert 404 == tool.post(told["confirm"]).status_code
    assert [] == service.index.choose(Choice(), 1)


def test_many_tools_upload_the_same_at_once(tool: TestClient, service: Service) -> None:
    """Tools that store the same file at the same time all get its one address."""

    def store(_: int) -> str:
        told = tool.post("/files", json=declaration("fox.png", PICTURE)).json()
        if "upload" in told:
            tool.put(told["upload"], content=PICTURE)
            told = tool.post(told["confirm"]).json()
        return str(told["url"])

    with ThreadPoolExecutor(8) as pool:
        urls = set(pool.map(store, range(40)))

    assert 1 == len(urls)
    assert PICTURE == tool.get(urls.pop()).content
    assert 1 == len(files_in(service.settings.folder))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/room"),
        ("POST", "/files"),
        ("GET", "/files?name=fox.png"),
        ("PUT", "/files/x/content"),
        ("GET", "/files/x/content"),
        ("POST", "/files/x/confirm"),
        ("DELETE", "/files/x"),
    ],
)
@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer wrong", "Basic YTpi", "Bearer tökén"])
def test_nothing_is_open_without_the_token(
    stranger: TestClient, method: str, path: str, shown: str
) -> None:
    """Each address for tools refuses who does not show the token."""
    headers = {"Authorization": shown.encode("latin-1")} if shown else {}

    refused = stranger.request(method, path, headers=headers)  # type: ignore[arg-type]  # bytes, as sent

    assert (401, "The token is missing or wrong.") == (refused.status_code, refused.json()["error"])


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "bytes", "sha256", "facts", "x"]), inner, max_size=5
            )
        ),
    )
)
def test_any_json_is_a_declaration_or_a_fault(body: Any) -> None:
    """Whatever JSON comes is read as a declaration of the form, or refused by pydantic, and by nothing else."""
    try:
        read = Declaration.model_validate(body)
    except ValueError:
        return
    assert read.bytes > 0
    assert "/" not in read.name
