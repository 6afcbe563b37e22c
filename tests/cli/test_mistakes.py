"""An operator's mistakes: each command ends with one line that says what is wrong, and without a key."""

import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import respx
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.letta.connection import address_of
from tests.runtime.raw_server import raw_server, reply_json

LETTA = "http://letta.test"
VENICE = "https://venice.test/api/v1"
SECRET = "hidden"
SETTINGS = {
    "LETTA_BASE_URL": LETTA,
    "LETTA_API_KEY": f"{SECRET}-1",
    "LETTA_APP_SERVER_TOKEN": "",
    "VENICE_API_KEY": f"{SECRET}-2",
    "VENICE_ADMIN_KEY": "",
    "VENICE_BASE_URL": VENICE,
}


def run(*words: str, **settings: str) -> Result:
    """Run a command, with these settings in the place of good ones."""
    return CliRunner(env=SETTINGS | settings).invoke(main, words)


@pytest.fixture
def nothing() -> Iterator[respx.Router]:
    """A network in which nothing answers."""
    with respx.mock(assert_all_called=False) as router:
        yield router


COMMANDS = {
    "register": ["register", "venice_ask_web"],
    "agents import": ["agents", "import", "voice"],
    "keys issue": ["keys", "issue", "--agent", "Scout", "--usd-per-day", "1"],
    "keys list": ["keys", "list"],
    "provider": ["provider"],
    "letta-code": ["letta-code"],
    "doctor": ["doctor"],
    "demo": ["demo", "--yes"],
}


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize("command", ["register", "agents import", "keys issue", "provider"])
@pytest.mark.parametrize(
    "address", ["http://localhost:xx", "http://localhost:99999", "http://[::1", "http://a\x07b"]
)
def test_an_address_that_is_none(command: str, address: str) -> None:
    """Where LETTA_BASE_URL is no address, that is said, and nothing is asked."""
    done = run(*COMMANDS[command], LETTA_BASE_URL=address)

    assert 2 == done.exit_code, done.output
    assert "LETTA_BASE_URL is no address, such as http://localhost:8283" in done.stderr


@pytest.mark.parametrize("key", [f"{SECRET}-k\u00e9y", f"{SECRET}\nkey", f"{SECRET}\rkey"])
@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("register", "LETTA_API_KEY"),
        ("agents import", "LETTA_API_KEY"),
        ("agents import", "VENICE_API_KEY"),
        ("keys issue", "LETTA_API_KEY"),
        ("keys list", "LETTA_API_KEY"),
        ("keys list", "VENICE_API_KEY"),
        ("provider", "VENICE_API_KEY"),
        ("letta-code", "VENICE_API_KEY"),
        ("demo", "LETTA_API_KEY"),
        ("demo", "VENICE_API_KEY"),
    ],
)
def test_a_key_that_can_not_be_sent(
    nothing: respx.Router, command: str, name: str, key: str
) -> None:
    """A key with a line feed or a letter of no key in it is named, and not shown."""
    nothing.get(f"{LETTA}/v1/agents/").respond(json=[])
    nothing.get(f"{VENICE}/api_keys").respond(json={"data": []})
    done = run(*COMMANDS[command], **{name: key})

    assert 2 == done.exit_code, done.output
    assert f"{name} holds characters that no key has" in done.stderr
    assert SECRET not in done.output


def test_a_demo_at_an_address_that_is_none() -> None:
    """The demo, too, says so in one line."""
    done = run("demo", "--yes", LETTA_BASE_URL="http://localhost:xx")

    assert 1 == done.exit_code, done.output
    assert "Error: LETTA_BASE_URL is no address, such as http://localhost:8283." in done.stderr


PASSWORD = "hunter2"
NO_WAYS = [
    ("HTTPS_PROXY", f"http://user:{PASSWORD}/x@proxy.corp:8080"),
    ("HTTPS_PROXY", "foo://x"),
    ("ALL_PROXY", "socks5h://127.0.0.1:9"),
    ("NO_PROXY", "[::1]"),
    ("NO_PROXY", "fe80::/10"),
    ("SSL_CERT_FILE", "/nonexistent"),
    ("SSL_CERT_FILE", __file__),
]


