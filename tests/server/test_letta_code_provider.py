"""Venice behind Letta Code's agents: the real Letta Code is connected, told a model's limits, and asked."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import respx
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli.letta_code import connect_letta_code
from sanctum_venice_tools.emulator.process import LocalVenice, running_venice
from sanctum_venice_tools.letta.letta_code import provider
from sanctum_venice_tools.letta.letta_code.installation import ENVIRONMENT
from sanctum_venice_tools.letta.letta_code.program import LettaCode, LettaCodeError
from sanctum_venice_tools.letta.venice import ChoiceError, Venice
from tests.server.letta_code import OwnLettaCode

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the local Venice was asked."""
    return tmp_path_factory.mktemp("venice") / "log.jsonl"


@pytest.fixture(scope="module")
def venice(log: Path) -> Iterator[LocalVenice]:
    """A local Venice."""
    with running_venice(log=log) as venice:
        yield venice


@pytest.fixture
def code(tmp_path: Path, venice: LocalVenice) -> OwnLettaCode:
    """A Letta Code that nobody has connected yet."""
    return OwnLettaCode(tmp_path, venice)


@pytest.fixture
def command(code: OwnLettaCode) -> Callable[..., Result]:
    """Run the command, with the surroundings of that Letta Code."""

    def run(*arguments: str, **more: str) -> Result:
        venice = {"VENICE_API_KEY": code.venice.key, "VENICE_BASE_URL": code.venice.base_url}
        own = code.program(**venice | more).environment
        words = ["--letta", str(ENVIRONMENT.folder / "bin" / "letta"), *arguments]
        return CliRunner().invoke(connect_letta_code, words, env=own)

    return run


def test_an_agent_thinks_with_venice(
    code: OwnLettaCode, command: Callable[..., Result], log: Path
) -> None:
    """Connected, an agent has the true limits of its model, and its requests are as Venice's document has them."""
    assert 0 == command().exit_code
    agent = code.make_agent("thinker")

    told = command("--agent", agent, "--model", "kimi-k3")

    assert 0 == told.exit_code, told.output
    assert f"{agent}: thinks with kimi-k3 (1,000,000 tokens" in told.output
    settings = json.loads(code.run("model", "get", "--default", "--agent", agent))
    assert "openai-compatible/kimi-k3" in json.dumps(settings)
    assert 1_000_000 == settings["model_settings"]["context_window_limit"]
    answer = code.run("-p", "hello", "--agent", agent, "--output-format", "json")
    assert "I am the local Venice" in answer
    asked = [json.loads(line) for line in log.read_text().splitlines()]
    chats = [entry for entry in asked if entry["path"].endswith("/chat/completions")]
    assert chats
    assert {200} == {entry["status"] for entry in chats}
    assert {"kimi-k3"} == {entry["body"]["model"] for entry in chats}


def test_the_key_is_for_its_owner_alone(code: OwnLettaCode, command: Callable[..., Result]) -> None:
    """The key lies in Letta Code's own file and is in no output; a second run changes nothing else in it."""
    first = command()
    (file,) = code.home.glob("backend/providers/auth.json")
    second = command()

    kept = json.loads(file.read_text())["providers"]["openai-compatible"]
    assert {"type": "api", "key": code.venice.key} == kept["auth"]
    assert code.venice.base_url == kept["base_url"]
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert [file] == list(file.parent.iterdir())
    assert code.venice.key not in first.output + second.output


def test_dry_run_writes_nothing(code: OwnLettaCode, command: Callable[..., Result]) -> None:
    """Only told, nothing is there afterwards."""
    told = command("--dry-run", "--agent", "agent-1")

    assert (0, True) == (told.exit_code, "agent-1: would think with zai-org-glm-5-2" in told.output)
    assert not (code.home / "backend").exists()


