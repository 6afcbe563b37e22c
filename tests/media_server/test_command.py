"""`sanctum-venice media`: what it prints, what it refuses, and that it holds under load and a sudden end."""

import errno
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import httpx
import psutil
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from sanctum_venice_tools.media_server.command import media
from sanctum_venice_tools.media_server.index import Choice, open_index
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server
from sanctum_venice_tools.media_server.settings import read_token
from tests.media_server.conftest import declaration, shown_by

MEGABYTE = 1 << 20


def client_of(server: RunningMediaServer) -> httpx.Client:
    """A tool that has the token."""
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.Client(base_url=server.address, headers=headers, timeout=120)


def run(*arguments: str, **environment: str) -> Result:
    """Run the command until it ends by itself, as it does where it can't start."""
    return CliRunner().invoke(media, arguments, env=environment)


def upload(tool: httpx.Client, name: str, content: bytes) -> str:
    """Put a file on the server; its address."""
    told = tool.post("/files", json=declaration(name, content)).raise_for_status().json()
    if "upload" in told:
        tool.put(told["upload"], content=content).raise_for_status()
        told = tool.post(told["confirm"]).raise_for_status().json()
    return str(told["url"])


@pytest.mark.slow
def test_the_printed_address_opens_the_gallery(tmp_path: Path) -> None:
    """What it prints is all that a person and a tool need; the token is kept, for its owner alone."""
    folder = tmp_path / "media"
    with running_media_server(folder) as first:
        assert [] == shown_by(first)
    with running_media_server(folder) as second:
        assert first.token == second.token

    assert 0o600 == (folder / "token").stat().st_mode & 0o777
    assert 0o700 == folder.stat().st_mode & 0o777


def test_the_index_is_for_its_owner_alone(tmp_path: Path) -> None:
    """In a folder that others may look into nobody else reads prompts and addresses, nor what an older version left."""
    tmp_path.chmod(0o755)

    with closing(open_index("", tmp_path)):
        made = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        for file in tmp_path.iterdir():
            file.chmod(0o644)
        with closing(open_index("", tmp_path)):
            mended = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}

    names = ("index.sqlite", "index.sqlite-wal", "index.sqlite-shm")
    assert dict.fromkeys(names, 0o600) == made == mended


@pytest.mark.parametrize("name", ["a?b", "50%25off", "a#b", "a b"])
def test_the_index_lies_in_its_folder_whatever_that_is_called(tmp_path: Path, name: str) -> None:
    """Signs that mean something in a URL mean nothing in the name of a folder."""
    folder = tmp_path / name
    folder.mkdir()

    open_index("", folder).close()

    assert [name] == [one.name for one in tmp_path.iterdir()]
    assert (folder / "index.sqlite").stat().st_size
    assert 0o600 == (folder / "index.sqlite").stat().st_mode & 0o777


@pytest.mark.slow
def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    """Files, and what is known of them, outlive the server."""
    with running_media_server(tmp_path / "media") as server, client_of(server) as tool:
        upload(tool, "fox.txt", b"a fox")

    with running_media_server(tmp_path / "media") as server, client_of(server) as tool:
        found = tool.get("/files", params={"name": "fox.txt"}).json()
        assert b"a fox" == tool.get(found["content"]).content
        assert ["fox.txt"] == [file["name"] for file in shown_by(server)]


