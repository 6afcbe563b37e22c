"""A key for each agent: made at the local Venice, set at a real Letta server, and held to its limit."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli.doctor import run_doctor
from sanctum_venice_tools.cli.keys import keys
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta.secrets import SecretsError

pytestmark = pytest.mark.server

Hire = Callable[..., str]
Command = Callable[..., Result]

SECRETS_AFTER = "sanctum_venice_tools.letta.agent_keys.issuing.secrets_after"


@pytest.fixture(scope="module")
def own_venice() -> Iterator[LocalVenice]:
    """A Venice where nobody else has keys."""
    with running_venice(allow_faults=True) as local:
        yield local


@pytest.fixture
def account(own_venice: LocalVenice) -> Iterator[LocalVenice]:
    """A Venice whose account has no key but the operator's."""
    yield own_venice
    own_venice.clear_faults()
    for key in at_venice(own_venice):
        headers = {"Authorization": f"Bearer {own_venice.key}"}
        url = f"{own_venice.base_url}/api_keys"
        httpx.delete(url, params={"id": key["id"]}, headers=headers).raise_for_status()


@pytest.fixture
def hire(letta: Letta, provider: str) -> Iterator[Hire]:
    """Make an agent that is gone with the test."""
    with ExitStack() as stack:

        def make(
            name: str, *, tags: tuple[str, ...] = (), hidden: bool = False, **secrets: str
        ) -> str:
            agent = letta.agents.create(
                name=name,
                model=f"{provider}/zai-org-glm-5-2",
                include_base_tools=False,
                tags=list(tags),
                hidden=hidden,
                secrets=secrets,
            )
            stack.callback(letta.agents.delete, agent.id)
            return agent.id

        yield make


@pytest.fixture
def command(letta: Letta, account: LocalVenice) -> Command:
    """Run `sanctum-venice keys`."""

    def run(*words: str, **more: str) -> Result:
        own = {
            "LETTA_BASE_URL": str(letta.base_url),
            "VENICE_ADMIN_KEY": account.key,
            "VENICE_BASE_URL": account.base_url,
        }
        return CliRunner(env={**own, **more}).invoke(keys, words)

    return run


def key_of(letta: Letta, agent_id: str) -> str:
    """The Venice key among an agent's secrets."""
    return secrets_of(letta, agent_id)["VENICE_API_KEY"]


def secrets_of(letta: Letta, agent_id: str) -> dict[str, str]:
    """An agent's secrets."""
    agent = letta.agents.retrieve(agent_id, include=["agent.secrets"])
    return {secret.key: secret.value for secret in agent.secrets or []}


def at_venice(account: LocalVenice) -> list[dict[str, Any]]:
    """The keys of the account, but for the operator's own."""
    headers = {"Authorization": f"Bearer {account.key}"}
    listed = httpx.get(f"{account.base_url}/api_keys", headers=headers).json()["data"]
    return [key for key in listed if key["last6Chars"] != account.key[-6:]]


def is_good(account: LocalVenice, key: str) -> bool:
    """Whether Venice takes a key."""
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{account.base_url}/api_keys/rate_limits", headers=headers).is_success


