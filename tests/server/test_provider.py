"""Venice as the model behind a real Letta server, by each way there is, with the local Venice as Venice."""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli.provider import configure_provider
from sanctum_venice_tools.emulator import pictures
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta import local_server, provider
from sanctum_venice_tools.letta.venice import Venice
from tests.secrets_search import shown

pytestmark = pytest.mark.server

NAME = "venice-tested"

# In tokens, with room for what Letta itself says to an agent, and two or three long messages.
SMALL_WINDOW = 16_000


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where `own_venice` writes down what it was asked."""
    return tmp_path / "own.jsonl"


@pytest.fixture
def own_venice(log: Path) -> Iterator[LocalVenice]:
    """A local Venice of the test's own, to see in its log what Letta asks of it."""
    with running_venice(log=log) as venice:
        yield venice


@pytest.fixture(autouse=True)
def no_provider(letta: Letta) -> Iterator[None]:
    """Leave no provider and no agent of a test behind."""
    yield
    if there := stored(letta):
        letta.delete(f"/v1/providers/{there['id']}", cast_to=object)
    for agent in letta.agents.list():
        if agent.llm_config.provider_name == NAME:
            letta.agents.delete(agent.id)


def configure(letta: Letta, venice: LocalVenice, *arguments: str, key: str = "") -> Result:
    """Run the command against both."""
    settings = {"VENICE_BASE_URL": venice.base_url, "VENICE_API_KEY": key or venice.key}
    settings |= {"LETTA_BASE_URL": str(letta.base_url)}
    result = CliRunner().invoke(configure_provider, ["--name", NAME, *arguments], env=settings)
    assert settings["VENICE_API_KEY"] not in result.output
    return result


def stored(letta: Letta) -> dict[str, Any] | None:
    """The provider as the server has it."""
    listed: Any = letta.get(f"/v1/providers/?name={NAME}", cast_to=object)
    return listed[0] if listed else None


def requests(log: Path, path: str) -> list[dict[str, Any]]:
    """What a local Venice was asked at an address, from its log."""
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return [entry for entry in entries if entry["path"] == path]


def say(letta: Letta, agent: str, text: str) -> str:
    """Say something to an agent, and give what it answers in the end."""
    reply = letta.agents.messages.create(agent, messages=[{"role": "user", "content": text}])
    last = reply.messages[-1].model_dump()
    assert "assistant_message" == last["message_type"]
    return str(last["content"])


def assert_accepted(asked: list[dict[str, Any]], model: str) -> None:
    """Letta's requests all fit Venice's document, and are for this model."""
    assert asked
    assert {200} == {entry["status"] for entry in asked}
    assert {model} == {entry["body"]["model"] for entry in asked}


def is_for_summary(asked: dict[str, Any]) -> bool:
    """Whether a request asks for a summary, in the words of Letta's own prompts."""
    return "summary" in str(asked["body"]["messages"][-1]["content"])


def length(asked: dict[str, Any]) -> int:
    """About how many tokens a request has."""
    return len(json.dumps(asked["body"]["messages"])) // 4


def test_creates_the_provider(letta: Letta, venice: LocalVenice) -> None:
    """The first run makes the provider, whose models have their true windows."""
    first = configure(letta, venice)

    assert 0 == first.exit_code
    assert f"provider {NAME}  create" in first.stdout
    assert 1_000_000 == provider.windows(letta, NAME)[f"{NAME}/zai-org-glm-5-2"]


def test_dry_run_writes_nothing(letta: Letta, venice: LocalVenice) -> None:
    """With --dry-run there is neither provider nor agent afterwards."""
    result = configure(letta, venice, "--dry-run", "--create-agent", "nobody", "--json")

    report = json.loads(result.stdout)
    assert ("create", True, None) == (
        report["provider"]["action"],
        report["dry_run"],
        report["created_agent"],
    )
    assert stored(letta) is None
    assert [] == list(letta.agents.list(name="nobody"))


