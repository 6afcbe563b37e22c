"""The command `skill install`: the skill where each host looks for it, and nothing else is touched."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sanctum_venice_tools.cli import main
from sanctum_venice_tools.fronts.skill import skill_files, skill_tools

pytestmark = pytest.mark.slow

AGENT = "agent-local-51333e3d"


def install(*options: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["skill", "install", *options])


def written(folder: Path) -> dict[str, str]:
    """Every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home directory, and a project beside it, in which the command runs."""
    home = tmp_path / "home"
    project = tmp_path / "project"
    home.mkdir()
    project.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    monkeypatch.chdir(project)
    return home


PLACES = {
    (): "project/.agents/skills/venice",
    ("--project",): "project/.agents/skills/venice",
    ("--global",): "home/.letta/skills/venice",
    ("--for", "claude-code"): "project/.claude/skills/venice",
    ("--for", "claude-code", "--global"): "home/.claude/skills/venice",
    ("--for", "codex"): "project/.agents/skills/venice",
    ("--for", "codex", "--global"): "home/.agents/skills/venice",
}


@pytest.mark.parametrize("options", PLACES, ids=" ".join)
def test_writes_where_the_host_looks(options: tuple[str, ...], tmp_path: Path) -> None:
    """The whole skill, with a command that can be run, and nothing beside it."""
    folder = tmp_path / PLACES[options]
    done = install(*options)

    assert (0, f"{folder}: create") == (done.exit_code, done.stdout.splitlines()[0])
    assert skill_files() == written(folder)
    assert os.access(folder / "scripts/venice", os.X_OK)
    assert [folder.parent] == list(folder.parent.parent.iterdir())


@pytest.mark.parametrize(
    "memory", [f".letta/lc-local-backend/memfs/{AGENT}/memory", f".letta/agents/{AGENT}/memory"]
)
def test_writes_into_an_agents_memory(memory: str, home: Path) -> None:
    """With --agent it goes into the memory that Letta Code keeps of it, here or for its cloud."""
    (home / memory).mkdir(parents=True)
    done = install("--agent", AGENT)

    assert 0 == done.exit_code, done.output
    assert skill_files() == written(home / memory / "skills/venice")
    assert f"--agent {AGENT}" in done.stdout


def test_looks_in_claudes_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CLAUDE_CONFIG_DIR says where Claude Code has its skills."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    install("--for", "claude-code", "--global")

    assert (tmp_path / "claude/skills/venice/SKILL.md").is_file()


def test_may_run_again(tmp_path: Path) -> None:
    """What is as it should be is not written; an older or edited skill is replaced as a whole."""
    folder = tmp_path / "project/.agents/skills/venice"
    install()
    before = (folder / "SKILL.md").stat().st_mtime_ns
    again = install()
    assert (0, f"{folder}: is as it should be") == (again.exit_code, again.stdout.splitlines()[0])
    assert before == (folder / "SKILL.md").stat().st_mtime_ns

    (folder / "scripts/tools.json").write_text("{}", encoding="utf-8")
    (folder / "scripts/gone.py").touch()
    replaced = install()
    assert f"{folder}: update" == replaced.stdout.splitlines()[0]
    assert skill_files() == written(folder)


@pytest.mark.parametrize("kind", ["folder", "link", "file"])
def test_leaves_what_is_not_ours(kind: str, tmp_path: Path) -> None:
    """Something else of that name ends the command with 3 and one line, and stays as it is."""
    folder = tmp_path / "project/.agents/skills/venice"
    folder.parent.mkdir(parents=True)
    if kind == "folder":
        folder.mkdir()
        (folder / "SKILL.md").write_text("---\nname: venice\n---\npack: sanctum-venice-tools\n")
    elif kind == "link":
        folder.symlink_to(tmp_path)
    else:
        folder.touch()
    done = install()

    assert (3, "") == (done.exit_code, done.stdout)
    assert f"Error: {folder} is not of this pack, and was left alone. Move it away first.\n" == (
        done.stderr
    )
    assert not (folder / "scripts").exists()


def test_what_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full ends the command with 1 and one line; the skill that was there is whole."""
    folder = tmp_path / "project/.agents/skills/venice"
    install()
    (folder / "SKILL.md").write_text(skill_files()["SKILL.md"] + "\nedited\n", encoding="utf-8")
    before = written(folder)

    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sanctum_venice_tools.fronts.skill.install.write_skill", full)
    done = install()

    assert (1, "Error: [Errno 28] No space left on device\n") == (done.exit_code, done.stderr)
    assert before == written(folder)
    assert [folder.parent] == list(folder.parent.parent.iterdir())


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    """--dry-run only says what would be done."""
    done = install("--dry-run")

    assert (0, True) == (done.exit_code, "create (not done: --dry-run)" in done.stdout)
    assert [] == list((tmp_path / "project").iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--project", "--global"], "take one of --project, --global and --agent"),
        (["--agent", ""], "--agent is empty"),
        (["--agent", " "], "--agent is empty"),
        (["--agent", AGENT], f"there is no agent {AGENT} on this machine"),
        (["--agent", "Scout"], "write the agent's id, such as agent-local-..., not 'Scout'"),
        (["--agent", "agent-/../.."], "write the agent's id"),
        (["--agent", AGENT, "--for", "codex"], "codex has no agents of its own"),
    ],
)
def test_wrong_usage_is_told(options: list[str], said: str, tmp_path: Path) -> None:
    """A place that does not exist ends with 2 and one line that says why; nothing is written."""
    done = install(*options)

    assert 2 == done.exit_code
    assert said in done.stderr.splitlines()[-1]
    assert [] == list((tmp_path / "project").iterdir())


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """In a folder that somebody removed, the command ends with 2 and a line that says so."""
    (tmp_path / "project").rmdir()
    done = install()

    assert 2 == done.exit_code
    told = "the folder that you are in is gone: go to another, or take --global"
    assert f"Error: {told}" == done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("name", "is_noted"), [("a b (c)", True), ("übung-2_x.y", False)])
