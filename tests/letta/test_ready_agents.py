"""Ready-made agents, as far as no Letta server is needed: who they are, their files, and what an import refuses."""

import functools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli.agents import agents
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.letta.ready_agents import agent_names, read_ready_agent
from sanctum_venice_tools.letta.ready_agents.agent_file import MODEL, agent_file_text
from sanctum_venice_tools.letta.ready_agents.importing import choose_model
from sanctum_venice_tools.letta.stored import wanted_fields
from sanctum_venice_tools.letta.venice import LONGEST_WINDOW, Venice
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record

COMMITTED = Path(__file__).resolve().parents[2] / "agents"
NAMES = agent_names()

# Each agent's tools are packed once for all tests.
text_of = functools.cache(agent_file_text)


def content_of(name: str) -> dict[str, Any]:
    """An agent's file."""
    content: dict[str, Any] = json.loads(text_of(name))
    return content


def state_of(name: str) -> dict[str, Any]:
    """The one agent of a file."""
    (state,) = content_of(name)["agents"]
    return dict(state)


def run(*arguments: str, **environment: str) -> Result:
    """Run the command, with no other setting of ours than these."""
    ours = [name for name in os.environ if name.startswith(("VENICE_", "LETTA_"))]
    return CliRunner(env=dict.fromkeys(ours) | environment).invoke(agents, arguments)


# --- who they are ---


def test_there_are_five() -> None:
    """The pack has a researcher, an artist, a film maker, a voice and a companion."""
    assert ["artist", "companion", "film_maker", "researcher", "voice"] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_tool_exists(name: str) -> None:
    """An agent has tools of this pack only, each once, and its rules name no tool that it lacks."""
    agent = read_ready_agent(name)
    spoken_of = set(re.findall(r"venice_\w+", agent.rules))

    assert set(agent.tools) <= set(tool_files())
    assert len(agent.tools) == len(set(agent.tools))
    assert spoken_of <= set(agent.tools)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_memory_of_itself_and_of_the_person(name: str) -> None:
    """An agent begins with a persona of a few lines, and with a place for what it learns of the person."""
    memory = read_ready_agent(name).memory

    assert {"persona", "human"} <= set(memory)
    assert 3 <= len(memory["persona"].text.strip().splitlines()) <= 5
    assert all(block.description and block.text.strip() for block in memory.values())


@pytest.mark.parametrize("name", ["artist", "film_maker"])
def test_those_that_take_attached_pictures_name_where_these_are(name: str) -> None:
    """An agent whose rules speak of pictures that a person attaches names Letta's address among its secrets."""
    assert "LETTA_BASE_URL" in read_ready_agent(name).secrets


# --- their files ---


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_file_is_what_the_pack_says(name: str) -> None:
    """The file in agents/ is made from the tools and the definition as they are; `make schemas` writes it."""
    assert text_of(name) == (COMMITTED / f"{name}.af").read_text(encoding="utf-8")


