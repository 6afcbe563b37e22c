"""Media servers for more than one machine: files in a bucket, the index in a real PostgreSQL, two servers side by side.

The bucket is moto's, which speaks S3 over a real socket; PostgreSQL is that of the Letta server's
environment.
"""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import boto3  # type: ignore[import-untyped]  # it has no types
import httpx
import pytest
from botocore.exceptions import ClientError  # type: ignore[import-untyped]  # likewise
from moto.server import ThreadedMotoServer

from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.local_server import installation
from sanctum_venice_tools.media_server.bucket import BucketShelf
from sanctum_venice_tools.media_server.index import StoredFile, open_index
from sanctum_venice_tools.media_server.process import RunningMediaServer, running_media_server
from tests.media_server.conftest import declaration, shown_by

pytestmark = pytest.mark.server

POSTGRES = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from sanctum_venice_tools.letta.server_process.postgres import running_postgres, socket_folder
home = Path(sys.argv[1])
with socket_folder(home) as sockets, running_postgres(home / "postgres", sockets):
    print("sockets", sockets, flush=True)
    sys.stdin.read()
"""

TOKEN = "a-token-of-two-servers"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL; its URL."""
    installation.install(print)
    home = tmp_path_factory.mktemp("postgres")
    package = str(Path(__file__).parents[2])
    command = [str(installation.ENVIRONMENT / "bin" / "python"), "-I", "-c", POSTGRES]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    pipes["stderr"] = subprocess.DEVNULL  # its log
    with subprocess.Popen([*command, str(home), package], **pipes) as process:
        assert process.stdout
        assert process.stdin
        sockets = ""
        for line in process.stdout:
            if line.startswith("sockets "):
                sockets = line.split()[1]
                break
        yield f"postgresql+psycopg://postgres@/postgres?host={sockets}"
        process.stdin.close()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Any]:
    """A bucket called media."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "moto")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "moto-secret-key")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="media")
        yield s3
        s3.close()
    server.stop()


@pytest.fixture(scope="module")
def two_servers(
    bucket: Any, database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[RunningMediaServer]]:
    """Two media servers with one bucket and one index."""
    assert bucket
    options = ("--bucket", "media/agents-", "--database", database)
    folder = tmp_path_factory.mktemp("media")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VENICE_MEDIA_TOKEN", TOKEN)
        with (
            running_media_server(folder / "one", *options) as one,
            running_media_server(folder / "two", *options) as two,
        ):
            yield [one, two]


def keys_in(bucket: Any, part: str) -> list[str]:
    """The keys in a bucket that have a part in them."""
    there = bucket.list_objects_v2(Bucket="media").get("Contents", [])
    return [entry["Key"] for entry in there if part in entry["Key"]]


def tool_at(server: RunningMediaServer) -> httpx.Client:
    """A tool that has the token."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return httpx.Client(base_url=server.address, headers=headers)


def upload(
    server: RunningMediaServer, name: str, content: bytes, /, **facts: Any
) -> dict[str, Any]:
    """Put a file into the bucket, as a tool does; what the server says of it."""
    with tool_at(server) as tool:
        declared = declaration(name, content, **facts)
        told = tool.post("/files", json=declared).raise_for_status().json()
        httpx.put(
            told["upload"], content=content, headers=told["upload_headers"]
        ).raise_for_status()
        made: dict[str, Any] = tool.post(told["confirm"]).raise_for_status().json()
        return made


def a_file(file_id: str, moment: int = 0, *, is_whole: bool = False) -> StoredFile:
    """A file as the index has it."""
    common = dict.fromkeys(("media_type", "kind", "tool", "agent", "model", "title"), "")
    return StoredFile(
        id=file_id,
        name=f"{file_id}.txt",
        sha256="0" * 64,
        bytes=10,
        moment=moment,
        is_whole=is_whole,
        cost_usd=None,
        facts={},
        **common,
    )


def test_the_oldest_files_are_found_in_postgresql(database: str, tmp_path: Path) -> None:
    """Of many files the oldest are read, as many as have to go, and they leave the index together."""
    index = open_index(database, tmp_path)
    ids = [f"old-{moment}" for moment in range(1500)]
    for moment, file_id in enumerate(ids):
        index.declare(a_file(file_id, moment=moment, is_whole=True))

    found = index.oldest(12_995, other_than="old-0")
    index.forget(*ids)

    assert ids[1:1301] == found
    assert index.find(id="old-1499") is None
    index.close()


