import json
import random
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import respx
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import SHARED

Tool = Callable[..., str]
CALL: dict[str, Any] = {"needs": ["vision"]}
LIMIT = 4000
"""No list of models is longer, however many there are."""

TYPES = {
    "video": 116,
    "text": 113,
    "image": 38,
    "inpaint": 21,
    "music": 14,
    "tts": 11,
    "embedding": 9,
    "asr": 5,
    "upscale": 1,
}
"""How many models of each type Venice had in August 2026."""


def model(name: str, kind: str = "text", *, created: int = 1, **spec: Any) -> dict[str, Any]:
    """A model as Venice lists it."""
    spec = {"name": name, "privacy": "anonymized", "traits": []} | spec
    listed = {
        "id": name,
        "type": kind,
        "object": "model",
        "owned_by": "venice.ai",
        "created": created,
    }
    return listed | {"model_spec": spec}


GLM = model(
    "glm-5",
    traits=["default"],
    privacy="private",
    availableContextTokens=1000,
    pricing={
        "input": {"usd": 1.4, "diem": 1.4},
        "cache_input": {"usd": 1},
        "output": {"usd": 4.4, "diem": 4.4},
    },
    capabilities={
        "supportsVision": False,
        "supportsFunctionCalling": True,
        "reasoningEffortOptions": ["none", "high"],
    },
    constraints={"temperature": {"default": 0}},
)
QWEN = model(
    "qwen-3", created=2, capabilities={"supportsVision": True, "supportsFunctionCalling": True}
)
OLD = model("old", created=9, deprecation={"date": "2026-12-01T00:00:00.000Z"})
GONE = model("gone", offline=True)
PAINT = model(
    "paint",
    "image",
    pricing={"resolutions": {"1K": {"usd": 0.1}, "4K": {"usd": 0.3}}, "upscale": {"usd": 9}},
)
FILM = model("film", "video", constraints={"model_type": "text-to-video", "durations": ["5s"]})
SOME = [OLD, QWEN, GLM, GONE, PAINT, FILM]


def full_catalogue() -> list[dict[str, Any]]:
    """A catalogue of the size of Venice's, with names and abilities as long as they get."""
    dice = random.Random(4)  # noqa: S311 - the same catalogue each time
    made = []
    for kind, count in TYPES.items():
        for number in range(count):
            name = f"{dice.choice(['qwen', 'wan', 'glm', 'seedance'])}-{number}-{'preview-' * 3}{kind}"[
                :45
            ]
            able = {
                f"supports{what}": True
                for what in ("Vision", "FunctionCalling", "WebSearch", "Reasoning")
            }
            pricing = {
                "input": {"usd": 1.25},
                "output": {"usd": 10.125},
                "resolutions": {"1K": {"usd": 0.5}},
            }
            traits = ["function_calling_default", f"trait-{number}"] if number < 8 else []
            made.append(
                model(name, kind, created=number, capabilities=able, pricing=pricing, traits=traits)
            )
    return made


@pytest.fixture
def catalogue(api: respx.MockRouter) -> list[dict[str, Any]]:
    """What Venice lists; a test may change it."""
    models: list[dict[str, Any]] = list(SOME)
    foreign = {"text": {"gpt-4o": "glm-5", "o3": "qwen-3"}, "image": {"dall-e-3": "paint"}}

    def listed(request: httpx.Request) -> httpx.Response:
        kind = request.url.params["type"]
        if request.url.path.endswith("traits"):
            data: Any = {
                trait: one["id"]
                for one in models
                for trait in one["model_spec"]["traits"]
                if one["type"] == kind
            }
        elif request.url.path.endswith("mapping"):
            data = foreign.get(kind, {})
        else:
            data = [one for one in models if kind in ("all", one["type"])]
        return httpx.Response(200, json={"object": "list", "type": kind, "data": data})

    api.pop("foreign names")
    api.route(method="GET").mock(side_effect=listed)
    return models


@pytest.fixture
def look(catalogue: list[dict[str, Any]], tool: Tool) -> Callable[..., Any]:
    """Call the tool; its reply."""
    assert catalogue

    def run(**arguments: Any) -> Any:
        reply = tool(**arguments)
        assert len(reply) <= LIMIT
        return json.loads(reply)

    return run


def ids(reply: Any) -> Any:
    """The models of a reply, in its order."""
    return [row["id"] for row in reply["models"]] + reply.get("more_ids", [])


def test_without_arguments_comes_an_overview(
    look: Callable[..., Any], api: respx.MockRouter
) -> None:
    """How many live models of each type there are and the best of each, from one request."""
    reply = look()

    types = {"text": {"models": 3, "first": "glm-5"}, "image": {"models": 1, "first": "paint"}}
    assert types | {"video": {"models": 1, "first": "film"}} == reply["types"]
    assert "type" in reply["next"]
    assert [{"type": "all"}] == [dict(call.request.url.params) for call in api.calls]