@pytest.mark.usefixtures("nothing")
@pytest.mark.parametrize(("name", "value"), NO_WAYS)
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("register", 2),
        ("agents import", 2),
        ("keys issue", 2),
        ("keys list", 2),
        ("provider", 2),
        ("letta-code", 2),
        ("doctor", 1),
        ("demo", 1),
    ],
)
def test_a_way_that_is_none(
    monkeypatch: pytest.MonkeyPatch, command: str, status: int, name: str, value: str
) -> None:
    """Proxies and certificates of the environment that can't be used are told in one line, without a password."""
    # Elsewhere, the tests read the certificates only once.
    monkeypatch.setattr("httpx._transports.default.create_ssl_context", httpx.create_ssl_context)
    done = run(*COMMANDS[command], **{name: value})

    assert status == done.exit_code, done.output
    assert "SSL_CERT_FILE) can't be used: correct them" in done.output
    assert "this check broke" not in done.output
    assert PASSWORD not in done.output


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_asked_without_a_proxy(host: str) -> None:
    """A Letta server and a Venice on this machine are reached, whatever proxy is set for the rest of the world."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        proxy = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with raw_server() as here:
        here.play["/api_keys"] = [reply_json({"data": []})]
        here.otherwise = [reply_json([])]
        url = here.base_url.replace("127.0.0.1", host)
        proxies = {"HTTP_PROXY": proxy, "ALL_PROXY": proxy, "NO_PROXY": ""}
        own = {"VENICE_BASE_URL": url, "LETTA_BASE_URL": url.removesuffix("/api/v1")}
        listed = run("keys", "list", **own, **proxies)
        registered = run("register", "venice_ask_web", "--dry-run", **own, **proxies)

    assert (0, 0) == (listed.exit_code, registered.exit_code), listed.output + registered.output
    assert {"/api_keys", "/v1/agents/", "/v1/tools/"} == set(here.requests)


def test_the_end_of_a_line_is_no_part_of_a_key(nothing: respx.Router) -> None:
    """A key that was read from a file goes without the end of its line, Letta's as Venice's."""
    agents = nothing.get(f"{LETTA}/v1/agents/").respond(json=[])
    nothing.get(f"{VENICE}/api_keys").respond(json={"data": []})
    done = run("keys", "list", LETTA_API_KEY="letta-key\r\n", VENICE_API_KEY="venice-key\n")

    assert 0 == done.exit_code, done.output
    assert "Bearer letta-key" == agents.calls[0].request.headers["authorization"]


def test_an_empty_key_is_not_sent(nothing: respx.Router) -> None:
    """A variable that is set to nothing is no key: the server is asked without one."""
    agents = nothing.get(f"{LETTA}/v1/agents/").respond(json=[])
    nothing.get(f"{VENICE}/api_keys").respond(json={"data": []})
    done = run("keys", "list", LETTA_API_KEY="")

    assert 0 == done.exit_code, done.output
    assert "authorization" not in agents.calls[0].request.headers


def test_a_server_without_its_key_gets_no_other(nothing: respx.Router, tmp_path: Path) -> None:
    """Where the variable that a file names is not set, the server is not sent the key of LETTA_API_KEY."""
    tools = nothing.get(f"{LETTA}/v1/tools/").respond(json=[])
    file = tmp_path / "servers.toml"
    file.write_text(f'[[register]]\nserver = "{LETTA}"\nkey_variable = "OTHER_LETTA_KEY"\n')
    done = run("register", "--file", str(file), "--check", LETTA_BASE_URL="")

    assert 1 == done.exit_code, done.output
    assert "authorization" not in tools.calls[0].request.headers


def test_an_agent_that_two_tables_reach(nothing: respx.Router, tmp_path: Path) -> None:
    """Each table would undo what the other does to it: both are named, and nothing is written."""
    alias = "http://alias.test"
    scout = {"id": "agent-1", "name": "Scout", "tools": [], "tool_rules": [], "tags": ["field"]}
    for address in (LETTA, alias):
        nothing.get(f"{address}/v1/tools/").respond(json=[])
        nothing.get(f"{address}/v1/agents/").respond(json=[scout])
        nothing.get(f"{address}/v1/agents/agent-1/tools").respond(json=[])
    file = tmp_path / "servers.toml"
    file.write_text(
        f"""
        [[register]]
        server = "{LETTA}"
        tools = ["venice_chat"]
        agents = ["Scout"]

        [[register]]
        server = "{alias}"
        tools = ["venice_ask_web"]
        agent_tags = ["field"]
        """
    )
    done = run("register", "--file", str(file), LETTA_API_KEY="")

    assert 2 == done.exit_code, done.output
    assert {"GET"} == {call.request.method for call in nothing.calls}
    told = (
        "agent Scout (agent-1) is in table 1 (http://letta.test) and in table 2 (http://alias.test)"
    )
    assert f"Error: {told}: " in done.stderr


@pytest.mark.parametrize("zone", ["+00:00", ""])
def test_an_agent_that_two_tables_reach_while_it_talks(
    nothing: respx.Router, tmp_path: Path, zone: str
) -> None:
    """Each message changes an agent: one that was changed since the first table was read is still that agent."""
    tables = []

    def talk(_: httpx.Request) -> httpx.Response:
        now = datetime.now(UTC).replace(tzinfo=None).isoformat()
        scout = {"id": "agent-1", "name": "Scout", "tools": [], "tool_rules": []}
        return httpx.Response(200, json=[scout | {"updated_at": f"{now}{zone}"}])

    for address in (LETTA, "http://alias.test"):
        nothing.get(f"{address}/v1/tools/").respond(json=[])
        nothing.get(f"{address}/v1/agents/").mock(side_effect=talk)
        nothing.get(f"{address}/v1/agents/agent-1/tools").respond(json=[])
        tables.append(f'[[register]]\nserver = "{address}"\nagents = ["Scout"]\n')
    file = tmp_path / "servers.toml"
    file.write_text("".join(tables))
    done = run("register", "--file", str(file), LETTA_API_KEY="")

    assert 2 == done.exit_code, done.output
    assert {"GET"} == {call.request.method for call in nothing.calls}
    assert "agent Scout (agent-1) is in table 1" in done.stderr


@pytest.mark.parametrize("limit", ["", "usd_per_day = 1\n"])
def test_servers_that_are_copies_of_one_another(
    nothing: respx.Router, tmp_path: Path, limit: str
) -> None:
    """An agent of the same id that was changed since is another one; but at Venice both would share their keys."""
    scout = {"id": "agent-1", "name": "Scout", "tools": [], "tool_rules": []}
    tables = []
    for number, address in enumerate((LETTA, "http://staging.test"), start=1):
        agents = [{**scout, "updated_at": f"2026-11-0{number}T12:00:00Z"}]
        nothing.get(f"{address}/v1/tools/").respond(json=[])
        nothing.get(f"{address}/v1/agents/").respond(json=agents)
        nothing.get(f"{address}/v1/agents/agent-1/tools").respond(json=[])
        tables.append(f'[[register]]\nserver = "{address}"\nagents = ["Scout"]\n{limit}')
    nothing.get(f"{VENICE}/api_keys").respond(json={"data": []})
    file = tmp_path / "servers.toml"
    file.write_text("".join(tables))
    own = {"LETTA_API_KEY": "", "VENICE_ADMIN_KEY": "admin"}
    done = run("register", "--file", str(file), "--dry-run", **own)

    assert (2 if limit else 0) == done.exit_code, done.output
    assert bool(limit) == ("agent Scout (agent-1) is in table 1" in done.stderr)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LETTA, LETTA),
        ("http://127.0.0.1:8283", "http://localhost:8283"),
        ("http://LOCALHOST:8283", "http://[::1]:8283/"),
        ("http://letta.test:80", LETTA),
    ],
)
def test_a_tool_with_two_approvals_on_one_server(
    nothing: respx.Router, tmp_path: Path, one: str, other: str
) -> None:
    """Each run would change it, and change it back: both tables are named, and nothing is written."""
    nothing.get(path="/v1/tools/").respond(json=[])
    table = '[[register]]\nserver = "{}"\ntools = ["venice_chat"]\napprove = "{}"\n'
    file = tmp_path / "servers.toml"
    file.write_text(table.format(one, "all") + table.format(other, "none"))
    done = run("register", "--file", str(file), LETTA_API_KEY="")

    assert 2 == done.exit_code, done.output
    assert {"GET"} == {call.request.method for call in nothing.calls}
    places = f"table 1 ({address_of(one)}), and not in table 2 ({address_of(other)})"
    assert f"Error: venice_chat asks in {places}: " in done.stderr


def test_tables_that_agree_about_a_tool(nothing: respx.Router, tmp_path: Path) -> None:
    """Several tables may want the same tool of one server."""
    nothing.get(f"{LETTA}/v1/tools/").respond(json=[])
    table = f'[[register]]\nserver = "{LETTA}"\ntools = ["venice_chat"]\n'
    file = tmp_path / "servers.toml"
    file.write_text(table * 2)
    done = run("register", "--file", str(file), "--dry-run", LETTA_API_KEY="")

    assert 0 == done.exit_code, done.output


@pytest.mark.parametrize("amount", ["nan", "inf"])
def test_an_amount_that_is_none(amount: str) -> None:
    """What is no number of dollars is no limit."""
    done = run("keys", "issue", "--agent", "Scout", "--usd-per-day", amount)

    assert 2 == done.exit_code
    assert "'--usd-per-day'" in done.stderr


def test_a_folder_whose_name_is_too_long() -> None:
    """A path that the system refuses is told of."""
    done = run("agents", "write", "voice", "--into", "x" * 300)

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert "File name too long" in done.stderr


def test_one_file_is_one_file(tmp_path: Path) -> None:
    """One agent's file is told of as one."""
    assert run("agents", "write", "voice", "--into", str(tmp_path)).stdout.startswith(
        "1 agent file in "
    )