def test_no_other_files_are_committed() -> None:
    """Each file in agents/ belongs to an agent of the pack."""
    assert NAMES == sorted(path.stem for path in COMMITTED.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_has_a_value(name: str) -> None:
    """A file names the secrets that its agent needs, VENICE_API_KEY among them, and tells none."""
    state = state_of(name)

    assert state["secrets"] == state["tool_exec_environment_variables"]
    assert "VENICE_API_KEY" in state["secrets"]
    assert {""} == set(state["secrets"].values())


@pytest.mark.parametrize("name", NAMES)
def test_a_person_is_asked_where_the_tools_say_so(name: str) -> None:
    """The approvals of an agent are those of the tools' own table: what may cost dollars, or changes the account."""
    rules = state_of(name)["tool_rules"]
    records = [read_record(tool) for tool in read_ready_agent(name).tools]

    assert {"requires_approval"} >= {rule["type"] for rule in rules}
    assert [one.name for one in records if one.needs_approval] == [
        rule["tool_name"] for rule in rules
    ]


def test_the_film_maker_asks_before_it_buys() -> None:
    """Buying a film waits for a person, and asking what it would cost does not."""
    assert ["venice_queue_video"] == [
        rule["tool_name"] for rule in state_of("film_maker")["tool_rules"]
    ]


@pytest.mark.parametrize("name", NAMES)
def test_tools_are_whole(name: str) -> None:
    """A file has each tool's text, schema and default approval, and what a sandbox of others has to install."""
    for tool in content_of(name)["tools"]:
        record = read_record(tool["name"])
        assert record.source_code == tool["source_code"]
        assert record.json_schema == tool["json_schema"]
        assert record.needs_approval == tool["default_requires_approval"]
        assert ["httpx"] == [needed["name"] for needed in tool["pip_requirements"]]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_message_holds_prompt_and_memory(name: str) -> None:
    """What the agent's model reads first is in the file, for Letta's import makes none: prompt, rules, each block."""
    state, agent = state_of(name), read_ready_agent(name)
    (message,) = state["messages"]
    text = message["content"][0]["text"]

    assert [message["id"]] == state["in_context_message_ids"]
    assert text.startswith(state["system"])
    assert agent.rules in state["system"]
    assert all(block.text in text for block in agent.memory.values())


def test_the_model_is_what_the_local_venice_recommends(venice: LocalVenice) -> None:
    """The model that files name is the one that `provider` would take: it calls functions, and it sees."""
    assert MODEL == Venice(venice.base_url, venice.key).choose_chat_model()


# --- write ---


def test_write_makes_each_file(tmp_path: Path) -> None:
    """Without a name it writes all of them, and a second time none; --check is content then."""
    folder = str(tmp_path / "made")

    first, second = run("write", "--into", folder), run("write", "--into", folder)

    assert f"5 agent files in {folder}: 5 written\n" == first.stdout
    assert f"5 agent files in {folder}: 0 written\n" == second.stdout
    assert 0 == run("write", "--into", folder, "--check").exit_code
    assert text_of("voice") == (tmp_path / "made" / "voice.af").read_text(encoding="utf-8")


def test_check_tells_what_would_change(tmp_path: Path) -> None:
    """--check ends with 1 and names the file that is not as it should be; nothing is written."""
    stale = tmp_path / "voice.af"
    stale.write_text("{}")

    done = run("write", "voice", "--into", str(tmp_path), "--check")

    assert 1 == done.exit_code
    assert f"Error: these are not what the pack says: {stale}\n" == done.stderr
    assert "{}" == stale.read_text()


def test_write_leaves_others_alone(tmp_path: Path) -> None:
    """Files that are not asked for stay as they are."""
    other = tmp_path / "artist.af"
    other.write_text("mine")

    run("write", "voice", "--into", str(tmp_path))

    assert "mine" == other.read_text()
    assert {"artist.af", "voice.af"} == {path.name for path in tmp_path.iterdir()}


# --- import, before there is a server ---


def test_help_names_the_agents() -> None:
    """A person learns from --help which agents there are."""
    assert f"NAME is one of {', '.join(NAMES)}." in run("import", "--help").stdout


@pytest.mark.parametrize("command", ["write", "import"])
def test_an_agent_that_is_not_there(command: str) -> None:
    """A name that no agent has is wrong usage, and the error names those that there are."""
    done = run(command, "plumber", LETTA_BASE_URL="http://127.0.0.1:1")

    assert 2 == done.exit_code
    assert "'researcher'" in done.stderr


def test_import_needs_a_server() -> None:
    """Without an address it is said how to name one."""
    done = run("import", "voice", VENICE_API_KEY="k")

    assert 2 == done.exit_code
    assert "which server? Set LETTA_BASE_URL" in done.stderr


@pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a\n"])
def test_a_name_that_letta_does_not_take(server: respx.Router, name: str) -> None:
    """A name that Letta would refuse is wrong usage, and nothing is asked of the server."""
    done = run("import", "voice", "--server", SERVER, "--name", name, VENICE_API_KEY="k")

    assert (2, 0) == (done.exit_code, len(server.calls)), done.output
    assert "--name: letters, digits, spaces, -, _ and ' only" in done.stderr


def test_a_name_in_any_language(server: respx.Router) -> None:
    """Letters of every language are letters, as they are to Letta."""
    called = "Zoë's déjà-vu_2 声"
    server.get(f"{SERVER}/v1/agents/").respond(json=[{"id": "agent-1", "name": called}])

    done = run("import", "voice", "--server", SERVER, "--name", called)

    assert 0 == done.exit_code, done.output


@pytest.mark.slow
def test_import_where_no_server_is() -> None:
    """An address at which nothing answers ends with 4 and one line."""
    done = run("import", "voice", "--server", "http://127.0.0.1:1", VENICE_API_KEY="k")

    assert 4 == done.exit_code
    assert (
        "Error: there is no Letta server at http://127.0.0.1:1. Check LETTA_BASE_URL.\n"
        == done.stderr
    )


# --- import, at a server that is made up ---

SERVER = "http://letta.test"


@pytest.fixture
def server(venice: LocalVenice) -> Iterator[respx.Router]:
    """A Letta server that lists the model and has the tools of the voice, and no agent."""
    model = {"model": MODEL.id, "context_window": 1_000_000, "model_endpoint": venice.base_url}
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=venice.base_url).pass_through()
        router.get(f"{SERVER}/v1/agents/").respond(json=[])
        messages = [{"id": "message-1", "message_type": "system_message"}]
        router.get(f"{SERVER}/v1/agents/agent-1/messages").respond(json=messages)
        router.get(f"{SERVER}/v1/models/").respond(json=[{"handle": f"venice/{MODEL.id}", **model}])
        router.get(f"{SERVER}/v1/tools/").respond(json=[stored(name) for name in VOICE])
        yield router