def test_another_service_is_not_replaced_unseen(
    code: OwnLettaCode, command: Callable[..., Result]
) -> None:
    """Where Letta Code has another service in that place, this is told, in a dry run too, and its key is kept."""
    there = "http://me:my-password@127.0.0.1:11434/v1"
    code.run("connect", "openai-compatible", "--base-url", there, "--api-key", "the-others-key")
    (file,) = code.home.glob("backend/providers/auth.json")
    before = file.read_text()

    dry = command("--dry-run")
    assert "would replace openai-compatible at http://127.0.0.1:11434/v1" in dry.output
    nowhere = command("--letta", "no-such-program")
    assert (4, False) == (nowhere.exit_code, "replaces" in nowhere.output)
    assert ([file], before) == (list(file.parent.iterdir()), file.read_text())

    done = command()
    (kept,) = file.parent.glob("auth.json.before-*")
    assert f"replaces openai-compatible at http://127.0.0.1:11434/v1; {kept} has" in done.output
    assert (before, 0o600) == (kept.read_text(), stat.S_IMODE(kept.stat().st_mode))
    assert "the-others-key" not in file.read_text() + dry.output + done.output
    assert "my-password" not in dry.output + done.output

    assert "replaces" not in command().output
    assert {file, kept} == set(file.parent.iterdir())


def test_an_agent_that_is_not_there_is_told_of(command: Callable[..., Result]) -> None:
    """What Letta Code refuses is one line, with its own words."""
    told = command("--agent", "agent-local-nobody")

    assert 4 == told.exit_code
    assert "letta model refused: " in told.stderr.replace(os.sep, "/").replace("bin/letta", "letta")
    assert 1 == len(told.stderr.splitlines())


@pytest.mark.parametrize(
    ("arguments", "environment", "expected", "status"),
    [
        ([], {"VENICE_API_KEY": ""}, "VENICE_API_KEY is not set", 2),
        ([], {"VENICE_API_KEY": "wrong-key-1234"}, "VENICE_API_KEY is no good", 4),
        (["--letta", "no-such-program"], {}, "There is no program no-such-program", 4),
        (["--model", "e2ee-gemma-4-31b"], {}, "can't drive an agent", 2),
        ([], {"VENICE_BASE_URL": "http://127.0.0.1:9"}, "does not answer", 4),
    ],
    ids=["no key", "wrong key", "no program", "no fit model", "no Venice"],
)
def test_what_can_not_be_is_one_line(
    code: OwnLettaCode,
    arguments: list[str],
    environment: dict[str, str],
    expected: str,
    status: int,
) -> None:
    """A fault of the operator's, or of what is around, ends in a line that says what to do, without the key."""
    own = {"VENICE_API_KEY": code.venice.key, "VENICE_BASE_URL": code.venice.base_url}

    told = CliRunner().invoke(
        connect_letta_code, arguments, env={**code.program().environment, **own, **environment}
    )

    assert status == told.exit_code
    assert expected in told.output
    assert "wrong-key-1234" not in told.output


def test_a_model_has_room_for_letta_code(respx_mock: respx.Router) -> None:
    """A model with less than 64,000 tokens is neither proposed nor accepted."""
    venice = Venice("https://venice.test/api/v1")
    able = {"capabilities": {"supportsFunctionCalling": True}}
    listed = [
        {"id": name, "type": "text", "context_length": window, "model_spec": able}
        for name, window in (("small", 32_000), ("roomy", 64_000))
    ]
    respx_mock.get("https://venice.test/api/v1/models/traits").respond(
        json={"data": {"function_calling_default": "small"}}
    )
    models = respx_mock.get("https://venice.test/api/v1/models").respond(json={"data": listed})

    assert "roomy" == provider.choose_model(venice).id
    with pytest.raises(ChoiceError, match="small has a window of 32,000 tokens; Letta Code needs"):
        provider.choose_model(venice, "small")
    models.respond(json={"data": listed[:1]})
    with pytest.raises(ChoiceError, match="No model of this Venice has the 64,000 tokens"):
        provider.choose_model(venice)


def test_another_letta_code_is_told_of(
    code: OwnLettaCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that keeps its providers elsewhere is not guessed at: the way by hand is told."""
    other = tmp_path / "letta"
    other.write_text("#!/bin/sh\nexit 0\n")
    other.chmod(0o700)
    monkeypatch.setenv("LETTA_LOCAL_BACKEND_DIR", str(tmp_path / "backend"))

    with pytest.raises(LettaCodeError, match="Connect by hand: "):
        provider.connect(LettaCode(str(other)), Venice(code.venice.base_url, code.venice.key))

    assert shutil.which(str(other))
