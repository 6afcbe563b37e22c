import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import respx
from hypothesis import given
from hypothesis import strategies as st

from sanctum_venice_tools.emulator import errors, sound
from sanctum_venice_tools.emulator.process import LocalVenice
from tests.tools.conftest import balance, refusal, sent

Tool = Callable[..., str]
CALL: dict[str, Any] = {"prompt": "A fox barks twice.", "kind": "effect", "duration_seconds": 1}


def model(name: str, priced: str, **spec: Any) -> dict[str, Any]:
    """A sound model as Venice lists it; what it does not say, it can't."""
    return {"id": name, "type": "music", "model_spec": {"pricing": {priced: {}}, **spec}}


LISTED = [
    model("gone-music", "generation", offline=True, supports_loop=True),
    model(
        "poet-music",
        "generation",
        supports_lyrics=True,
        lyrics_required=True,
        supports_lyrics_optimizer=True,
    )
    | {"created": 1},
    model(
        "elevenlabs-music",
        "durations",
        supports_force_instrumental=True,
        min_duration=3,
        max_duration=600,
        default_duration=60,
        prompt_character_limit=400,
    ),
    model(
        "ace-step-15",
        "durations",
        supports_lyrics=True,
        duration_options=[60, 90.0, 120],
        default_duration=90.0,
        min_prompt_length=5,
        prompt_character_limit=50,
        lyrics_character_limit=80,
    ),
    model("stable-audio-25", "generation", max_duration=190, default_duration=47),
    model(
        "elevenlabs-sound-effects-v2",
        "per_second",
        supports_loop=True,
        max_duration=22,
        default_duration=5,
    ),
    model("mmaudio-v2-text-to-audio", "per_second", max_duration=30),
    model(
        "elevenlabs-tts-multilingual-v2",
        "per_thousand_characters",
        voices=["Aria"],
        supports_custom_voice_id=True,
    ),
    model(
        "elevenlabs-tts-v3",
        "per_thousand_characters",
        voices=["Aria", "Roger"],
        default_duration=10,
        supports_language_code=True,
        supports_speed=True,
        min_speed=0.7,
        max_speed=1.2,
        prompt_character_limit=300,
    ),
]


@pytest.fixture
def asked(api: respx.MockRouter) -> respx.Route:
    """Venice, which asks a quarter of a dollar for any sound."""
    api.get("/models").respond(json={"object": "list", "data": LISTED})
    return api.post("/audio/quote").respond(json={"quote": 0.25})


@pytest.fixture
def queued(api: respx.MockRouter, asked: respx.Route) -> respx.Route:
    """Venice, which takes any job."""
    assert not asked.called
    return api.post("/audio/queue").respond(
        json={"model": "m", "queue_id": "17", "status": "QUEUED"}
    )


@pytest.fixture
def queue(queued: respx.Route, tool: Tool) -> Callable[..., Any]:
    """Call the tool; its reply as an object."""
    assert not queued.called
    return lambda **arguments: json.loads(tool(**{"prompt": "A calm tune", **arguments}))