VOICE = read_ready_agent("voice").tools


def stored(name: str, **other: Any) -> dict[str, Any]:
    """A tool as a server has it; with `other`, in another form."""
    return {
        "id": f"tool-{name}",
        "name": name,
        **wanted_fields(read_record(name), None, "local"),
    } | other


def import_voice(venice: LocalVenice, *options: str, key: str | None = None) -> Result:
    """Import the voice on that server."""
    settings = {"VENICE_BASE_URL": venice.base_url, "VENICE_API_KEY": key or venice.key}
    return run("import", "voice", "--server", SERVER, *options, **settings)


def test_an_agent_that_is_there_is_left(server: respx.Router) -> None:
    """A second run says that the agent is there, needs no key for that, and writes nothing."""
    server.get(f"{SERVER}/v1/agents/").respond(json=[{"id": "agent-1", "name": "voice"}])

    done = run("import", "voice", "--server", SERVER)

    told = f"agent voice (agent-1) is there already; it was left as it is: {SERVER}\n"
    assert (0, told, "") == (done.exit_code, done.stdout, done.stderr)
    assert {"GET"} == {call.request.method for call in server.calls}


# An agent that Letta made, and then could not give its first message.
MUTE = (
    "agent voice: it is there (agent-1) without a message, and can answer nothing: "
    'delete it, with letta.agents.delete("agent-1"), and run this again'
)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_an_agent_that_can_answer_nothing_is_not_well(
    server: respx.Router, options: tuple[str, ...]
) -> None:
    """An agent of that name that an import left without a message ends the command with 3, and with what to do."""
    server.get(f"{SERVER}/v1/agents/").respond(json=[{"id": "agent-1", "name": "voice"}])
    server.get(f"{SERVER}/v1/agents/agent-1/messages").respond(json=[])

    done = run("import", "voice", "--server", SERVER, *options)

    assert (3, f"Error: {MUTE}\n") == (done.exit_code, done.stderr)
    assert "is there already" not in done.stdout


def test_an_import_that_failed_half_way(server: respx.Router, venice: LocalVenice) -> None:
    """Letta keeps the agent whose messages it could not store: it is named at once, to be deleted."""
    made = [{"id": "agent-1", "name": "voice"}]
    server.get(f"{SERVER}/v1/agents/").mock(
        side_effect=[httpx.Response(200, json=[]), httpx.Response(200, json=made)]
    )
    server.get(f"{SERVER}/v1/agents/agent-1/messages").respond(json=[])
    server.post(f"{SERVER}/v1/agents/import").respond(500, json={"detail": "Import failed"})

    done = import_voice(venice)

    assert 3 == done.exit_code
    assert f"Import failed. {MUTE.partition(': ')[2]}\n" in done.stderr


