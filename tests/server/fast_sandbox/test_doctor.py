"""What the doctor finds out about a real Letta server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from letta_client import Letta

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.cli.doctor import run_doctor
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta.doctor import CHECKS
from sanctum_venice_tools.packing.bundle import tool_files
from tests.server.conftest import provider_at

pytestmark = pytest.mark.server

TRIED = "venice_find_characters"
OTHERS = "sum_numbers_of_others"


@pytest.fixture(autouse=True)
def no_faults(venice: LocalVenice) -> None:
    """Start without faults at Venice."""
    venice.clear_faults()


@pytest.fixture
def provider(letta: Letta, venice: LocalVenice) -> Iterator[str]:
    """A provider for one test alone: the doctor looks at all that there are."""
    with provider_at(letta, venice) as name:
        yield name


@pytest.fixture
def no_tools(letta: Letta) -> Iterator[None]:
    """Start without tools of ours on the server, and leave none of others with such a name behind."""
    remove(letta, *tool_files())
    yield
    remove(letta, *tool_files())


def remove(letta: Letta, *names: str) -> None:
    """Take these tools off the server."""
    for tool in letta.tools.list(names=list(names)):
        letta.tools.delete(tool.id)


def examine(letta: Letta, venice: LocalVenice, *arguments: str, **settings: str) -> Result:
    """Run the command against both."""
    known = {
        "VENICE_API_KEY": venice.key,
        "VENICE_BASE_URL": venice.base_url,
        "LETTA_BASE_URL": str(letta.base_url),
    }
    result = CliRunner().invoke(
        run_doctor, ["--provider", "venice-test", *arguments], env=known | settings
    )
    assert isinstance(result.exception, SystemExit | None)
    assert venice.key not in result.output
    return result


def finding(result: Result, check: str) -> tuple[str, str]:
    """How a check ended, and its line."""
    (line,) = [line for line in result.stdout.splitlines() if line[9:].startswith(f"{check}  ")]
    return line.split()[0], line


@pytest.mark.usefixtures("registered", "provider")
def test_a_healthy_place(letta: Letta, venice: LocalVenice, tmp_path: Path) -> None:
    """All is well: the tools are there and run, the folder takes files, the provider lists models.

    Only of agents there is nothing to tell, for none thinks with Venice, or has a key.
    """
    result = examine(letta, venice, VENICE_MEDIA_DIR=str(tmp_path / "media"))

    lines = result.stdout.splitlines()
    assert ["ok"] * (len(CHECKS) - 2) + ["skipped"] * 2 == [line.split()[0] for line in lines]
    assert 0 == result.exit_code
    assert f"Letta 0.16.8 at {str(letta.base_url).rstrip('/')}" in finding(result, "Letta")[1]
    assert f"{len(tool_files())} of {len(tool_files())} are there" in finding(result, "tools")[1]
    assert f"{TRIED} ran in the server's sandbox" in finding(result, "a tool's run")[1]
    assert str(tmp_path / "media") in finding(result, "media")[1]
    assert (
        "venice-test lists 14 models that can drive an agent; whether its key"
        in finding(result, "provider")[1]
    )


@pytest.mark.usefixtures("no_tools")
def test_an_empty_server(letta: Letta, venice: LocalVenice) -> None:
    """Without the tools it fails; without a provider it warns, for not everybody wants one."""
    result = examine(letta, venice)

    assert 1 == result.exit_code
    assert ("failure", True) == (
        finding(result, "tools")[0],
        "none of the pack is there. Run: sanctum-venice register" in result.stdout,
    )
    assert f"{TRIED} is not on the server" in finding(result, "a tool's run")[1]
    state, line = finding(result, "provider")
    assert "warning" == state
    assert "Run: sanctum-venice provider" in line


@pytest.mark.usefixtures("registered")
def test_a_tool_edited_on_the_server(letta: Letta, venice: LocalVenice) -> None:
    """The tool is named, with the field that is another."""
    (tool,) = letta.tools.list(names=["venice_ask_web"])
    letta.tools.update(tool.id, source_code=(tool.source_code or "").replace("Venice", "Venus"))

    state, line = finding(examine(letta, venice), "tools")

    assert "failure" == state
    assert "not as the pack has them: venice_ask_web (source_code" in line


@pytest.mark.usefixtures("registered")
def test_the_advice_for_old_tools_mends_those_of_every_toolset(
    letta: Letta, venice: LocalVenice
) -> None:
    """The line that the doctor gives, typed as it stands, is all that it takes."""
    for name in ("venice_ask_web", "venice_create_api_key", "venice_upscale_image"):
        (tool,) = letta.tools.list(names=[name])
        letta.tools.update(tool.id, source_code=f"{tool.source_code}\n# of an older version\n")

    state, line = finding(examine(letta, venice), "tools")
    program, *words = line.partition(" Run: ")[2].split()
    CliRunner().invoke(main, words, env={"LETTA_BASE_URL": str(letta.base_url)})

    assert ("failure", "sanctum-venice") == (state, program)
    assert "ok" == finding(examine(letta, venice), "tools")[0]


@pytest.mark.usefixtures("registered")
def test_approvals_are_for_the_operator_to_choose(letta: Letta, venice: LocalVenice) -> None:
    """That a tool asks a person first is no fault."""
    (tool,) = letta.tools.list(names=["venice_ask_web"])
    # What an update leaves out, Letta may reset; this it does reset.
    letta.tools.update(tool.id, default_requires_approval=True, enable_parallel_execution=True)

    assert "ok" == finding(examine(letta, venice), "tools")[0]


@pytest.mark.usefixtures("registered")
def test_a_tool_that_is_missing(letta: Letta, venice: LocalVenice) -> None:
    """Not every tool has to be there: those that are not are named in a warning."""
    (tool,) = letta.tools.list(names=["venice_ask_web"])
    letta.tools.delete(tool.id)

    state, line = finding(examine(letta, venice), "tools")

    assert "warning" == state
    assert "not there: venice_ask_web" in line


@pytest.mark.usefixtures("no_tools")
def test_a_foreign_tool(letta: Letta, venice: LocalVenice) -> None:
    """A tool of the same name from elsewhere is named, and is not run."""
    schema: dict[str, object] = {
        "name": TRIED,
        "description": "Mine.",
        "parameters": {"type": "object", "properties": {}},
    }
    letta.tools.create(
        source_code=f"def {TRIED}() -> str:\n    return 'mine'\n", json_schema=schema
    )

    result = examine(letta, venice)

    assert f"not of this pack, though of the same name: {TRIED}" in finding(result, "tools")[1]
    assert "skipped" == finding(result, "a tool's run")[0]


@pytest.mark.usefixtures("registered")
def test_a_tool_of_others_whose_argument_can_run_as_code(letta: Letta, venice: LocalVenice) -> None:
    """It is named in a warning, with the place that tells of it; our own tools, all registered, are not."""
    schema: dict[str, object] = {
        "name": OTHERS,
        "description": "Add numbers up.",
        "parameters": {
            "type": "object",
            "properties": {"numbers": {"type": "array", "items": {"type": "number"}}},
        },
    }
    letta.tools.create(
        source_code=f"def {OTHERS}(numbers):\n    return sum(numbers)\n", json_schema=schema
    )

    result = examine(letta, venice)
    remove(letta, OTHERS)

    state, line = finding(result, "others' tools")
    assert "warning" == state
    assert f"as Python: '{OTHERS}'." in line
    assert "docs/security.md" in line
    assert "ok" == finding(result, "tools")[0]


@pytest.mark.usefixtures("registered")
def test_a_tool_that_fails_in_the_sandbox(letta: Letta, venice: LocalVenice) -> None:
    """The line that an agent would get is what the operator gets."""
    venice.order_fault(fault="status-402", path="/characters")

    state, line = finding(examine(letta, venice), "a tool's run")

    assert "failure" == state
    assert f"{TRIED} failed: VeniceError: " in line
    assert "add credit at venice.ai" in line


@pytest.mark.usefixtures("registered", "provider")
def test_a_wrong_key(letta: Letta, venice: LocalVenice) -> None:
    """What needs the key is left out, what does not is still checked; the key is not shown."""
    result = examine(letta, venice, VENICE_API_KEY="not-the-key-1234")

    assert 1 == result.exit_code
    assert "failure" == finding(result, "key")[0]
    assert "skipped" == finding(result, "a tool's run")[0]
    assert ["ok"] * 3 == [finding(result, check)[0] for check in ("tools", "media", "provider")]
    assert "not-the-key-1234" not in result.output


def test_a_folder_that_the_sandbox_cannot_write_to(
    letta: Letta, venice: LocalVenice, tmp_path: Path
) -> None:
    """The system's reason is told, and what to set."""
    (tmp_path / "file").touch()

    state, line = finding(
        examine(letta, venice, VENICE_MEDIA_DIR=str(tmp_path / "file" / "media")), "media"
    )

    assert "failure" == state
    assert "NotADirectoryError" in line
    assert "Set VENICE_MEDIA to a folder that the Letta server's user may write to." in line


