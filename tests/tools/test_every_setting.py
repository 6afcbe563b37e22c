"""A setting of the operator's that names a model which is not to be had."""

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
import respx
from PIL import Image

from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import forget_lists
from tests.tools.conftest import posts, refusal

Tool = Callable[..., str]
SETTING = "VENICE_IMAGE_MODEL"


def model(name: str, usd: float | None = None, **spec: Any) -> dict[str, Any]:
    """A model that makes pictures."""
    pricing = (
        {}
        if usd is None
        else {"generation": {"usd": usd, "diem": usd}, "upscale": {"2x": {"usd": 9}}}
    )
    made = {
        "name": name,
        "privacy": "private",
        "traits": [],
        "constraints": {"promptCharacterLimit": 7500},
    }
    return {"id": name, "type": "image", "model_spec": made | {"pricing": pricing} | spec}


USUAL = model("usual", 0.02, traits=["default"])
DEAR = model("dear", 0.041)
CHEAP = model("cheap", 0.01)
OFFLINE = model("resting", 0.01, offline=True)


def _picture() -> bytes:
    """A small picture."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def make(
    api: respx.MockRouter, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Make a picture while Venice lists these models, and the operator's setting names another."""

    def run(*listed: dict[str, Any], named: str = "lost", **arguments: Any) -> Any:
        monkeypatch.setenv(SETTING, named)
        forget_lists()
        api.get("/models").respond(json={"data": list(listed)})
        api.post("/image/generate").respond(
            json={"id": "1", "images": [base64.b64encode(_picture()).decode()]}
        )
        return json.loads(load_tool("venice_generate_image")(prompt="A fox", **arguments))

    return run


def test_a_model_that_is_gone_is_replaced(make: Callable[..., Any]) -> None:
    """The tool goes on with the model that it takes without the setting, and says whose setting it is, and why."""
    reply = make(USUAL, CHEAP, DEAR)

    (note,) = reply["notes"]
    assert "usual" == reply["model"]
    assert "VENICE_IMAGE_MODEL names the model 'lost', which Venice does not have" in note
    assert "only the operator can change that setting" in note
    assert "Took usual (its price is not known; at most twice the usual one)." in note


def test_one_that_costs_more_than_twice_as_much_is_not_taken(
    make: Callable[..., Any], api: respx.MockRouter
) -> None:
    """Above twice the usual price the call stops before it is paid; the agent may name a model itself."""
    line = refusal(make, model("dearest", 0.05, traits=["default"]), CHEAP, USUAL)

    assert "VENICE_IMAGE_MODEL names the model 'lost', which Venice does not have" in line
    assert "only the operator can change that setting" in line
    assert "dearest would be taken, which may cost more than twice as much" in line
    assert "name a model in this call" in line
    assert [] == posts(api)


def test_the_models_own_price_counts_where_it_is_known(make: Callable[..., Any]) -> None:
    """A model that is offline still has its price: twice as much is taken, more is not."""
    assert "usual" == make(USUAL, OFFLINE, named="resting")["model"]
    assert "more than twice" in refusal(
        make, model("other", 0.021, traits=["default"]), OFFLINE, named="resting"
    )


def test_of_two_prices_the_lower_is_the_usual_one(make: Callable[..., Any]) -> None:
    """Where none is in the middle, the one counts that keeps the call cheap."""
    assert "more than twice" in refusal(make, model("other", 0.021, traits=["default"]), CHEAP)


@pytest.mark.parametrize("unit", ["upscale", "cache_input", "extended"])
def test_prices_of_other_things_do_not_count(make: Callable[..., Any], unit: str) -> None:
    """A model is not too dear because something costs much there that is no part of a plain call."""
    dear, cheap = ({"generation": {"usd": 0.01}, unit: {"usd": usd}} for usd in (9, 1))

    assert (
        "usual"
        == make(model("usual", pricing=dear, traits=["default"]), model("cheap", pricing=cheap))[
            "model"
        ]
    )


def test_what_is_private_does_not_become_public(make: Callable[..., Any]) -> None:
    """In place of a private model that is offline, none is taken whose maker sees what is asked."""
    public = USUAL | {"model_spec": USUAL["model_spec"] | {"privacy": "anonymized"}}

    assert "less private" in refusal(make, public, OFFLINE, named="resting")


def test_without_a_price_nothing_is_taken(make: Callable[..., Any]) -> None:
    """Where prices can't be compared, the agent has to name the model."""
    assert "name a model in this call (one)" in refusal(make, model("one"))


def test_a_model_that_the_agent_names_is_its_own_choice(make: Callable[..., Any]) -> None:
    """The setting plays no part then, and a wrong name is an error as ever."""
    assert "cheap" == make(USUAL, CHEAP, model="cheap")["model"]
    assert SETTING not in refusal(make, USUAL, model="missing")


@pytest.mark.parametrize(
    ("setting", "tool", "arguments"),
    [
        ("VENICE_CHAT_MODEL", "venice_chat", {"prompt": "Good day."}),
        ("VENICE_CHAT_MODEL", "venice_ask_web", {"question": "How do foxes live in cities?"}),
        ("VENICE_IMAGE_MODEL", "venice_generate_image", {"prompt": "A fox"}),
        ("VENICE_SPEECH_MODEL", "venice_speak", {"text": "Good day."}),
        ("VENICE_EFFECT_MODEL", "venice_quote_music", {"kind": "effect", "duration_seconds": 5}),
    ],
)
def test_the_tools_go_on_at_the_local_venice(  # noqa: PLR0917 - the parameters of a table
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    tool: str,
    arguments: dict[str, Any],
) -> None:
    """Over a real connection, each tool works without the model that is gone, and says so."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv(setting, "hidream")

    assert (
        f"{setting} names the model 'hidream'"
        in json.loads(load_tool(tool)(**arguments))["notes"][0]
    )


def test_films_have_no_listed_price(
    venice: LocalVenice, load_tool: Callable[[str], Tool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a film costs is in no list, so none is made with another model than the operator's unless one is named."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    monkeypatch.setenv("VENICE_TEXT_TO_VIDEO_MODEL", "lost")
    quote = load_tool("venice_quote_video")

    assert "VENICE_TEXT_TO_VIDEO_MODEL names the model 'lost'" in refusal(quote)
    assert "price_usd" in json.loads(quote(model="wan-2.5-preview-text-to-video"))