@pytest.mark.usefixtures("server")
def test_import_needs_a_key() -> None:
    """Without a key, and without a person to ask for it, it is said where keys are made."""
    done = run("import", "voice", "--server", SERVER)

    assert 2 == done.exit_code
    assert "VENICE_API_KEY is not set" in done.stderr


def test_a_wrong_key_is_found_before_anything_is_made(
    server: respx.Router, venice: LocalVenice
) -> None:
    """A key that Venice refuses ends with 4; the server gets nothing, and nobody sees the key."""
    done = import_voice(venice, key="not-the-key-1234")

    assert 4 == done.exit_code
    assert "VENICE_API_KEY is no good" in done.stderr
    assert "not-the-key-1234" not in done.output
    assert {"GET"} == {call.request.method for call in server.calls}


def test_a_tool_that_is_not_ours_is_not_given_to_the_agent(
    server: respx.Router, venice: LocalVenice
) -> None:
    """Where the server has another's tool of that name, nothing is made, and it is said what to do."""
    theirs = stored("venice_speak", source_code="def venice_speak(): ...", tags=[])
    server.get(f"{SERVER}/v1/tools/").respond(json=[theirs])

    done = import_voice(venice)

    assert 3 == done.exit_code
    assert "`sanctum-venice register venice_speak --adopt` overwrites them" in done.stderr
    assert "POST" not in {call.request.method for call in server.calls}


def test_a_tool_in_another_form_stays(server: respx.Router, venice: LocalVenice) -> None:
    """A tool of ours that others use, edited or of another version, stays; a note says how to get ours."""
    edited = stored("venice_speak", return_char_limit=7)
    server.get(f"{SERVER}/v1/tools/").respond(json=[edited, *(stored(name) for name in VOICE[1:])])

    done = import_voice(venice, "--dry-run")

    assert 0 == done.exit_code, done.output
    assert "Note: the server keeps its own form of venice_speak" in done.stdout
    assert "create" not in done.stdout.replace("agent voice              create", "")


def test_a_tool_that_only_asks_where_ours_does_not(
    server: respx.Router, venice: LocalVenice
) -> None:
    """Which tools ask is for the operator to choose: a note names no tool for that, and keeps it in its command."""
    asks = {"default_requires_approval": True}
    listed = [stored(name, **asks) for name in VOICE]
    server.get(f"{SERVER}/v1/tools/").respond(json=listed)
    agreed = import_voice(venice, "--dry-run")
    edited = stored("venice_speak", **asks, return_char_limit=7)
    server.get(f"{SERVER}/v1/tools/").respond(json=[edited, *listed[1:]])

    stale = import_voice(venice, "--dry-run")

    assert "Note: the server keeps" not in agreed.stdout
    command = "`sanctum-venice register venice_speak --approve costly,venice_speak` writes ours"
    assert f"its own form of venice_speak; {command}" in stale.stdout


def test_where_the_server_s_tools_declare_packages(
    server: respx.Router, venice: LocalVenice
) -> None:
    """On one's own server with E2B, tools declare httpx: so does what is registered, and no note tells of theirs."""
    there = [{**stored(name), **wanted_fields(read_record(name), None, "cloud")} for name in VOICE]
    server.get(f"{SERVER}/v1/tools/").respond(json=there[1:])
    registered = server.put(f"{SERVER}/v1/tools/").respond(400)

    done = import_voice(venice)

    assert "Note: the server keeps" not in done.stdout
    sent = json.loads(registered.calls[0].request.content)
    assert ["httpx"] == [one["name"] for one in sent["pip_requirements"]]


def at_terminal(monkeypatch: pytest.MonkeyPatch, venice: LocalVenice, typed: str) -> Result:
    """Import the voice as a person at a terminal, who types this."""
    for asking in ("agents", "secret"):
        monkeypatch.setattr(f"sanctum_venice_tools.cli.{asking}.at_terminal", lambda: True)
    runner = CliRunner(env={"VENICE_BASE_URL": venice.base_url, "VENICE_API_KEY": None})
    return runner.invoke(agents, ["import", "voice", "--server", SERVER], input=typed)