def test_something_else_at_the_address(letta: Letta, venice: LocalVenice) -> None:
    """An address where no Letta server answers is named, and all that needs one is left out."""
    result = examine(letta, venice, LETTA_BASE_URL=venice.base_url)

    assert (
        f"{venice.base_url.removesuffix('/v1')} is no Letta server" in finding(result, "Letta")[1]
    )
    assert ["skipped"] * 6 == [line.split()[0] for line in result.stdout.splitlines()[-6:]]


def test_a_provider_of_another_venice(letta: Letta, venice: LocalVenice) -> None:
    """A provider that points elsewhere, and so lists nothing of this Venice, is a failure."""
    body = {
        "name": "venice-test",
        "provider_type": "openrouter",
        "api_key": "k",
        "base_url": "http://127.0.0.1:9/api/v1",
    }
    letta.post("/v1/providers/", cast_to=object, body=body)
    listed = letta.get("/v1/providers/?name=venice-test", cast_to=list[dict[str, str]])

    state, line = finding(examine(letta, venice), "provider")

    letta.delete(f"/v1/providers/{listed[0]['id']}", cast_to=object)
    assert "failure" == state
    assert f"venice-test is there, and lists no model of {venice.base_url}" in line


def test_an_agent_that_venice_refuses_to_summarise(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """It is named, with the line that mends it; one that is summarised with its tools is not."""
    model = f"{provider}/qwen3-vl-235b-a22b"
    wrong = letta.agents.create(name="forgetful", model=model)
    right = letta.agents.create(
        name="mindful", model=model, compaction_settings={"mode": "self_compact_sliding_window"}
    )

    state, line = finding(examine(letta, venice), "long conversations")
    exec(line.partition("Run: ")[2], {"letta": letta})  # noqa: S102  # the line is made to be pasted
    mended = finding(examine(letta, venice), "long conversations")
    modes = [letta.agents.retrieve(agent.id).compaction_settings for agent in (wrong, right)]
    for agent in (wrong, right):
        letta.agents.delete(agent.id)

    assert "warning" == state
    assert "summarise forgetful, so" in line
    assert ("ok", True) == (mended[0], "2 agents think with Venice" in mended[1])
    assert ["self_compact_all", "self_compact_sliding_window"] == [
        one and one.mode for one in modes
    ]


def test_an_agent_of_an_older_type_is_not_summarised(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """Letta does not read the setting for it: it is to be made anew, and the line for the others leaves it out."""
    model = f"{provider}/qwen3-vl-235b-a22b"
    older = letta.agents.create(
        name="older",
        model=model,
        agent_type="memgpt_v2_agent",
        compaction_settings={"mode": "self_compact_all"},
    )
    other = letta.agents.create(name="other", model=model)

    state, line = finding(examine(letta, venice), "long conversations")
    for agent in (older, other):
        letta.agents.delete(agent.id)

    assert "warning" == state
    assert "Make older anew, as a letta_v1_agent" in line
    assert f'for agent in ["{other.id}"]: ' in line.partition("Run: ")[2]


def test_an_agent_that_another_model_summarises(
    letta: Letta, venice: LocalVenice, provider: str
) -> None:
    """It is well: what another place is asked for, Venice does not refuse."""
    with running_venice() as place:
        body = {
            "name": "elsewhere",
            "provider_type": "openrouter",
            "api_key": place.key,
            "base_url": place.base_url,
        }
        made: Any = letta.post("/v1/providers/", cast_to=object, body=body)
        agent = letta.agents.create(
            name="mindful",
            model=f"{provider}/qwen3-vl-235b-a22b",
            compaction_settings={"model": "elsewhere/qwen3-vl-235b-a22b"},
        )
        state, line = finding(examine(letta, venice), "long conversations")
        letta.agents.delete(agent.id)
        letta.delete(f"/v1/providers/{made['id']}", cast_to=object)

    assert "ok" == state, line


@pytest.mark.usefixtures("registered")
def test_a_bad_time_limit_does_not_stop_the_tools(letta: Letta, venice: LocalVenice) -> None:
    """With VENICE_TOOL_SECONDS no number, that is said, and the tools run with the usual limit."""
    result = examine(letta, venice, "--json", VENICE_TOOL_SECONDS="soon")

    found = {one["check"]: one for one in json.loads(result.stdout)["checks"]}
    assert "failure" == found["VENICE_TOOL_SECONDS"]["state"]
    assert ("ok", "ok") == (found["tools"]["state"], found["a tool's run"]["state"])
