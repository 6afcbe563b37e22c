"""The gallery of the demo: something is to be seen in it at once."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

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