def test_a_person_is_asked_for_the_key(
    server: respx.Router, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a terminal the key is typed without being shown, and reaches the server as the agent's secret."""
    route = server.post(f"{SERVER}/v1/agents/import").respond(json={"agent_ids": ["agent-1"]})
    server.post(f"{SERVER}/v1/agents/agent-1/recompile").respond(json="")
    server.get(f"{SERVER}/v1/agents/agent-1").respond(json=made_voice())
    tools = [stored(name) for name in VOICE]
    server.get(f"{SERVER}/v1/agents/agent-1/tools").respond(json=tools)

    done = at_terminal(monkeypatch, venice, f"{venice.key}\ny\n")

    assert 0 == done.exit_code, done.output
    assert f"agent voice (agent-1) created: {SERVER}" in done.stdout
    assert venice.key not in done.output
    assert json.dumps({"VENICE_API_KEY": venice.key})[:-1].encode() in route.calls[0].request.read()


def test_further_secrets_come_from_the_environment(
    server: respx.Router, venice: LocalVenice
) -> None:
    """--secret sets another of the settings; its value is in the request, and in nothing that is printed."""
    route = server.post(f"{SERVER}/v1/agents/import").respond(500)
    settings = {"VENICE_BASE_URL": venice.base_url, "VENICE_API_KEY": venice.key}
    settings["VENICE_MEDIA_TOKEN"] = "token-of-the-media-server"

    done = run("import", "voice", "--server", SERVER, "--secret", "VENICE_MEDIA_TOKEN", **settings)

    sent = route.calls[0].request.read()
    assert b'"VENICE_MEDIA_TOKEN": "token-of-the-media-server"' in sent
    assert "token-of-the-media-server" not in done.output
    assert "secrets  VENICE_API_KEY, VENICE_BASE_URL, VENICE_MEDIA_TOKEN" in done.stdout


@pytest.mark.parametrize("options", [(), ("--secret", "VENICE_BASE_URL")])
def test_the_agent_gets_the_address_of_venice_that_was_tried(
    server: respx.Router, venice: LocalVenice, options: tuple[str, ...]
) -> None:
    """An address without its path is mended for the agent's tools too, which take it as it is."""
    route = server.post(f"{SERVER}/v1/agents/import").respond(500)
    bare = venice.base_url.removesuffix("/api/v1")
    settings = {"VENICE_BASE_URL": bare, "VENICE_API_KEY": venice.key}

    run("import", "voice", "--server", SERVER, *options, **settings)

    sent = route.calls[0].request.read()
    assert json.dumps({"VENICE_BASE_URL": venice.base_url})[1:-1].encode() in sent


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("named", ["VENICE_MEDIA", "VENICE_MEDIA=http://media"])
def test_a_secret_without_a_value_is_wrong_usage(named: str) -> None:
    """A secret that is not set, or whose value stands on the command line, is refused."""
    done = run("import", "voice", "--server", SERVER, "--secret", named, VENICE_API_KEY="k")

    assert 2 == done.exit_code
    assert ("is not set here" in done.stderr) or ("give the name alone" in done.stderr)


def test_an_agent_that_came_out_otherwise_is_told(
    server: respx.Router, venice: LocalVenice
) -> None:
    """Where the server did not keep all of it, the command ends with 3 and names what is missing."""
    server.post(f"{SERVER}/v1/agents/import").respond(json={"agent_ids": ["agent-1"]})
    server.post(f"{SERVER}/v1/agents/agent-1/recompile").respond(404)
    server.get(f"{SERVER}/v1/agents/agent-1").respond(json=made_voice() | {"secrets": []})
    tools = [stored(name) for name in VOICE[1:]]
    server.get(f"{SERVER}/v1/agents/agent-1/tools").respond(json=tools)

    done = import_voice(venice)

    assert 3 == done.exit_code
    kept = "made, but the server did not keep venice_speak, VENICE_API_KEY, VENICE_BASE_URL"
    assert kept in done.stderr


def test_two_imports_at_once(server: respx.Router, venice: LocalVenice) -> None:
    """Letta makes two agents of one name: that is told with their ids, and nothing is deleted."""
    two = [made_voice() | {"id": f"agent-{number}"} for number in (1, 2)]
    server.get(f"{SERVER}/v1/agents/").mock(
        side_effect=[httpx.Response(200, json=[]), httpx.Response(200, json=two)]
    )
    server.post(f"{SERVER}/v1/agents/import").respond(json={"agent_ids": ["agent-1"]})
    server.post(f"{SERVER}/v1/agents/agent-1/recompile").respond(json="")
    server.get(f"{SERVER}/v1/agents/agent-1").respond(json=made_voice())
    tools = [stored(name) for name in VOICE]
    server.get(f"{SERVER}/v1/agents/agent-1/tools").respond(json=tools)

    done = import_voice(venice)

    assert 3 == done.exit_code, done.output
    assert "agent voice (agent-1) created" in done.stdout
    assert (
        "made, but 2 agents are called so now, agent-1, agent-2: delete one of them" in done.stderr
    )
    assert "DELETE" not in {call.request.method for call in server.calls}


def made_voice() -> dict[str, Any]:
    """The voice as a server has it."""
    names = ("VENICE_API_KEY", "VENICE_BASE_URL")
    secrets = [{"key": name, "value": ""} for name in names]
    return {"id": "agent-1", "name": "voice", "tool_rules": [], "secrets": secrets}


def test_a_person_may_say_no(
    server: respx.Router, venice: LocalVenice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written when the person does not agree to what was shown."""
    done = at_terminal(monkeypatch, venice, f"{venice.key}\nn\n")

    assert 1 == done.exit_code
    assert "Error: nothing was changed" in done.stderr
    assert {"GET"} == {call.request.method for call in server.calls}


@pytest.mark.parametrize("fault", ["refused", "dropped", "no agent"])
def test_an_import_is_sent_once(server: respx.Router, venice: LocalVenice, fault: str) -> None:
    """A failed import is not repeated, for it could make two agents; one line says what to do, without the key."""
    route = server.post(f"{SERVER}/v1/agents/import")
    if fault == "refused":
        words = f"{'Import failed: ':.<190}{venice.key}"  # which is where it is cut
        route.respond(500, json={"detail": words})
    elif fault == "dropped":
        route.side_effect = httpx.ReadError("gone")
    else:
        route.respond(json={"agent_ids": []})

    done = import_voice(venice)

    assert 3 == done.exit_code
    assert 1 == route.call_count
    assert "Run it again: an agent that came to be is left as it is" in done.stderr
    assert venice.key[:8] not in done.output


def test_on_letta_cloud_the_tools_name_what_they_need(venice: LocalVenice) -> None:
    """There the tools that are registered have httpx as a requirement, and the server's own key goes along."""
    cloud, model = "https://api.letta.com", {"model": "gpt-4.1", "context_window": 1_000_000}
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=venice.base_url).pass_through()
        router.get(f"{cloud}/v1/agents/").respond(json=[])
        router.get(f"{cloud}/v1/models/").respond(json=[{"handle": "openai/gpt-4.1", **model}])
        router.get(f"{cloud}/v1/tools/").respond(json=[])
        registered = router.put(f"{cloud}/v1/tools/").respond(400)
        settings = {"VENICE_BASE_URL": venice.base_url, "VENICE_API_KEY": venice.key}
        settings["LETTA_API_KEY"] = "key-of-letta-cloud"

        done = run("import", "voice", "--server", cloud, "--model", "openai/gpt-4.1", **settings)

        request = registered.calls[0].request
    assert 3 == done.exit_code
    assert ["httpx"] == [one["name"] for one in json.loads(request.content)["pip_requirements"]]
    assert "Bearer key-of-letta-cloud" == request.headers["authorization"]
    assert "could not be registered" in done.stderr


def test_the_window_is_never_longer_than_letta_s_own(
    server: respx.Router, venice: LocalVenice
) -> None:
    """An agent gets no window of a million tokens, each of which would be paid for at every turn."""
    letta = Letta(base_url=SERVER)

    config, _ = choose_model(letta, Venice(venice.base_url, venice.key))

    assert LONGEST_WINDOW == config["context_window"]
    assert server.calls
