"""Letta Code for the tests: of its own version, in a home directory of its own, its model the local Venice."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import uv

from sanctum_venice_tools.emulator.process import LocalVenice

PROJECT = Path(__file__).resolve().parents[2]
REQUIREMENTS = PROJECT / "requirements" / "letta-code.txt"

# A model that calls functions, with room for Letta Code's own 20 tools.
MODEL = "openai-compatible/zai-org-glm-5-2"


@dataclass(frozen=True)
class LettaCode:
    """An installed Letta Code."""

    venv: Path
    home: Path
    venice: LocalVenice

    @property
    def payload(self) -> Path:
        """The folder of its own programs: Node, and what that runs."""
        (payload,) = self.venv.glob("lib/python*/site-packages/letta_code/_payload")
        return payload

    def environment(self, **more: str) -> dict[str, str]:
        """An environment in which nothing of the person's own is seen, nor anything told about it."""
        # Git asks who commits to an agent's memory.
        git = {"GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@example.org"}
        git |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in git.items()}
        # The installed command is found, and uv, whether or not this environment is activated.
        programs = Path(sys.executable).parent
        own = {
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "LETTA_LOCAL_BACKEND_DIR": str(self.home / "backend"),
            "DISABLE_AUTOUPDATER": "1",
            "LETTA_CODE_TELEM": "0",
        }
        return {**own, **git, **more}

    def command(self, *words: str) -> list[str]:
        """A command line of it, for agents of this machine."""
        return [str(self.venv / "bin" / "letta"), "--backend", "local", *words]

    def run(self, *words: str, cwd: Path | None = None, **more: str) -> str:
        """What it prints."""
        done = subprocess.run(
            self.command(*words),
            cwd=cwd or self.home,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return done.stdout

    def make_agent(self, name: str) -> str:
        """A new agent; its id."""
        made = json.loads(self.run("agents", "create", "--name", name, "--model", MODEL))
        return str(made["id"])


def install() -> Path:
    """Install it into .local, once for each version."""
    wanted = REQUIREMENTS.read_bytes()
    venv = PROJECT / ".local" / "letta-code"
    stamp = venv / "requirements.txt"
    if stamp.is_file() and stamp.read_bytes() == wanted:
        return venv
    program = uv.find_uv_bin()
    subprocess.run([program, "venv", "--quiet", "--clear", str(venv)], check=True, timeout=120)
    python = str(venv / "bin" / "python")
    subprocess.run(
        [program, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(REQUIREMENTS)],
        check=True,
        timeout=600,
    )  # fmt: skip
    stamp.write_bytes(wanted)
    return venv


def connect(venv: Path, home: Path, venice: LocalVenice) -> LettaCode:
    """A Letta Code whose models are those of a Venice."""
    code = LettaCode(venv, home, venice)
    code.run("connect", "openai-compatible", "--base-url", venice.base_url, "--api-key", venice.key)
    return code