def test_music_is_quoted_and_then_bought_with_the_same_settings(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """The length decides on the price, so it is said outright, and what is quoted is what is bought."""
    reply = queue(prompt=" A calm tune\n")

    assert {"model": "elevenlabs-music", "duration_seconds": 60} == sent(asked)
    assert {"model": "elevenlabs-music", "duration_seconds": 60, "prompt": "A calm tune"} == sent(
        queued
    )
    assert {
        "job": "venice-audio|m|17",
        "cost_usd": 0.25,
        "next": "In a minute or two, call venice_retrieve_music with this job.",
        "model": "elevenlabs-music",
        "notes": ["Chosen for you: 60 seconds."],
    } == reply


@pytest.mark.parametrize(
    ("arguments", "quoted"),
    [
        ({"model": "stable-audio-25"}, {}),
        ({"model": "mmaudio-v2-text-to-audio"}, {}),
        ({"kind": "speech"}, {"character_count": 11}),
        ({"model": "ace-step-15", "duration_seconds": 120}, {"duration_seconds": 120}),
        ({"model": "stable-audio-25", "duration_seconds": 30}, {"duration_seconds": 30}),
    ],
    ids=["fixed price", "no default", "by the character", "caller's", "wished at a fixed price"],
)
def test_nothing_is_chosen_where_nothing_depends_on_it(
    queue: Callable[..., Any],
    asked: respx.Route,
    queued: respx.Route,
    arguments: dict[str, Any],
    quoted: dict[str, Any],
) -> None:
    """No length is made up for a model that has none, or whose price is the same for any; no note is made then."""
    reply = queue(**arguments)

    assert {"model": reply["model"], **quoted} == sent(asked)
    quoted.pop("character_count", None)
    assert {"model": reply["model"], "prompt": "A calm tune", **quoted} == sent(queued)
    assert "notes" not in reply


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        ({}, "elevenlabs-music"),
        ({"instrumental": True}, "elevenlabs-music"),
        ({"lyrics": "La la"}, "poet-music"),
        ({"lyrics": "La la", "duration_seconds": 60}, "ace-step-15"),
        ({"options": {"lyrics_optimizer": True}}, "poet-music"),
        ({"prompt": "x" * 401}, "stable-audio-25"),
        ({"kind": "effect"}, "elevenlabs-sound-effects-v2"),
        ({"kind": "effect", "options": {"loop": True}}, "elevenlabs-sound-effects-v2"),
        ({"kind": "effect", "duration_seconds": 30}, "mmaudio-v2-text-to-audio"),
        ({"kind": "speech"}, "elevenlabs-tts-v3"),
        ({"kind": "speech", "options": {"voice": "cloned-17"}}, "elevenlabs-tts-multilingual-v2"),
        ({"kind": "speech", "prompt": "x" * 301}, "elevenlabs-tts-multilingual-v2"),
        ({"model": "ace-step-15"}, "ace-step-15"),
        ({"model": "elevenlabs-tts-v3"}, "elevenlabs-tts-v3"),
    ],
    ids=str,
)
def test_the_wishes_choose_the_model(
    queue: Callable[..., Any],
    asked: respx.Route,
    queued: respx.Route,
    arguments: dict[str, Any],
    chosen: str,
) -> None:
    """When nobody names a model, the usual one of the kind is taken, or another that can all of what is wished."""
    assert chosen == queue(**arguments)["model"] == sent(queued)["model"] == sent(asked)["model"]


def test_everything_that_sounds_have_can_be_said(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route
) -> None:
    """All of Venice's fields reach it, under its names; the price is asked with those that change it."""
    queue(lyrics=" La la\n", duration_seconds=90, model="ace-step-15")
    ace = {"model": "ace-step-15", "duration_seconds": 90}
    assert [ace, {**ace, "prompt": "A calm tune", "lyrics_prompt": "La la"}] == [
        sent(asked),
        sent(queued),
    ]

    queue(instrumental=True, duration_seconds=3)
    assert sent(queued)["force_instrumental"] is True

    queue(options={"lyrics_optimizer": 1})
    assert {"model": "poet-music", "prompt": "A calm tune", "lyrics_optimizer": True} == sent(
        queued
    )
    assert sent(queued)["lyrics_optimizer"] is True

    queue(kind="effect", options={"loop": True})
    assert sent(queued)["loop"] is True

    spoken = {"voice": "Roger", "language_code": "de", "speed": 1.2}
    queue(kind="speech", options=spoken)
    assert {"model": "elevenlabs-tts-v3", "prompt": "A calm tune", **spoken} == sent(queued)
    assert {"model": "elevenlabs-tts-v3", "character_count": 11} == sent(asked)


def test_wishes_that_ask_for_nothing_are_not_sent(
    queue: Callable[..., Any], queued: respx.Route
) -> None:
    """What an agent fills in to say "no" is no wish, also where the model lacks the setting."""
    nothing = {"loop": False, "lyrics_optimizer": False, "voice": "", "language_code": None}
    queue(instrumental=False, lyrics="  ", duration_seconds=0, options=nothing)

    assert {"model", "prompt", "duration_seconds"} == sent(queued).keys()