@pytest.mark.parametrize(
    ("arguments", "environment", "expected", "status"),
    [
        (["--host", "0.0.0.0"], {}, "needs --public-url", 2),  # noqa: S104  # that it is refused
        (["--host", "0"], {}, "needs --public-url", 2),
        (["--host", "::0"], {}, "needs --public-url", 2),
        (["--host", "::ffff:0.0.0.0"], {}, "needs --public-url", 2),
        (["--host", ""], {}, "write an address such as 127.0.0.1", 2),
        (["--host", "", "--public-url", "https://h"], {}, "write an address such as 127.0.0.1", 2),
        (
            ["--workbench", "--host", "192.0.2.1"],
            {},
            "--workbench spends money: it is for this machine alone",
            2,
        ),
        (["--drop-oldest"], {}, "--drop-oldest goes with --quota-gb", 2),
        (["--public-url", "media.example.org"], {}, "write an address such as", 2),
        (["--allow-host", "http://x"], {}, "is no name of a host", 2),
        (["--public-url", "http://[::1"], {}, "write an address such as", 2),
        (["--public-url", "http://[:::]"], {}, "write an address such as", 2),
        (["--public-url", "http://h:99999"], {}, "write an address such as", 2),
        (["--public-url", "http://*"], {}, "write an address such as", 2),
        (["--public-url", "http://h/?"], {}, "write an address such as", 2),
        (["--public-url", "https://h/media/"], {}, "without a path", 2),
        (["--port", "99999"], {}, "is not in the range", 2),
        (["--quota-gb", "0"], {}, "--quota-gb", 2),
        (["--quota-gb", "nan"], {}, "write a number of gigabytes", 2),
        (["--quota-gb", "inf"], {}, "write a number of gigabytes", 2),
        (["--quota-gb", "1e308"], {}, "write a number of gigabytes", 2),
        (["--host", "192.0.2.1"], {}, "Cannot assign requested address", 1),
        ([], {"VENICE_MEDIA_TOKEN": "short"}, "must have 16 to 500", 1),
        ([], {"VENICE_MEDIA_TOKEN": "tökén" * 10}, "must have 16 to 500", 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_can_not_be_is_one_line(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], expected: str, status: int
) -> None:
    """A setting that can't be used ends the command with a line that says what to do."""
    result = run("--folder", str(tmp_path), "--port", "0", *arguments, **environment)

    assert status == result.exit_code
    assert expected in result.output
    assert "Traceback" not in result.output
    assert not environment or environment["VENICE_MEDIA_TOKEN"] not in result.output


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ("foo", "takes a URL of SQLAlchemy's"),
        ("nosuch://media:s3cret@h/x", "takes a URL of SQLAlchemy's"),
        ("postgresql+psycopg://media:pass@s3cret@127.0.0.1/x", "an @ of the password as %40"),
        ("postgresql+psycopg://media:pass@s3/cret@127.0.0.1/x", "an @ of the password as %40"),
        ("postgresql+psycopg://media:pass@h:s3cret@127.0.0.1/x", "an @ of the password as %40"),
        ("postgresql+psycopg://media:s3cret@127.0.0.1:9/x", "Connection refused"),
        ("sqlite:////no/such/folder/x", "unable to open database file"),
        ("", "index.sqlite can't be opened; check --folder: file is not a database"),
    ],
)
def test_an_index_that_can_not_be_opened_is_one_line(
    tmp_path: Path, database: str, expected: str
) -> None:
    """A database that is none, or is away, is told in one line, and its password is not."""
    (tmp_path / "index.sqlite").write_text("no database " * 100)

    result = run("--folder", str(tmp_path), "--port", "0", "--database", database)

    assert 1 == result.exit_code
    assert expected in result.output
    assert 1 == result.output.count("\n")
    assert "s3" not in result.output