def test_a_type_that_is_new_is_counted(
    look: Callable[..., Any], catalogue: list[dict[str, Any]]
) -> None:
    """A type that nobody knows here yet is counted like the others, and its models are found by their id."""
    catalogue.append(model("jev-latest", "decision"))
    catalogue.append(model("dreamer-1", "dream"))

    assert {"models": 1, "first": "dreamer-1"} == look()["types"]["dream"]
    assert {"models": 1, "first": "jev-latest"} == look()["types"]["decision"]
    assert "dream" == look(model="dreamer-1")["type"]


def test_a_model_that_goes_names_what_comes_after(
    look: Callable[..., Any], catalogue: list[dict[str, Any]]
) -> None:
    """A model's last day is that on which Venice takes it from its list; the one in its place stands beside it."""
    told = {
        "autoRemap": True,
        "date": "2026-12-01T00:00:00.000Z",
        "removesAt": "2026-12-31T00:00:00.000Z",
    }
    catalogue[:] = [model("old", deprecation=told | {"replacementModelId": "glm-5"})]

    (row,) = look(type="text")["models"]
    assert ("2026-12-31", "glm-5") == (row["retires"], row["replacement"])


def test_a_type_is_listed_best_first(look: Callable[..., Any]) -> None:
    """Venice's default first, then the newest, those about to go last; an offline one not at all."""
    reply = look(type="text")

    assert ["glm-5", "qwen-3", "old"] == ids(reply)
    assert {"default": "glm-5"} == reply["traits"]
    assert "USD per million tokens." == reply["price_unit"]
    assert "notes" not in reply


def test_a_row_says_what_an_agent_needs(look: Callable[..., Any]) -> None:
    """Id, type, what it is the default for, what it can, its context, its price, its end."""
    first, _, last = look(type="text")["models"]

    shown = {
        "id": "glm-5",
        "type": "text",
        "default_for": "default",
        "can": "tools, private",
        "context": 1000,
    }
    assert shown | {"prices": {"input": 1.4, "output": 4.4}} == first
    assert {"id": "old", "type": "text", "retires": "2026-12-01"} == last


def test_prices_that_depend_are_a_range(look: Callable[..., Any]) -> None:
    """Tiers become lowest to highest; what another tool does is not this model's price."""
    assert {"resolutions": "0.1 to 0.3"} == look(type="image")["models"][0]["prices"]


@pytest.mark.parametrize(
    ("needs", "found"),
    [
        (["vision"], ["qwen-3"]),
        (["tools"], ["glm-5", "qwen-3"]),
        (["tools", "private"], ["glm-5"]),
        (["Text-to video "], ["film"]),
        (["", "vision, "], ["qwen-3"]),
    ],
    ids=["one", "shared", "both", "as-spelled", "with-nothing"],
)
def test_needs_narrow(look: Callable[..., Any], needs: list[str], found: list[str]) -> None:
    """Only models that can all of it remain, of any type, however the need is spelled."""
    assert found == ids(look(needs=needs))


def test_a_part_of_an_id_narrows(look: Callable[..., Any]) -> None:
    """What is no whole id is looked for within the ids, in upper or lower case, without the spaces around it."""
    assert ["qwen-3"] == ids(look(model="QWEN"))
    assert ["qwen-3"] == ids(look(model=" qwen\n"))


@pytest.mark.parametrize("name", ["glm-5", "default"])
def test_one_model_is_shown_in_full(look: Callable[..., Any], name: str) -> None:
    """An id, or a trait, brings all that Venice says of one model, without what an agent can't use."""
    reply = look(model=name)

    assert ("glm-5", "text", ["tools", "private"]) == (reply["id"], reply["type"], reply["can"])
    assert ["none", "high"] == reply["reasoning_efforts"]
    assert {"input": {"usd": 1.4}, "cache_input": {"usd": 1}, "output": {"usd": 4.4}} == reply[
        "pricing"
    ]
    assert {"temperature": {"default": 0}} == reply["constraints"]


def test_one_model_that_is_offline_says_so(look: Callable[..., Any]) -> None:
    """Asked for by its id, a model that is not there now is shown, with that."""
    assert look(model="gone")["offline"] is True


def test_a_model_with_many_voices_stays_small(
    look: Callable[..., Any], catalogue: list[dict[str, Any]]
) -> None:
    """Of a long list, the first sixty and how many more there are."""
    catalogue[:] = [
        model(
            "speaker", "tts", voices=[f"voice_{n}" for n in range(300)], description="word " * 900
        )
    ]
    voices = look(model="speaker")["voices"]

    assert (61, "voice_59", "... 240 more") == (len(voices), voices[59], voices[60])


