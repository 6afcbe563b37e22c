"""The command `register` where it needs no server: choosing tools, showing them, and wrong usage."""

import json

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from sanctum_venice_tools.cli import choosing
from sanctum_venice_tools.cli import register as command
from sanctum_venice_tools.cli import register_view as view
from sanctum_venice_tools.cli.register import register_tools
from sanctum_venice_tools.letta.agents import AgentChange
from sanctum_venice_tools.letta.bootstrap import Plan
from sanctum_venice_tools.letta.pruning import Removal
from sanctum_venice_tools.letta.registration import Change
from sanctum_venice_tools.letta.sandbox import SandboxChange
from sanctum_venice_tools.packing.bundle import tool_files
from sanctum_venice_tools.packing.record import COSTS, TOOLSETS, Record


def register(*arguments: str) -> Result:
    """Run the command, with no terminal."""
    return CliRunner().invoke(register_tools, arguments)


def test_lists_every_tool_in_80_columns() -> None:
    """--list names every tool with toolset, cost and a line, and no line is wider than a terminal."""
    result = register("--list")

    assert 0 == result.exit_code
    assert all(name in result.stdout for name in tool_files())
    assert max(len(line) for line in result.stdout.splitlines()) <= 80


def test_lists_for_scripts() -> None:
    """--list --json has the facts of every tool."""
    listed = json.loads(register("--list", "--json").stdout)

    assert set(tool_files()) == {tool["name"] for tool in listed}
    assert {"name", "toolset", "cost", "approval", "summary"} == listed[0].keys()


def test_shows_a_plan_in_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Long names and long reasons stay within a terminal, and a refused agent says so."""
    tools = [
        Change(record, "drifted", ("source_code", "json_schema", "description"))
        for record in pack().values()
    ]
    agents = [
        AgentChange("agent-1", "An agent with quite a long name", attach=tuple(pack())),
        AgentChange(
            "agent-2", "b", attach=("venice_web",), problem="its secrets A, B can't be read"
        ),
    ]
    removals = [Removal("venice_old", "tool-1", ("An agent with quite a long name", "b"))]

    view.print_plan(Console(width=80), Plan(tools, removals, agents, SandboxChange("speed up", {})))

    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines()) <= 80
    assert "edited on the server: source, schema" in shown
    assert "agent An agent with quite a l…  change" in shown
    assert "agent b                         refused   its secrets A, B can't be read" in shown


def pack() -> dict[str, Record]:
    """A pack with a tool for each toolset, and one for each cost."""
    tools = [(f"venice_{toolset}", toolset, "free") for toolset in TOOLSETS]
    tools += [(f"venice_core_{cost}", "core", cost) for cost in COSTS]
    return {
        name: Record(name, toolset, cost, "", {"name": name, "description": "."})
        for name, toolset, cost in tools
    }


@pytest.fixture
def small_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Choose out of that pack."""
    for module in ("cli.choosing", "packing.record"):
        place = f"sanctum_venice_tools.{module}"
        monkeypatch.setattr(f"{place}.tool_files", lambda: {name: name for name in pack()})
        monkeypatch.setattr(f"{place}.read_record", pack().__getitem__)
    monkeypatch.setattr(
        "sanctum_venice_tools.packing.record.toolset_of", lambda path: pack()[path].toolset
    )


CORE = {name for name, record in pack().items() if record.toolset == "core"}
CHOICES: dict[str, tuple[list[str], list[str], set[str]]] = {
    "nothing": ([], [], CORE),
    "a toolset": ([], ["web"], {"venice_web"}),
    "two toolsets": ([], ["web", "image"], {"venice_web", "venice_image"}),
    "names win": (["venice_admin"], ["web"], {"venice_admin"}),
    "all by name": (["all"], [], set(pack()) - {"venice_admin"}),
    "all by toolset": ([], ["all"], set(pack()) - {"venice_admin"}),
}


@pytest.mark.parametrize("case", CHOICES)
@pytest.mark.usefixtures("small_pack")
def test_chooses(case: str) -> None:
    """Names win over toolsets, core is the default, and `all` leaves out what can only be named."""
    names, toolsets, expected = CHOICES[case]

    assert expected == {record.name for record in choosing.choose(names, toolsets)}


APPROVALS: dict[str | None, set[str]] = {
    None: {"venice_core_dollars", "venice_core_account"},
    "costly": {"venice_core_dollars", "venice_core_account"},
    "all": CORE,
    "none": {"venice_core_account"},
    "venice_core": {"venice_core", "venice_core_account"},
    "costly, venice_core": {"venice_core", "venice_core_dollars", "venice_core_account"},
}


@pytest.mark.parametrize("approve", APPROVALS)
@pytest.mark.usefixtures("small_pack")
def test_decides_who_is_asked_first(approve: str | None) -> None:
    """Costly tools ask unless it is said otherwise; what changes the account always does."""
    decided = command._approved(choosing.choose((), ()), approve)

    assert APPROVALS[approve] == {record.name for record in decided if record.needs_approval}


WRONG = {
    "no server": ([], "Set LETTA_BASE_URL"),
    "no address": (["--base-url", "localhost:8283"], "such as http://localhost:8283"),
    "unknown tool": (["venice_ask_wep"], "did you mean venice_ask_web?"),
    "a toolset by its name": (["core"], "'core' is a toolset, not a tool: write --toolset core"),
    "unknown tool to show": (["--show", "venice_ask_wep"], "did you mean venice_ask_web?"),
    "unknown tool to approve": (["--approve", "venice_ask_wep"], "did you mean venice_ask_web?"),
    "a toolset that is never whole": (["--toolset", "admin"], "'admin' is not one of"),
    "a secret for nobody": (["--secret", "VENICE_API_KEY"], "name it with --agent"),
    "pruning unasked": (
        ["--prune", "--base-url", "http://127.0.0.1:9"],
        "without a terminal it needs --yes",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_says_what_is_wrong(case: str) -> None:
    """Wrong usage ends with 2 and a line that says how it is done."""
    arguments, words = WRONG[case]

    result = register(*arguments)

    assert 2 == result.exit_code
    assert words in " ".join(result.stderr.split())


@pytest.mark.slow
@pytest.mark.parametrize("end", ["", "/", "/v1"])
def test_a_server_that_is_not_there(end: str) -> None:
    """It ends the command with 4 and one line that names it, without the password that may stand in its address."""
    result = register("--base-url", f"http://me:very-secret@127.0.0.1:9{end}")

    assert 4 == result.exit_code
    assert (
        "Error: there is no Letta server at http://127.0.0.1:9. Check LETTA_BASE_URL."
        in result.stderr
    )
    assert "very-secret" not in result.output


def test_help_shows_examples() -> None:
    """--help needs no server, and shows how the command is used."""
    assert "--agent Scout --secret VENICE_API_KEY" in register("--help").stdout