@pytest.mark.parametrize("duration", [30, "30", " 30 ", "30s", "30 s", "30.0", "30 seconds", 30.0])
def test_a_duration_is_understood(
    queue: Callable[..., Any], queued: respx.Route, duration: Any
) -> None:
    """Agents write seconds in many ways; Venice takes whole ones."""
    queue(duration_seconds=duration)

    assert (30, int) == (sent(queued)["duration_seconds"], type(sent(queued)["duration_seconds"]))


@pytest.mark.parametrize(
    ("setting", "kind", "name"),
    [
        ("VENICE_MUSIC_MODEL", "music", "stable-audio-25"),
        ("VENICE_EFFECT_MODEL", "effect", "mmaudio-v2-text-to-audio"),
        ("VENICE_SPEECH_JOB_MODEL", "speech", "elevenlabs-tts-multilingual-v2"),
    ],
)
def test_the_operators_model_is_used(
    queue: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, setting: str, kind: str, name: str
) -> None:
    """There is a setting for each kind; the agent's own choice goes before it."""
    monkeypatch.setenv(setting, name)

    assert name == queue(kind=kind)["model"]
    assert "ace-step-15" == queue(kind=kind, model="ace-step-15")["model"]


def test_the_operators_model_is_not_exchanged_on_the_quiet(
    queue: Callable[..., Any], queued: respx.Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the operator's model can't is refused with a model that can, so that the agent decides."""
    monkeypatch.setenv("VENICE_MUSIC_MODEL", "elevenlabs-music")
    message = "elevenlabs-music takes no lyrics. Change that, or use the model poet-music."

    assert message == refusal(queue, lyrics="La la")
    assert not queued.called


def test_what_changes_voices_makes_no_music(
    queue: Callable[..., Any], api: respx.MockRouter, queued: respx.Route
) -> None:
    """Models that change voices are listed as music, and are neither picked nor taken: they make nothing."""
    changer = model("changer", "generation", voice_changer=True, supports_lyrics=True)
    api.get("/models").respond(json={"data": [changer, *LISTED]})

    assert "changer" != queue(lyrics="La la")["model"]
    assert "There is no music model 'changer' fit for this." in refusal(queue, model="changer")
    assert "changer" not in refusal(queue, lyrics="La", model="elevenlabs-music")
    assert 1 == queued.call_count


MUSIC = {"model": "elevenlabs-music"}
ACE = {"model": "ace-step-15"}
V3 = {"model": "elevenlabs-tts-v3"}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no prompt": ({"prompt": " \n"}, "The prompt is empty. Say what is to be heard."),
    "no lyrics": (
        {**MUSIC, "lyrics": "La"},
        "elevenlabs-music takes no lyrics. Change that, or use the model poet-music.",
    ),
    "lyrics needed": (
        {"model": "poet-music"},
        "poet-music needs lyrics, instrumental or lyrics_optimizer. Change that, or use the model elevenlabs-music.",
    ),
    "lyrics too long": (
        {**ACE, "lyrics": "x" * 81},
        "ace-step-15 takes lyrics of at most 80 characters. Change that",
    ),
    "effect with lyrics": (
        {"kind": "effect", "lyrics": "La"},
        "elevenlabs-sound-effects-v2 takes no lyrics. Change that: no other model can do all of this.",
    ),
    "effect's model with lyrics": (
        {"model": "mmaudio-v2-text-to-audio", "lyrics": "La"},
        "mmaudio-v2-text-to-audio takes no lyrics. Change that, or use the model poet-music.",
    ),
    "sung without words": (
        {"lyrics": "La", "instrumental": True},
        "Of lyrics, instrumental and lyrics_optimizer, only",
    ),
    "twice words": (
        {"lyrics": "La", "options": {"lyrics_optimizer": True}},
        "only one can be had. Leave the others out",
    ),
    "instrumental": (
        {**ACE, "instrumental": True},
        "ace-step-15 takes no instrumental. Change that, or use the model el",
    ),
    "loop": (
        {"options": {"loop": True}},
        "elevenlabs-music takes no loop. Change that: no other model",
    ),
    "voice": ({"options": {"voice": "Aria"}}, "elevenlabs-music takes no voice. Change that"),
    "no such voice": (
        {**V3, "options": {"voice": "Nobody"}},
        "elevenlabs-tts-v3 has no voice 'Nobody', but 'Aria, Roger'. Change that, or use the model elevenlabs-tts-mul",
    ),
    "language": (
        {"model": "elevenlabs-tts-multilingual-v2", "options": {"language_code": "en"}},
        "elevenlabs-tts-multilingual-v2 takes no language_code. Change that, or use the model elevenlabs-tts-v3.",
    ),
    "speed": (
        {**V3, "options": {"speed": 1.3}},
        "elevenlabs-tts-v3 speaks at a speed of 0.7 to 1.2. Change that: no",
    ),
    "speed of none": (
        {**V3, "options": {"speed": 5}},
        "The option 'speed' must be 0.25 to 4.0, not 5.",
    ),
    "speed in words": (
        {**V3, "options": {"speed": "fast"}},
        "The option 'speed' must be 0.25 to 4.0",
    ),
    "loop in words": (
        {"options": {"loop": "maybe"}},
        "The option 'loop' must be one of True, False, not 'maybe'.",
    ),
    "an argument as an option": (
        {"options": {"duration_seconds": 20}},
        "'duration_seconds' is no option, but an argument: give it beside options",
    ),
    "a model as an option": (
        {"options": {"model": "ace-step-15"}},
        "'model' is no option, but an argument: give it beside options",
    ),
    "typo": ({"options": {"vioce": "Aria"}}, "There is no option 'vioce'; the nearest is 'voice'."),
    "too short": (
        {**MUSIC, "duration_seconds": 2},
        "elevenlabs-music makes 3 to 600 seconds. Change that, or use the model sta",
    ),
    "too long": (
        {"duration_seconds": 601},
        "elevenlabs-music makes 3 to 600 seconds. Change that: no other model",
    ),
    "not listed": (
        {**ACE, "duration_seconds": 61},
        "ace-step-15 makes 60, 90, 120 seconds. Change that, or use the mod",
    ),
    "no length": (
        {"kind": "speech", "duration_seconds": 9},
        "elevenlabs-tts-v3 takes no duration_seconds. Change that:",
    ),
    "negative": (
        {"duration_seconds": -1},
        "The duration_seconds must be whole seconds, such as 30.",
    ),
    "half": ({"duration_seconds": 1.5}, "'duration_seconds' must be a whole number, not 1.5."),
    "minutes": (
        {"duration_seconds": "1:30"},
        "'duration_seconds' must be a whole number, not '1:30'.",
    ),
    "short prompt": (
        {**ACE, "prompt": "Fox!"},
        "ace-step-15 takes a prompt of 5 to 50 characters. Change that, or use",
    ),
    "long prompt": (
        {**ACE, "prompt": "x" * 51},
        "ace-step-15 takes a prompt of 5 to 50 characters.",
    ),
    "model": (
        {"model": "sora-9"},
        "There is no music model 'sora-9' fit for this. Leave it out, or use:",
    ),
    "offline": ({"model": "gone-music"}, "There is no music model 'gone-music' fit for this."),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_can_not_work_costs_nothing(
    queue: Callable[..., Any], asked: respx.Route, queued: respx.Route, case: str
) -> None:
    """A wish that the model does not grant is refused with the reason and a model that does, before it is sent."""
    arguments, said = WRONG[case]

    assert said in refusal(queue, **arguments)
    assert not asked.called
    assert not queued.called


@pytest.mark.parametrize(
    "arguments",
    [
        {**MUSIC, "duration_seconds": 3},
        {**MUSIC, "duration_seconds": 600},
        {**MUSIC, "prompt": "x" * 400},
        {**ACE, "prompt": "Foxes", "lyrics": "x" * 80, "duration_seconds": 120},
        {**ACE, "prompt": "x" * 50},
        {**V3, "options": {"speed": 0.7}},
        {**V3, "options": {"speed": 1.2}},
        {"model": "elevenlabs-sound-effects-v2", "duration_seconds": 1},
        {"model": "elevenlabs-sound-effects-v2", "duration_seconds": 22},
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_limits_are_exact(
    queue: Callable[..., Any], queued: respx.Route, arguments: dict[str, Any]
) -> None:
    """What is just allowed is sent."""
    queue(**arguments)

    assert 1 == queued.call_count


def test_a_model_that_says_little_is_taken(
    queue: Callable[..., Any], api: respx.MockRouter, asked: respx.Route, queued: respx.Route
) -> None:
    """Almost all that Venice says of a model may be missing: then nothing but the prompt is sent."""
    api.get("/models").respond(json={"object": "list", "data": [{"id": "bare", "model_spec": {}}]})

    assert "bare" == queue()["model"]
    assert [{"model": "bare"}, {"model": "bare", "prompt": "A calm tune"}] == [
        sent(asked),
        sent(queued),
    ]
    assert "bare takes no duration_seconds. Change that: no other" in refusal(
        queue, duration_seconds=30
    )


@given(
    chosen=st.sampled_from(["", *(one["id"] for one in LISTED)]),
    kind=st.sampled_from(["music", "effect", "speech"]),
    prompt=st.text(max_size=420),
    lyrics=st.sampled_from(["", "La", "La " * 40]),
    instrumental=st.booleans(),
    duration_seconds=st.integers(-3, 700) | st.sampled_from(["60s", "a minute"]),
    options=st.fixed_dictionaries(
        {},
        optional={
            "voice": st.sampled_from(["Aria", "Nobody", 7]),
            "speed": st.floats(0, 5),
            "loop": st.sampled_from([True, False, 1, 0.0, "yes"]),
            "language_code": st.sampled_from(["en", "English", 7]),
            "lyrics_optimizer": st.booleans(),
        },
    ),
)
def test_any_wishes_are_the_models_or_refused(
    queue: Callable[..., Any], queued: respx.Route, chosen: str, **arguments: Any
) -> None:
    """Whatever is asked for, Venice gets only fields that the model advertises."""
    before = queued.call_count
    try:
        queue(model=chosen, **arguments)
    except Exception as error:  # noqa: BLE001 - the type is the emitted text's own
        assert "VeniceError" == type(error).__name__  # noqa: PT017 - either outcome is right
        assert before == queued.call_count
        return
    body = sent(queued)
    spec = next(one["model_spec"] for one in LISTED if one["id"] == body["model"])
    flags = {
        "lyrics_prompt": "supports_lyrics",
        "voice": "voices",
        "duration_seconds": "default_duration",
    }
    for field in body.keys() - {"model", "prompt"}:
        assert spec.get(flags.get(field, f"supports_{field}")) or "max_duration" in spec


# --- what Venice refuses ---


def test_a_suggested_prompt_is_told(queue: Callable[..., Any], queued: respx.Route) -> None:
    """Where Venice refuses a prompt and suggests another, the agent reads it, and that it must change it."""
    queued.respond(422, json=errors.content_violation("A calmer tune.").body)
    message = refusal(queue)

    assert "violates the content policy" in message
    assert "suggested_prompt: A calmer tune." in message
    assert message.endswith("Venice refused the content: change it before you call again.")
    assert 1 == queued.call_count


# --- over a real connection ---


def connect(tool: Tool, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """The tool, for the local Venice."""
    monkeypatch.setenv("VENICE_API_KEY", venice.key)
    monkeypatch.setenv("VENICE_BASE_URL", venice.base_url)
    return tool


@pytest.mark.parametrize(
    ("arguments", "price"),
    [
        ({}, 0.69),
        ({"duration_seconds": "61s"}, 1.38),
        ({"instrumental": True, "duration_seconds": 3}, 0.69),
        ({"lyrics": "La la"}, 0.03),
        ({"lyrics": "La la", "duration_seconds": 210}, 0.08),
        ({"options": {"lyrics_optimizer": True}}, 0.18),
        ({"model": "minimax-music-v26", "instrumental": True}, 0.18),
        ({"model": "stable-audio-25"}, 0.19),
        ({"kind": "effect"}, 0.0115),
        ({"kind": "effect", "duration_seconds": 22, "options": {"loop": True}}, 0.0506),
        ({"kind": "speech", "prompt": "The fox sleeps. " * 300}, 0.551885),
        (
            {"kind": "speech", "options": {"voice": "Roger", "speed": 0.7, "language_code": "en"}},
            0.001265,
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_told_is_what_is_charged(
    venice: LocalVenice, local_tool: Tool, arguments: dict[str, Any], price: float
) -> None:
    """For every way of pricing, the local Venice takes the job and charges the price that the reply names."""
    before = balance(venice)
    reply = json.loads(local_tool(**{"prompt": "A calm tune", **arguments}))

    assert price == reply["cost_usd"] == pytest.approx(before - balance(venice), abs=1e-6)
    assert re.fullmatch(r"venice-audio\|[\w.-]+\|[\w-]+", reply["job"])


def test_a_lost_purchase_is_not_repeated(venice: LocalVenice, local_tool: Tool) -> None:
    """A reset after the request may have bought the piece: it is said, and one piece at most is paid."""
    before = balance(venice)
    venice.order_fault(fault="reset", path="/audio/queue")

    assert "it may be charged. Ask the person" in refusal(local_tool, **CALL)
    assert before - balance(venice) == pytest.approx(0.0023, abs=1e-6)


def test_a_limit_keeps_the_money(
    venice: LocalVenice, local_tool: Tool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is dearer than the operator allows costs nothing at the local Venice."""
    monkeypatch.setenv("VENICE_MAX_USD", "0.5")
    before = balance(venice)

    assert "This costs 0.69 USD" in refusal(local_tool, prompt="A calm tune")
    assert before == balance(venice)


@pytest.mark.parametrize(
    ("arguments", "seconds"),
    [
        ({"prompt": "A calm tune", "duration_seconds": 4}, 4),
        ({"prompt": "Rain on a roof", "kind": "effect", "duration_seconds": 2}, 2),
        ({"prompt": "The fox sleeps in the snow.", "kind": "speech"}, 1.9),
    ],
    ids=["music", "effect", "speech"],
)
def test_the_whole_way(
    venice: LocalVenice,
    load_tool: Callable[[str], Tool],
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    seconds: float,
) -> None:
    """Quoted, bought at that price, fetched as a file of that length; fetched again, it is the same without a call."""
    quote, queue, retrieve = (
        connect(load_tool(f"venice_{step}_music"), venice, monkeypatch)
        for step in ("quote", "queue", "retrieve")
    )
    prompt = {"character_count": len(arguments["prompt"])}
    quoted = json.loads(
        quote(**{name: arguments[name] for name in arguments if name != "prompt"}, **prompt)
    )
    before = balance(venice)
    bought = json.loads(queue(**arguments))
    assert (
        quoted["price_usd"]
        == bought["cost_usd"]
        == pytest.approx(before - balance(venice), abs=1e-6)
    )
    assert quoted["model"] == bought["model"]

    fetched = json.loads(retrieve(job=bought["job"]))
    content = Path(fetched["file"]).read_bytes()
    assert ("audio/mpeg", len(content)) == (fetched["type"], fetched["bytes"])
    assert seconds == pytest.approx(sound.seconds_of(content), abs=0.3)

    venice.order_fault(fault="status-500", path="/audio/retrieve")
    assert fetched == json.loads(retrieve(job=f"The job is `{bought['job']}`."))
    venice.clear_faults()
    for tool in (quote, queue, retrieve):
        tool.__globals__["_client"]().close()
