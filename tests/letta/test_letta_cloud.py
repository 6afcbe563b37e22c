"""Letta Cloud, out of reach without an account: the same client code against answers of the documented shape.

The addresses, fields and status codes are those of Letta's API reference and of letta-client
1.12.1. Nothing here was recorded from api.letta.com; that it answers so is what the reference says,
and not more.
"""

import json
from typing import Any

import httpx
import pytest
import respx
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.letta.agents import Wishes

CLOUD = "https://api.letta.com"


@pytest.fixture
def cloud() -> Any:
    """Letta Cloud as it is documented, with no tools yet."""
    tools: dict[str, dict[str, Any]] = {}

    def upsert(request: httpx.Request) -> httpx.Response:
        record = json.loads(request.content)
        name = record["json_schema"]["name"]
        tools[name] = {
            "id": f"tool-{len(tools)}",
            "name": name,
            "tool_type": "custom",
            "args_json_schema": None,
            "npm_requirements": None,
            "project_id": None,
            "metadata_": {},
            **record,
        }
        return httpx.Response(200, json=tools[name])

    held: list[str] = []  # the ids of the tools that the agent has

    def update(request: httpx.Request) -> httpx.Response:
        held[:] = json.loads(request.content).get("tool_ids", held)
        return httpx.Response(200, json=agent())

    def list_held(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[tool for tool in tools.values() if tool["id"] in held])

    with respx.mock(base_url=CLOUD, assert_all_called=False) as router:
        router.get("/v1/tools/").mock(
            side_effect=lambda _: httpx.Response(200, json=list(tools.values()))
        )
        router.put("/v1/tools/").mock(side_effect=upsert)
        router.get("/v1/agents/").respond(json=[agent()])
        router.get("/v1/agents/agent-1").respond(json=agent())
        router.get("/v1/agents/agent-1/tools").mock(side_effect=list_held)
        router.patch("/v1/agents/agent-1").mock(side_effect=update)
        yield router


def agent() -> dict[str, Any]:
    """An agent with a secret whose value is not told."""
    secret = {"agent_id": "agent-1", "key": "DATABASE", "value": "<encrypted>"}
    return {
        "id": "agent-1",
        "name": "scout",
        "tools": [],
        "tool_rules": [],
        "secrets": [secret],
        "tags": [],
    }


def register(*arguments: str) -> Result:
    """Run the command against Letta Cloud."""
    runner = CliRunner(env={"LETTA_API_KEY": "cloud-key", "VENICE_API_KEY": "venice-key"})
    return runner.invoke(register_tools, [*arguments, "--base-url", CLOUD])


def written(cloud: respx.Router) -> list[dict[str, Any]]:
    """What was written of the agent."""
    requests = [call.request for call in cloud.calls if call.request.method == "PATCH"]
    assert {"/v1/agents/agent-1"} >= {request.url.path for request in requests}
    return [json.loads(request.content) for request in requests]


def test_sends_the_key_and_names_the_packages(cloud: respx.Router) -> None:
    """Requests carry the account's key; a tool names httpx, which Letta Cloud installs where it runs."""
    result = register("venice_ask_web")

    (write,) = [call.request for call in cloud.calls if call.request.method == "PUT"]
    assert 0 == result.exit_code
    assert "Bearer cloud-key" == write.headers["authorization"]
    assert ["httpx"] == [
        requirement["name"] for requirement in json.loads(write.content)["pip_requirements"]
    ]
    assert "key" not in result.output


def test_the_second_run_is_one_read(cloud: respx.Router) -> None:
    """What is there already is not written."""
    register("venice_ask_web")
    before = len(cloud.calls)

    result = register("venice_ask_web")

    assert ["GET"] == [call.request.method for call in list(cloud.calls)[before:]]
    assert "Nothing to change at https://api.letta.com" in result.stdout


def test_attaches_to_an_agent(cloud: respx.Router) -> None:
    """An agent is found by its name and given the tool by its id."""
    register("venice_ask_web", "--agent", "scout")

    assert [{"tool_ids": ["tool-0"], "tool_rules": []}] == written(cloud)


