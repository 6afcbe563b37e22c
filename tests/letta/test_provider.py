"""Venice as Letta's model, as far as no Letta server is needed.

Letta Cloud is not there to be tested against. What stands for it below are replies of the shapes
that a server of one's own gives, recorded, at Letta Cloud's address; its documents do not tell of
providers.
"""

import base64
import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
import yaml
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.provider import configure_provider
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta import provider
from sanctum_venice_tools.letta.connection import connect
from sanctum_venice_tools.letta.venice import (
    ChatModel,
    ChoiceError,
    EmbeddingModel,
    Venice,
    VeniceError,
    normal_url,
)

CLOUD = "https://api.letta.com"
AWKWARD_KEY = """a$HOME"b'c#d\\e`f"""


def configure(
    venice: LocalVenice, *arguments: str, key: str | None = None, letta: str = ""
) -> Result:
    """Run the command against the local Venice."""
    settings = {
        "VENICE_BASE_URL": venice.base_url,
        "VENICE_API_KEY": venice.key if key is None else key,
    }
    return CliRunner().invoke(
        configure_provider, arguments, env=settings | {"LETTA_BASE_URL": letta}
    )


def entry(name: str, kind: str = "text", **spec: Any) -> dict[str, Any]:
    """A model as Venice lists it."""
    capabilities = {"supportsFunctionCalling": True}
    return {
        "id": name,
        "type": kind,
        "context_length": 1000,
        "model_spec": {"capabilities": capabilities, **spec},
    }


@pytest.fixture
def catalogue() -> Iterator[respx.Router]:
    """A Venice whose list of models a test makes up; it recommends `best`."""
    with respx.mock(base_url="https://venice.test/api/v1", assert_all_called=False) as router:
        router.get("/models/traits").respond(
            json={"data": {"function_calling_default": "best", "default": "second"}}
        )
        yield router


def offer(catalogue: respx.Router, *entries: dict[str, Any]) -> Venice:
    """A Venice that lists these models."""

    def listed(request: httpx.Request) -> httpx.Response:
        kind = request.url.params["type"]
        return httpx.Response(
            200, json={"data": [one for one in entries if kind in ("all", one["type"])]}
        )

    catalogue.get("/models").mock(side_effect=listed)
    return Venice("https://venice.test/api/v1")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "https://api.venice.ai/api/v1"),
        ("https://api.venice.ai", "https://api.venice.ai/api/v1"),
        ("https://api.venice.ai/", "https://api.venice.ai/api/v1"),
        ("https://api.venice.ai/api", "https://api.venice.ai/api/v1"),
        ("https://api.venice.ai/v1", "https://api.venice.ai/api/v1"),
        (" https://api.venice.ai/api/v1/ ", "https://api.venice.ai/api/v1"),
        ("https://api.venice.ai/api/v1/chat/completions", "https://api.venice.ai/api/v1"),
        ("http://127.0.0.1:8484", "http://127.0.0.1:8484/api/v1"),
        ("https://gate.example.com/venice/v1", "https://gate.example.com/venice/v1"),
        ("http://[::1]:8484/api/v1/", "http://[::1]:8484/api/v1"),
    ],
)
def test_mends_a_base_url(given: str, expected: str) -> None:
    """What people paste becomes the address that Letta and the tools need."""
    assert expected == normal_url(given)


@pytest.mark.parametrize(
    "given",
    [
        "api.venice.ai",
        "ftp://api.venice.ai",
        "https://",
        "https://x:y",
        "https://a b",
        "https://a/?b",
        "x",
    ],
)
def test_refuses_what_is_no_base_url(given: str) -> None:
    """An address that can't be mended is refused, with the right one."""
    with pytest.raises(ChoiceError, match=r"no address of the form https://api\.venice\.ai/api/v1"):
        normal_url(given)


def test_takes_the_model_that_venice_recommends(catalogue: respx.Router) -> None:
    """Of the models that call functions, the one with the trait comes first, then the default, then the others."""
    offered = offer(catalogue, entry("other"), entry("second"), entry("best"))

    assert ["best", "second", "other"] == [model.id for model in offered.chat_models()]


SEES = {"supportsFunctionCalling": True, "supportsVision": True}


