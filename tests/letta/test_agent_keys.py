"""Agents' keys, as far as no Letta server is needed: which agents, which keys are in use, what a server kept."""

import itertools
import json
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.keys import keys
from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.letta.agent_keys.account import label_of

LETTA = "http://letta.test"
VENICE = "https://venice.test/api/v1"
SCOUT = "agent-8c1fd0f2-1111-4222-8333-444455556666"
NAMESAKE = "agent-8c1fd0f2-1111-4222-8333-777788889999"
OLD_KEY = "VENICE_INFERENCE_KEY_of_old111"
NEW_KEY = "VENICE_INFERENCE_KEY_of_new222"
THIRD_KEY = "VENICE_INFERENCE_KEY_of_thr333"
ISSUING = "sanctum_venice_tools.letta.agent_keys.issuing"
OPERATOR = {
    "LETTA_BASE_URL": LETTA,
    "LETTA_API_KEY": "",
    "VENICE_ADMIN_KEY": "VENICE_ADMIN_KEY_of_mine",
    "VENICE_BASE_URL": VENICE,
}


class Servers:
    """A Letta server with one agent, and the Venice account of its keys."""

    def __init__(self, router: respx.Router) -> None:
        self.router = router
        self.secrets: dict[str, str] = {"VENICE_API_KEY": OLD_KEY}
        self.keys: dict[str, str] = {"old": OLD_KEY}
        self.next_key = NEW_KEY
        self.name = "Scout"
        self.labels: dict[str, str] = {}
        """What keys are described as, where that is something else."""
        self.more: dict[str, Any] = {}
        """What else Venice tells of each key."""
        self.keeps = True
        """Whether Letta keeps what is written."""
        router.get(f"{LETTA}/v1/agents/").mock(side_effect=lambda _: self._told([self.agent]))
        router.get(f"{LETTA}/v1/agents/{SCOUT}").mock(side_effect=lambda _: self._told(self.agent))
        router.get(f"{LETTA}/v1/agents/{SCOUT}/tools").respond(json=[])
        router.get(f"{LETTA}/v1/tools/").respond(json=[])
        router.patch(f"{LETTA}/v1/agents/{SCOUT}").mock(side_effect=self._update)
        router.get(f"{VENICE}/api_keys").mock(side_effect=lambda _: self._listed())
        router.post(f"{VENICE}/api_keys").mock(side_effect=self._make)
        router.delete(f"{VENICE}/api_keys").mock(side_effect=self._revoke)

    @property
    def agent(self) -> dict[str, Any]:
        """The agent as Letta tells of it."""
        secrets = [{"key": key, "value": value} for key, value in self.secrets.items()]
        return {"id": SCOUT, "name": "Scout", "tools": [], "tool_rules": [], "secrets": secrets}

    def _told(self, content: Any) -> httpx.Response:
        return httpx.Response(200, json=content)

    def _update(self, request: httpx.Request) -> httpx.Response:
        if self.keeps:
            self.secrets = json.loads(request.content)["secrets"]
        return self._told(self.agent)

    def _listed(self) -> httpx.Response:
        listed = [
            {
                "id": key_id,
                "description": self.labels.get(key_id, f"letta {SCOUT} {self.name}".rstrip()),
                "last6Chars": key[-6:],
                "consumptionLimits": {"usd": 5, "diem": 5},
                "limitPeriod": "EPOCH",
                **self.more,
            }
            for key_id, key in self.keys.items()
        ]
        return self._told({"data": listed})

    def _make(self, _: httpx.Request) -> httpx.Response:
        key_id = "new" if self.next_key == NEW_KEY else "newer"
        self.keys[key_id] = self.next_key
        return self._told({"data": {"id": key_id, "apiKey": self.next_key}})

    def _revoke(self, request: httpx.Request) -> httpx.Response:
        del self.keys[request.url.params["id"]]
        return self._told({"success": True})


@pytest.fixture
def servers() -> Iterator[Servers]:
    """The servers; nothing else can be reached."""
    with respx.mock(assert_all_called=False) as router:
        yield Servers(router)