def test_attaches_again_what_has_vanished(cloud: respx.Router) -> None:
    """The agent's own page of tools counts: what is not there is attached again, whatever else tells of the agent."""
    register("venice_ask_web")
    told = {**agent(), "tools": [{"id": "tool-0", "name": "venice_ask_web"}]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    first, second = (register("venice_ask_web", "--agent", "scout") for _ in range(2))

    assert [{"tool_ids": ["tool-0"], "tool_rules": []}] == written(cloud)
    assert (0, 0) == (first.exit_code, second.exit_code)
    assert "Nothing to change" in second.stdout


def test_keeps_what_has_vanished_from_one_page(cloud: respx.Router) -> None:
    """Letta takes an agent's tools as a whole: one of others that only the agent itself tells of is not lost."""
    others = {"type": "run_first", "tool_name": "own_tool"}
    told = {**agent(), "tools": [{"id": "tool-x", "name": "own_tool"}], "tool_rules": [others]}
    cloud.get("/v1/agents/agent-1").respond(json=told)
    register("venice_queue_video", "--agent", "scout")

    approval = {"type": "requires_approval", "tool_name": "venice_queue_video"}
    assert [{"tool_ids": ["tool-x", "tool-0"], "tool_rules": [others, approval]}] == written(cloud)


def test_a_tool_that_is_taken_away_is_not_to_run_first(cloud: respx.Router) -> None:
    """An agent that is to begin with a tool that it lacks can't answer: that rule goes, and the plan says so."""
    register("venice_ask_web", "venice_chat", "--agent", "scout")
    first = [{"type": "run_first", "tool_name": name} for name in ("venice_chat", "own_tool")]
    last = {"type": "exit_loop", "tool_name": "venice_chat"}  # does no harm
    told = {**agent(), "tool_rules": [*first, last]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    planned = register("venice_ask_web", "--agent", "scout", "--dry-run")
    register("venice_ask_web", "--agent", "scout")

    plan = " ".join(planned.stdout.split())
    assert "detach venice_chat; no longer run first venice_chat" in plan
    assert [first[1], last] == written(cloud)[-1]["tool_rules"]


def test_no_rule_stays_whose_next_tools_are_all_gone(cloud: respx.Router) -> None:
    """Letta would force some other call after each of that tool, so such a rule goes; one with a tool left stays."""
    register("venice_ask_web", "venice_chat", "venice_speak", "--agent", "scout")
    child = {"type": "constrain_child_tools", "tool_name": "venice_ask_web"}
    parent = {"type": "parent_last_tool", "tool_name": "venice_ask_web"}
    lost = [
        {**child, "children": ["venice_chat"]},
        {**child, "children": ["venice_speak", "venice_chat"]},
        {**parent, "children": ["venice_chat"]},
    ]
    kept = [
        {**child, "children": ["venice_chat", "venice_ask_web"]},
        {**child, "children": ["own_tool"]},  # it was so before
        # What it is about is gone itself: it does no harm.
        {**child, "tool_name": "venice_chat", "children": ["venice_speak"]},
    ]
    told = {**agent(), "tool_rules": [*lost, *kept]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    planned = register("venice_ask_web", "--agent", "scout", "--dry-run")
    as_json = register("venice_ask_web", "--agent", "scout", "--dry-run", "--json")
    register("venice_ask_web", "--agent", "scout")

    assert "nothing has to follow venice_ask_web" in " ".join(planned.stdout.split())
    (change,) = json.loads(as_json.stdout)["agents"]
    assert ["venice_ask_web"] == change["no_longer_followed"]
    assert kept == written(cloud)[-1]["tool_rules"]


def test_says_which_tools_letta_no_longer_offers(cloud: respx.Router) -> None:
    """A rule by which a tool only follows one that is gone may guard a purchase: it stays; the plan names the tool."""
    register("venice_ask_web", "venice_chat", "--agent", "scout")
    rule = {"type": "parent_last_tool", "children": ["venice_ask_web"]}
    guard = {**rule, "tool_name": "venice_chat"}
    there = {**rule, "tool_name": "venice_ask_web"}
    told = {**agent(), "tool_rules": [guard, there]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    planned = register("venice_ask_web", "--agent", "scout", "--dry-run")
    as_json = register("venice_ask_web", "--agent", "scout", "--dry-run", "--json")
    register("venice_ask_web", "--agent", "scout")

    plan = " ".join(planned.stdout.split())
    assert "detach venice_chat; Letta will not offer venice_ask_web" in plan
    (change,) = json.loads(as_json.stdout)["agents"]
    assert ["venice_ask_web"] == change["not_offered"]
    assert [guard, there] == written(cloud)[-1]["tool_rules"]


@pytest.mark.parametrize(
    "rule",
    [
        {"type": "constrain_child_tools", "tool_name": "venice_chat"},
        {"type": "parent_last_tool", "tool_name": "gone_before"},
    ],
    ids=["another type", "of no tool that changes"],
)
def test_of_other_rules_no_tool_is_said_to_be_no_longer_offered(
    cloud: respx.Router, rule: dict[str, str]
) -> None:
    """A rule that keeps no tool from being offered, or whose tool was gone before, is no news of this change."""
    register("venice_ask_web", "venice_chat", "--agent", "scout")
    told = {**agent(), "tool_rules": [{**rule, "children": ["venice_ask_web"]}]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    as_json = register("venice_ask_web", "--agent", "scout", "--dry-run", "--json")

    (change,) = json.loads(as_json.stdout)["agents"]
    assert {} != change["detach"]
    assert [] == change["not_offered"]


def test_says_when_an_approval_was_not_lifted(cloud: respx.Router) -> None:
    """What --approve lifts is looked for as well as what it asks for: a rule that is still there was not taken away."""
    approval = {"type": "requires_approval", "tool_name": "venice_ask_web"}
    told = {**agent(), "tool_rules": [approval]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    result = register("venice_ask_web", "--agent", "scout", "--approve", "none")

    assert [] == written(cloud)[-1]["tool_rules"]
    assert 3 == result.exit_code, result.output
    assert "the server did not keep all of it" in result.stderr


def test_no_conditional_rule_stays_whose_next_tools_are_all_gone(cloud: respx.Router) -> None:
    """By such a rule, too, Letta forces a call after each of its tool; one with a tool left stays."""
    register("venice_ask_web", "venice_chat", "venice_speak", "--agent", "scout")
    rule = {"type": "conditional", "tool_name": "venice_ask_web"}
    lost = {**rule, "child_output_mapping": {"yes": "venice_chat"}, "default_child": "venice_speak"}
    kept = {**lost, "default_child": "venice_ask_web"}
    told = {**agent(), "tool_rules": [lost, kept]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    as_json = register("venice_ask_web", "--agent", "scout", "--json")

    (change,) = json.loads(as_json.stdout)["agents"]
    assert ["venice_ask_web"] == change["no_longer_followed"]
    assert [kept] == written(cloud)[-1]["tool_rules"]


def test_a_tool_comes_without_a_rule_whose_next_tools_are_gone(cloud: respx.Router) -> None:
    """Letta keeps the rules of a tool that is gone; it is not to come back to one that forces a call."""
    rule = {"type": "constrain_child_tools", "tool_name": "venice_ask_web"}
    told = {**agent(), "tool_rules": [{**rule, "children": ["venice_chat"]}]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)

    planned = register("venice_ask_web", "--agent", "scout", "--dry-run")
    register("venice_ask_web", "--agent", "scout")

    plan = " ".join(planned.stdout.split())
    assert "attach venice_ask_web; nothing has to follow venice_ask_web" in plan
    assert [] == written(cloud)[-1]["tool_rules"]


@pytest.mark.parametrize(("status", "removed"), [(200, True), (400, False), (404, True)])
def test_no_tool_is_removed_from_under_a_rule(
    cloud: respx.Router, status: int, removed: bool
) -> None:
    """The agents that use it lose first the rules by which they could not go on without it; else it stays."""
    register("venice_ask_web")
    register("venice_chat")
    child = {"type": "constrain_child_tools", "tool_name": "own_tool", "children": ["venice_chat"]}
    first = {"type": "run_first", "tool_name": "venice_chat"}
    last = {"type": "exit_loop", "tool_name": "venice_chat"}
    tools = [{"id": "tool-1", "name": "venice_chat"}, {"id": "tool-x", "name": "own_tool"}]
    told = {**agent(), "tools": tools, "tool_rules": [first, child, last]}
    cloud.get("/v1/agents/").respond(json=[told])
    cloud.get("/v1/agents/agent-1").respond(json=told)
    cloud.patch("/v1/agents/agent-1").respond(status, json=told)
    cloud.delete("/v1/tools/tool-1").respond(json={})

    result = register("venice_ask_web", "--prune", "--yes")

    assert [{"tool_rules": [last]}] == written(cloud)
    methods = [call.request.method for call in cloud.calls]
    assert removed == ("DELETE" in methods)
    assert (0 if removed else 3) == result.exit_code, result.output


def test_says_what_removing_a_tool_does_to_its_users(cloud: respx.Router) -> None:
    """The plan of --prune tells which rules an agent loses, and which of its tools Letta will not offer any more."""
    register("venice_queue_video")
    register("venice_quote_video")
    guard = {"type": "parent_last_tool", "tool_name": "venice_quote_video"}
    rules = [
        {"type": "run_first", "tool_name": "venice_quote_video"},
        {"type": "constrain_child_tools", "tool_name": "own", "children": ["venice_quote_video"]},
        {**guard, "children": ["venice_queue_video"]},
    ]
    names = ("venice_queue_video", "venice_quote_video", "own")
    tools = [{"id": f"tool-{place}", "name": name} for place, name in enumerate(names)]
    told = {**agent(), "tools": tools, "tool_rules": rules}
    free = {**agent(), "id": "agent-2", "name": "free", "tools": tools}
    cloud.get("/v1/agents/").respond(json=[told, free])

    planned = register("venice_queue_video", "--prune", "--dry-run")
    as_json = register("venice_queue_video", "--prune", "--dry-run", "--json")

    plan = " ".join(planned.stdout.split())
    assert (
        "venice_quote_video remove used by scout, free; agent scout: "
        "no longer run first venice_quote_video; nothing has to follow own; "
        "Letta will not offer venice_queue_video"
    ) in plan
    assert "agent free" not in plan
    (removal,) = json.loads(as_json.stdout)["removed"]
    assert ["scout", "free"] == removal["agents"]
    scout = {
        "id": "agent-1",
        "name": "scout",
        "no_longer_first": ["venice_quote_video"],
        "no_longer_followed": ["own"],
        "not_offered": ["venice_queue_video"],
    }
    assert [scout] == removal["rules"]


def test_reads_all_tools_of_an_agent(cloud: respx.Router) -> None:
    """However many tools an agent has, those of ours are found among them, and none is attached twice."""
    register("venice_ask_web")
    others = [{"id": f"tool-x{place}", "name": f"other_{place}"} for place in range(1000)]
    ours = {"id": "tool-0", "name": "venice_ask_web"}
    pages = {None: others, "tool-x999": [ours]}
    cloud.get("/v1/agents/agent-1/tools").mock(
        side_effect=lambda request: httpx.Response(200, json=pages[request.url.params.get("after")])
    )

    assert "Nothing to change" in register("venice_ask_web", "--agent", "scout").stdout


def test_does_not_lose_secrets_that_are_not_told(cloud: respx.Router) -> None:
    """Where the account's secrets are hidden, none is set unless that is said."""
    refused = register("venice_ask_web", "--agent", "scout", "--secret", "VENICE_API_KEY")
    sent = [call.request for call in cloud.calls if call.request.url.path == "/v1/agents/agent-1"]

    assert 3 == refused.exit_code
    assert "its secrets DATABASE can't be read" in refused.stderr
    assert "PATCH" not in {request.method for request in sent}


def test_sets_a_secret_whose_value_is_not_told(cloud: respx.Router) -> None:
    """A secret of the same name is replaced even where its old value is hidden, for nothing is lost by that."""
    before = {
        **agent(),
        "secrets": [{"agent_id": "agent-1", "key": "VENICE_API_KEY", "value": "<encrypted>"}],
    }
    cloud.get("/v1/agents/").respond(json=[before])
    cloud.get("/v1/agents/agent-1").respond(json=before)

    result = register("venice_ask_web", "--agent", "scout", "--secret", "VENICE_API_KEY")

    (write,) = written(cloud)
    assert 0 == result.exit_code
    assert {"VENICE_API_KEY": "venice-key"} == write["secrets"]


def planned_secrets(*arguments: str) -> tuple[list[str], list[str]]:
    """The secrets that would be set for the agent, and those that would be lost by that."""
    secret = ("--secret", "VENICE_API_KEY", "--replace-secrets", "--dry-run", "--json")
    result = register("venice_ask_web", "--agent", "scout", *secret, *arguments)
    (change,) = json.loads(result.stdout)["agents"]
    return change["secrets"], change["lost_secrets"]


def test_says_which_secrets_would_be_lost(cloud: respx.Router) -> None:
    """Who replaces hidden secrets learns which go; where nothing is to be set, none does."""
    told = agent()
    assert (["VENICE_API_KEY"], ["DATABASE"]) == planned_secrets()

    told["secrets"].append({"agent_id": "agent-1", "key": "VENICE_API_KEY", "value": "venice-key"})
    cloud.get("/v1/agents/").respond(json=[told])
    assert ([], []) == planned_secrets()


@pytest.mark.parametrize("arguments", [(), ("--secret", "VENICE_API_KEY")])
def test_asks_for_secrets_only_where_one_is_to_be_set(
    cloud: respx.Router, arguments: tuple[str, ...]
) -> None:
    """The plan needs to know the agent's others then; else they are nobody's business."""
    register("venice_ask_web", "--agent", "scout", "--dry-run", *arguments)

    (found,) = [call.request for call in cloud.calls if call.request.url.path == "/v1/agents/"]
    assert bool(arguments) == ("agent.secrets" in str(found.url.params))


def test_says_when_an_agent_was_not_given_all(cloud: respx.Router) -> None:
    """What the server answered well to and did not keep, be it a tool or a secret, is no success."""
    bare = {**agent(), "secrets": []}
    cloud.get("/v1/agents/").respond(json=[bare])
    cloud.get("/v1/agents/agent-1").respond(json=bare)
    secret = register("venice_ask_web", "--agent", "scout", "--secret", "VENICE_API_KEY")
    cloud.get("/v1/agents/agent-1/tools").respond(json=[])
    tool = register("venice_ask_web", "--agent", "scout")

    words = "Error: agent scout: the server did not keep all of it\n"
    assert (words, words) == (secret.stderr, tool.stderr)
    assert (3, 3) == (secret.exit_code, tool.exit_code)


def test_a_secret_that_keeps_its_old_value_was_not_set(cloud: respx.Router) -> None:
    """Where the value can be read back, it is compared: that some value has the name says nothing."""
    old = {"agent_id": "agent-1", "key": "VENICE_API_KEY", "value": "old-key"}
    cloud.get("/v1/agents/").respond(json=[{**agent(), "secrets": [old]}])
    cloud.get("/v1/agents/agent-1").respond(json={**agent(), "secrets": [old]})
    result = register("venice_ask_web", "--agent", "scout", "--secret", "VENICE_API_KEY")

    assert 3 == result.exit_code
    assert "Error: agent scout: the server did not keep all of it\n" == result.stderr


def test_secrets_are_not_shown_with_what_an_agent_is_to_have() -> None:
    """Where these wishes are printed, as in a traceback, no secret is."""
    wishes = Wishes([], lifts_approvals=False, secrets={"A": "hidden"}, loses_secrets=False)

    assert "hidden" not in repr(wishes)


def test_says_which_agent_could_not_be_changed(cloud: respx.Router) -> None:
    """A refusal has a line that names the agent, without what the refusal repeats of the request."""
    known = {**agent(), "secrets": []}
    cloud.get("/v1/agents/").respond(json=[known])
    cloud.get("/v1/agents/agent-1").respond(json=known)
    echo = {"detail": [{"loc": ["body", "secrets"], "input": {"VENICE_API_KEY": "venice-key"}}]}
    cloud.patch("/v1/agents/agent-1").respond(422, json=echo)

    result = register("venice_ask_web", "--agent", "scout", "--secret", "VENICE_API_KEY")

    assert 3 == result.exit_code
    assert "Error: agent scout: the server answered 422\n" == result.stderr
    assert "venice-key" not in result.output


def test_a_refusal_that_repeats_a_secret_does_not_show_it(cloud: respx.Router) -> None:
    """Where Letta's words hold the value that it was sent, the name of the secret is shown in its place."""
    known = {**agent(), "secrets": []}
    cloud.get("/v1/agents/").respond(json=[known])
    cloud.get("/v1/agents/agent-1").respond(json=known)
    cloud.patch("/v1/agents/agent-1").respond(422, json={"detail": "no venice-key here"})

    result = register("venice_ask_web", "--agent", "scout", "--secret", "VENICE_API_KEY")

    assert (
        "Error: agent scout: the server answered 422: no [VENICE_API_KEY] here\n" == result.stderr
    )
    assert "venice-key" not in result.output


@pytest.mark.parametrize("field", ["detail", "message", "error"])
def test_gives_no_agent_what_could_not_be_registered(cloud: respx.Router, field: str) -> None:
    """Where a tool was refused, the agent has a line too, and is given nothing."""
    cloud.put("/v1/tools/").respond(402, json={field: "Your plan has no more tools."})

    result = register("venice_ask_web", "--agent", "scout")

    assert 3 == result.exit_code
    assert [
        "Error: venice_ask_web: the server answered 402: Your plan has no more tools.",
        "Error: agent scout: could not be given venice_ask_web, which could not be registered",
    ] == result.stderr.splitlines()
    assert not [call for call in cloud.calls if "/tools/attach/" in call.request.url.path]


def test_a_refusal_may_be_a_web_page(cloud: respx.Router) -> None:
    """Of a page that is no success its status is told: it may be of the server's own gateway."""
    cloud.get("/v1/tools/").respond(403, html="<h1>Forbidden</h1>")

    assert "refused (403). Check LETTA_API_KEY." in register("venice_ask_web").stderr


def test_has_no_fast_sandbox(cloud: respx.Router) -> None:
    """Letta Cloud's sandboxes are its own: --fast-sandbox is wrong usage."""
    result = register("--fast-sandbox")

    assert 2 == result.exit_code
    assert not cloud.calls