def test_prefers_a_model_that_sees(catalogue: respx.Router) -> None:
    """A person may attach a picture, so a model that sees is proposed first, and a blind one only when asked for."""
    offered = offer(catalogue, entry("best"), entry("seeing", capabilities=SEES))

    assert "seeing" == offered.choose_chat_model().id
    assert "best" == offered.choose_chat_model(blind=True).id
    assert "best" == offered.choose_chat_model("best").id


def test_prefers_a_settled_model_to_one_that_sees(catalogue: respx.Router) -> None:
    """A model that may go is no better for seeing."""
    offered = offer(catalogue, entry("beta", capabilities=SEES, betaModel=True), entry("best"))

    assert "best" == offered.choose_chat_model().id


def test_of_those_that_see_takes_the_one_that_venice_recommends(catalogue: respx.Router) -> None:
    """Venice's own choice for pictures comes before the others that see."""
    catalogue.get("/models/traits").respond(json={"data": {"default_vision": "eyes"}})
    offered = offer(catalogue, entry("other", capabilities=SEES), entry("eyes", capabilities=SEES))

    assert "eyes" == offered.choose_chat_model().id


@pytest.mark.parametrize(
    "spec",
    [{"deprecation": {"date": "2030-01-01T00:00:00Z"}}, {"betaModel": True}, {"beta": True}],
    ids=str,
)
def test_prefers_a_settled_model(catalogue: respx.Router, spec: dict[str, Any]) -> None:
    """A recommended model that is about to go, or not yet settled, comes after those that are."""
    offered = offer(catalogue, entry("best", **spec), entry("other"))

    assert ["other", "best"] == [model.id for model in offered.chat_models()]