def test_two_servers_that_start_at_once_share_a_new_index(tmp_path: Path) -> None:
    """That another server makes the tables at the same moment keeps none from starting."""
    others: list[str] = []

    def be_faster(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "CREATE TABLE" in statement and not others:
            others.append("another server")
            open_index("", tmp_path).close()

    sa.event.listen(sa.Engine, "before_cursor_execute", be_faster)
    try:
        index = open_index("", tmp_path)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", be_faster)

    assert [] == index.choose(Choice(), 1)
    index.close()


def test_servers_that_start_at_once_have_one_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that starts while another makes the token reads nothing half written, and both go by the same one."""
    monkeypatch.delenv("VENICE_MEDIA_TOKEN", raising=False)
    faster: list[str] = []

    def make_token(size: int) -> str:
        if not faster:
            faster.append("is at it")
            faster[0] = read_token(tmp_path)
        return token_urlsafe(size)

    monkeypatch.setattr(
        "sanctum_venice_tools.media_server.settings.secrets.token_urlsafe", make_token
    )

    assert read_token(tmp_path) == faster[0] == read_token(tmp_path)
    assert ["token"] == [file.name for file in tmp_path.iterdir()]


def test_a_token_is_kept_where_a_file_can_t_have_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder on a USB stick, or of another machine, may know no links; it keeps the token, too."""
    monkeypatch.delenv("VENICE_MEDIA_TOKEN", raising=False)

    def refuse(*_: Any) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    assert read_token(tmp_path) == read_token(tmp_path)
    assert ["token"] == [file.name for file in tmp_path.iterdir()]


@pytest.mark.parametrize("kept", ["", "short", "tökén" * 10], ids=["empty", "short", "umlauts"])
def test_a_kept_token_that_is_none_names_its_file(tmp_path: Path, kept: str) -> None:
    """The token's file is blamed, and not a variable that nobody set."""
    (tmp_path / "token").write_text(kept, encoding="utf-8")

    result = run("--folder", str(tmp_path), "--port", "0", VENICE_MEDIA_TOKEN="")

    assert 1 == result.exit_code
    assert f"The token in {tmp_path / 'token'} must have 16 to 500" in result.output
    assert "VENICE_MEDIA_TOKEN" not in result.output
    assert "Delete that file" in result.output


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """Where something else listens, that is said in one line, with the port and what to do."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        port = other.getsockname()[1]
        result = run("--folder", str(tmp_path), "--port", str(port))

    told = f"port {port} of 127.0.0.1 cannot be used: Address already in use; name another --port"
    assert (1, True) == (result.exit_code, told in result.output)


def test_another_name_that_points_here_reaches_nothing(tmp_path: Path) -> None:
    """A page in a browser can't come by a name of its own; those that are allowed can."""
    options = ("--allow-host", "media.internal", "--public-url", "https://media.example.org")
    with running_media_server(tmp_path, *options) as server:
        statuses = {
            name: httpx.get(server.address, headers={"Host": name}).status_code
            for name in ("evil.test", "media.internal:8490", "media.example.org", "localhost")
        }

    assert {
        "evil.test": 400,
        "media.internal:8490": 401,
        "media.example.org": 401,
        "localhost": 401,
    } == statuses


@pytest.mark.parametrize("url", ["https://media.example.org:443/", "https://Media.Example.org"])
def test_a_page_may_delete_however_the_public_address_is_written(tmp_path: Path, url: str) -> None:
    """Behind a proxy, a page of the public address is this server's own, with its usual port and in capitals too."""
    with (
        running_media_server(tmp_path, "--public-url", url) as server,
        client_of(server) as tool,
        httpx.Client(base_url=server.address) as person,
    ):
        made = upload(tool, "fox.txt", b"a fox")
        person.get("/", params={"token": server.token})
        file_id = made.split("/")[-2]
        reply = person.delete(
            f"/gallery/files/{file_id}", headers={"Origin": "https://media.example.org"}
        )

    assert 204 == reply.status_code
    assert made.startswith("https://media.example.org/m/")


def test_an_address_of_ipv6_is_answered_to(tmp_path: Path) -> None:
    """A server whose public address has numbers in brackets answers to them, and to no others."""
    with running_media_server(tmp_path, "--public-url", "http://[2001:DB8::5]:8490") as server:
        statuses = {
            host: httpx.get(server.address, headers={"Host": host}).status_code
            for host in ("[2001:db8::5]:8490", "[2001:db8::6]:8490")
        }

    assert {"[2001:db8::5]:8490": 401, "[2001:db8::6]:8490": 400} == statuses


@pytest.mark.slow
def test_a_thousand_small_files_at_once(tmp_path: Path) -> None:
    """Many tools that upload at the same time all get their addresses, and nothing is lost."""
    contents = [f"fox {number}".encode() for number in range(1000)]
    with running_media_server(tmp_path / "media") as server, client_of(server) as tool:
        with ThreadPoolExecutor(16) as pool:
            urls = list(
                pool.map(lambda one: upload(tool, f"{one[4:].decode()}.txt", one), contents)
            )

        assert 1000 == len(set(urls))
        some = range(0, 1000, 97)
        assert [contents[number] for number in some] == [
            tool.get(urls[number]).content for number in some
        ]


@pytest.mark.slow
def test_half_a_gigabyte_passes_without_being_held(tmp_path: Path) -> None:
    """A long film goes in and out, and the server's memory stays what it was."""
    piece = os.urandom(MEGABYTE)
    count = 500

    def pieces() -> Iterator[bytes]:
        for _ in range(count):
            yield piece

    digest = hashlib.sha256()
    for one in pieces():
        digest.update(one)
    length = count * MEGABYTE
    declared = {"name": "film.bin", "bytes": length, "sha256": digest.hexdigest()}
    with running_media_server(tmp_path / "media") as server, client_of(server) as tool:
        process = psutil.Process(server.pid)
        upload(tool, "small.txt", b"small")
        before = process.memory_info().rss
        told = tool.post("/files", json=declared).json()
        headers = {"Content-Length": str(length)}
        assert 204 == tool.put(told["upload"], content=pieces(), headers=headers).status_code
        url = tool.post(told["confirm"]).json()["url"]
        came = hashlib.sha256()
        with tool.stream("GET", url) as reply:
            for one in reply.iter_bytes(MEGABYTE):
                came.update(one)
        after = process.memory_info().rss

    assert digest.digest() == came.digest()
    assert after - before < 60 * MEGABYTE


def test_an_upload_that_breaks_off_is_no_trouble(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """When a sender goes away in the middle, its part is taken away, and the log says nothing."""
    with running_media_server(tmp_path) as server, client_of(server) as tool:
        told = tool.post("/files", json=declaration("lost.bin", bytes(1000))).json()
        head = f"PUT {told['upload']} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        with socket.create_connection(("127.0.0.1", tool.base_url.port)) as sender:
            sender.sendall(f"{head}Authorization: Bearer {server.token}\r\n\r\n".encode())
            sender.sendall(bytes(10))
            wait_for_parts(tmp_path, 1)
        wait_for_parts(tmp_path, 0)

        assert upload(tool, "lost.bin", bytes(1000))

    assert "" == capfd.readouterr().err


def wait_for_parts(folder: Path, count: int) -> None:
    """Wait until so many uploads are on their way."""
    deadline = time.monotonic() + 10
    while count != len(list(folder.glob("files/.*.part"))):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
def test_nothing_is_half_there_after_a_sudden_end(tmp_path: Path) -> None:
    """Killed in the middle of an upload, the server has all that it confirmed, and nothing of what was on its way."""
    folder = tmp_path / "media"
    content = os.urandom(4 * MEGABYTE)

    def dripping() -> Iterator[bytes]:
        yield content[:MEGABYTE]
        server_process.kill()
        time.sleep(0.2)
        yield content[MEGABYTE:]

    command: Any = [sys.executable, "-m", "sanctum_venice_tools.cli", "media", "--port", "0"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--folder", str(folder)], **pipes) as server_process:
        assert server_process.stdout
        address, gallery = (server_process.stdout.readline().split()[-1] for _ in range(2))
        with client_of(RunningMediaServer(address, gallery, server_process.pid)) as tool:
            kept = upload(tool, "kept.txt", b"kept")
            told = tool.post("/files", json=declaration("lost.bin", content)).json()
            headers = {"Content-Length": str(len(content))}
            with pytest.raises(httpx.HTTPError):
                tool.put(told["upload"], content=dripping(), headers=headers)

    with running_media_server(folder) as server, client_of(server) as tool:
        assert ["kept.txt"] == [file["name"] for file in shown_by(server)]
        assert b"kept" == tool.get(kept.replace(address, server.address)).content
        assert 404 == tool.get("/files", params={"name": "lost.bin"}).status_code
        assert upload(tool, "lost.bin", content)