@pytest.mark.parametrize("url", ["ws://127.0.0.1:99999/ws", "ws://[::1", "ws://127.0.0.1:x/ws"])
def test_a_socket_that_is_none(url: str) -> None:
    """What is no address of a socket is not tried again and again."""
    done = run("serve-tools", "venice_ask_web", "--url", url, "--agent", "agent-1")

    assert (1, 1) == (done.exit_code, len(done.stderr.splitlines()))
    assert "is no address such as ws://127.0.0.1:4511/ws." in done.stderr


@pytest.mark.parametrize("token", [f"{SECRET}\rtoken", f"{SECRET}-t\u00f6ken"])
def test_a_token_that_can_not_be_sent(token: str) -> None:
    """The App Server's token is named, and not shown."""
    words = ("serve-tools", "venice_ask_web", "--url", "ws://127.0.0.1:9/ws", "--agent", "agent-1")
    done = run(*words, LETTA_APP_SERVER_TOKEN=token)

    assert 2 == done.exit_code
    assert "LETTA_APP_SERVER_TOKEN holds characters that no key has" in done.stderr
    assert SECRET not in done.output


@pytest.mark.parametrize("words", [("mcp", "venice_ask_web", "--http"), ("emulator",), ("media",)])
def test_a_port_that_is_none(words: tuple[str, ...]) -> None:
    """A number that is no port is wrong usage."""
    done = run(*words, "--port", "99999")

    assert 2 == done.exit_code
    assert "'--port'" in done.stderr


def test_a_port_that_is_taken() -> None:
    """No address is told of a server that does not listen there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("mcp", "venice_ask_web", "--http", "--port", port)

    assert (1, "", 1) == (done.exit_code, done.stdout, len(done.stderr.splitlines()))
    assert f"port {port} of 127.0.0.1 cannot be used: Address already in use" in done.stderr
