"""Every tool that sends Venice a picture and gets another: nothing is paid in vain, or twice."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import respx

from tests.conftest import kept_in
from tests.tools.conftest import MAY_BE_PAID, Tool, let_fail, refusal
from tests.tools.pictures import draw
from tests.tools.test_venice_edit_image import LISTED as EDITORS
from tests.tools.test_venice_upscale_image import UPSCALER


@dataclass(frozen=True)
class Change:
    """A call that changes the stored fox, and what it asks of Venice."""

    arguments: dict[str, Any]
    path: str
    models: list[dict[str, Any]] = field(default_factory=list)


CHANGES = {
    "venice_edit_image": Change(
        arguments={"images": ["fox.png"], "instruction": "Make it snow"},
        path="/image/edit",
        models=EDITORS,
    ),
    "venice_upscale_image": Change(
        arguments={"image": "fox.png"}, path="/image/upscale", models=[UPSCALER]
    ),
    "venice_remove_background": Change(
        arguments={"image": "fox.png"}, path="/image/background-remove"
    ),
}

pytestmark = pytest.mark.parametrize("name", CHANGES)


@pytest.fixture
def media(media: Path) -> Path:
    """The media store, in which a fox lies."""
    (media / "fox.png").write_bytes(draw())
    return media


@pytest.fixture
def paid(api: respx.MockRouter, name: str) -> respx.Route:
    """The paid request of the tool; what it costs is listed."""
    change = CHANGES[name]
    api.get("/models").respond(json={"object": "list", "data": change.models})
    return api.post(change.path)


@pytest.fixture
def change(name: str, media: Path, load_tool: Callable[[str], Tool]) -> Callable[[], str]:
    """Call the tool with the fox; its reply."""
    assert media.exists()
    tool = load_tool(name)
    return lambda: tool(**CHANGES[name].arguments)


def test_white_space_around_a_picture_does_no_harm(
    name: str, paid: respx.Route, media: Path, load_tool: Callable[[str], Tool]
) -> None:
    """A name with a space or a line feed around it is that name, as for the tools that look at pictures."""
    paid.respond(content=draw())
    spaced = {"image": " fox.png\n", "images": [" fox.png\n"]}
    arguments = CHANGES[name].arguments
    load_tool(name)(**arguments | {one: spaced[one] for one in spaced.keys() & arguments.keys()})

    assert 1 == paid.call_count
    assert 2 == len(kept_in(media))


@pytest.mark.usefixtures("paid")
def test_an_unusable_media_folder_costs_nothing(
    change: Callable[[], str], api: respx.MockRouter, monkeypatch: pytest.MonkeyPatch, media: Path
) -> None:
    """Where no file can be kept, nothing is asked of Venice."""
    monkeypatch.setenv("VENICE_MEDIA_DIR", str(media / "fox.png" / "deep"))

    assert "VENICE_MEDIA_DIR" in refusal(change)
    assert 0 == len(api.calls)


@pytest.mark.parametrize("content", [b'{"error": "odd"}', draw()[:-30], draw("GIF")])
def test_garbage_is_an_error_without_a_file(
    change: Callable[[], str], paid: respx.Route, media: Path, content: bytes
) -> None:
    """What is no whole picture is not kept, and not asked for again."""
    paid.respond(content=content)

    assert "it may be charged" in refusal(change)
    assert [media / "fox.png"] == kept_in(media)
    assert 1 == paid.call_count


@pytest.mark.parametrize("failure", MAY_BE_PAID)
def test_nothing_is_sent_twice(
    change: Callable[[], str], paid: respx.Route, failure: int | type[Exception]
) -> None:
    """After a failure that may have been paid, the request is not repeated."""
    let_fail(paid, failure)

    said = refusal(change)
    assert any(sign in said for sign in ("charged", "answered 50"))
    assert 1 == paid.call_count