@pytest.mark.parametrize(
    ("unfit", "why"),
    [
        (entry("odd", "image"), "it is of type image"),
        (entry("odd", capabilities={}), "it calls no functions"),
        (entry("odd", offline=True), "it is offline"),
        (entry("gpt-5-odd"), "Letta would send it to /responses"),
        (entry("odd-fast"), "Letta would take -fast off its name"),
        (entry("something else"), "Venice has no such model"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_refuses_a_model_that_cannot_drive_an_agent(
    catalogue: respx.Router, unfit: dict[str, Any], why: str
) -> None:
    """A model that does not fit is neither proposed nor accepted; the refusal says why, and what fits."""
    wanted = unfit["id"] if unfit["id"] != "something else" else "odd"
    offered = offer(catalogue, unfit, entry("best"))

    with pytest.raises(ChoiceError, match=why) as refusal:
        offered.choose_chat_model(wanted)

    assert "best" in str(refusal.value).partition("These can: ")[2]
    assert "best" == offered.choose_chat_model().id


def test_a_fast_model_of_another_name_drives_an_agent(catalogue: respx.Router) -> None:
    """Letta looks at the end of a name only, so that a model with `fast` elsewhere is fine."""
    offered = offer(catalogue, entry("grok-fast-1"), entry("best"))

    assert "grok-fast-1" == offered.choose_chat_model("grok-fast-1").id


def test_takes_an_embedding_model_that_letta_can_store(catalogue: respx.Router) -> None:
    """Vectors wider than Letta's column, or of unknown width, are not for it."""
    offered = offer(
        catalogue,
        entry("wide", "embedding", embeddingDimensions=8192),
        entry("unknown", "embedding"),
        entry("fit", "embedding", embeddingDimensions=1024),
    )

    assert EmbeddingModel("fit", 1024) == offered.choose_embedding_model()
    with pytest.raises(
        ChoiceError, match=r"'wide' makes no vectors that Letta can store\. These do: fit"
    ):
        offered.choose_embedding_model("wide")


@pytest.mark.parametrize("content", ["<html>", "[]", "{}", '{"data": 3}'])
def test_tells_when_an_address_is_not_venice(catalogue: respx.Router, content: str) -> None:
    """Another service at the address is named as such, in one line."""
    catalogue.get("/models").respond(text=content)

    with pytest.raises(VeniceError, match=r"venice\.test.*Check VENICE_BASE_URL"):
        Venice("https://venice.test/api/v1").models("text")


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (ChatModel("m", 1_000_000, 131_072), {"context_window_limit": 128_000}),
        (ChatModel("m", 32_000, 16_384), {"context_window_limit": 32_000}),
        (
            ChatModel("m", 128_000, 4096),
            {
                "context_window_limit": 128_000,
                "model_settings": {
                    "provider_type": "openrouter",
                    "max_output_tokens": 4096,
                    "temperature": 1.0,
                },
            },
        ),
    ],
    ids=["large", "small window", "short replies"],
)
def test_tells_an_agent_what_letta_gets_wrong(model: ChatModel, expected: dict[str, Any]) -> None:
    """The window, the way to summarise, and the length of replies where Letta's own is too much for the model."""
    always = {"model": "venice/m", "compaction_settings": {"mode": "self_compact_all"}}
    assert always | expected == provider.agent_settings("venice", model)


def test_the_snippet_is_python() -> None:
    """What is printed can be pasted: it calls agents.create with exactly these settings."""
    settings = provider.agent_settings(
        "venice", ChatModel("m", 1, 4096), embedding=EmbeddingModel("e", 8), base_url="http://v"
    )
    given: dict[str, Any] = {}

    class Agents:
        create = staticmethod(given.update)

    letta = type("Letta", (), {"agents": Agents})
    exec(provider.snippet(settings, 'a "name"'), {"letta": letta})  # noqa: S102  # it is what is to be shown

    assert {"name": 'a "name"', **settings} == given


@pytest.mark.parametrize("with_key", [False, True], ids=["reference", "in clear"])
def test_shell_variables_can_be_pasted(*, with_key: bool) -> None:
    """A shell reads them as they are meant, whatever the key holds."""
    text = provider.environment_text(
        "shell", Venice("http://v/api/v1", AWKWARD_KEY), with_key=with_key
    )

    said = subprocess.run(
        ["/bin/sh", "-c", f'{text}\nprintf \'%s %s\' "$OPENAI_API_KEY" "$OPENAI_BASE_URL"'],
        env={"VENICE_API_KEY": AWKWARD_KEY},
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"{AWKWARD_KEY} http://v/api/v1" == said.stdout
    assert with_key is (shlex.quote(AWKWARD_KEY) in text)


@pytest.mark.parametrize(
    ("with_key", "expected"), [(False, "${VENICE_API_KEY}"), (True, AWKWARD_KEY.replace("$", "$$"))]
)
def test_compose_variables_can_be_pasted(expected: str, *, with_key: bool) -> None:
    """YAML reads them as they are meant; to compose, two dollar signs are one."""
    text = provider.environment_text(
        "compose", Venice("http://v/api/v1", AWKWARD_KEY), with_key=with_key
    )

    assert {"OPENAI_API_KEY": expected, "OPENAI_BASE_URL": "http://v/api/v1"} == yaml.safe_load(
        text
    )["environment"]


@pytest.mark.shows_secrets("it is asked for with --show-key")
@pytest.mark.parametrize("form", ["shell", "dotenv", "compose"])
def test_the_key_is_printed_only_when_asked(venice: LocalVenice, form: str) -> None:
    """Variables go to standard output alone, and hold a reference to the key; --show-key prints the key itself."""
    reference = configure(venice, "--env", form)
    clear = configure(venice, "--env", form, "--show-key")

    assert (0, 0) == (reference.exit_code, clear.exit_code)
    assert venice.key not in reference.output
    assert "VENICE_API_KEY" in reference.stdout
    assert "agents.create" not in reference.stdout
    assert 'model="openai-proxy/qwen3-vl-235b-a22b"' in reference.stderr
    assert venice.key in clear.stdout


def test_variables_as_json(venice: LocalVenice) -> None:
    """With --json the variables and the agent's settings are one object."""
    report = json.loads(
        configure(venice, "--env", "shell", "--json", "--model", "llama-3.3-70b").stdout
    )

    assert {"OPENAI_API_KEY": "$VENICE_API_KEY", "OPENAI_BASE_URL": venice.base_url} == report[
        "environment"
    ]
    assert 4096 == report["agent"]["model_settings"]["max_output_tokens"]
    assert 1024 == report["agent"]["embedding_config"]["embedding_dim"]


@pytest.mark.parametrize(
    ("arguments", "key", "words"),
    [
        (["--env", "shell", "--create-agent", "x"], "k", "--create-agent needs a running server"),
        (["--show-key"], "k", "--show-key goes with --env"),
        (["--name", "a/b"], "k", "letters, digits, dots, - and _ only"),
        (["--name", "openai"], "k", "and not letta, openai, openai-proxy"),
        (["--create-agent", "Kim/1"], "k", "--create-agent: letters, digits, spaces, -, _ and '"),
        ([], "", "VENICE_API_KEY is not set"),
        ([], "k", "which Letta server?"),
        (["--env", "shell", "--model", "z-image-turbo"], "k", "it is of type image. These can: "),
        (["--env", "shell", "--embedding-model", "kimi-k3"], "k", "These do: text-embedding-"),
        (["--env", "shell", "--venice-url", "nonsense"], "k", "VENICE_BASE_URL is no address"),
        (["--base-url", "http://localhost:port"], "k", "LETTA_BASE_URL is no address"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_ends_with_2(
    venice: LocalVenice, arguments: list[str], key: str, words: str
) -> None:
    """What is asked for and can't be is told in one line that says what can."""
    result = configure(venice, *arguments, key=key)

    assert 2 == result.exit_code
    assert words in result.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "key", "words"),
    [
        (["--venice-url", "http://127.0.0.1:9"], "k", "http://127.0.0.1:9/api/v1 does not answer"),
        (
            [],
            "not-the-key-1234",
            "VENICE_API_KEY is no good: Venice refuses it: 401 Authentication failed",
        ),
        ([], None, "there is no Letta server at http://127.0.0.1:9"),
    ],
    ids=["no Venice", "wrong key", "no Letta"],
)
def test_what_cannot_be_reached_ends_with_4(
    venice: LocalVenice, arguments: list[str], key: str | None, words: str
) -> None:
    """A service that is not there, or refuses, is named in one line, without the key."""
    result = configure(venice, *arguments, key=key, letta="http://127.0.0.1:9")

    assert 4 == result.exit_code
    assert words in result.stderr.splitlines()[-1]
    assert "not-the-key-1234" not in result.output


# --- Letta Cloud: recorded shapes, not the real one


def stored(venice: LocalVenice, **other: Any) -> dict[str, Any]:
    """A provider as Letta 0.16.8 gives it; one that encrypts its keys does not show them."""
    return {
        "id": "provider-1",
        "name": "venice",
        "provider_type": "openrouter",
        "provider_category": "byok",
        "base_url": venice.base_url,
        "api_key": None,
        "api_key_enc": "UKL6+VmQtggjLCePSC8xcvAD2t2EtbOwpSoswwmivDyi7tf7QjnmMKOvKCJ6RCtZ",
        **other,
    }


@pytest.fixture
def cloud(venice: LocalVenice) -> Iterator[respx.Router]:
    """What stands for Letta Cloud, with the provider already there; the local Venice is reached as ever."""
    listed = [{"handle": "venice/qwen3-vl-235b-a22b", "max_context_window": 128_000}]
    with respx.mock(assert_all_called=False) as router:
        router.route(host="127.0.0.1").pass_through()
        router.get(f"{CLOUD}/v1/providers/").respond(json=[stored(venice)])
        router.get(f"{CLOUD}/v1/models/").respond(json=listed)
        router.post(f"{CLOUD}/v1/providers/", name="create").respond(json=stored(venice))
        router.patch(f"{CLOUD}/v1/providers/provider-1", name="update").respond(json=stored(venice))
        router.patch(f"{CLOUD}/v1/providers/provider-1/refresh", name="refresh").respond(
            json=stored(venice)
        )
        yield router


def test_creates_the_provider_on_cloud(
    venice: LocalVenice, cloud: respx.Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At Letta Cloud's address, with its key, the same request is sent as to a server of one's own."""
    monkeypatch.setenv("LETTA_API_KEY", "cloud-key")
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[])

    result = configure(venice, letta=CLOUD)

    assert 0 == result.exit_code
    request = cloud["create"].calls.last.request
    assert "Bearer cloud-key" == request.headers["authorization"]
    body = {
        "name": "venice",
        "provider_type": "openrouter",
        "api_key": venice.key,
        "base_url": venice.base_url,
    }
    assert body == json.loads(request.content)


def test_a_hidden_key_is_written_again(venice: LocalVenice, cloud: respx.Router) -> None:
    """Where the server shows no key, it can't be compared: it is written, and that is said."""
    result = configure(venice, letta=CLOUD)

    assert 0 == result.exit_code
    assert {"api_key": venice.key, "base_url": venice.base_url} == json.loads(
        cloud["update"].calls.last.request.content
    )
    assert "the server does not show the key it has, so the key was written again" in result.stdout
    assert not cloud["refresh"].called


def test_a_provider_of_another_type_is_left_alone(venice: LocalVenice, cloud: respx.Router) -> None:
    """One of the same name that is not ours is not written, and the line says what to do."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[stored(venice, provider_type="openai")])

    result = configure(venice, letta=CLOUD)

    assert 3 == result.exit_code
    assert "of type openai: choose another --name" in result.stderr
    assert not cloud["update"].called


def test_only_the_provider_of_the_name_counts(venice: LocalVenice, cloud: respx.Router) -> None:
    """A server may list others, too: ours is made beside them."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[stored(venice, name="venice-2")])

    assert "create" == provider.plan(connect(CLOUD), "venice", Venice(venice.base_url, "k")).action


def test_says_when_another_address_was_stored(venice: LocalVenice, cloud: respx.Router) -> None:
    """A server that takes our address and keeps another one has no provider of ours."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[])
    cloud["create"].respond(json=stored(venice, base_url="https://old.example/v1"))

    result = configure(venice, letta=CLOUD)

    assert 3 == result.exit_code
    assert "the server stored another base_url: https://old.example/v1" in result.stderr


@pytest.mark.parametrize(
    ("listed", "has_key"),
    [
        ({}, True),
        ({"model_endpoint": "{venice}/"}, True),
        ({"provider_category": "byok"}, False),
        ({"provider_name": "venice"}, False),
        ({"model_endpoint": "https://api.openai.com/v1"}, False),
        ({"model_endpoint": None}, False),
    ],
    ids=str,
)
def test_only_venices_own_key_goes_to_venice(
    venice: LocalVenice, cloud: respx.Router, listed: dict[str, str | None], *, has_key: bool
) -> None:
    """Vectors are Venice's only where the environment of the server has Venice for OpenAI: its key would go there."""
    usual = {"provider_category": "base", "provider_name": "openai", "model_endpoint": "{venice}"}
    model = {
        field: value and value.replace("{venice}", venice.base_url)
        for field, value in {**usual, **listed}.items()
    }
    cloud.get(f"{CLOUD}/v1/models/").respond(json=[model])

    assert has_key is provider.embeds_at(connect(CLOUD), venice.base_url)


@pytest.mark.parametrize(("length", "is_hidden"), [(44, False), (45, True)])
def test_an_encrypted_key_is_known_by_its_length(
    venice: LocalVenice, cloud: respx.Router, length: int, *, is_hidden: bool
) -> None:
    """Beside a salt, a start value and a tag there must be something in it: else it may be a key in clear."""
    key = base64.b64encode(bytes(length)).decode()
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[stored(venice, api_key_enc=key)])
    planned = provider.plan(connect(CLOUD), "venice", Venice(venice.base_url, venice.key))

    assert is_hidden is planned.key_is_hidden


def an_agent(name: str, provider_name: str, address: str) -> dict[str, Any]:
    """An agent as Letta gives it, so far as its model is concerned."""
    model = {
        "provider_name": provider_name,
        "model_endpoint": address,
        "api_model_endpoint": address,
        "handle": f"{provider_name}/kimi-k3",
        "context_window": 100_000,
        "max_tokens": 4000,
    }
    return {"id": f"agent-{name}", "name": name, "llm_config": model}


def test_names_the_agents_at_the_old_address(venice: LocalVenice, cloud: respx.Router) -> None:
    """Of a provider that moves, an agent of its own that calls the old address is named, and no other."""
    old = "https://old.example/api/v1"
    agents = [
        an_agent("left-behind", "venice", old),
        an_agent("moved", "venice", venice.base_url),
        an_agent("stranger", "another", old),
    ]
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[stored(venice, base_url=old)])
    cloud.get(f"{CLOUD}/v1/agents/").respond(json=agents)
    cloud["refresh"].respond(json=stored(venice, last_synced="2026-11-27T00:00:00Z"))

    result = configure(venice, letta=CLOUD)

    assert 0 == result.exit_code
    assert f"agent left-behind still calls {old}" in result.stdout
    assert 1 == result.stdout.count("still calls")


def test_agents_of_a_provider_that_stays_are_not_looked_at(
    venice: LocalVenice, cloud: respx.Router
) -> None:
    """Where only the key is another, agents go on as they are."""
    agents = cloud.get(f"{CLOUD}/v1/agents/").respond(json=[])

    configure(venice, letta=CLOUD)

    assert cloud["update"].called
    assert not agents.called


def test_a_server_that_cannot_reach_venice(venice: LocalVenice, cloud: respx.Router) -> None:
    """A provider without models is a failure: it ends with 3, and says from where Venice must be reachable."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[stored(venice, api_key_enc=venice.key)])
    cloud.get(f"{CLOUD}/v1/models/").respond(json=[])

    result = configure(venice, "--create-agent", "x", letta=CLOUD)

    assert 3 == result.exit_code
    assert cloud["refresh"].called
    assert "the server could not read Venice's list of models" in result.stderr
    assert "must be reachable from where the Letta server runs" in result.stderr


def test_a_cloud_without_providers(venice: LocalVenice, cloud: respx.Router) -> None:
    """If it has no such address, that is said in one line, and the command ends with 4."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(404, json={"detail": "Not Found"})

    result = configure(venice, letta=CLOUD)

    assert 4 == result.exit_code
    assert (
        "has no page for providers (404). Check LETTA_BASE_URL; Letta Cloud documents none."
        in result.stderr
    )


@pytest.mark.parametrize("width", [12, 190])
def test_a_refusal_that_repeats_the_key(
    venice: LocalVenice, cloud: respx.Router, width: int
) -> None:
    """A server that sends the key back in its refusal does not get it printed, nor the part before a cut."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(json=[])
    words = f"{'bad api_key ':.<{width}}"
    cloud["create"].respond(422, json={"detail": f"{words}{venice.key}"})

    result = configure(venice, letta=CLOUD)

    assert 4 == result.exit_code
    assert f"{words}[key]" in result.stderr
    assert venice.key[:8] not in result.output


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_of_us_asks_for_the_servers_key(
    venice: LocalVenice, cloud: respx.Router, status: int
) -> None:
    """LETTA_API_KEY is doubted where the server lets us not in, and not where it takes something else amiss."""
    cloud.get(f"{CLOUD}/v1/providers/").respond(status, json={"detail": "no"})

    result = configure(venice, letta=CLOUD)

    assert 4 == result.exit_code
    assert (status != 500) == ("is LETTA_API_KEY right?" in result.stderr)


def test_a_key_of_letta_that_can_not_be_sent(
    venice: LocalVenice, cloud: respx.Router, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key with a line feed in it is named, not shown, and nothing is written."""
    monkeypatch.setenv("LETTA_API_KEY", "hidden\nkey")
    result = configure(venice, letta=CLOUD)

    assert 2 == result.exit_code
    assert "LETTA_API_KEY holds characters that no key has" in result.stderr
    assert "hidden" not in result.output
    assert not cloud["create"].called


def test_an_agent_is_made_or_it_is_said(venice: LocalVenice, cloud: respx.Router) -> None:
    """A server whose answer to the making of an agent is no agent is told of in a line."""
    cloud.get(f"{CLOUD}/v1/agents/").respond(json=[])
    cloud.post(f"{CLOUD}/v1/agents/").respond(json=[])

    result = configure(venice, "--create-agent", "Scout", letta=CLOUD)

    assert 4 == result.exit_code
    assert "does not answer as a Letta server does" in result.stderr


def test_the_script_is_the_command() -> None:
    """scripts/configure_provider.py works from a clone, wherever it is called from."""
    script = Path(__file__).parents[2] / "scripts" / "configure_provider.py"

    said = subprocess.run(
        [sys.executable, script, "--help"], capture_output=True, text=True, check=True
    )

    assert said.stdout.startswith("Usage: configure_provider.py [OPTIONS]")


@pytest.mark.parametrize(
    ("listed", "fault"),
    [
        ([{"id": 5}], "data.0.id: Input should be a valid string"),
        ([{"id": "a"}, None], "data.1: Input should be a valid dictionary"),
        (
            [{"id": "a", "model_spec": {"embeddingDimensions": "wide"}}],
            "data.0.model_spec.embeddingDimensions: ",
        ),
        ("none", "data: Input should be a valid list"),
    ],
    ids=["id", "null", "number", "text"],
)
@respx.mock
def test_a_list_that_is_none_of_venices_names_its_fault(listed: Any, fault: str) -> None:
    """Where the models are of another form, one line says which field is not as it should be."""
    respx.get("http://venice.example/api/v1/models").respond(json={"data": listed})

    with pytest.raises(VeniceError) as caught:
        Venice("http://venice.example/api/v1").models("embedding")
    assert f"does not answer as Venice does to GET /models ({fault}" in str(caught.value)
    assert str(caught.value).endswith("Venice's own is https://api.venice.ai/api/v1.")