@pytest.fixture
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Letta's client tries again without a pause."""
    monkeypatch.setattr("letta_client._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("letta_client._base_client.MAX_RETRY_DELAY", 0.01)
    monkeypatch.setattr(f"{ISSUING}._PAUSES_SECONDS", (0.01, 0.01))


@pytest.fixture
def no_end() -> Iterator[None]:
    """SIGTERM, where nobody takes it, does not end the tests."""
    usual = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, usual)


def run(*words: str) -> Result:
    """Run `sanctum-venice keys`."""
    return CliRunner(env=OPERATOR).invoke(keys, words)


@pytest.mark.parametrize("option", ["--agent", "--agent-tag"])
@pytest.mark.parametrize("given", ["", " "])
def test_an_empty_name_is_no_agent(servers: Servers, option: str, given: str) -> None:
    """An unset variable of a shell means nobody, where Letta would take it for all agents."""
    issued = run("issue", option, given, "--usd-per-day", "1", "--yes")
    registered = CliRunner(env={"LETTA_API_KEY": ""}).invoke(
        register_tools, ["venice_ask_web", option, given, "--yes", "--server", LETTA]
    )

    for told in (issued, registered):
        assert 2 == told.exit_code, told.output
        assert "name or tag is empty" in told.stderr
    assert {"GET"} >= {call.request.method for call in servers.router.calls}


def test_the_old_key_outlives_a_secret_that_was_not_kept(servers: Servers) -> None:
    """Where the server answers well and keeps the old value, the new key is taken back, and the old one stays."""
    servers.keeps = False
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert "did not keep the secret; its new key is revoked again" in told.stderr
    assert {"old": OLD_KEY} == servers.keys


def test_tells_no_key_as_revoked_that_is_good(servers: Servers) -> None:
    """Where an agent keeps its old key, because the new one could not be set, a script is not told that it is gone."""
    servers.keeps = False
    (told,) = json.loads(run("rotate", "--agent", "Scout", "--yes", "--json").stdout)["agents"]

    assert "its new key is revoked again" in told["problem"]
    assert [] == told["revoked"]


def test_tells_only_of_the_old_keys_that_are_revoked(servers: Servers) -> None:
    """Where Venice fails half-way, a script is told of the keys that are gone, and not of the others."""
    servers.keys["older"] = THIRD_KEY

    def revoke(request: httpx.Request) -> httpx.Response:
        is_old = request.url.params["id"] == "old"
        return servers._revoke(request) if is_old else httpx.Response(500)

    servers.router.delete(f"{VENICE}/api_keys").mock(side_effect=revoke)
    (told,) = json.loads(run("rotate", "--agent", "Scout", "--yes", "--json").stdout)["agents"]

    assert "the old one ...thr333 is not revoked" in told["problem"]
    assert ["old111"] == told["revoked"]


