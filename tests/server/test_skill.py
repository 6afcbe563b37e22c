"""The skill in the real Letta Code: found by the model, called by its shell, with a secret that nobody sees."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.emulator.process import running_venice
from sanctum_venice_tools.fronts.skill import COMMAND
from tests.server.letta_code import OwnLettaCode, connect

pytestmark = pytest.mark.server

ASK = 'venice_ask_web question="How do red foxes live in cities?"'
BUY = 'venice_queue_video prompt="a fox" --yes'


def by_shell(command: str) -> dict[str, str]:
    """The arguments of Letta Code's tool Bash."""
    return {"command": command, "description": "Call Venice"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the agent works; its path is in the model's script."""
    return tmp_path_factory.mktemp("project")


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory, project: Path) -> Iterator[OwnLettaCode]:
    """Letta Code, with a model that calls the skill when it is told so."""
    home = tmp_path_factory.mktemp("home")
    log = tmp_path_factory.mktemp("log") / "venice.jsonl"
    script = home / "script.json"
    with_key = f'VENICE_API_KEY="$VENICE_API_KEY" {project}/.agents/skills/venice/{COMMAND}'
    turns: list[dict[str, Any]] = [
        {
            "when": "vixen",
            "calls": [{"name": "Skill", "arguments": {"skill": "venice"}}],
            "then": "Read.",
        },
        # What the tool Skill hands over is the person's next message.
        {
            "when": "skill_content",
            "calls": [{"name": "Bash", "arguments": by_shell(f"{with_key} {ASK}")}],
            "then": "Told: {Bash|nothing}",
        },
        {
            "when": "please buy",
            "calls": [{"name": "Bash", "arguments": by_shell(f"{with_key} {BUY}")}],
            "then": "Told: {Bash|nothing}",
        },
    ]
    script.write_text(json.dumps(turns), encoding="utf-8")
    with running_venice(script=script, log=log) as venice:
        yield connect(home, venice)


@pytest.fixture
def agent(code: OwnLettaCode, project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An agent with the skill in its project, the rules that are printed for it, and the key as a secret."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOME", str(code.home))
    printed = CliRunner().invoke(main, ["skill", "install"])
    assert 0 == printed.exit_code, printed.output
    (project / ".letta").mkdir(exist_ok=True)
    rules = "{" + printed.stdout.partition("\n{")[2]
    (project / ".letta" / "settings.json").write_text(rules, encoding="utf-8")

    agent = code.make_agent("Scout")
    secret = next(line for line in printed.stdout.splitlines() if "secret set" in line)
    words = shlex.split(secret.replace("AGENT_ID", agent))
    assert ["letta", "--backend", "local"] == words[:3]
    code.run(*words[3:], VENICE_API_KEY=code.venice.key)
    return agent


def talk(code: OwnLettaCode, agent: str, project: Path, wish: str) -> tuple[str, list[str]]:
    """What the agent says in the end to a wish under standard permissions, and what its tools returned."""
    printed = code.run(
        "-p", wish, "--agent", agent, "--permission-mode", "standard",
        "--output-format", "stream-json", cwd=project, VENICE_BASE_URL=code.venice.base_url,
    )  # fmt: skip
    messages = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    returned = [
        str(one["tool_return"])
        for one in messages
        if one.get("message_type") == "tool_return_message"
    ]
    (result,) = [one["result"] for one in messages if one["type"] == "result"]
    return result, returned


def test_is_valid_by_lettas_own_rules(code: OwnLettaCode) -> None:
    """Letta's validator of skills finds no fault with what is committed, and nothing to warn of."""
    committed = Path(__file__).resolve().parents[2] / "skills" / "venice"
    validator = code.payload / "app/skills/creating-skills/scripts/validate-skill.ts"
    node = code.payload / "bin" / "node"
    done = subprocess.run(
        [str(node), str(validator), str(committed)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert (0, "Skill is valid!") == (done.returncode, done.stdout.strip())


def test_is_found_and_used(code: OwnLettaCode, agent: str, project: Path) -> None:
    """The model sees the skill, reads it, and gets an answer from Venice; the key is in nothing that is printed."""
    said, returned = talk(code, agent, project, "tell me of a vixen")

    assert said.startswith("Told: {")
    answer = json.loads(said.removeprefix("Told: "))
    assert answer["sources"]
    assert any("Launching skill: venice" in one for one in returned)


def test_a_film_is_not_bought_unasked(code: OwnLettaCode, agent: str, project: Path) -> None:
    """The rules that are printed do not cover what may cost dollars, even with --yes: a person is to approve."""
    said, returned = talk(code, agent, project, "please buy a film")

    assert any("requires approval" in one for one in returned)
    assert "venice-video|" not in said


def test_is_found_in_an_agents_memory(
    code: OwnLettaCode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What `--agent` writes is seen by that agent wherever it works."""
    monkeypatch.setenv("HOME", str(code.home))
    monkeypatch.setenv("LETTA_LOCAL_BACKEND_DIR", str(code.home / "backend"))
    agent = code.make_agent("Hermit")
    done = CliRunner().invoke(main, ["skill", "install", "--agent", agent])
    assert 0 == done.exit_code, done.output
    _, returned = talk(code, agent, tmp_path, "tell me of a vixen")

    assert any("Launching skill: venice" in one for one in returned)
