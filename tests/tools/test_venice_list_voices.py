import json
from collections.abc import Callable
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator.catalogue import catalogue
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.conftest import space_of
from tests.tools.conftest import refusal

Tool = Callable[..., str]
CALL: dict[str, Any] = {"words": "British female"}
LIMIT = 4000
KOKORO: list[str] = catalogue().find("tts-kokoro", "tts")["model_spec"]["voices"]


def model(name: str, *voices: str, **spec: Any) -> dict[str, Any]:
    """A speech model as Venice lists it."""
    return {"id": name, "type": "tts", "model_spec": {"voices": list(voices), **spec}}


LISTED = [
    model("tts-xai-v1", "eve", "sal", default_voice="eve", supported_formats=["mp3", "wav"]),
    model("tts-kokoro", *KOKORO, supported_formats=["mp3", "opus"]),
    model(
        "tts-chatterbox-hd",
        "Aurora",
        supported_formats=["wav"],
        voice_cloning={"mode": "zero_shot"},
    ),
    model("tts-minimax", "CalmWoman", "DeepVoiceMan", "LEO"),
    model("tts-gone", "emma", offline=True),
]


@pytest.fixture
def voices(api: respx.MockRouter, tool: Tool) -> Callable[..., Any]:
    """List voices, while Venice has these models; the tool's reply."""

    def run(listed: list[dict[str, Any]] = LISTED, **arguments: Any) -> Any:
        api.get("/models", params={"type": "tts"}).respond(json={"object": "list", "data": listed})
        reply = tool(**arguments)
        assert len(reply) < LIMIT
        return json.loads(reply)

    return run


def test_a_model_is_told_with_all_its_voices(voices: Callable[..., Any]) -> None:
    """A part of its id is enough; names of no meaning stand in a row."""
    assert {
        "models": [
            {
                "model": "tts-xai-v1",
                "default_voice": "eve",
                "formats": "mp3, wav",
                "count": 2,
                "voices": "eve, sal",
            }
        ],
        "next": "Give venice_speak a voice by its exact name, with its model.",
    } == voices(model="XAI")


def test_a_model_that_clones_says_so(voices: Callable[..., Any]) -> None:
    """What venice_clone_voice can use is marked, and nothing else is."""
    marked = {entry["model"] for entry in voices()["models"] if entry.get("clones") is True}

    assert {"tts-chatterbox-hd"} == marked


def test_kokoros_voices_are_grouped_by_language_and_gender(voices: Callable[..., Any]) -> None:
    """All 54 come, each once, under what the two letters before its name mean."""
    (entry,) = voices(model="kokoro")["models"]

    groups = dict(group.split(": ") for group in entry["voices"].split("; "))
    assert (54, KOKORO) == (
        entry["count"],
        [name for names in groups.values() for name in names.split(", ")],
    )
    assert "bf_alice, bf_emma, bf_lily" == groups["British English (en) female"]
    assert "jm_kumo" == groups["Japanese (ja) male"]
    assert "pf_dora" == groups["Brazilian Portuguese (pt) female"]
    assert 17 == len(groups)
    assert "af_sky" == entry["default_voice"]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("British female", "bf_alice, bf_emma, bf_lily"),
        ("female, BRITISH", "bf_alice, bf_emma, bf_lily"),
        ("en male british", "bm_daniel, bm_fable, bm_george, bm_lewis"),
        ("fr", "ff_siwis"),
        ("mandarin female", "zf_xiaobei, zf_xiaoni, zf_xiaoxiao, zf_xiaoyi"),
        ("bf_emma", "bf_emma"),
        ("emma", "bf_emma"),
        ("EVE", "eve"),
        ("calmwoman", "CalmWoman"),
        ("deep man", "DeepVoiceMan"),
        ("leo", "LEO"),
        ("Chinese man", "zm_yunjian, zm_yunxi, zm_yunxia, zm_yunyang"),
        ("ja female", "jf_alpha, jf_gongitsune, jf_nezumi, jf_tebukuro"),
        ("Italian boy", "im_nicola"),
        ("it girl", "if_sara"),
    ],
)
def test_words_narrow_the_list(voices: Callable[..., Any], words: str, found: str) -> None:
    """All the words must fit: language, its code, gender, the name or its beginning; "man" begins no "Mandarin"."""
    (entry,) = voices(words=words)["models"]

    assert (found, found.count(",") + 1) == (entry["voices"].rpartition(": ")[2], entry["count"])


