"""The demo: something is to be seen in its gallery at once, and no key in what goes wrong."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import respx
from click.testing import CliRunner

from sanctum_venice_tools.cli import main

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "sanctum_venice_tools.cli", "demo", "--gallery"]


@contextmanager
def gallery(folder: Path) -> Iterator[list[str]]:
    """What `make gallery` prints until the gallery can be opened; Ctrl-C ends it."""
    with subprocess.Popen(COMMAND, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = [process.stdout.readline()]
        while printed[-1] and not printed[-1].startswith("The gallery: "):
            printed.append(process.stdout.readline())
        try:
            yield [line.rstrip() for line in printed]
        finally:
            process.send_signal(signal.SIGINT)
            assert 0 == process.wait(20)


@pytest.mark.shows_secrets(reason="the address lets the person in whose gallery it is")
def test_an_empty_gallery_gets_samples(tmp_path: Path) -> None:
    """A newcomer sees a picture, speech, a film, vectors and a text; next time they are still there, and no more."""
    with gallery(tmp_path) as first, httpx.Client(follow_redirects=True) as browser:
        shown = browser.get(first[-1].removeprefix("The gallery: "))
        media = sorted((tmp_path / ".local" / "media-server" / "files").iterdir())
    with gallery(tmp_path) as second:
        again = sorted((tmp_path / ".local" / "media-server" / "files").iterdir())

    assert 200 == shown.status_code
    assert 7 == sum(line.startswith("Making a sample: venice_") for line in first)
    assert len(media) >= 6
    assert (media, 1) == (again, len(second))


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("letta-key", ""),
        ({"detail": "bad header Bearer letta-key"}, ": bad header Bearer [LETTA_API_KEY]"),
        ({"error": {"message": "no letta-key"}}, ": no [LETTA_API_KEY]"),
        ({"error": ["letta-key"]}, ""),
    ],
)
def test_what_a_server_refuses_is_shown_as_every_command_does(body: object, shown: str) -> None:
    """A Letta server of one's own may repeat LETTA_API_KEY: its name stands in its place."""
    settings = {
        "LETTA_BASE_URL": "http://letta.test",
        "LETTA_API_KEY": "letta-key",
        "VENICE_API_KEY": "venice-key",
    }
    with respx.mock() as router:
        router.route(host="letta.test").respond(400, json=body)
        done = CliRunner(env=settings).invoke(main, ["demo", "--yes"])

    told = f"Error: http://letta.test can't be used: the server answered 400{shown}.\n"
    assert (1, told) == (done.exit_code, done.stderr)
    assert "letta-key" not in done.output


def test_a_server_that_repeats_what_it_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key for Venice, which the agent's provider gets, is not shown either: its name stands in its place."""
    demo = "sanctum_venice_tools.demo.on_letta"
    monkeypatch.setattr(f"{demo}._register", lambda *_: "")
    monkeypatch.setattr(f"{demo}.Venice.choose_chat_model", lambda _: None)
    settings = {"LETTA_BASE_URL": "http://letta.test", "VENICE_API_KEY": "venice-key"}

    def repeat(request: httpx.Request) -> httpx.Response:
        return httpx.Response(400, json={"detail": f"can't store {request.content.decode()}"})

    with respx.mock() as router:
        router.get("http://letta.test/v1/providers/").respond(json=[])
        router.post("http://letta.test/v1/providers/").mock(side_effect=repeat)
        done = CliRunner(env=settings).invoke(main, ["demo", "--yes"])

    assert 1 == done.exit_code, done.output
    assert "the server answered 400: can't store" in done.stderr
    assert '"api_key":"[VENICE_API_KEY]"' in done.stderr
    assert "venice-key" not in done.output


def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    """The address is the person's own, but others may see the terminal."""
    settings = {"LETTA_BASE_URL": "http://user:hunter2@letta.test", "VENICE_API_KEY": "venice-key"}
    with respx.mock() as router:
        router.route(host="letta.test").mock(side_effect=httpx.ConnectError)
        done = CliRunner(env=settings).invoke(main, ["demo", "--yes"])

    told = "Error: There is no Letta server at http://letta.test: check LETTA_BASE_URL.\n"
    assert (1, told) == (done.exit_code, done.stderr)
    assert "hunter2" not in done.output