def test_a_changed_address_is_written(
    letta: Letta, venice: LocalVenice, own_venice: LocalVenice, log: Path
) -> None:
    """The provider follows VENICE_BASE_URL; an agent at the old one is named, with the line that only moves it."""
    configure(letta, venice, "--create-agent", "mover", "--model", "llama-3.3-70b")
    (agent,) = letta.agents.list(name="mover")
    chosen: Any = {"provider_type": "openrouter", "temperature": 0.2, "parallel_tool_calls": True}
    before = letta.agents.update(agent.id, model_settings=chosen).llm_config.to_dict()

    result = configure(letta, own_venice)

    assert f"provider {NAME}  update  base_url" in result.stdout
    there = stored(letta)
    assert there is not None
    assert own_venice.base_url == there["base_url"]
    assert ["supported_parameters=tools"] == [
        one["query"] for one in requests(log, "/models") if "tools" in one["query"]
    ]
    (note,) = [line for line in result.stdout.splitlines() if "agent mover still calls" in line]
    exec(note.partition(f"{venice.base_url}: ")[2], {"letta": letta})  # noqa: S102  # the line is made to be pasted
    (agent,) = letta.agents.list(name="mover")
    assert before | {"model_endpoint": own_venice.base_url} == agent.llm_config.to_dict()
    say(letta, agent.id, "hello")
    asked = requests(log, "/chat/completions")
    assert_accepted(asked, "llama-3.3-70b")
    assert [4096] == [one["body"]["max_completion_tokens"] for one in asked]


def test_an_address_that_the_server_cannot_reach(letta: Letta, venice: LocalVenice) -> None:
    """Letta takes a dead address without a word, and goes on listing what was there before: it is told all the same."""
    configure(letta, venice)

    dead = Venice("http://127.0.0.1:9/api/v1", venice.key)
    done = provider.apply(letta, provider.plan(letta, NAME, dead))

    assert 12 < len(provider.windows(letta, NAME))
    assert "127.0.0.1:9/api/v1 must be reachable from where the Letta server runs" in (
        done.problem or ""
    )


def test_writes_nothing_when_nothing_changed(
    started: tuple[Letta, LocalVenice, dict[str, Any]],
) -> None:
    """A second run leaves the provider alone, where the server shows the key that it has."""
    letta, venice, _ = started
    configure(letta, venice)
    before = stored(letta)

    second = configure(letta, venice)

    assert 0 == second.exit_code
    assert "Nothing to change at" in second.stdout
    assert before is not None
    assert before == stored(letta)


def test_a_changed_key_is_written(started: tuple[Letta, LocalVenice, dict[str, Any]]) -> None:
    """The provider follows VENICE_API_KEY; the command tells of it without showing either key."""
    letta, venice, _ = started
    made = httpx.post(
        f"{venice.base_url}/api_keys",
        json={"apiKeyType": "INFERENCE", "description": "another one"},
        headers={"Authorization": f"Bearer {venice.key}"},
    )
    another = made.json()["data"]["apiKey"]
    configure(letta, venice)

    result = configure(letta, venice, key=another)

    assert f"provider {NAME}  update  api_key\n" in result.stdout
    there = stored(letta)
    assert there is not None
    assert another == there["api_key_enc"]
    configure(letta, venice)


def test_a_wrong_key_is_not_stored(letta: Letta, venice: LocalVenice) -> None:
    """A key that Venice refuses does not reach the Letta server."""
    result = configure(letta, venice, key="not-the-key-1234")

    assert 4 == result.exit_code
    assert stored(letta) is None


def test_leaves_another_kind_of_provider_alone(letta: Letta, venice: LocalVenice) -> None:
    """A provider of the same name and another type stays as it is, and the command ends with 3."""
    body = {"name": NAME, "provider_type": "openai", "api_key": "mine", "base_url": venice.base_url}
    letta.post("/v1/providers/", cast_to=object, body=body)
    before = stored(letta)

    result = configure(letta, venice, "--create-agent", "nobody")

    assert 3 == result.exit_code
    assert "of type openai: choose another --name" in result.stderr
    assert before == stored(letta)
    assert [] == list(letta.agents.list(name="nobody"))