@pytest.mark.parametrize("status", [301, 302])
def test_what_is_written_is_not_sent_elsewhere_to_be_read(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A redirect would make a reading of it, and look like success: the old key stays, also where values are hidden."""
    monkeypatch.setattr("letta_client._base_client.INITIAL_RETRY_DELAY", 0.01)
    servers.secrets = {"VENICE_API_KEY": "<encrypted>"}
    moved = {"location": f"{LETTA}/v1/agents/{SCOUT}"}
    servers.router.patch(f"{LETTA}/v1/agents/{SCOUT}").respond(status, headers=moved)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert "set LETTA_BASE_URL to where this one redirects" in told.stderr
    assert {"old": OLD_KEY} == servers.keys


def fail_after_storing(servers: Servers, failure: str, *, times: int) -> None:
    """Have Letta store what is written, and then lose its answer, so many times."""
    left = times

    def update(request: httpx.Request) -> httpx.Response:
        nonlocal left
        told = servers._update(request)
        left -= 1
        if left >= 0 and failure == "the connection":
            raise httpx.ReadError("cut")
        if left >= 0 and failure == "Ctrl-C":
            raise KeyboardInterrupt
        if left >= 0 and failure == "SIGTERM":
            signal.raise_signal(signal.SIGTERM)
        return httpx.Response(502) if left >= 0 else told

    servers.router.patch(f"{LETTA}/v1/agents/{SCOUT}").mock(side_effect=update)


@pytest.mark.usefixtures("quick_retries", "no_end")
@pytest.mark.parametrize(
    ("failure", "tries"), [("the connection", 3), ("status 502", 3), ("Ctrl-C", 1), ("SIGTERM", 1)]
)
@pytest.mark.parametrize("command", ["rotate", "issue"])
def test_a_lost_answer_leaves_the_agent_its_old_key(
    servers: Servers, command: str, failure: str, tries: int
) -> None:
    """Where it is not known whether the new key was stored, the old one is put back before the new one is revoked."""
    if command == "issue":
        servers.secrets = {"OTHER": "kept"}
        servers.keys = {}
    before = dict(servers.secrets)
    fail_after_storing(servers, failure, times=tries)
    limit = ("--usd-per-day", "5") if command == "issue" else ()
    told = run(command, "--agent", "Scout", *limit, "--yes")

    assert 0 != told.exit_code, told.output
    assert "its new key is revoked again" in told.stderr
    assert before == servers.secrets
    assert "new" not in servers.keys


@pytest.mark.usefixtures("no_end")
def test_an_end_while_an_old_key_is_revoked_names_it(servers: Servers) -> None:
    """The agent has its new key by then, and the old one is named that may still be good."""

    def end(_: httpx.Request) -> httpx.Response:
        signal.raise_signal(signal.SIGTERM)
        return httpx.Response(200, json={"success": True})

    servers.router.delete(f"{VENICE}/api_keys").mock(side_effect=end)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 0 != told.exit_code, told.output
    assert "the old one ...old111 may still be good" in " ".join(told.stderr.split())
    assert {"VENICE_API_KEY": NEW_KEY} == servers.secrets


@pytest.mark.usefixtures("no_end")
def test_a_run_with_a_file_that_is_ended_leaves_no_key(servers: Servers, tmp_path: Path) -> None:
    """SIGTERM takes a new key back where `register --file` gives it, too, such as in a cancelled job of a CI."""
    file = tmp_path / "servers.toml"
    file.write_text(
        f'[[register]]\nserver = "{LETTA}"\ntools = ["venice_ask_web"]\n'
        'agents = ["Scout"]\nusd_per_day = 5\n'
    )
    tool = {"id": "tool-1", "name": "venice_ask_web"}
    servers.router.get(f"{LETTA}/v1/agents/{SCOUT}/tools").respond(json=[tool])
    servers.router.put(f"{LETTA}/v1/tools/").respond(400)
    servers.secrets = {"OTHER": "kept"}
    servers.keys = {}
    fail_after_storing(servers, "SIGTERM", times=1)
    told = CliRunner(env=OPERATOR).invoke(register_tools, ["--file", str(file), "--yes"])

    assert "its new key is revoked again" in told.stderr, told.output
    assert {"OTHER": "kept"} == servers.secrets
    assert {} == servers.keys


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(
    "answers", [["cut", 429, 429], ["cut", 401], ["cut", 404], [502, 403], [408, 408, 408]]
)
def test_a_refusal_after_a_lost_answer_tells_nothing(
    servers: Servers, answers: list[int | str]
) -> None:
    """What the first try stored no later refusal undoes: the key that the agent has in the end is never revoked."""
    left = list(answers)

    def update(request: httpx.Request) -> httpx.Response:
        if left == answers or not left:
            servers._update(request)
        answer = left.pop(0) if left else 200
        if answer == "cut":
            raise httpx.ReadError("cut")
        return httpx.Response(int(answer), json=servers.agent)

    servers.router.patch(f"{LETTA}/v1/agents/{SCOUT}").mock(side_effect=update)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert servers.secrets["VENICE_API_KEY"] in servers.keys.values()


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize(("times", "status"), [(1, 0), (2, 0), (100, 3)])
def test_a_server_that_is_busy_is_asked_again(servers: Servers, times: int, status: int) -> None:
    """Where Letta answers 429 it has stored nothing, so the key is set again; an end of it takes the key back."""
    answers = itertools.chain([429] * times, itertools.repeat(200))

    def update(request: httpx.Request) -> httpx.Response:
        is_busy = next(answers) == httpx.codes.TOO_MANY_REQUESTS
        return httpx.Response(429) if is_busy else servers._update(request)

    servers.router.patch(f"{LETTA}/v1/agents/{SCOUT}").mock(side_effect=update)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert status == told.exit_code, told.output
    assert [servers.secrets["VENICE_API_KEY"]] == list(servers.keys.values())


@pytest.mark.usefixtures("quick_retries")
@pytest.mark.parametrize("failure", ["the connection", "status 502"])
def test_a_key_that_the_agent_may_have_stays_good(servers: Servers, failure: str) -> None:
    """Where the old key can't be put back, both stay, with the command that settles it; it does."""
    fail_after_storing(servers, failure, times=100)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert {"old": OLD_KEY, "new": NEW_KEY} == servers.keys
    assert "it may have its new key ...new222, which stays good, or ...old111." in told.stderr
    settling = f"sanctum-venice keys rotate --agent {SCOUT}"
    assert settling in told.stderr
    fail_after_storing(servers, failure, times=0)
    servers.next_key = THIRD_KEY
    settled = run(*settling.split()[2:], "--yes")
    assert 0 == settled.exit_code, settled.output
    assert [servers.next_key] == list(servers.keys.values()) == list(servers.secrets.values())


@pytest.mark.usefixtures("quick_retries")
def test_a_key_that_was_taken_stays_though_it_can_not_be_read_back(servers: Servers) -> None:
    """Once Letta has answered that it took the key, a failure to look at it revokes neither key."""
    looked = servers.router.get(f"{LETTA}/v1/agents/{SCOUT}")
    looked.mock(
        side_effect=lambda _: (
            httpx.Response(500)
            if servers.secrets["VENICE_API_KEY"] == NEW_KEY
            else servers._told(servers.agent)
        )
    )
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert {"VENICE_API_KEY": NEW_KEY} == servers.secrets
    assert {"old": OLD_KEY, "new": NEW_KEY} == servers.keys
    assert "500; it may have its new key ...new222, which stays good, or ...old111." in told.stderr


@pytest.mark.usefixtures("quick_retries")
def test_what_can_not_be_read_is_not_put_back(servers: Servers) -> None:
    """Where the server hides values, a lost answer leaves both keys, and issuing one again settles it."""
    servers.secrets = {"VENICE_API_KEY": "<encrypted>"}
    fail_after_storing(servers, "status 502", times=3)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert {"old": OLD_KEY, "new": NEW_KEY} == servers.keys
    assert f"run `sanctum-venice keys issue --agent {SCOUT} ...` again" in told.stderr


def test_a_hidden_value_is_taken_for_kept(servers: Servers) -> None:
    """Where a server tells no values, the name among the secrets must do."""
    servers.keeps = False
    servers.secrets = {"VENICE_API_KEY": "<encrypted>"}
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 0 == told.exit_code, told.output
    assert {"new": NEW_KEY} == servers.keys


def test_a_key_under_another_secret_is_in_use(servers: Servers) -> None:
    """A second key for an agent leaves it the first one, which is then no stale key either."""
    told = run("issue", "--agent", "Scout", "--usd-per-day", "1", "--secret", "OTHER_KEY", "--yes")
    listed = json.loads(run("list", "--json").stdout)

    assert 0 == told.exit_code, told.output
    assert {"old": OLD_KEY, "new": NEW_KEY} == servers.keys
    assert {"VENICE_API_KEY": OLD_KEY, "OTHER_KEY": NEW_KEY} == servers.secrets
    assert [None, None] == [row["stale"] for row in listed]


def test_a_second_key_is_rotated_alone(servers: Servers) -> None:
    """Of an agent's two keys, the one whose secret gets a new value is revoked."""
    servers.keys["other"] = "VENICE_INFERENCE_KEY_of_oth333"
    servers.secrets["OTHER_KEY"] = servers.keys["other"]
    told = run("rotate", "--agent", "Scout", "--secret", "OTHER_KEY", "--yes")

    assert 0 == told.exit_code, told.output
    assert {"old": OLD_KEY, "new": NEW_KEY} == servers.keys


def test_the_key_of_a_hidden_agent_is_in_use(servers: Servers) -> None:
    """Letta leaves hidden agents out of its list unless it is asked for them: their keys are not stale."""

    def list_agents(request: httpx.Request) -> httpx.Response:
        shows_hidden = request.url.params.get("show_hidden_agents") == "true"
        return servers._told([servers.agent] if shows_hidden else [])

    servers.router.get(f"{LETTA}/v1/agents/").mock(side_effect=list_agents)
    listed = json.loads(run("list", "--json").stdout)
    told = run("revoke", "--stale", "--yes")

    assert [None] == [row["stale"] for row in listed]
    assert 0 == told.exit_code, told.output
    assert {"old": OLD_KEY} == servers.keys


@pytest.mark.parametrize("command", ["rotate", "issue"])
def test_a_key_that_came_while_a_person_thought_is_revoked(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Where somebody else gave the agent keys meanwhile, the one goes whose place is taken, and the other one stays."""
    if command == "issue":
        servers.secrets = {}
        servers.keys = {}
    limit = ("--usd-per-day", "5") if command == "issue" else ()

    def others_were_quicker(*_: Any, **__: Any) -> bool:
        servers.keys["second"] = servers.secrets["OTHER_KEY"] = "VENICE_INFERENCE_KEY_of_oth444"
        told = run(command, "--agent", "Scout", *limit, "--yes")
        assert 0 == told.exit_code, told.output
        servers.next_key = THIRD_KEY
        return True

    monkeypatch.setattr("sanctum_venice_tools.cli.keys.at_terminal", lambda: True)
    monkeypatch.setattr("sanctum_venice_tools.cli.keys.click.confirm", others_were_quicker)
    told = run(command, "--agent", "Scout", *limit)

    assert 0 == told.exit_code, told.output
    assert THIRD_KEY == servers.secrets["VENICE_API_KEY"]
    assert {"newer": THIRD_KEY, "second": servers.secrets["OTHER_KEY"]} == servers.keys
    assert "...thr333 (...new222 is revoked)" in told.stdout


@pytest.mark.parametrize("secret_name", ["VENICE_API_KEY", "OTHER_KEY"])
def test_a_key_that_another_run_is_about_to_set_stays_good(
    servers: Servers, secret_name: str
) -> None:
    """A key that came since the plan, and stands in no secret yet, is not revoked: the other run may write it now."""
    listings = itertools.count(1)

    def list_keys(_: httpx.Request) -> httpx.Response:
        if next(listings) == len(["the plan", "before the key is made"]):
            servers.keys["second"] = "VENICE_INFERENCE_KEY_of_oth444"
        return servers._listed()

    servers.router.get(f"{VENICE}/api_keys").mock(side_effect=list_keys)
    told = run("rotate", "--agent", "Scout", "--yes")
    servers.secrets[secret_name] = "VENICE_INFERENCE_KEY_of_oth444"

    assert 0 == told.exit_code, told.output
    assert "...new222 (...old111 is revoked)" in told.stdout
    assert {*servers.secrets.values()} <= {*servers.keys.values()}


def test_an_empty_name_revokes_nothing(servers: Servers) -> None:
    """A key whose agent is gone, and was never named, is not what an unset variable of a shell means."""
    servers.router.get(f"{LETTA}/v1/agents/").respond(json=[])
    servers.name = ""
    told = run("revoke", "--agent", "", "--yes")

    assert 2 == told.exit_code, told.output
    assert {"old": OLD_KEY} == servers.keys


@pytest.mark.parametrize("keys_of_scout", [{"old": OLD_KEY}, {}])
def test_a_name_of_several_agents_revokes_nothing(
    servers: Servers, keys_of_scout: dict[str, str]
) -> None:
    """A key of another agent of that name, such as one of another server, is not taken for the one that is meant."""
    servers.keys = {**keys_of_scout, "namesake": NEW_KEY}
    servers.labels["namesake"] = f"letta {NAMESAKE} Scout"
    refused = run("revoke", "--agent", "Scout", "--yes")
    before = dict(servers.keys)
    told = run("revoke", "--agent", NAMESAKE, "--yes")

    assert 2 == refused.exit_code, refused.output
    assert "2 agents are called 'Scout'" in refused.stderr
    assert SCOUT in refused.stderr
    assert NAMESAKE in refused.stderr
    assert {**keys_of_scout, "namesake": NEW_KEY} == before
    assert 0 == told.exit_code, told.output
    assert keys_of_scout == servers.keys


@pytest.mark.parametrize(("ids", "said"), [(["old"], "1 is"), (["old", "new"], "2 are")])
def test_says_how_many_are_revoked(servers: Servers, ids: list[str], said: str) -> None:
    """One key is told of as one."""
    servers.keys["new"] = NEW_KEY
    told = run("revoke", "--yes", *(word for key_id in ids for word in ("--id", key_id)))

    assert f"{said} revoked." in told.stdout


# --- a key whose making is not answered ---


@pytest.mark.parametrize("failure", ["the connection", "status 502", "Ctrl-C"])
@pytest.mark.parametrize("command", ["rotate", "issue"])
def test_only_the_key_whose_answer_was_lost_is_revoked(
    servers: Servers, command: str, failure: str
) -> None:
    """Neither the agent's old key goes with it, nor one that somebody else made meanwhile."""
    if command == "issue":
        servers.secrets = {}
    servers.labels["others"] = "made by hand"

    def make(request: httpx.Request) -> httpx.Response:
        servers._make(request)
        servers.keys["others"] = THIRD_KEY
        if failure == "the connection":
            raise httpx.ReadError("cut")
        if failure == "Ctrl-C":
            raise KeyboardInterrupt
        return httpx.Response(502)

    servers.router.post(f"{VENICE}/api_keys").mock(side_effect=make)
    limit = ("--usd-per-day", "5") if command == "issue" else ()
    told = run(command, "--agent", "Scout", *limit, "--yes")

    assert 0 != told.exit_code, told.output
    assert "the one that Venice had made is revoked again" in told.stderr
    assert {"old": OLD_KEY, "others": THIRD_KEY} == servers.keys


# --- what Letta refuses, hides or does not keep ---


def test_a_refusal_that_repeats_the_new_key_does_not_show_it(servers: Servers) -> None:
    """Where Letta's words hold the key that it was sent, the name of the secret is shown in its place."""
    refused = {"detail": f"{NEW_KEY} is not allowed"}
    servers.router.patch(f"{LETTA}/v1/agents/{SCOUT}").respond(422, json=refused)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert "422: [VENICE_API_KEY] is not allowed" in told.stderr
    assert NEW_KEY not in told.output


def test_of_two_keys_none_is_taken_for_a_hidden_one(servers: Servers) -> None:
    """Where the value is hidden, and several keys were issued, it could be any: the agent gets a new one."""
    servers.secrets = {"VENICE_API_KEY": "<encrypted>"}
    servers.keys["second"] = THIRD_KEY
    told = run("issue", "--agent", "Scout", "--usd-per-day", "5", "--yes")

    assert 0 == told.exit_code, told.output
    assert {"VENICE_API_KEY": NEW_KEY} == servers.secrets
    assert {"new": NEW_KEY} == servers.keys


def test_a_key_stays_good_where_the_old_one_was_not_put_back(servers: Servers) -> None:
    """That Letta answers well to the putting back is not enough: the agent has the new key, as reading it shows."""

    def update(request: httpx.Request) -> httpx.Response:
        told = servers._update(request)
        if servers.keeps:
            servers.keeps = False
            raise httpx.ReadError("cut")
        return told

    servers.router.patch(f"{LETTA}/v1/agents/{SCOUT}").mock(side_effect=update)
    told = run("rotate", "--agent", "Scout", "--yes")

    assert 3 == told.exit_code, told.output
    assert {"VENICE_API_KEY": NEW_KEY} == servers.secrets
    assert {"old": OLD_KEY, "new": NEW_KEY} == servers.keys


def test_hidden_secrets_are_lost_only_where_that_is_said(servers: Servers) -> None:
    """Before a key is made it is refused to lose others; with --replace-secrets they are lost."""
    servers.secrets = {"VENICE_API_KEY": OLD_KEY, "OTHER": "<encrypted>"}
    refused = run("rotate", "--agent", "Scout", "--yes")
    asked = {call.request.method for call in servers.router.calls}
    told = run("rotate", "--agent", "Scout", "--replace-secrets", "--yes")

    assert 3 == refused.exit_code, refused.output
    assert "its secrets OTHER can't be read and would be lost" in refused.stderr
    assert {"GET"} == asked
    assert 0 == told.exit_code, told.output
    assert {"VENICE_API_KEY": NEW_KEY} == servers.secrets


@pytest.mark.parametrize(
    ("secrets", "stale"),
    [
        ({"VENICE_API_KEY": "<encrypted>", "OTHER": "known"}, None),
        ({"OTHER": "known"}, "its agent does not have it"),
    ],
    ids=["hidden", "none"],
)
def test_other_secrets_do_not_tell_whether_a_key_is_used(
    servers: Servers, secrets: dict[str, str], stale: str | None
) -> None:
    """A key that may stand under a hidden value is no stale one; where there is no such secret, it is."""
    servers.secrets = secrets
    (row,) = json.loads(run("list", "--json").stdout)

    assert stale == row["stale"]


# --- the ends of keys, and what they spent ---


@pytest.mark.parametrize(("days", "listed"), [(-1, []), (0, ["old"])])
def test_a_key_is_good_until_its_last_day_is_over(
    servers: Servers, days: int, listed: list[str]
) -> None:
    """On its last day a key is listed; on the next it is not, for it has ended."""
    day = datetime.now(UTC).date() + timedelta(days=days)
    servers.more["expiresAt"] = f"{day}T00:00:00.000Z"
    rows = json.loads(run("list", "--json").stdout)

    assert listed == [row["id"] for row in rows]


def test_no_key_ends_on_the_day_on_which_it_is_made(servers: Servers) -> None:
    """Venice takes a day to come."""
    today = str(datetime.now(UTC).date())
    told = run("issue", "--agent", "Scout", "--usd-per-day", "5", "--expires", today, "--yes")

    assert 2 == told.exit_code, told.output
    assert "a day to come" in told.stderr
    assert not servers.router.calls


def test_a_key_that_is_issued_without_an_end_loses_the_one_that_it_had(servers: Servers) -> None:
    """What is issued is the limit and the end together; only a rotation keeps the end that there was."""
    servers.more["expiresAt"] = "2099-12-31T00:00:00.000Z"
    changed = servers.router.patch(f"{VENICE}/api_keys").respond(json={"success": True})
    told = run("issue", "--agent", "Scout", "--usd-per-day", "5", "--yes")

    assert 0 == told.exit_code, told.output
    assert "" == json.loads(changed.calls.last.request.content)["expiresAt"]


def test_what_was_spent_counts_both_currencies(servers: Servers) -> None:
    """A DIEM pays for as much as a dollar."""
    servers.more["currentPeriodUsage"] = {"usd": 1, "diem": 2}
    servers.more["usage"] = {"trailingSevenDays": {"usd": 3, "diem": 4}}
    (row,) = json.loads(run("list", "--json").stdout)

    assert (3, 7) == (row["spent_in_period_usd"], row["spent_7_days_usd"])


def test_a_description_that_is_cut_does_not_end_with_a_blank() -> None:
    """A key is found by its whole description, of which Venice may keep no blank at the end."""
    assert f"letta {SCOUT} Scout of foxes" == label_of(SCOUT, " Scout  of foxes  and owls")
