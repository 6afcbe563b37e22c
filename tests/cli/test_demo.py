"""The demo: something is to be seen in its gallery at once, and no key in what goes wrong."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from letta_client import APIStatusError

from sanctum_venice_tools.demo import on_letta

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


@pytest.mark.parametrize("body", ["{}", {"detail": "bad header Bearer {}"}, {"error": ["{}"]}])
def test_what_a_server_says_is_shown_without_its_key(body: object) -> None:
    """A Letta server of one's own may repeat LETTA_API_KEY in what it refuses."""
    key = "letta-key-0123456789"
    said = json.loads(json.dumps(body).replace("{}", key))
    request = httpx.Request("GET", "http://letta", headers={"Authorization": f"Bearer {key}"})
    response = httpx.Response(400, json=said, request=request)
    error = APIStatusError(f"Error code: 400 - {said}", response=response, body=said)

    assert "[LETTA_API_KEY]" in on_letta._reason(error)
    assert key not in on_letta._reason(error)