@pytest.mark.parametrize("model", ["zai-org-glm-5-2", "llama-3.3-70b"])
def test_a_conversation_through_the_provider(
    letta: Letta, own_venice: LocalVenice, log: Path, model: str
) -> None:
    """The agent that --create-agent makes, once, talks with Venice's model, within the limits of that."""
    first = configure(letta, own_venice, "--create-agent", "speaker", "--model", model)
    second = configure(letta, own_venice, "--create-agent", "speaker", "--model", model)

    (agent,) = letta.agents.list(name="speaker")
    answer = say(letta, agent.id, "hello")

    assert f"agent speaker ({agent.id}) created" in first.stdout
    assert "is there already; it was left as it is" in second.stdout
    assert "I am the local Venice" in answer
    assert 128_000 == agent.llm_config.context_window
    asked = requests(log, "/chat/completions")
    assert_accepted(asked, model)
    expected = {"zai-org-glm-5-2": 16_384, "llama-3.3-70b": 4096}[model]
    assert [(expected, 1.0)] == [
        (one["body"]["max_completion_tokens"], one["body"]["temperature"]) for one in asked
    ]


def test_a_conversation_goes_on_after_a_picture(letta: Letta, own_venice: LocalVenice) -> None:
    """The model that is proposed sees, so a picture that a person attaches is answered, and so is what comes after."""
    configure(letta, own_venice, "--create-agent", "seer")
    (agent,) = letta.agents.list(name="seer")
    picture = pictures.encode(pictures.draw("a fox", (128, 96), "1"), "png")
    data = base64.b64encode(picture).decode()
    source = {"type": "base64", "media_type": "image/png", "data": data}
    content: Any = [{"type": "text", "text": "What is this?"}, {"type": "image", "source": source}]

    answered = letta.agents.messages.create(
        agent.id, messages=[{"role": "user", "content": content}]
    )

    assert "end_turn" == answered.stop_reason.stop_reason
    assert "I am the local Venice" in say(letta, agent.id, "hello")


def test_a_conversation_beyond_its_window_is_summarised(
    letta: Letta, own_venice: LocalVenice, log: Path
) -> None:
    """With the printed settings, Venice refuses no request for a summary, and the next turn's prompt is small again."""
    settings = json.loads(configure(letta, own_venice, "--json").stdout)["agent"]
    agent = letta.agents.create(
        name="rememberer", **settings | {"context_window_limit": SMALL_WINDOW}
    )

    for _ in range(6):
        said = letta.agents.messages.create(
            agent.id, messages=[{"role": "user", "content": "I like my tea hot. " * 700}]
        )
        assert "end_turn" == said.stop_reason.stop_reason

    letta.agents.messages.create(agent.id, messages=[{"role": "user", "content": "hello"}])
    asked = requests(log, "/chat/completions")
    assert_accepted(asked, "qwen3-vl-235b-a22b")
    summaries = [one for one in asked if is_for_summary(one)]
    assert summaries
    assert {"auto"} == {one["body"]["tool_choice"] for one in summaries}
    assert max(map(length, asked)) < 2 * SMALL_WINDOW
    assert length(asked[-1]) < SMALL_WINDOW
    told = [str(message["content"]) for message in asked[-1]["body"]["messages"]]
    assert 1 == sum("a summary of the previous messages" in one for one in told)


def test_an_agent_is_summarised_by_hand(letta: Letta, own_venice: LocalVenice, log: Path) -> None:
    """Letta's own page for that makes a text of the conversation of an agent that --create-agent made."""
    configure(letta, own_venice, "--create-agent", "truth")
    (agent,) = letta.agents.list(name="truth")
    for _ in range(5):
        say(letta, agent.id, "hello")

    done: Any = letta.post(f"/v1/agents/{agent.id}/summarize", cast_to=object, body={})

    assert "I am the local Venice" in done["summary"]
    assert done["num_messages_after"] < done["num_messages_before"]
    assert_accepted(requests(log, "/chat/completions"), "qwen3-vl-235b-a22b")


def test_no_embeddings_where_the_server_has_no_key(letta: Letta, venice: LocalVenice) -> None:
    """A server without Venice's key in its environment would send another one, whatever a provider is called."""
    body = {
        "name": "openai",
        "provider_type": "openrouter",
        "api_key": venice.key,
        "base_url": venice.base_url,
    }
    misleading: Any = letta.post("/v1/providers/", cast_to=object, body=body)

    result = configure(letta, venice)

    letta.delete(f"/v1/providers/{misleading['id']}", cast_to=object)
    assert "embedding_config" not in result.stdout
    assert "No embeddings: for these, Letta takes the key from its own environment" in result.stdout


# --- A server that has Venice in its environment