def test_all_come_when_no_voice_fits(voices: Callable[..., Any]) -> None:
    """A language that no name tells need not be lacking: the agent learns how to get it."""
    reply = voices(words="Finnish")

    assert ["tts-kokoro", "tts-xai-v1", "tts-chatterbox-hd", "tts-minimax"] == [
        one["model"] for one in reply["models"]
    ]
    assert "No voice fits" in reply["notes"][0]
    assert "and the language" in reply["notes"][0]


def test_an_unknown_model_is_an_error(voices: Callable[..., Any]) -> None:
    """The nearest are named, and none that is offline."""
    message = refusal(voices, model="kokoto")

    assert "There is no speech model 'kokoto'. Leave it out, or use: tts-kokoro" in message
    assert "tts-gone" not in message


def test_missing_fields_are_left_out(voices: Callable[..., Any]) -> None:
    """Venice's document requires none of them."""
    bare = [{"id": "tts-new", "type": "tts", "model_spec": {}}]

    assert [{"model": "tts-new", "count": 0}] == [
        {name: value for name, value in one.items() if value} | {"count": one["count"]}
        for one in voices(bare)["models"]
    ]


@pytest.mark.parametrize(("count", "length"), [(1, 500), (11, 50), (60, 30), (300, 1)])
def test_many_models_and_voices_stay_short(
    voices: Callable[..., Any], count: int, length: int
) -> None:
    """However much Venice has, the reply is bounded, voices are cut at a name, and what is missing is said."""
    every = [
        model(
            f"tts-model-{place}",
            *(f"Voice{one}" for one in range(length)),
            supported_formats=["mp3"],
        )
        for place in range(count)
    ]
    reply = voices(every)

    shown = reply["models"]
    for entry in shown:
        names, _, rest = entry["voices"].partition(" ...")
        assert "" == rest
        assert set(names.split(", ")) <= {f"Voice{one}" for one in range(length)}
        assert (length == len(names.split(", "))) == entry["voices"].endswith(names)
        assert length == entry["count"]
    more = [f"{count - len(shown)} more models fit: give a part of an id as model."]
    assert more * (count > len(shown)) == reply.get("notes", [])


@given(words=st.text(max_size=40), name=st.sampled_from(["", "tts", "o"]))
def test_any_words_end_in_voices_that_exist(texts: dict[str, str], words: str, name: str) -> None:
    """Whatever is asked, there are models, none that Venice lacks, in a short reply."""
    space = space_of("venice_list_voices", texts)
    space["_call"] = lambda *_, **__: ({"data": LISTED}, {})
    reply = space["venice_list_voices"](words=words, model=name)

    assert len(reply) < LIMIT
    assert (
        {one["id"] for one in LISTED}
        >= {one["model"] for one in json.loads(reply)["models"]}
        != set()
    )


def test_the_local_venices_voices_can_speak(
    venice: LocalVenice,
    monkeypatch: pytest.MonkeyPatch,
    tool: Tool,
    load_tool: Callable[[str], Tool],
) -> None:
    """Over a real connection, a voice that was found is one that venice_speak takes."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    (entry,) = json.loads(tool(words="spanish female"))["models"]
    speak = load_tool("venice_speak")

    assert "Spanish (es) female: ef_dora" == entry["voices"]
    assert (
        "ef_dora" == json.loads(speak(text="Hola.", voice="ef_dora", model=entry["model"]))["voice"]
    )
    for one in (tool, speak):
        one.__globals__["_client"]().close()