def test_a_path_that_a_shell_takes_apart_is_noted(
    name: str, is_noted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the command works only in quotes, it is said that no rule matches it then, and what to do."""
    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    done = install()

    (command,) = tmp_path.rglob("scripts/venice")
    tried = subprocess.run(["/bin/sh", "-c", f"command -v {command}"], check=False)
    told = "Note: this path works only in quotes, and in these no rule may match it: "
    assert (0, is_noted) == (done.exit_code, told in done.stdout)
    assert is_noted == (tried.returncode != 0)


@pytest.mark.parametrize("host", ["letta-code", "claude-code"])
def test_rules_let_run_what_costs_little(host: str, tmp_path: Path) -> None:
    """At the end comes JSON to paste: a rule for each tool but those that may cost dollars or change the account."""
    done = install("--for", host)

    rules = json.loads("{" + done.stdout.partition("\n{")[2])["permissions"]["allow"]
    (command,) = tmp_path.rglob("scripts/venice")
    wanted = [f"Bash({command} {one.name}:*)" for one in skill_tools() if not one.needs_approval]
    assert wanted == rules
    assert 0 < len(rules) < len(skill_tools())


def test_rules_of_codex(tmp_path: Path) -> None:
    """Codex has them in a language of its own: one rule, with the names of the tools."""
    rule = install("--for", "codex").stdout.splitlines()[-1]
    (command,) = tmp_path.rglob("scripts/venice")

    assert rule.startswith(f'prefix_rule(pattern=["{command}", ["venice_ask_web", ')
    assert rule.endswith("]], decision='allow')")
    assert "queue" not in rule


def test_no_rule_covers_a_costly_tool_by_its_beginning() -> None:
    """Rules hold for all that begins like them, so no cheap tool's name begins a costly one's."""
    costly = [one.name for one in skill_tools() if one.needs_approval]
    cheap = tuple(one.name for one in skill_tools() if not one.needs_approval)

    assert costly
    assert not any(name.startswith(cheap) for name in costly)