def test_two_servers_have_the_same_files(
    two_servers: list[RunningMediaServer], bucket: Any
) -> None:
    """What comes in by one server goes out by the other, and its bytes lie in the bucket, and nowhere else."""
    one, two = two_servers
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(1000)

    made = upload(one, "fox.png", picture)

    shown = httpx.get(made["url"].replace(one.address, two.address), follow_redirects=True)
    assert (picture, "image/png") == (shown.content, shown.headers["content-type"])
    assert 'inline; filename="fox.png"' == shown.headers["content-disposition"]
    with tool_at(two) as tool:
        content = tool.get("/files", params={"name": "fox.png"}).json()["content"]
    assert picture == httpx.get(content).content
    assert [f"agents-{made['id']}"] == keys_in(bucket, made["id"])
    assert "fox.png" in [file["name"] for file in shown_by(two)]


def test_a_text_is_shown_in_its_letters(two_servers: list[RunningMediaServer]) -> None:
    """The bucket, too, tells a browser that a text is in UTF-8."""
    one, _ = two_servers
    url = upload(one, "letters.txt", "Füchse, лисы, 狐".encode())["url"]

    shown = httpx.get(url, follow_redirects=True)

    assert "text/plain; charset=utf-8" == shown.headers["content-type"]


def test_what_is_gone_from_the_bucket_is_taken_anew(
    two_servers: list[RunningMediaServer], bucket: Any
) -> None:
    """A file that a rule of the bucket took away is asked for when it is stored again; until then it is nowhere."""
    one, _ = two_servers
    words = b"words for a while"
    made = upload(one, "while.txt", words)
    bucket.delete_object(Bucket="media", Key=f"agents-{made['id']}")

    with httpx.Client(base_url=one.address, follow_redirects=True) as person, tool_at(one) as tool:
        person.get(one.gallery)
        assert 404 == person.get(f"/gallery/files/{made['id']}/start").status_code
        assert 404 == tool.get("/files", params={"name": "while.txt"}).status_code
    again = upload(one, "while.txt", words)

    assert words == httpx.get(again["url"], follow_redirects=True).content


def test_a_nul_is_no_trouble(two_servers: list[RunningMediaServer]) -> None:
    """What PostgreSQL can't hold is left out of what it is told, and asked for, it is nowhere."""
    one, _ = two_servers
    upload(one, "nul.txt", b"nul", tool="t\0", agent="a\0", arguments={"prompt": "a\0 fox"})

    with httpx.Client(base_url=one.address, follow_redirects=True) as person, tool_at(one) as tool:
        person.get(one.gallery)
        for query in ("kind=%00", "agent=%00", "words=%00", "before=1-%00"):
            page = person.get(f"/gallery/files?{query}")
            assert (200, []) == (page.status_code, page.json()["files"])
        nowhere = [
            httpx.get(f"{one.address}/m/%00/x"),
            person.get("/gallery/files/%00/start"),
            person.delete("/gallery/files/%00"),
            tool.get("/files?name=%00"),
            tool.get("/files?stem=%00"),
            tool.get("/files/%00/content"),
            tool.put("/files/%00/content", content=b"x"),
            tool.post("/files/%00/confirm"),
            tool.delete("/files/%00"),
        ]
    assert [404] * len(nowhere) == [reply.status_code for reply in nowhere]