@pytest.fixture(scope="module")
def environment_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the Venice of `started` writes down what it was asked."""
    return tmp_path_factory.mktemp("environment") / "venice.jsonl"


@pytest.fixture(scope="module")
def started(
    tmp_path_factory: pytest.TempPathFactory, environment_log: Path
) -> Iterator[tuple[Letta, LocalVenice, dict[str, Any]]]:
    """A server that was started with what --env prints, and encrypts nothing. With it, the agent's settings."""
    home = tmp_path_factory.mktemp("letta-environment")
    with running_venice(log=environment_log) as venice:
        settings = {"VENICE_BASE_URL": venice.base_url, "VENICE_API_KEY": venice.key}
        printed = CliRunner().invoke(configure_provider, ["--env", "dotenv"], env=settings)
        agent = json.loads(
            CliRunner()
            .invoke(configure_provider, ["--env", "shell", "--json"], env=settings)
            .stdout
        )
        file = home / "variables.env"
        file.write_text(printed.stdout)
        variables = read_dotenv(file, settings)
        variables |= {"LETTA_ENCRYPTION_KEY": ""}
        server = local_server.start(home, environment=variables, tied_to_caller=True)
        try:
            with Letta(base_url=server.base_url, timeout=120) as client:
                yield client, venice, agent["agent"]
        finally:
            local_server.stop(home)


def read_dotenv(file: Path, settings: dict[str, str]) -> dict[str, str]:
    """Read a .env file with the very library that Letta reads its own with."""
    reading = "import dotenv, json, sys; print(json.dumps(dotenv.dotenv_values(sys.argv[1])))"
    python = local_server.ENVIRONMENT / "bin" / "python"
    with shown():  # it prints what it has read
        said = subprocess.run(
            [python, "-I", "-c", reading, file],
            env=settings,
            capture_output=True,
            text=True,
            check=True,
        )
    variables: dict[str, str] = json.loads(said.stdout)
    return variables


def test_a_conversation_through_the_environment(
    started: tuple[Letta, LocalVenice, dict[str, Any]], environment_log: Path
) -> None:
    """With the variables and the settings that --env prints, an agent thinks with Venice, in its true window."""
    letta, _, settings = started
    agent = letta.agents.create(name="by-environment", **settings)

    answer = say(letta, agent.id, "hello")

    assert "I am the local Venice" in answer
    assert 128_000 == agent.llm_config.context_window
    # What Letta takes by itself.
    assert 30_000 == provider.windows(letta, "openai")[settings["model"]]
    assert_accepted(requests(environment_log, "/chat/completions"), "qwen3-vl-235b-a22b")


def test_embeddings_through_the_environment(
    started: tuple[Letta, LocalVenice, dict[str, Any]], environment_log: Path
) -> None:
    """An agent's archive is filled and searched with vectors of Venice's."""
    letta, _, settings = started
    agent = letta.agents.create(name="archivist", **settings)

    for text in ("Foxes live in cities.", "The kettle is blue."):
        letta.agents.passages.create(agent.id, text=text)
    found = letta.agents.passages.search(agent.id, query="a city fox: foxes in cities", top_k=1)

    assert ["Foxes live in cities."] == [result.content for result in found.results]
    asked = requests(environment_log, "/embeddings")
    assert_accepted(asked, "text-embedding-bge-m3")
    assert 3 == len(asked)


def test_both_ways_together(started: tuple[Letta, LocalVenice, dict[str, Any]]) -> None:
    """On a server with the key in its environment, agents of the provider get embeddings too."""
    letta, venice, settings = started

    report = json.loads(configure(letta, venice, "--create-agent", "both", "--json").stdout)

    assert settings["embedding_config"] == report["agent"]["embedding_config"]
    agent = letta.agents.retrieve(report["created_agent"]["id"])
    assert f"{NAME}/qwen3-vl-235b-a22b" == agent.llm_config.handle
    assert letta.agents.passages.create(agent.id, text="Foxes live in cities.")


def test_a_server_that_encrypts_its_keys(letta: Letta, venice: LocalVenice) -> None:
    """Its key can't be compared, so it is written at each run, and that is said; the provider goes on working."""
    configure(letta, venice)

    result = configure(letta, venice, "--create-agent", "encrypted")

    assert 0 == result.exit_code
    assert "the server does not show the key it has, so the key was written again" in result.stdout
    (agent,) = letta.agents.list(name="encrypted")
    assert "I am the local Venice" in say(letta, agent.id, "hello")