def test_an_agent_gets_its_key(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """A key with that limit is made for the agent, set beside its other secrets, and shown nowhere."""
    agent = hire("Scout", OTHER="kept")
    told = command("issue", "--agent", "Scout", "--usd-per-day", "5", "--expires", "2030-12-31")

    assert 0 == told.exit_code, told.output
    secret = key_of(letta, agent)
    (made,) = at_venice(account)
    assert {"OTHER": "kept", "VENICE_API_KEY": secret} == secrets_of(letta, agent)
    assert (f"letta {agent} Scout", "INFERENCE", secret[-6:]) == (
        made["description"],
        made["apiKeyType"],
        made["last6Chars"],
    )
    assert (5, 5, "EPOCH", "2030-12-31") == (
        made["consumptionLimits"]["usd"],
        made["consumptionLimits"]["diem"],
        made["limitPeriod"],
        made["expiresAt"][:10],
    )
    assert is_good(account, secret)
    assert secret not in told.output
    assert f"...{secret[-6:]}" in told.stdout


def test_a_second_run_changes_nothing(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """An agent that has its key keeps it; another limit is given to that same key."""
    agent = hire("Scout")
    command("issue", "--agent", "Scout", "--usd-per-day", "5")
    secret = key_of(letta, agent)
    again = command("issue", "--agent", "Scout", "--usd-per-day", "5", "--json")
    other = command("issue", "--agent", agent, "--usd-per-month", "20", "--json")

    assert ["unchanged", "change"] == [
        json.loads(told.stdout)["agents"][0]["action"] for told in (again, other)
    ]
    (made,) = at_venice(account)
    assert (20, "MONTH", secret) == (
        made["consumptionLimits"]["usd"],
        made["limitPeriod"],
        key_of(letta, agent),
    )


def test_a_limit_holds_whatever_an_agent_does(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command, registered: list[str]
) -> None:
    """The tool in Letta's sandbox spends up to the agent's limit, and is refused then, in words; others go on."""
    assert registered
    poor, rich = hire("Poor"), hire("Rich")
    command("issue", "--agent", "Poor", "--usd-in-all", "0.01")
    command("issue", "--agent", "Rich", "--usd-in-all", "1")

    def draw(agent: str) -> str:
        (tool,) = letta.tools.list(name="venice_generate_image").items
        result: Any = letta.post(
            "/v1/tools/run",
            cast_to=object,
            body={
                "source_code": tool.source_code,
                "json_schema": tool.json_schema,
                "name": tool.name,
                "args": {"prompt": "a fox"},
                "env_vars": {**secrets_of(letta, agent), "VENICE_BASE_URL": account.base_url},
            },
        )
        return str(result["tool_return"])

    told = [draw(poor), draw(poor), draw(rich)]

    assert [True, False, True] == ['"cost_usd": 0.01' in one for one in told]
    assert "spend limit" in told[1]


def test_a_key_is_rotated(letta: Letta, account: LocalVenice, hire: Hire, command: Command) -> None:
    """A new key of the same limit takes the old one's place, and the old one is good for nothing any more."""
    agent = hire("Scout")
    command("issue", "--agent", "Scout", "--usd-per-month", "7", "--expires", "2031-01-01")
    before = key_of(letta, agent)
    told = command("rotate", "--agent", "Scout")
    after = key_of(letta, agent)

    assert 0 == told.exit_code, told.output
    assert before != after
    assert [False, True] == [is_good(account, key) for key in (before, after)]
    (made,) = at_venice(account)
    assert (7, "MONTH", "2031-01-01") == (
        made["consumptionLimits"]["usd"],
        made["limitPeriod"],
        made["expiresAt"][:10],
    )


def test_another_key_in_the_agents_secrets_is_replaced(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """Where somebody set another key, the agent gets a new one of its own, and the lost one is revoked."""
    agent = hire("Scout")
    command("issue", "--agent", "Scout", "--usd-per-day", "5")
    lost = key_of(letta, agent)
    letta.agents.update(agent, secrets={"VENICE_API_KEY": "somebody-elses-key"})
    told = command("issue", "--agent", "Scout", "--usd-per-day", "5")

    assert "replaced" in told.stdout
    assert (False, True) == (is_good(account, lost), is_good(account, key_of(letta, agent)))
    assert 1 == len(at_venice(account))


def test_dry_run_makes_nothing(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """Only told, there is no key afterwards, neither at Venice nor at Letta."""
    agent = hire("Scout")
    told = command("issue", "--agent", "Scout", "--usd-per-day", "5", "--dry-run")

    assert (0, [], {}) == (told.exit_code, at_venice(account), secrets_of(letta, agent))
    assert "issue" in told.stdout


def test_tags_name_several_agents(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """Each agent with the tag gets a key of its own."""
    agents = [hire(name, tags=("customers",)) for name in ("One", "Two")]
    command("issue", "--agent-tag", "customers", "--usd-per-day", "1")

    held = {key_of(letta, agent) for agent in agents}
    assert 2 == len(held)
    assert all(is_good(account, key) for key in held)


@pytest.mark.parametrize("fault", ["reset-midway", "broken-json"])
def test_a_key_whose_answer_is_lost_is_revoked(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command, fault: str
) -> None:
    """Venice made it, and nobody holds it: it is found by its description, revoked, and told of."""
    agent = hire("Scout")
    account.order_fault(fault=fault, path="/api_keys", method="POST")
    told = command("issue", "--agent", "Scout", "--usd-per-day", "5")

    assert 3 == told.exit_code
    assert "no key came" in told.stderr
    assert ([], {}) == (at_venice(account), secrets_of(letta, agent))


def test_a_key_that_can_not_be_set_is_revoked(
    account: LocalVenice, hire: Hire, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Letta refuses the secret, the key that was made for it goes again; where that fails too, it is named."""
    hire("Scout")

    def refuse(*_: Any, **__: Any) -> None:
        raise SecretsError("it does not take it")

    monkeypatch.setattr(SECRETS_AFTER, refuse)
    first = command("issue", "--agent", "Scout", "--usd-per-day", "5")
    left = at_venice(account)
    account.order_fault(fault="status-500", path="/api_keys", method="DELETE")
    second = command("issue", "--agent", "Scout", "--usd-per-day", "5")

    assert (3, []) == (first.exit_code, left)
    assert "its new key is revoked again" in first.stderr
    (kept,) = at_venice(account)
    assert f"...{kept['last6Chars']} is left over" in second.stderr


def test_an_interrupted_run_leaves_no_key(
    account: LocalVenice, hire: Hire, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C between the making and the setting of a key takes the key back."""
    hire("Scout")

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(SECRETS_AFTER, interrupt)
    told = command("issue", "--agent", "Scout", "--usd-per-day", "5")

    assert 1 == told.exit_code
    assert [] == at_venice(account)


def test_venice_is_waited_for_when_it_is_in_haste(
    letta: Letta,
    account: LocalVenice,
    hire: Hire,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Twenty keys a minute is Venice's limit: a request that it refuses for that is sent again, later."""
    slept: list[float] = []
    monkeypatch.setattr("sanctum_venice_tools.letta.agent_keys.account.time.sleep", slept.append)
    agent = hire("Scout")
    account.order_fault(fault="status-429", path="/api_keys", method="POST")
    told = command("issue", "--agent", "Scout", "--usd-per-day", "5")

    assert 0 == told.exit_code, told.output
    assert is_good(account, key_of(letta, agent))
    assert 20 == sum(slept)


def test_the_list_tells_what_nobody_uses(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """Keys of agents that are gone or have another one are told apart, and --stale revokes just these."""
    used, other = hire("Used"), hire("Other")
    gone = letta.agents.create(
        name="Gone", model="venice-test/zai-org-glm-5-2", include_base_tools=False
    )
    for name in ("Used", "Other", "Gone"):
        command("issue", "--agent", name, "--usd-per-day", "5")
    letta.agents.update(other, secrets={"VENICE_API_KEY": "somebody-elses-key"})
    letta.agents.delete(gone.id)

    listed = json.loads(command("list", "--json").stdout)
    refused = command("revoke", "--stale")
    done = command("revoke", "--stale", "--yes")

    assert {
        "Gone": "its agent is not on this server",
        "Other": "its agent has another key",
        "Used": None,
    } == {row["name"]: row["stale"] for row in listed}
    assert 2 == refused.exit_code
    assert 0 == done.exit_code, done.output
    assert [key_of(letta, used)[-6:]] == [key["last6Chars"] for key in at_venice(account)]


def test_hidden_agents_are_agents_too(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """Agents that Letta hides, as it does each subagent, are found by name and tag, and their keys are in use."""
    agents = [hire("Hidden", hidden=True), hire("Sub", tags=("role:subagent", "team"))]
    for option in (("--agent", "Hidden"), ("--agent-tag", "team")):
        told = command("issue", *option, "--usd-per-day", "5")
        assert 0 == told.exit_code, told.output
    told = command("revoke", "--stale", "--yes")

    assert 0 == told.exit_code, told.output
    assert all(is_good(account, key_of(letta, agent)) for agent in agents)


def test_an_agents_key_is_revoked(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """The agent can spend nothing any more: its secret stays, so that no other key takes its place."""
    agent = hire("Scout")
    command("issue", "--agent", "Scout", "--usd-per-day", "5")
    told = command("revoke", "--agent", "Scout", "--yes")

    assert 0 == told.exit_code, told.output
    assert not is_good(account, key_of(letta, agent))


def test_the_operators_own_key_is_not_revoked(account: LocalVenice, command: Command) -> None:
    """The key that the command uses is no key to be revoked by it, even where it is named."""
    headers = {"Authorization": f"Bearer {account.key}"}
    (own,) = httpx.get(f"{account.base_url}/api_keys", headers=headers).json()["data"]
    told = command("revoke", "--id", own["id"], "--yes")

    assert 3 == told.exit_code
    assert "it is the key that this command uses" in told.stderr
    assert is_good(account, account.key)


@pytest.mark.parametrize(
    ("words", "environment", "expected", "status"),
    [
        (["issue", "--agent", "Nobody", "--usd-per-day", "5"], {}, "no agent is called", 2),
        (["issue", "--agent", "Scout"], {}, "how much may it spend", 2),
        (["issue", "--usd-per-day", "5"], {}, "whose keys", 2),
        (["issue", "--agent", "S", "--usd-per-day", "0"], {}, "not in the range", 2),
        (
            ["issue", "--agent", "S", "--usd-per-day", "1", "--expires", "2020-01-01"],
            {},
            "a day to come",
            2,
        ),
        (["issue", "--agent", "S", "--usd-per-day", "1", "--secret", "a=b"], {}, "give a name", 2),
        (["rotate", "--agent", "Scout"], {}, "has no key of its own yet", 3),
        (["revoke", "--yes"], {}, "which keys", 2),
        (["revoke", "--id", "no-such-id", "--yes"], {}, "there is no key of the id", 2),
        (["revoke", "--agent", "Nobody", "--yes"], {}, "no key was issued for", 2),
        (["list"], {"VENICE_ADMIN_KEY": "wrong"}, "only an ADMIN key may manage keys", 4),
        (["list"], {"VENICE_ADMIN_KEY": ""}, "VENICE_ADMIN_KEY is not set", 2),
        (["list"], {"VENICE_BASE_URL": "http://127.0.0.1:9"}, "does not answer", 4),
        (["list"], {"LETTA_BASE_URL": "http://127.0.0.1:9"}, "there is no Letta server", 4),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_can_not_be_is_one_line(
    hire: Hire,
    command: Command,
    *,
    words: list[str],
    environment: dict[str, str],
    expected: str,
    status: int,
) -> None:
    """A mistake, and a server that is not there, end in a line that says what to do."""
    hire("Scout")
    told = command(*words, **environment)

    assert status == told.exit_code, told.output
    assert expected in told.stderr


def test_the_doctor_tells_who_shares_a_key(
    letta: Letta, account: LocalVenice, hire: Hire, command: Command
) -> None:
    """Agents with one key, and keys without a limit, are warned of; with keys of their own all is well."""
    for name in ("One", "Two"):
        hire(name, VENICE_API_KEY=account.key, tags=("customers",))
    row = "agents' keys"

    def examine() -> dict[str, Any]:
        own = {
            "LETTA_BASE_URL": str(letta.base_url),
            "VENICE_API_KEY": account.key,
            "VENICE_BASE_URL": account.base_url,
        }
        told = CliRunner(env=own).invoke(run_doctor, ["--json"])
        return next(one for one in json.loads(told.stdout)["checks"] if one["check"] == row)

    before = examine()
    command("issue", "--agent-tag", "customers", "--usd-per-day", "5")
    after = examine()

    assert "warning" == before["state"]
    assert {"One, Two", "Two, One"} & set(before["told"].split(" share")[:1])
    assert "no limit holds" in before["told"]
    assert ("ok", "2 agents have keys of their own, with limits") == (after["state"], after["told"])