@pytest.mark.parametrize(
    ("arguments", "found", "asked"),
    [
        ({"foreign_name": "gpt-4o"}, "glm-5", ["text"]),
        ({"foreign_name": " dall-e-3 "}, "paint", ["text", "image"]),
        ({"foreign_name": "dall-e-3", "type": "image"}, "paint", ["image"]),
    ],
    ids=["text", "any-type", "one-type"],
)
def test_a_foreign_name_is_translated(
    look: Callable[..., Any],
    api: respx.MockRouter,
    arguments: dict[str, Any],
    found: str,
    asked: list[str],
) -> None:
    """Another maker's name becomes Venice's id; Venice is asked no further once it is known."""
    assert found == look(**arguments)["id"]
    assert asked == [call.request.url.params["type"] for call in api.calls]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"foreign_name": "gpt-4"}, r"no stand-in for 'gpt-4'; it has some for: gpt-4o"),
        ({"needs": ["visions"]}, r"no need 'visions'; the nearest is 'vision'"),
        ({"needs": ["vision"], "type": "video"}, r"No model fits.*film"),
        ({"model": "qwem"}, r"No model fits.*nearest ids: qwen-3"),
    ],
    ids=["foreign", "need", "unfit", "model"],
)
def test_what_is_not_there_names_what_is(
    look: Callable[..., Any], arguments: dict[str, Any], said: str
) -> None:
    """An error of one line that names the nearest."""
    with pytest.raises(Exception, match=said) as failure:
        look(**arguments)

    assert "VeniceError" == type(failure.value).__name__
    assert "\n" not in str(failure.value)
    assert len(str(failure.value)) < 500


def fill(catalogue: list[dict[str, Any]], models: list[dict[str, Any]]) -> None:
    """Let Venice list these, with all that a list has and a snapshot may lack."""
    catalogue[:] = [{"object": "model", "owned_by": "venice.ai", **one} for one in models]


def check_replies(look: Callable[..., Any], models: list[dict[str, Any]]) -> None:
    """Look at a catalogue in every way; each reply is small, and what it does not show, it counts."""
    look()
    for kind, count in TYPES.items():
        reply = look(type=kind)
        unseen = int(reply.get("notes", "0").split(" ")[0])
        assert count == len(ids(reply)) + unseen
        assert len(set(ids(reply))) == len(ids(reply))
        assert reply["models"]
    assert look(needs=["vision"])["models"]
    for one in models:
        assert one["id"] == look(model=one["id"])["id"]


@pytest.mark.slow
def test_328_models_fit(look: Callable[..., Any], catalogue: list[dict[str, Any]]) -> None:
    """A catalogue of Venice's size never makes a reply over 4,000 characters, and every model can be reached."""
    models = full_catalogue()
    assert 328 == len(models)
    fill(catalogue, models)
    check_replies(look, models)


@pytest.mark.slow
def test_the_real_328_models_fit(look: Callable[..., Any], catalogue: list[dict[str, Any]]) -> None:
    """The same over Venice's own published list."""
    snapshot = SHARED / "venice" / "static-models.json"
    if not snapshot.exists():
        pytest.skip(f"Venice's own list does not lie beside the project: {snapshot}")
    models = json.loads(snapshot.read_bytes())
    assert 328 == len(models)
    fill(catalogue, models)
    check_replies(look, models)


@given(
    part=st.text(max_size=30),
    needs=st.lists(st.text(max_size=30), max_size=3),
    foreign=st.text(max_size=50),
)
@example(part="\ud83e\udd8a", needs=[], foreign="")
@example(part="", needs=[""], foreign="")
def test_any_words_are_answered_or_refused(
    look: Callable[..., Any], tool: Tool, part: str, needs: list[str], foreign: str
) -> None:
    """Whatever an agent writes, a small reply or a one-line error comes back."""
    said = "{}"
    try:
        look(model=part, needs=needs, foreign_name=foreign)
    except tool.__globals__["VeniceError"] as error:
        said = str(error)

    assert 1 == len(said.splitlines())
    assert len(said) < 500


def test_lists_the_local_venice(local_tool: Tool) -> None:
    """Over a real connection: an overview, a list of a type, one model, a foreign name."""
    first = json.loads(local_tool())["types"]["text"]["first"]
    able = json.loads(local_tool(type="text", needs=["vision", "tools"]))

    assert first == json.loads(local_tool(type="text"))["traits"]["default"]
    assert first not in ids(able)
    assert all("vision" in row["can"] for row in able["models"])
    assert "af_sky" in json.loads(local_tool(model="tts-kokoro"))["voices"]
    assert "zai-org-glm-5-1" == json.loads(local_tool(foreign_name="gpt-4o"))["id"]
    assert json.loads(local_tool(type="code"))["models"]
