"""Registering tools on a real Letta server, as an operator does it: with the command."""

import json
import time
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli import register as command
from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.emulator.process import LocalVenice
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import read_record, toolset_of

pytestmark = pytest.mark.server

CORE = sorted(name for name, path in tool_files().items() if toolset_of(path) == "core")
ALL = sorted(name for name, path in tool_files().items() if toolset_of(path) != "admin")


@pytest.fixture(autouse=True)
def no_tools(letta: Letta) -> None:
    """Start each test without tools of ours on the server."""
    for tool in letta.tools.list(search="venice_"):
        letta.tools.delete(tool.id)


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the server from now on: the method of each request."""
    asked: list[str] = []
    send = httpx.Client.send

    def listen(self: httpx.Client, request: httpx.Request, **more: Any) -> httpx.Response:
        asked.append(request.method)
        return send(self, request, **more)

    monkeypatch.setattr(httpx.Client, "send", listen)
    return asked


def register(letta: Letta, *arguments: str, typed: str | None = None) -> Result:
    """Run the command against the server."""
    return CliRunner().invoke(
        register_tools, [*arguments, "--base-url", str(letta.base_url)], input=typed
    )


def actions(result: Result) -> dict[str, str]:
    """What the command did, or would do, by tool."""
    return {tool["name"]: tool["action"] for tool in json.loads(result.stdout)["tools"]}


def on_server(letta: Letta) -> list[str]:
    """The names of the tools that the server has."""
    return sorted(str(tool.name) for tool in letta.tools.list(search="venice_"))


def make_foreign_tool(letta: Letta) -> str:
    """Somebody else's tool with a name of ours."""
    source = "def venice_ask_web() -> str:\n    return 'mine'\n"
    schema: dict[str, object] = {
        "name": "venice_ask_web",
        "description": "Mine.",
        "parameters": {"type": "object", "properties": {}},
    }
    letta.tools.create(source_code=source, json_schema=schema, tags=["venice"])
    return source


def test_registers_then_changes_nothing(letta: Letta, requests: list[str]) -> None:
    """The first run creates every tool of core; the second makes one request, a read, and says so."""
    first = register(letta, "--json")
    before = {tool.name: tool.model_dump() for tool in letta.tools.list(search="venice_")}
    requests.clear()

    second = register(letta)
    asked = list(requests)

    assert dict.fromkeys(CORE, "create") == actions(first)
    assert "Nothing to change" in second.stdout
    assert ["GET"] == asked
    assert before == {tool.name: tool.model_dump() for tool in letta.tools.list(search="venice_")}
    assert (0, 0) == (first.exit_code, second.exit_code)


def test_registers_the_whole_pack_quickly(letta: Letta) -> None:
    """All tools are registered within 3 seconds; on a busy machine, at one time of five."""
    assert any(seconds_to_register_all(letta) < 3 for _ in range(5))
    assert ALL == on_server(letta)


def seconds_to_register_all(letta: Letta) -> float:
    """How long it takes where none is there."""
    for tool in letta.tools.list(search="venice_"):
        letta.tools.delete(tool.id)
    start = time.monotonic()
    result = register(letta, "all")
    assert 0 == result.exit_code
    return time.monotonic() - start


def test_dry_run_writes_nothing(letta: Letta) -> None:
    """With --dry-run the server stays as it was."""
    result = register(letta, "--dry-run", "--json")

    assert dict.fromkeys(CORE, "create") == actions(result)
    assert [] == on_server(letta)


def test_registers_only_what_is_named(letta: Letta) -> None:
    """A name on the command line registers that tool alone, whatever the toolsets."""
    register(letta, "venice_ask_web", "--toolset", "core")

    assert ["venice_ask_web"] == on_server(letta)


def test_show_prints_what_letta_stores(letta: Letta) -> None:
    """What --show prints of a tool is byte for byte what the server stores."""
    register(letta, *tool_files())
    stored = {tool.name: tool.source_code or "" for tool in letta.tools.list(search="venice_")}

    shown = {name: CliRunner().invoke(register_tools, ["--show", name]) for name in tool_files()}

    assert {name: text.encode() for name, text in stored.items()} == {
        name: result.stdout_bytes for name, result in shown.items()
    }
    assert {b""} == {result.stderr_bytes for result in shown.values()}


