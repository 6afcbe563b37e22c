import json
from collections.abc import Callable
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import space_of

Tool = Callable[..., str]
CALL: dict[str, Any] = {"words": "film"}
STYLES = ["3D Model", "Analog Film", "Comic Book", "Film Noir", "Watercolor"]


@pytest.fixture
def styles(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """List the styles, while Venice has these; the tool's reply."""

    def run(words: str = "", listed: Any = None) -> Any:
        api.get("/image/styles").respond(json=listed or {"object": "list", "data": STYLES})
        return json.loads(tool(words=words) if words else tool())

    return run


def test_all_are_told(styles: Callable[..., Any], api: respx.MockRouter) -> None:
    """Without words, all come, with the step that follows."""
    reply = styles()

    assert (STYLES, 5) == (reply["styles"], reply["count"])
    assert "venice_generate_image" in reply["next"]
    assert 1 == len(api.calls)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("film", ["Analog Film", "Film Noir"]),
        ("COMIC, water", ["Comic Book", "Watercolor"]),
        ("  3d  ", ["3D Model"]),
        ("oil film", ["Analog Film", "Film Noir"]),
    ],
)
def test_words_narrow_the_list(styles: Callable[..., Any], words: str, found: list[str]) -> None:
    """A style fits when one of the words is in its name, in upper or lower case."""
    assert (found, len(found)) == ((reply := styles(words))["styles"], reply["count"])


def test_all_come_when_none_fits(styles: Callable[..., Any]) -> None:
    """Rather than nothing, the agent gets what there is, and is told why."""
    reply = styles("zzz")

    assert STYLES == reply["styles"]
    assert "No style fits" in reply["notes"]


def test_a_bare_list_is_understood(styles: Callable[..., Any]) -> None:
    """One of Venice's guides shows a bare array."""
    assert STYLES == styles(listed=STYLES)["styles"]


@given(words=st.text(max_size=60))
def test_any_words_end_in_an_answer(texts: dict[str, str], words: str) -> None:
    """Whatever is asked, styles come, and none that Venice lacks."""
    space = space_of("venice_list_image_styles", texts)
    space["_call"] = lambda *_: ({"data": STYLES}, {})
    found = json.loads(space["venice_list_image_styles"](words=words))["styles"]

    assert found
    assert set(found) <= set(STYLES)


def test_the_local_venices_styles_fit_a_screen(
    venice: LocalVenice, monkeypatch: pytest.MonkeyPatch, tool: Tool
) -> None:
    """Over a real connection, all of them are few enough for an answer, and can be narrowed."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    answer = tool()

    assert len(answer) < 3000
    assert "Watercolor" in json.loads(answer)["styles"]
    assert ["Watercolor"] == json.loads(tool(words="watercolor"))["styles"]
    tool.__globals__["_client"]().close()