def test_a_bucket_that_may_not_tell_is_not_one_without_the_file(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That bytes have not come is told only where the bucket says so, not where it refuses to say."""
    shelf = BucketShelf("media", "agents-")
    assert bucket
    assert not shelf.has(a_file("missing"))

    refused = {"ResponseMetadata": {"HTTPStatusCode": 403}}
    refuse = Mock(side_effect=ClientError(refused, "HeadObject"))
    monkeypatch.setattr(shelf._s3, "head_object", refuse)  # as a policy would

    with pytest.raises(ClientError):
        shelf.has(a_file("missing"))
    assert not shelf.is_gone(a_file("missing"))


def test_what_is_set_aside_stays_so_in_postgresql(database: str, tmp_path: Path) -> None:
    """A file that is being taken away is not counted in by a confirmation, and is forgotten last."""
    index = open_index(database, tmp_path)
    for file_id in ("swept", "deleted"):
        index.declare(a_file(file_id))

    assert index.set_aside_unfinished("swept", before=1)
    index.set_aside("deleted")

    assert not index.mark_whole("swept", "", "")
    assert not index.mark_whole("deleted", "", "")
    assert {"swept", "deleted"} == {file.id for file in index.unfinished(before=1)}
    index.forget("swept", "deleted")
    assert [] == index.unfinished(before=1)
    index.close()


def test_the_longest_names_are_no_trouble(two_servers: list[RunningMediaServer]) -> None:
    """What is not too long to be declared is not too long for PostgreSQL."""
    one, _ = two_servers
    longest = {"tool": "🦊" * 64, "agent": "ü" * 100, "model": "m" * 200}

    made = upload(one, f"{'n' * 196}.txt", b"long names", **longest)

    (shown,) = (file for file in shown_by(one) if file["id"] == made["id"])
    assert longest == {name: shown[name] for name in longest}


def test_what_did_not_come_can_not_be_confirmed(two_servers: list[RunningMediaServer]) -> None:
    """A file that is not in the bucket, or is a shorter one there, does not count."""
    one, _ = two_servers
    with tool_at(one) as tool:
        told = tool.post("/files", json=declaration("cut.txt", b"a whole text")).json()
        assert 409 == tool.post(told["confirm"]).status_code
        httpx.put(told["upload"], content=b"a who", headers=told["upload_headers"])
        assert 409 == tool.post(told["confirm"]).status_code
        assert 404 == tool.put(f"/files/{told['id']}/content", content=b"a whole text").status_code


def test_a_range_of_a_film_comes_from_the_bucket(two_servers: list[RunningMediaServer]) -> None:
    """A browser that scrubs is led to the bucket, and gets the part that it asks for."""
    one, _ = two_servers
    content = b"\0\0\0\x18ftypisom" + bytes(range(200))
    url = upload(one, "film.mp4", content)["url"]

    part = httpx.get(url, headers={"Range": "bytes=20-29"}, follow_redirects=True)

    assert (206, content[20:30]) == (part.status_code, part.content)


def test_deleting_takes_the_bytes_too(two_servers: list[RunningMediaServer], bucket: Any) -> None:
    """A file that is deleted at one server is gone from the bucket and from the other."""
    one, two = two_servers
    made = upload(one, "gone.txt", b"soon gone")
    assert keys_in(bucket, made["id"])

    with tool_at(two) as tool:
        assert 204 == tool.delete(f"/files/{made['id']}").status_code

    assert [] == keys_in(bucket, made["id"])
    assert 404 == httpx.get(made["url"]).status_code


def test_a_tool_stores_and_takes_without_a_shared_disk(
    two_servers: list[RunningMediaServer],
    venice: LocalVenice,
    load_tool: Callable[[str], Callable[..., str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A picture goes from one sandbox into the bucket, and from there into another sandbox's edit."""
    one, two = two_servers
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv("VENICE_MEDIA_TOKEN", TOKEN)
    monkeypatch.setenv("VENICE_MEDIA", one.address)
    generate = load_tool("venice_generate_image")
    made = json.loads(generate(prompt="a fox"))
    monkeypatch.setenv("VENICE_MEDIA", two.address)
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(tmp_path / "elsewhere"))

    (picture,) = made["files"]
    edit = load_tool("venice_edit_image")
    edited = json.loads(edit(images=picture["file"], instruction="Brighter"))

    assert picture["width"] == edited["input_width"]
    assert edited["url"].startswith(two.address)
    for tool in (generate, edit):
        for client in ("_client", "_media_client", "_bucket_client"):
            vars(tool)["__globals__"][client]().close()


def test_a_bucket_that_is_not_there_is_one_line(
    bucket: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A wrong name, or a key that may not enter, ends the command with a line that names the bucket."""
    assert bucket
    with (
        pytest.raises(RuntimeError, match="ended with 1"),
        running_media_server(tmp_path, "--bucket", "nothing"),
    ):
        pass

    told = capfd.readouterr().err
    assert told.startswith("Error: The bucket nothing can't be used: ")
    assert 1 == len(told.splitlines())
    assert "moto-secret-key" not in told