def test_repairs_what_was_edited_on_the_server(letta: Letta) -> None:
    """A tool changed by hand is told from an older one, shown with what differs, and made whole again."""
    register(letta, "venice_ask_web")
    (tool,) = letta.tools.list(names=["venice_ask_web"])
    edited = (tool.source_code or "").replace("Venice", "Venus")
    letta.tools.update(
        tool.id, source_code=edited, return_char_limit=99, default_requires_approval=True
    )

    result = register(letta, "venice_ask_web", "--json")

    (change,) = json.loads(result.stdout)["tools"]
    assert "drifted" == change["action"]
    assert {"default_requires_approval", "return_char_limit", "source_code"} <= set(
        change["differs"]
    )
    assert {"venice_ask_web": "unchanged"} == actions(register(letta, "venice_ask_web", "--json"))


def test_tells_an_older_tool_from_an_edited_one(
    letta: Letta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tool that is as another pack registered it is an update; --diff shows the lines that differ."""
    old = read_record("venice_ask_web").source_code.replace("import sys\n", "import sys  # old\n")
    with monkeypatch.context() as patch:
        patch.setattr("sanctum_venice_tools.packing.record.bundle", lambda _: old)
        register(letta, "venice_ask_web")

    result = register(letta, "venice_ask_web", "--diff")

    assert "venice_ask_web  update  source\n" in result.stdout
    assert "\n-import sys  # old\n+import sys\n" in result.stdout
    assert {"venice_ask_web": "unchanged"} == actions(register(letta, "venice_ask_web", "--json"))


def test_keeps_the_tags_of_others(letta: Letta) -> None:
    """A tag that an operator gave a tool is no difference, and stays when the tool is written."""
    register(letta, "venice_ask_web")
    (tool,) = letta.tools.list(names=["venice_ask_web"])
    letta.tools.update(
        tool.id, tags=[*(tool.tags or []), "favourite"], enable_parallel_execution=True
    )

    before = actions(register(letta, "venice_ask_web", "--json"))
    register(letta, "venice_ask_web", "--approve", "all")

    (after,) = letta.tools.list(names=["venice_ask_web"])
    assert {"venice_ask_web": "unchanged"} == before
    assert after.default_requires_approval
    assert {"favourite", "venice", "venice-core"} < set(after.tags or [])


def test_leaves_a_foreign_tool_alone(letta: Letta) -> None:
    """A tool of the same name that is not ours, be it tagged like ours, stays as it is; the command ends with 3."""
    source = make_foreign_tool(letta)

    result = register(letta, "--json")

    assert 3 == result.exit_code
    assert "foreign" == actions(result)["venice_ask_web"]
    assert "create" == actions(result)["venice_generate_image"]
    assert [source] == [tool.source_code for tool in letta.tools.list(names=["venice_ask_web"])]


def test_adopts_a_foreign_tool_when_told_to(letta: Letta) -> None:
    """With --adopt the foreign tool is overwritten, and is ours from then on."""
    make_foreign_tool(letta)

    result = register(letta, "--json", "--adopt")

    assert 0 == result.exit_code
    assert "adopt" == actions(result)["venice_ask_web"]
    assert dict.fromkeys(CORE, "unchanged") == actions(register(letta, "--json"))


def test_prunes_after_naming_the_users(letta: Letta, provider: str) -> None:
    """--prune shows which agents use a tool of ours that is not chosen, removes it, and leaves what is not ours."""
    register(letta)
    make_foreign_tool_of_another_name(letta)
    agent = letta.agents.create(
        name="reader",
        model=f"{provider}/zai-org-glm-5-2",
        include_base_tools=False,
        tools=["venice_ask_web"],
    )
    try:
        refused = register(letta, "venice_generate_image", "--prune")
        planned = register(letta, "venice_generate_image", "--prune", "--dry-run")
        before = on_server(letta)
        done = register(letta, "venice_generate_image", "--prune", "--yes", "--json")
        left = letta.agents.retrieve(agent.id, include=["agent.tools"]).tools
    finally:
        letta.agents.delete(agent.id)

    assert 2 == refused.exit_code
    assert "venice_ask_web          remove  used by reader" in planned.stdout
    assert sorted([*CORE, "venice_of_mine"]) == sorted(before)
    removed = {removal["name"]: removal["agents"] for removal in json.loads(done.stdout)["removed"]}
    assert {name: [] for name in CORE if name != "venice_generate_image"} | {
        "venice_ask_web": ["reader"]
    } == removed
    assert ["venice_generate_image", "venice_of_mine"] == on_server(letta)
    assert [] == left


def test_pruning_leaves_no_rule_that_stops_an_agent(letta: Letta, provider: str) -> None:
    """A rule by which an agent begins with what is removed, or must go on with it, goes before the tool does."""
    register(letta)
    agent = letta.agents.create(
        name="reader",
        model=f"{provider}/zai-org-glm-5-2",
        include_base_tools=False,
        tools=["venice_ask_web", "venice_generate_image"],
        tool_rules=[
            {"type": "run_first", "tool_name": "venice_ask_web"},
            {
                "type": "constrain_child_tools",
                "tool_name": "venice_generate_image",
                "children": ["venice_ask_web"],
            },
            {"type": "exit_loop", "tool_name": "venice_generate_image"},
        ],
    )
    try:
        done = register(letta, "venice_generate_image", "--prune", "--yes")
        rules = letta.agents.retrieve(agent.id).tool_rules or []
    finally:
        letta.agents.delete(agent.id)

    assert 0 == done.exit_code
    assert ["exit_loop"] == [rule.type for rule in rules]


def make_foreign_tool_of_another_name(letta: Letta) -> None:
    """Somebody else's tool, with a tag as ours have it."""
    schema: dict[str, object] = {
        "name": "venice_of_mine",
        "description": "Mine.",
        "parameters": {"type": "object", "properties": {}},
    }
    letta.tools.create(
        source_code="def venice_of_mine() -> str:\n    return ''\n",
        json_schema=schema,
        tags=["venice"],
    )


def test_chooses_who_is_asked_first(letta: Letta) -> None:
    """--approve says which tools need approval; what differs from before is shown as such."""
    register(letta, "--approve", "venice_generate_image")
    named = {tool.name: tool.default_requires_approval for tool in letta.tools.list(names=CORE)}

    result = register(letta, "--approve", "none")

    assert dict.fromkeys(CORE, False) | {"venice_generate_image": True} == named
    assert "venice_generate_image  update  approval off" in result.stdout
    assert {False} == {tool.default_requires_approval for tool in letta.tools.list(names=CORE)}


@pytest.mark.parametrize(
    ("answer", "exit_code", "written"), [("y\n", 0, CORE), ("n\n", 1, [])], ids=["yes", "no"]
)
def test_asks_a_person_first(  # two fixtures and three parameters
    letta: Letta, monkeypatch: pytest.MonkeyPatch, answer: str, exit_code: int, written: list[str]
) -> None:
    """At a terminal the plan is shown, and nothing is written before the person has agreed."""
    monkeypatch.setattr(command, "at_terminal", lambda: True)

    result = register(letta, typed=answer)

    assert "Do this at http://127.0.0.1" in result.stdout
    assert result.stdout.index("create") < result.stdout.index("Do this")
    assert exit_code == result.exit_code
    assert written == on_server(letta)


def test_declares_what_a_cloud_sandbox_installs(letta: Letta) -> None:
    """With --sandbox cloud a tool names httpx; without, on a server of one's own, nothing."""
    register(letta, "venice_ask_web", "--sandbox", "cloud")
    (cloud,) = letta.tools.list(names=["venice_ask_web"])

    register(letta, "venice_ask_web")

    (local,) = letta.tools.list(names=["venice_ask_web"])
    assert ["httpx"] == [requirement.name for requirement in cloud.pip_requirements or []]
    assert not local.pip_requirements


NOBODY = "http://127.0.0.1:9"


def test_check_tells_by_its_exit_status(letta: Letta) -> None:
    """For CI: 1 while something is not as wanted, and nothing is written; 0 once it is."""
    before = register(letta, "venice_ask_web", "--check")
    there = on_server(letta)
    register(letta, "venice_ask_web")
    after = register(letta, "venice_ask_web", "--check")

    assert (1, [], 0) == (before.exit_code, there, after.exit_code)
    assert "Error: not all is as wanted." in before.stderr


def test_a_file_says_what_a_server_is_to_have(
    letta: Letta, venice: LocalVenice, provider: str, tmp_path: Path
) -> None:
    """Tools, agents, secrets and a key with a limit for each agent are one run, and then nothing is to be done."""
    name = f"Scout-{token_hex(3)}"
    agent = letta.agents.create(
        name=name, model=f"{provider}/zai-org-glm-5-2", include_base_tools=False
    )
    file = tmp_path / "servers.toml"
    file.write_text(
        f"""
        [[register]]
        server = "{letta.base_url}"
        tools = ["venice_ask_web", "venice_queue_video"]
        agents = ["{name}"]
        secrets = ["VENICE_BASE_URL"]
        usd_per_day = 5
        """
    )
    environment = {"VENICE_ADMIN_KEY": venice.key, "VENICE_BASE_URL": venice.base_url}

    def run(*words: str) -> Result:
        return CliRunner(env=environment).invoke(register_tools, ["--file", str(file), *words])

    try:
        checked, done, again = run("--check"), run(), run("--check", "--json")
        now = letta.agents.retrieve(agent.id, include=["agent.tools", "agent.secrets"])
    finally:
        letta.agents.delete(agent.id)

    assert (1, 0, 0) == (checked.exit_code, done.exit_code, again.exit_code), done.output
    assert ["venice_ask_web", "venice_queue_video"] == sorted(str(one.name) for one in now.tools)
    secrets = {secret.key: secret.value for secret in now.secrets or []}
    assert {"VENICE_API_KEY", "VENICE_BASE_URL"} == set(secrets)
    assert secrets["VENICE_API_KEY"] not in {venice.key, *checked.output.split()}
    assert f"{name} issued 5 USD a day" in " ".join(done.stdout.split())
    assert ["unchanged"] == [one["action"] for one in json.loads(again.stdout)["keys"]]


def test_nothing_is_written_while_venice_can_not_be_asked(
    letta: Letta, provider: str, tmp_path: Path
) -> None:
    """Where the agents' keys can't be planned, their tools are not written either: half a plan is none."""
    agent = letta.agents.create(
        name=f"Scout-{token_hex(3)}", model=f"{provider}/zai-org-glm-5-2", include_base_tools=False
    )
    file = tmp_path / "servers.toml"
    file.write_text(
        f"""
        [[register]]
        server = "{letta.base_url}"
        tools = ["venice_ask_web"]
        agents = ["{agent.id}"]
        usd_per_day = 5
        """
    )
    environment = {"VENICE_ADMIN_KEY": "a-key", "VENICE_BASE_URL": NOBODY}
    try:
        result = CliRunner(env=environment).invoke(register_tools, ["--file", str(file)])
    finally:
        letta.agents.delete(agent.id)

    assert 4 == result.exit_code
    assert [] == on_server(letta)
    assert f"Error: {NOBODY}/api/v1 does not answer." in result.stderr


def test_several_servers_at_once(letta: Letta) -> None:
    """Each server is planned, and then written; one that can't be reached does not hold up the others."""
    result = register(letta, "venice_ask_web", "--server", NOBODY)

    assert 4 == result.exit_code
    assert ["venice_ask_web"] == on_server(letta)
    assert f"{str(letta.base_url).rstrip('/')}:" in result.stdout
    assert f"Error: there is no Letta server at {NOBODY}." in result.stderr
    told = json.loads(register(letta, "venice_ask_web", "--server", NOBODY, "--json").stdout)
    assert ["error" in server for server in told["servers"]] == [True, False]


def test_one_key_is_not_sent_to_several_servers(
    letta: Letta, monkeypatch: pytest.MonkeyPatch, requests: list[str]
) -> None:
    """A server's key is that server's: with two of them it must be said whose it is."""
    monkeypatch.setenv("LETTA_API_KEY", "of-one-server-only")
    result = register(letta, "--server", NOBODY)

    assert (2, []) == (result.exit_code, requests)
    assert "whose key is LETTA_API_KEY?" in result.stderr


def test_a_file_goes_without_other_options(letta: Letta, tmp_path: Path) -> None:
    """What a server is to have stands in one place."""
    file = tmp_path / "servers.toml"
    file.write_text(f'[[register]]\nserver = "{letta.base_url}"\n')
    environment = {"LETTA_BASE_URL": "http://127.0.0.1:9"}  # is not an option that was given
    run = CliRunner(env=environment).invoke
    refused = run(register_tools, ["--file", str(file), "--prune"])
    named = run(register_tools, ["venice_ask_web", "--file", str(file)])
    done = run(register_tools, ["--file", str(file)])

    assert (2, 2, 0) == (refused.exit_code, named.exit_code, done.exit_code)
    assert "leave --prune out" in refused.stderr
    assert "leave NAME out" in named.stderr
    assert CORE == on_server(letta)
